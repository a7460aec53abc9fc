//! What runs, as plain data: a variant of [`Program`] for each kind of work, and what that kind is given.
//!
//! Behaviour lies above, in `kind`, which has a match over [`Program`] in one place.

use std::time::Duration;

use serde_json::Value;
use taskloom_entity::DataSourceKind;

use crate::task::spec::vsphere::Operation;
use crate::vault::Hidden;
use crate::vsphere::{Address, Trust};

/// What runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Program {
    /// Code for `/bin/sh`.
    Shell(String),
    /// Code for `python3`, unbuffered.
    Python(String),
    /// Nothing: succeeds at once, or after a pausable sleep.
    Noop {
        /// How long it takes, counted while not paused.
        sleep: Option<Duration>,
    },
    /// Statements for a data source.
    Sql(Box<SqlJob>),
    /// One HTTP request.
    Http(Box<HttpJob>),
    /// Work on a vCenter's virtual machines.
    Vsphere(Box<VsphereJob>),
}

impl Program {
    /// A password that the program signs in with beside the secrets that the work is given: unreadable in what it says.
    pub(super) fn password(&self) -> Option<&Hidden> {
        match self {
            Self::Sql(job) => job.source.password.as_ref(),
            Self::Vsphere(job) => Some(&job.server.password),
            Self::Shell(_) | Self::Python(_) | Self::Noop { .. } | Self::Http(_) => None,
        }
    }
}

/// Statements for a data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlJob {
    /// One or more, with semicolons between them.
    pub statements: String,
    /// The database that they are for.
    pub source: DataSource,
}

/// A database, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSource {
    /// As log lines and messages call it.
    pub name: String,
    /// PostgreSQL, MySQL or SQLite.
    pub kind: DataSourceKind,
    /// `None` for a file.
    pub host: Option<String>,
    /// `None`: the usual one of the kind.
    pub port: Option<u16>,
    /// The database's own name, or a file below [`super::OutboundPolicy::sqlite_folder`].
    pub database: String,
    /// The account that signs in.
    pub user: Option<String>,
    /// The account's password.
    pub password: Option<Hidden>,
    /// Options that [`super::sql::options`] allows.
    pub options: Vec<(String, String)>,
}

/// A request. Its texts are templates; `docs/executors.md` says what may stand in them.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpJob {
    /// In upper case.
    pub method: String,
    /// An address of `http` or `https`.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Text as it is; anything else is sent as JSON.
    pub body: Option<Value>,
    /// The statuses that are a success; none: 200 to 299.
    pub expect: Vec<u16>,
    /// How often it is tried again.
    pub retries: u32,
}

/// An operation for a vCenter. Its texts are templates.
#[derive(Clone, Debug)]
pub struct VsphereJob {
    /// What is done, and to which machine.
    pub operation: Operation,
    /// Where.
    pub server: VcenterLogin,
}

/// A vCenter, and how to sign in there.
#[derive(Clone, Debug)]
pub struct VcenterLogin {
    /// As log lines and messages call it.
    pub name: String,
    /// Where it answers.
    pub address: Address,
    /// By what its certificate is trusted.
    pub trust: Trust,
    /// The account that signs in.
    pub user: String,
    /// The account's password.
    pub password: Hidden,
}

impl PartialEq for VcenterLogin {
    fn eq(&self, other: &Self) -> bool {
        let of = |server: &Self| (server.name.clone(), server.address.to_string(), server.user.clone());
        of(self) == of(other) && self.trust == other.trust && self.password == other.password
    }
}

impl PartialEq for VsphereJob {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation && self.server == other.server
    }
}
