//! Typed ids. A task's id can never be passed where a subtask's is wanted.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "database", derive(sea_orm::DeriveValueType), sea_orm(try_from_u64))]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

id! {
    /// A tenant: the owner of users, tasks and definitions.
    TenantId,
    /// A user who signs in.
    UserId,
    /// An API token of a user.
    TokenId,
    /// A definition, one version of it.
    DefinitionId,
    /// A task.
    TaskId,
    /// A subtask of a task.
    SubtaskId,
    /// One run of a subtask.
    AttemptId,
    /// A row of the event log; ascending in the order of commits.
    EventId,
    /// A row of the audit log.
    AuditId,
    /// A secret.
    SecretId,
    /// A data source.
    DataSourceId,
    /// A result set of an attempt.
    ResultSetId,
    /// A vCenter.
    VcenterId,
    /// A vCenter that answered at a registered address.
    VsphereInstanceId,
    /// An object of a vCenter.
    VsphereObjectId,
    /// A task of a vCenter.
    VsphereTaskId,
}
