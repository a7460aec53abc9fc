//! The closed words of the graph. Each is the entity's or the core's under the name that the contract gives it.

use async_graphql::Enum;
use taskloom_entity as entity;

use crate::log;
use crate::task::command::Verb;
use crate::task::preview;

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident of $remote:tt { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        #[graphql(remote = $remote)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
    )+};
}

mirror! {
    /// Where a task stands.
    TaskState of "entity::TaskState" {
        /// Accepted, nothing started.
        Pending,
        /// Something runs, may run or waits for its turn.
        Running,
        /// Frozen: running processes stand still, nothing new starts.
        Paused,
        /// Cancellation is recorded, what runs is being stopped.
        Canceling,
        /// Every subtask ended well or was skipped.
        Successful,
        /// A subtask failed and nothing runs any more.
        Failed,
        /// Cancelled, and nothing runs any more.
        Canceled,
        /// Everything that had run was undone.
        RolledBack,
    }
    /// Where a subtask stands.
    SubtaskState of "entity::SubtaskState" {
        /// Waits for its upstreams, or was undone.
        Pending,
        /// May be claimed by a worker.
        Ready,
        /// An attempt of it runs.
        Running,
        /// Its attempt is being stopped.
        Canceling,
        /// Its last attempt did not succeed.
        Failed,
        /// Its last attempt succeeded, or it was skipped.
        Successful,
    }
    /// What a task or subtask is, or was last, doing.
    Operation of "entity::Operation" {
        /// Running as defined.
        Execute,
        /// Running again what failed.
        Retry,
        /// Undoing.
        Rollback,
        /// Counted as done without running.
        Skip,
        /// Stopped on request.
        Cancel,
    }
    /// How one attempt stands or ended.
    AttemptState of "entity::AttemptState" {
        /// Under a lease.
        Running,
        /// Ended well.
        Successful,
        /// Ended with an error.
        Failed,
        /// Stopped at its time limit.
        TimedOut,
        /// Stopped on request.
        Canceled,
        /// Its worker went away.
        Lost,
    }
    /// What runs a subtask.
    ExecutorKind of "entity::ExecutorKind" {
        /// A POSIX shell.
        Shell,
        /// A Python interpreter.
        Python,
        /// Nothing: a gate, optionally with a pause.
        Noop,
        /// Statements for a data source.
        Sql,
        /// One HTTP request.
        Http,
        /// Work on a vCenter's virtual machines.
        Vsphere,
    }
    /// Which database a data source is.
    DataSourceKind of "entity::DataSourceKind" {
        /// PostgreSQL.
        Postgresql,
        /// MySQL or MariaDB.
        Mysql,
        /// A file of SQLite.
        Sqlite,
    }
    /// In which language foreign things are named.
    Language of "crate::error::Language" {
        /// English.
        En,
        /// Chinese.
        Zh,
    }
    /// By what a vCenter's certificate is trusted.
    VcenterTrust of "entity::VcenterTrust" {
        /// The authorities of the machine that Taskloom runs on.
        System,
        /// Authorities of its own.
        Ca,
        /// The certificate itself, by its SHA-256 thumbprint.
        Thumbprint,
    }
    /// How the collection of a vCenter's tasks stands.
    CollectionState of "entity::CollectionState" {
        /// No server collects; one that may will within seconds.
        Waiting,
        /// Signing in.
        Connecting,
        /// The history is read back to its limit; what happens meanwhile is collected, too.
        Reading,
        /// What happens is followed.
        Following,
        /// It did not get through, and is tried again; `reason` says why.
        Failing,
    }
    /// Where a vCenter's task stands, in the vCenter's words.
    VsphereTaskState of "entity::VsphereTaskState" {
        /// Accepted, not begun.
        Queued,
        /// Running.
        Running,
        /// Ended well.
        Success,
        /// Failed, was cancelled, or nobody knows how it ended.
        Error,
    }
    /// What began a vCenter's task.
    VsphereReason of "entity::VsphereReason" {
        /// A user.
        User,
        /// A scheduled task.
        Schedule,
        /// An alarm.
        Alarm,
        /// The vCenter itself.
        System,
        /// Something that this release does not know.
        Other,
    }
    /// What a result set is made of.
    ResultKind of "entity::ResultKind" {
        /// Rows of named columns.
        Table,
        /// Lines of a text.
        Text,
    }
    /// What the values of a result set's column are; all of them come as text.
    ColumnType of "entity::ColumnType" {
        /// Any text.
        String,
        /// `true` or `false`.
        Boolean,
        /// A whole number of up to 32 bits.
        Int,
        /// A whole number of up to 64 bits.
        Bigint,
        /// A number of single precision.
        Float,
        /// A number of double precision.
        Double,
        /// A number of exact digits.
        Decimal,
        /// `yyyy-MM-dd`.
        Date,
        /// `yyyy-MM-dd HH:mm:ss[.SSS]`.
        Timestamp,
        /// Bytes, as `\x` and hexadecimal digits.
        Binary,
    }
    /// What an event tells of.
    EventKind of "entity::EventKind" {
        /// A task was accepted.
        TaskSubmitted,
        /// A task's state or operation changed.
        TaskChanged,
        /// A task was deleted.
        TaskDeleted,
        /// A subtask's state or operation changed.
        SubtaskChanged,
        /// Progress moved.
        Progress,
        /// A subtask reported a warning.
        Warning,
    }
    /// What can be asked of a task or subtask.
    Action of "Verb" {
        /// Run again what failed.
        Retry,
        /// Undo what ran.
        Rollback,
        /// Count a failure as done.
        Skip,
        /// Stop.
        Cancel,
        /// Freeze.
        Pause,
        /// Go on.
        Resume,
        /// Remove for good.
        Delete,
    }
    /// What an operation does to a subtask.
    Effect of "preview::Effect" {
        /// It runs.
        Run,
        /// Its undo runs.
        Undo,
        /// It is counted as done without running.
        Skip,
        /// What runs of it is stopped.
        Stop,
        /// It had not begun, and will not.
        Drop,
        /// It is frozen.
        Freeze,
        /// It goes on where it was.
        Thaw,
    }
    /// How loud a line of a log is.
    LogLevel of "log::Level" {
        /// An error.
        Error,
        /// A warning.
        Warn,
        /// Anything else.
        Info,
    }
    /// Where a line of a log came from.
    LogSource of "log::Source" {
        /// Standard output.
        Stdout,
        /// Standard error.
        Stderr,
        /// Taskloom itself.
        System,
        /// `::warning`.
        Warning,
    }
}

/// Where a task came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::TaskType")]
pub enum TaskType {
    /// Submitted by a person or program.
    Manual,
    /// Submitted once by the system itself.
    SysOnce,
    /// Submitted by a user's schedule.
    Scheduled,
    /// Submitted by a schedule of the system itself.
    SysScheduled,
}
