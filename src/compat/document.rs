//! What tells of the dialects: the GraphQL documents that do what their routes do, and their OpenAPI descriptions.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::{DIALECTS, hint, linkis, ocp};
use crate::error::{Error, Language, code};
use crate::http::respond;

/// `/graphql/operations`, `/graphql/operations/{name}`, `/openapi/{dialect}.json`.
pub(super) fn router() -> Router {
    Router::new()
        .route("/graphql/operations", get(list))
        .route("/graphql/operations/{name}", get(document))
        .route("/openapi/{name}", get(description))
}

fn all() -> impl Iterator<Item = &'static hint::Document> {
    DIALECTS.iter().flat_map(|(_, documents)| *documents)
}

async fn list() -> Response {
    let names = all().map(|(name, _)| json!({"name": name, "document": format!("{}/{name}", hint::DOCUMENTS)}));
    Json(json!({"operations": names.collect::<Vec<_>>()})).into_response()
}

async fn document(Path(name): Path<String>) -> Response {
    match all().find(|(is, _)| *is == name) {
        Some((_, text)) => ([(CONTENT_TYPE, "application/graphql; charset=utf-8")], *text).into_response(),
        None => nothing(&format!("{}/{name}", hint::DOCUMENTS)),
    }
}

async fn description(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "ocp.json" => Json(ocp::openapi()).into_response(),
        "linkis.json" => Json(linkis::openapi()).into_response(),
        _ => nothing(&format!("/openapi/{name}")),
    }
}

fn nothing(path: &str) -> Response {
    respond(&Error::new(&code::PATH_NOT_FOUND).with("path", path), Language::En)
}
