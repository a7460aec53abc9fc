//! What tells of the dialects: the GraphQL documents that do what their routes do, and their OpenAPI descriptions.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use utoipa::openapi::OpenApi;

use super::{DIALECTS, Dialect, hint};
use crate::error::{Error, Language, code};
use crate::http::respond;

/// `/graphql/operations`, `/graphql/operations/{name}`, `/openapi`, `/openapi/{dialect}.json`.
pub(super) fn router() -> Router {
    Router::new()
        .route("/graphql/operations", get(list))
        .route("/graphql/operations/{name}", get(document))
        .route("/openapi", get(descriptions))
        .route("/openapi/{name}", get(description))
}

fn all() -> impl Iterator<Item = &'static hint::OperationDocument> {
    DIALECTS.iter().flat_map(|dialect| dialect.documents)
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

/// The descriptions in the form that the page `/docs` takes: what each is called, and where it is.
async fn descriptions() -> Response {
    let named = |dialect: &Dialect| json!({"name": dialect.title, "url": format!("/openapi/{}.json", dialect.name)});
    Json(json!({"descriptions": DIALECTS.iter().map(named).collect::<Vec<_>>()})).into_response()
}

async fn description(Path(name): Path<String>) -> Response {
    match DIALECTS.iter().find(|dialect| name.strip_suffix(".json") == Some(dialect.name)) {
        Some(dialect) => Json(pruned((dialect.openapi)())).into_response(),
        None => nothing(&format!("/openapi/{name}")),
    }
}

/// The description without schemas that nothing refers to: an envelope shows what it holds in place.
fn pruned(mut openapi: OpenApi) -> OpenApi {
    loop {
        let text = serde_json::to_string(&openapi).unwrap_or_default();
        let Some(components) = &mut openapi.components else { return openapi };
        let before = components.schemas.len();
        components.schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if components.schemas.len() == before {
            return openapi;
        }
    }
}

fn nothing(path: &str) -> Response {
    respond(&Error::new(&code::PATH_NOT_FOUND).with("path", path), Language::En)
}
