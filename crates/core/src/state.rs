//! The closed sets of words: states, operations, roles. Stored as their upper-case names.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "database", derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum))]
        #[cfg_attr(feature = "database", sea_orm(rs_type = "String", db_type = "Text"))]
        pub enum $name {
            $($(#[$vdoc])* #[cfg_attr(feature = "database", sea_orm(string_value = $text))] #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// The upper-case name, as stored and as shown.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Every member, in the order of declaration.
            pub fn all() -> impl Iterator<Item = Self> {
                [$(Self::$variant),+].into_iter()
            }

            /// The member with this upper-case name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::all().find(|member| member.name() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )+};
}

words! {
    /// Where a task stands.
    TaskState {
        /// Accepted, nothing started.
        Pending = "PENDING",
        /// Something runs, may run or waits for its turn.
        Running = "RUNNING",
        /// Frozen: running processes stand still, nothing new starts.
        Paused = "PAUSED",
        /// Cancellation is recorded, what runs is being stopped.
        Canceling = "CANCELING",
        /// Every subtask ended well or was skipped.
        Successful = "SUCCESSFUL",
        /// A subtask failed and nothing runs any more.
        Failed = "FAILED",
        /// Cancelled, and nothing runs any more.
        Canceled = "CANCELED",
        /// Everything that had run was undone.
        RolledBack = "ROLLED_BACK",
    }
    /// Where a subtask stands.
    SubtaskState {
        /// Waits for its upstreams, or was undone.
        Pending = "PENDING",
        /// May be claimed by a worker.
        Ready = "READY",
        /// An attempt has a lease on it.
        Running = "RUNNING",
        /// Its attempt is being stopped.
        Canceling = "CANCELING",
        /// Its last attempt did not succeed.
        Failed = "FAILED",
        /// Its last attempt succeeded, or it was skipped.
        Successful = "SUCCESSFUL",
    }
    /// What a task or subtask is, or was last, doing.
    Operation {
        /// Running as defined.
        Execute = "EXECUTE",
        /// Running again what failed.
        Retry = "RETRY",
        /// Undoing.
        Rollback = "ROLLBACK",
        /// Counted as done without running.
        Skip = "SKIP",
        /// Stopped on request.
        Cancel = "CANCEL",
    }
    /// How one attempt stands or ended.
    AttemptState {
        /// Under a lease.
        Running = "RUNNING",
        /// Ended well.
        Successful = "SUCCESSFUL",
        /// Ended with an error.
        Failed = "FAILED",
        /// Stopped at its time limit.
        TimedOut = "TIMED_OUT",
        /// Stopped on request.
        Canceled = "CANCELED",
        /// Its worker went away.
        Lost = "LOST",
    }
    /// Where a task came from, in the words of the oldest dialect.
    TaskType {
        /// Submitted by a person or program.
        Manual = "MANUAL",
        /// Submitted once by the system itself (the spelling is the legacy document's).
        SysOnce = "SYS_ONECE",
        /// Submitted by a user's schedule.
        Scheduled = "SCHEDULED",
        /// Submitted by a schedule of the system itself.
        SysScheduled = "SYS_SCHEDULED",
    }
    /// What runs a subtask.
    ExecutorKind {
        /// A POSIX shell.
        Shell = "SHELL",
        /// A Python interpreter.
        Python = "PYTHON",
        /// Nothing: a gate, optionally with a pause.
        Noop = "NOOP",
        /// Statements for a data source.
        Sql = "SQL",
        /// One HTTP request.
        Http = "HTTP",
        /// Work on a vCenter's virtual machines.
        Vsphere = "VSPHERE",
    }
    /// By what a vCenter's certificate is trusted.
    VcenterTrust {
        /// The authorities of this machine.
        System = "SYSTEM",
        /// Authorities of its own.
        Ca = "CA",
        /// The certificate itself, by its SHA-256 thumbprint.
        Thumbprint = "THUMBPRINT",
    }
    /// How the collection of a vCenter's tasks stands.
    CollectionState {
        /// Nobody collects: it waits for a server.
        Waiting = "WAITING",
        /// Signing in.
        Connecting = "CONNECTING",
        /// The history is read back to its limit; what happens meanwhile is followed.
        Reading = "READING",
        /// What happens is followed.
        Following = "FOLLOWING",
        /// It did not get through, and is tried again.
        Failing = "FAILING",
    }
    /// Where a vCenter's task stands, in the vCenter's words.
    VsphereTaskState {
        /// Accepted, not begun.
        Queued = "QUEUED",
        /// Running.
        Running = "RUNNING",
        /// Ended well.
        Success = "SUCCESS",
        /// Failed, was cancelled, or nobody knows how it ended.
        Error = "ERROR",
    }
    /// What began a vCenter's task.
    VsphereReason {
        /// A user.
        User = "USER",
        /// A scheduled task.
        Schedule = "SCHEDULE",
        /// An alarm.
        Alarm = "ALARM",
        /// The vCenter itself.
        System = "SYSTEM",
        /// Something that later releases know.
        Other = "OTHER",
    }
    /// Which database a data source is.
    DataSourceKind {
        /// PostgreSQL.
        Postgresql = "POSTGRESQL",
        /// MySQL or MariaDB.
        Mysql = "MYSQL",
        /// A file of SQLite.
        Sqlite = "SQLITE",
    }
    /// What a result set is made of.
    ResultKind {
        /// Rows of named columns.
        Table = "TABLE",
        /// Lines of a text.
        Text = "TEXT",
    }
    /// What the values of a result set's column are; all of them are kept as text.
    ColumnType {
        /// Any text.
        String = "STRING",
        /// `true` or `false`.
        Boolean = "BOOLEAN",
        /// A whole number of up to 32 bits.
        Int = "INT",
        /// A whole number of up to 64 bits.
        Bigint = "BIGINT",
        /// A number of single precision.
        Float = "FLOAT",
        /// A number of double precision.
        Double = "DOUBLE",
        /// A number of exact digits.
        Decimal = "DECIMAL",
        /// `yyyy-MM-dd`.
        Date = "DATE",
        /// `yyyy-MM-dd HH:mm:ss[.SSS]`.
        Timestamp = "TIMESTAMP",
        /// Bytes, as `\x` and hexadecimal digits.
        Binary = "BINARY",
    }
    /// What happens to a subtask whose worker went away in the middle of it.
    OnLost {
        /// It runs again.
        Retry = "RETRY",
        /// It fails: it may not run twice unasked.
        Fail = "FAIL",
    }
    /// How much a principal may do; each role implies those before it.
    Role {
        /// Reads.
        Viewer = "VIEWER",
        /// Submits and steers tasks.
        Manager = "MANAGER",
        /// Users, tokens, every tenant.
        Admin = "ADMIN",
    }
    /// Whether a worker's session holds its lease.
    WorkerState {
        /// Renews its lease.
        Alive = "ALIVE",
        /// Said good-bye.
        Stopped = "STOPPED",
        /// Its lease ended; it may write nothing any more.
        Lost = "LOST",
    }
    /// What an event tells of.
    EventKind {
        /// A task was accepted.
        TaskSubmitted = "TASK_SUBMITTED",
        /// A task's state or operation changed.
        TaskChanged = "TASK_CHANGED",
        /// A task was deleted.
        TaskDeleted = "TASK_DELETED",
        /// A subtask's state or operation changed.
        SubtaskChanged = "SUBTASK_CHANGED",
        /// A task's or subtask's progress moved.
        Progress = "PROGRESS",
        /// A subtask reported a warning.
        Warning = "WARNING",
    }
    /// Whether an audited act was done.
    AuditOutcome {
        /// Done.
        Done = "DONE",
        /// Refused.
        Refused = "REFUSED",
    }
}

impl TaskState {
    /// Whether nothing will happen any more unless somebody asks for it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Successful | Self::Failed | Self::Canceled | Self::RolledBack => true,
            Self::Pending | Self::Running | Self::Paused | Self::Canceling => false,
        }
    }
}

impl SubtaskState {
    /// Whether an attempt runs, is being stopped, or may begin.
    #[must_use]
    pub const fn is_active(self) -> bool {
        match self {
            Self::Ready | Self::Running | Self::Canceling => true,
            Self::Pending | Self::Failed | Self::Successful => false,
        }
    }
}

impl ExecutorKind {
    /// Whether it runs a process, whose standard output is its result.
    #[must_use]
    pub const fn is_process(self) -> bool {
        match self {
            Self::Shell | Self::Python => true,
            Self::Noop | Self::Sql | Self::Http | Self::Vsphere => false,
        }
    }
}
