//! Apache Linkis's entrance: `/api/rest_j/v1`, as Linkis 1.1.1 and later answer it. A job is a task of one step; with it
//! come sign-in, the history, results and logs, without which no client of the product gets its result.

mod call;
mod envelope;
mod file;
mod history;
mod id;
mod job;
mod log;
mod path;
mod sign;
mod submit;
mod variable;
mod wire;

use axum::Router;
use axum::routing::{any, get, post};
use utoipa::OpenApi;

use self::call::{Linkis, no_such_path, wrong_method};
use self::sign::LinkisSecuritySchemes;
use super::caller::Guest;
use super::{Server, hint};

macro_rules! documents {
    ($($name:literal),+ $(,)?) => {
        /// The GraphQL document of each route.
        pub const DOCUMENTS: &[hint::OperationDocument] =
            &[$((concat!("linkis.", $name), include_str!(concat!("operations/", $name, ".graphql")))),+];
    };
}

documents! {
    "execute", "submit", "status", "progress", "progressWithResource", "log", "kill", "killJobs", "pause", "getTask",
    "listTasks", "getDirFileTrees", "openFile", "openLog", "login", "logout", "userInfo",
}

const PREFIX: &str = "/api/rest_j/v1";

/// The dialect's routes; everything else below its prefix is answered in its envelope.
pub fn router(server: Server, guest: Guest) -> Router {
    let entrance = |rest: &str| format!("{PREFIX}/entrance/{rest}");
    let below = |rest: &str| format!("{PREFIX}/{rest}");
    Router::new()
        .route(&entrance("execute"), hint::route(post, "linkis.execute", job::execute))
        .route(&entrance("submit"), hint::route(post, "linkis.submit", job::submit))
        .route(&entrance("{id}/status"), hint::route(get, "linkis.status", job::status))
        .route(&entrance("{id}/progress"), hint::route(get, "linkis.progress", job::progress))
        .route(&entrance("{id}/progressWithResource"), hint::route(get, "linkis.progressWithResource", job::resource))
        .route(&entrance("{id}/log"), hint::route(get, "linkis.log", job::log))
        .route(&entrance("{id}/kill"), hint::route(get, "linkis.kill", job::kill))
        .route(&entrance("{id}/killJobs"), hint::route(post, "linkis.killJobs", job::kill_jobs))
        .route(&entrance("{id}/pause"), hint::route(get, "linkis.pause", job::pause))
        .route(&below("jobhistory/{taskID}/get"), hint::route(get, "linkis.getTask", history::get))
        .route(&below("jobhistory/list"), hint::route(get, "linkis.listTasks", history::list))
        .route(&below("filesystem/getDirFileTrees"), hint::route(get, "linkis.getDirFileTrees", file::tree))
        .route(&below("filesystem/openFile"), hint::route(get, "linkis.openFile", file::open))
        .route(&below("filesystem/openLog"), hint::route(get, "linkis.openLog", file::open_log))
        .route(&below("user/login"), hint::route(post, "linkis.login", sign::login))
        .route(&below("user/logout"), hint::route(post, "linkis.logout", sign::logout))
        .route(&below("user/userInfo"), hint::route(get, "linkis.userInfo", sign::user_info))
        .method_not_allowed_fallback(wrong_method)
        .route(PREFIX, any(no_such_path))
        .route(&below(""), any(no_such_path))
        .route(&below("{*rest}"), any(no_such_path))
        .with_state(Linkis { server, guest })
}

/// What is true of the dialect as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Taskloom: Linkis entrance", description = "The entrance of Apache Linkis, with sign-in, job history, results and logs, answered by Taskloom. A job is a task of one step. Each answer names the GraphQL operation that does the same."),
    paths(job::execute, job::submit, job::status, job::progress, job::resource, job::log, job::kill, job::kill_jobs,
        job::pause, history::get, history::list, file::tree, file::open, file::open_log, sign::login, sign::logout,
        sign::user_info),
    components(schemas(envelope::LinkisRefusalBody)),
    modifiers(&LinkisSecuritySchemes),
    security(("bearer" = []), ("cookie" = []), ("tokenUser" = [], "tokenCode" = [])),
    servers((url = "/", description = "This server")),
    tags((name = "entrance", description = "Jobs"), (name = "history", description = "Jobs, results and logs of late"),
        (name = "user", description = "Sign-in"))
)]
struct LinkisOpenApi;

/// The dialect's OpenAPI description.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    LinkisOpenApi::openapi()
}
