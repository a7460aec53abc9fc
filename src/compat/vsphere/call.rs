//! One call: who calls, and where it is answered.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::response::Response;
use serde::Serialize;

use super::super::Server;
use super::super::caller::{self, Guest};
use super::super::scode::{self, ScodeCallSite, ScodeRefusal};
use crate::error::{Error, Language, code};
use crate::resolver::Request;

/// What every call needs.
#[derive(Clone)]
pub struct VsphereRouterState {
    /// What every dialect needs.
    pub server: Server,
    /// Who is let in without credentials.
    pub guest: Guest,
}

/// One call, let in.
pub struct VsphereCall {
    /// In whose name.
    pub request: Request,
    of: VsphereRouterState,
}

impl FromRequestParts<VsphereRouterState> for VsphereCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, of: &VsphereRouterState) -> Result<Self, Response> {
        match scode::enter(&of.server, parts, of.guest).await {
            Ok(request) => Ok(Self { request, of: of.clone() }),
            Err((id, error)) => Err(of.place("vsphere.signIn").refuse(&id, &error.into())),
        }
    }
}

impl VsphereRouterState {
    fn place(&self, operation: &'static str) -> ScodeCallSite {
        ScodeCallSite { host: self.server.instance.clone(), module: "vsphere", operation }
    }
}

impl VsphereCall {
    /// In which language operations are named.
    pub fn language(&self) -> Language {
        self.of.server.locale
    }

    pub fn answer<T: Serialize>(&self, operation: &'static str, found: Result<T, ScodeRefusal>) -> Response {
        self.of.place(operation).answer(&self.request.id, found)
    }
}

/// A path below the dialect's that does not exist.
pub async fn no_such_path(State(of): State<VsphereRouterState>, uri: Uri, parts: Parts) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let id = caller::stranger(&of.server.app, &parts, Language::default()).id;
    of.place("vsphere").refuse(&id, &Error::new(&code::PATH_NOT_FOUND).with("path", path).into())
}

/// A path that exists, asked in a way that it does not answer; the router adds `Allow`.
pub async fn wrong_method(State(of): State<VsphereRouterState>, method: Method, uri: Uri, parts: Parts) -> Response {
    let error = Error::new(&code::METHOD_NOT_ALLOWED).with("path", uri.path()).with("method", method);
    let id = caller::stranger(&of.server.app, &parts, Language::default()).id;
    of.place("vsphere").refuse(&id, &error.into())
}
