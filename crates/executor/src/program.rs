//! What runs, as plain data: a variant of [`Program`] for each kind of work, and what that kind is given.
//!
//! Behaviour lies above, in `kind`, which has a match over [`Program`] in one place. All values are filled in already:
//! texts may have secrets in them, so none of them is told by `Debug`.

use std::fmt;
use std::time::Duration;

use taskloom_core::DataSourceKind;
use taskloom_vault::Hidden;
use taskloom_vsphere::{Address, Trust};

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
    pub password: Option<Hidden>,
    /// Options that [`super::sql::options`] allows.
    pub options: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct HttpJob {
    /// In upper case.
    pub method: String,
    /// An address of `http` or `https`.
    pub url: Hidden,
    pub headers: Vec<(String, Hidden)>,
    pub body: Option<HttpBody>,
    /// The statuses that are a success; none: 200 to 299.
    pub expect: Vec<u16>,
    /// How often it is tried again.
    pub retries: u32,
}

/// What is sent with a request.
#[derive(Clone, Debug, PartialEq)]
pub enum HttpBody {
    Text(Hidden),
    /// With the type of JSON, unless a header gives another.
    Json(Hidden),
}

/// An operation for a vCenter.
#[derive(Clone)]
pub struct VsphereJob {
    /// What it is called in definitions.
    pub title: &'static str,
    /// The machine, by its name or reference.
    pub vm: String,
    /// What is done to it.
    pub action: MachineAction,
    pub server: VcenterLogin,
}

/// What is done to a virtual machine. Snapshots and places are named by their names or references.
#[derive(Clone, PartialEq, Eq)]
pub enum MachineAction {
    PowerOn,
    PowerOff,
    Reset,
    Suspend,
    /// Delete, with its disks.
    Destroy,
    Snapshot {
        name: String,
        description: String,
        /// With the memory of a running machine.
        memory: bool,
        /// With the guest's file systems flushed.
        quiesce: bool,
    },
    /// Back to a snapshot; none: to the one that the machine stands upon.
    Revert(Option<String>),
    RemoveSnapshot {
        snapshot: String,
        /// With those made upon it.
        children: bool,
    },
    /// What is `None` stays.
    Reconfigure {
        cpus: Option<u32>,
        memory_mb: Option<u32>,
        name: Option<String>,
        /// What vSphere Client shows as notes.
        annotation: Option<String>,
    },
    Clone(Box<CloneTarget>),
}

/// A copy to be made; what is `None` is as of the machine that is copied.
#[derive(Clone, PartialEq, Eq)]
pub struct CloneTarget {
    pub name: String,
    /// The folder it lies in.
    pub folder: Option<String>,
    pub pool: Option<String>,
    /// The host it runs on.
    pub host: Option<String>,
    /// Where its disks lie.
    pub datastore: Option<String>,
    /// Whether it is powered on.
    pub power_on: bool,
    /// Whether it is a template.
    pub template: bool,
}

/// A vCenter, and how to sign in there.
#[derive(Clone, Debug)]
pub struct VcenterLogin {
    /// As log lines and messages call it.
    pub name: String,
    pub address: Address,
    /// By what its certificate is trusted.
    pub trust: Trust,
    /// The account that signs in.
    pub user: String,
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
        (self.title, &self.vm, &self.action, &self.server) == (other.title, &other.vm, &other.action, &other.server)
    }
}

impl fmt::Debug for VsphereJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VsphereJob").field("title", &self.title).field("server", &self.server).finish_non_exhaustive()
    }
}
