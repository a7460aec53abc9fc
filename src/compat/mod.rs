//! The doors of old clients: a folder per dialect, each with its routes, its JSON, its envelope of errors, and the GraphQL
//! documents that do the same.
//!
//! A route decodes, calls the resolver functions that the graph's fields call, and encodes. It has no query, no
//! permission and no rule of its own; what a resolver lacks is added to the resolver.

mod caller;
mod captured;
mod document;
pub mod hint;
pub mod linkis;
mod long;
pub mod ocp;
mod query;
mod scode;
pub mod vsphere;
mod zone;

use std::sync::Arc;

pub use caller::Guest;
pub use zone::Zone;

use crate::error::Language;
use crate::http::Door;
use crate::resolver::App;

/// How the dialects are served.
#[derive(Clone, Debug, Default)]
pub struct DialectSettings {
    /// The name under which this server speaks of itself.
    pub server: String,
    /// In which zone instants are written.
    pub zone: Zone,
    /// `host:port` of this server, as it speaks of itself.
    pub instance: String,
    /// Who is let into `ocp` without credentials.
    pub ocp: Guest,
    /// Who is let into `linkis` without credentials.
    pub linkis: Guest,
    /// Who is let into `vsphere` without credentials.
    pub vsphere: Guest,
    /// In which language foreign operations are named.
    pub locale: Language,
    /// The bytes that a body may have.
    pub body: u64,
    /// The bytes that the body of somebody who is not signed in may have.
    pub stranger: usize,
}

/// What every dialect needs.
#[derive(Clone, Debug)]
pub struct Server {
    /// The machinery.
    pub app: Arc<App>,
    /// The name under which this server speaks of itself.
    pub name: Arc<str>,
    /// `host:port` of this server, as it speaks of itself.
    pub instance: Arc<str>,
    /// In which zone instants are written.
    pub zone: Zone,
    /// In which language foreign operations are named.
    pub locale: Language,
    /// The bytes that the body of somebody who is not signed in may have.
    pub stranger: usize,
}

/// What is told of a dialect.
#[derive(Debug)]
pub struct Dialect {
    /// The first part of its operations' names.
    pub name: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// The GraphQL documents of its operations.
    pub documents: &'static [hint::OperationDocument],
    /// Its OpenAPI description.
    pub openapi: fn() -> utoipa::openapi::OpenApi,
}

/// Every dialect.
pub const DIALECTS: &[Dialect] = &[
    Dialect { name: "ocp", title: "OceanBase OCP: tasks", documents: ocp::DOCUMENTS, openapi: ocp::openapi },
    Dialect {
        name: "linkis",
        title: "Apache Linkis: entrance",
        documents: linkis::DOCUMENTS,
        openapi: linkis::openapi,
    },
    Dialect {
        name: "vsphere",
        title: "vSphere: task histories",
        documents: vsphere::DOCUMENTS,
        openapi: vsphere::openapi,
    },
];

/// The doors of every dialect, and what tells of them.
#[must_use]
pub fn doors(app: &Arc<App>, settings: DialectSettings) -> Vec<Door> {
    let server = Server {
        app: app.clone(),
        name: settings.server.into(),
        instance: settings.instance.into(),
        zone: settings.zone,
        locale: settings.locale,
        stranger: settings.stranger,
    };
    let body = settings.body;
    vec![
        Door {
            paths: &["/api/v2/tasks/instances"],
            router: ocp::router(server.clone(), settings.ocp),
            body,
            has_envelope: true,
        },
        Door {
            paths: &["/api/rest_j/v1/entrance"],
            router: linkis::router(server.clone(), settings.linkis),
            body,
            has_envelope: true,
        },
        Door {
            paths: &["/v1/vsphere/task"],
            router: vsphere::router(server, settings.vsphere),
            body,
            has_envelope: true,
        },
        Door { paths: &["/graphql/operations", "/openapi"], router: document::router(), body, has_envelope: false },
    ]
}
