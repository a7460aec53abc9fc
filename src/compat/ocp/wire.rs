//! OCP's JSON, and nothing else. The keys of each object are in alphabetical order and those without a value are left
//! out, as the product does; where the document and the product name one thing differently, both names are sent.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use taskloom_entity::{ExecutorKind, Operation, SubtaskId, SubtaskState, TaskState, TaskType, task};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{self, Object, Schema};

use super::super::Zone;
use super::super::long::Long;
use super::time::Time;
use crate::resolver::subtask::{SubtaskBrief, SubtaskRow, upstreams};
use crate::resolver::task::submit::TargetFacts;
use crate::resolver::whole::Whole;

/// The longest that a run of each subtask may take, where there is a limit.
pub type Timeouts = HashMap<SubtaskId, Duration>;

/// Where a task stands, in the dialect's three words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = Status)]
pub enum OcpTaskStatus {
    /// Accepted, running, paused or being cancelled.
    Running,
    /// Failed or cancelled.
    Failed,
    /// Done, or undone as a whole.
    Successful,
}

impl OcpTaskStatus {
    /// The word for a state.
    #[must_use]
    pub const fn of(state: TaskState) -> Self {
        match state {
            TaskState::Pending | TaskState::Running | TaskState::Paused | TaskState::Canceling => Self::Running,
            TaskState::Failed | TaskState::Canceled => Self::Failed,
            TaskState::Successful | TaskState::RolledBack => Self::Successful,
        }
    }

    /// As it is sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Failed => "FAILED",
            Self::Successful => "SUCCESSFUL",
        }
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident of $entity:ident { $($variant:ident = $text:literal),+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Object::builder().schema_type(schema::Type::String).enum_values(Some([$($text),+])).into()
            }
        }

        impl ToSchema for $name {}

        impl From<$entity> for $name {
            fn from(word: $entity) -> Self {
                match word { $($entity::$variant => Self::$variant),+ }
            }
        }
    )+};
}

words! {
    /// Where a task came from; the second is spelt as the product spells it.
    Type of TaskType { Manual = "MANUAL", SysOnce = "SYS_ONECE", Scheduled = "SCHEDULED", SysScheduled = "SYS_SCHEDULED" }
    /// What a task or subtask is, or was last, doing.
    Doing of Operation { Execute = "EXECUTE", Retry = "RETRY", Rollback = "ROLLBACK", Skip = "SKIP", Cancel = "CANCEL" }
    /// Where a subtask stands.
    SubtaskStatus of SubtaskState {
        Pending = "PENDING", Ready = "READY", Running = "RUNNING", Canceling = "CANCELING", Failed = "FAILED",
        Successful = "SUCCESSFUL"
    }
    /// What runs a subtask.
    NodeType of ExecutorKind { Shell = "SHELL_TASK", Python = "PYTHON_TASK", Noop = "NOOP_TASK", Sql = "SQL_TASK", Http = "HTTP_TASK", Vsphere = "VSPHERE_TASK" }
}

/// `error` of the envelope.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Fault)]
pub struct OcpFault {
    /// The product's number of it; 0 where it has none.
    #[schema(example = 20000)]
    pub code: u32,
    /// In the caller's language.
    #[schema(example = "task 1000 does not exist")]
    pub message: String,
    /// The parameter that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaskInstancePage)]
pub struct OcpTaskPage {
    contents: Vec<BasicTask>,
    page: Numbers,
}

/// Which page, of how many.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PageNumbers)]
pub struct Numbers {
    number: u32,
    size: u32,
    total_elements: Long,
    total_pages: Long,
}

/// The cluster a task is meant for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Long>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ob_cluster_id: Option<Long>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schema(example = "PRIMARY")]
    cluster_type: Option<String>,
}

/// The tenant a task is meant for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Tenant)]
pub struct OcpTenant {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Long>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ORACLE")]
    mode: Option<String>,
    name: String,
    /// The document's name of `obTenantId`.
    #[serde(skip_serializing_if = "Option::is_none")]
    ob_cluster_id: Option<Long>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ob_tenant_id: Option<Long>,
}

/// Who submitted a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Creator)]
pub struct OcpCreator {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Long>,
    name: String,
}

/// A task in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BasicTaskInstance)]
pub struct BasicTask {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<Cluster>,
    creator: OcpCreator,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finish_time: Option<Time>,
    id: Long,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    start_time: Option<Time>,
    status: OcpTaskStatus,
    subtasks: Vec<BasicSubtask>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<OcpTenant>,
}

/// A subtask in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BasicSubtaskInstance)]
pub struct BasicSubtask {
    description: String,
    id: Long,
    name: String,
    operation: Doing,
    status: SubtaskStatus,
}

/// A task.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WrappedTaskInstance)]
pub struct OcpTask {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<Cluster>,
    #[schema(value_type = String, format = DateTime)]
    create_time: Time,
    creator: OcpCreator,
    /// Where it ran last.
    #[serde(skip_serializing_if = "Option::is_none")]
    executor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finish_time: Option<Time>,
    id: Long,
    name: String,
    operation: Doing,
    prohibit_rollback: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    start_time: Option<Time>,
    status: OcpTaskStatus,
    subtasks: Vec<OcpSubtask>,
    /// -1: it brought its own.
    task_definition_id: Long,
    #[serde(skip_serializing_if = "Option::is_none")]
    tenant: Option<OcpTenant>,
    #[serde(rename = "type")]
    task_type: Type,
}

/// A subtask.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubtaskInstance)]
pub struct OcpSubtask {
    #[schema(value_type = String, format = DateTime)]
    create_time: Time,
    description: String,
    /// The document's name of `downstreams`.
    downstream: Vec<Long>,
    downstreams: Vec<Long>,
    /// Where it runs, or ran last.
    #[serde(skip_serializing_if = "Option::is_none")]
    executor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    finish_time: Option<Time>,
    id: Long,
    name: String,
    node_type: NodeType,
    operation: Doing,
    /// The document's name of `parallelIdx`.
    paralle_idx: i32,
    /// -1: it is not one of several alike.
    parallel_idx: i32,
    prohibit_rollback: bool,
    /// How often it has run.
    run_time: i32,
    /// From 0, upstreams first.
    series_id: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    start_time: Option<Time>,
    status: SubtaskStatus,
    /// In seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    upstreams: Vec<Long>,
}

/// A log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SubtaskLog)]
pub struct OcpSubtaskLog {
    /// Its end, as much as a page may have; each run opens with a line of its operation and its start.
    pub log: String,
}

impl OcpTaskPage {
    /// The page of these tasks.
    #[must_use]
    pub fn new(contents: Vec<BasicTask>, total: u64, (number, size): (u32, u32)) -> Self {
        let pages = total.div_ceil(u64::from(size));
        let total_elements = Long(total.cast_signed());
        Self { contents, page: Numbers { number, size, total_elements, total_pages: Long(pages.cast_signed()) } }
    }
}

impl BasicTask {
    /// A task in a list.
    #[must_use]
    pub fn of(task: task::Model, subtasks: Vec<SubtaskBrief>, zone: Zone) -> Self {
        let time = |at| Time(zone.at(at));
        Self {
            cluster: cluster(&task),
            creator: creator(&task),
            finish_time: task.finished_at.map(time),
            id: Long(task.id.0),
            start_time: task.started_at.map(time),
            status: OcpTaskStatus::of(task.state),
            subtasks: subtasks.into_iter().map(BasicSubtask::from).collect(),
            tenant: tenant(&task),
            name: task.name,
        }
    }
}

impl From<SubtaskBrief> for BasicSubtask {
    fn from(subtask: SubtaskBrief) -> Self {
        Self {
            id: Long(subtask.id.0),
            operation: subtask.operation.into(),
            status: subtask.state.into(),
            description: subtask.description,
            name: subtask.name,
        }
    }
}

impl OcpTask {
    /// The task in one piece.
    #[must_use]
    pub fn of(whole: &Whole, timeouts: &Timeouts, prohibit_rollback: bool, zone: Zone) -> Self {
        let time = |at| Time(zone.at(at));
        let task = &whole.task;
        let ran = whole.subtasks.iter().filter(|subtask| subtask.started_at.is_some());
        let latest = ran.max_by_key(|subtask| (subtask.started_at, subtask.seq));
        Self {
            cluster: cluster(task),
            create_time: time(task.created_at),
            creator: creator(task),
            executor: latest.and_then(|subtask| whole.worker(subtask)).map(str::to_owned),
            finish_time: task.finished_at.map(time),
            id: Long(task.id.0),
            name: task.name.clone(),
            operation: task.operation.into(),
            prohibit_rollback,
            start_time: task.started_at.map(time),
            status: OcpTaskStatus::of(task.state),
            subtasks: whole.subtasks.iter().map(|subtask| OcpSubtask::of(whole, timeouts, subtask, zone)).collect(),
            task_definition_id: Long(task.definition_id.map_or(-1, |id| id.0)),
            tenant: tenant(task),
            task_type: task.task_type.into(),
        }
    }
}

impl OcpSubtask {
    /// A subtask of this task.
    #[must_use]
    pub fn of(whole: &Whole, timeouts: &Timeouts, subtask: &SubtaskRow, zone: Zone) -> Self {
        let time = |at| Time(zone.at(at));
        let needs = |subtask: &SubtaskRow| upstreams(subtask).unwrap_or_default();
        let id = |index: usize| whole.subtasks.get(index).map(|subtask| Long(subtask.id.0));
        let own = usize::try_from(subtask.seq).unwrap_or_default();
        let after = whole.subtasks.iter().filter(|other| needs(other).contains(&own));
        let downstreams: Vec<Long> = after.map(|other| Long(other.id.0)).collect();
        Self {
            create_time: time(whole.task.created_at),
            description: subtask.description.clone(),
            downstream: downstreams.clone(),
            downstreams,
            executor: whole.worker(subtask).map(str::to_owned),
            // A former version left the end of the last run on what is to run again.
            finish_time: subtask.finished_at.filter(|_| subtask.state != SubtaskState::Ready).map(time),
            id: Long(subtask.id.0),
            name: subtask.name.clone(),
            node_type: subtask.executor.into(),
            operation: subtask.operation.into(),
            paralle_idx: -1,
            parallel_idx: -1,
            prohibit_rollback: subtask.prohibit_rollback,
            // The product counts a run when it is asked for, we when it begins.
            run_time: subtask.runs + i32::from(subtask.runs > 0 && subtask.state == SubtaskState::Ready),
            series_id: subtask.seq,
            start_time: subtask.started_at.map(time),
            status: subtask.state.into(),
            timeout: timeouts.get(&subtask.id).map(|limit| limit.as_secs_f64().ceil() as u64),
            upstreams: needs(subtask).into_iter().filter_map(id).collect(),
        }
    }
}

fn cluster(task: &task::Model) -> Option<Cluster> {
    let facts = TargetFacts::of(task);
    Some(Cluster {
        id: task.cluster_id.map(Long),
        name: task.cluster.clone()?,
        ob_cluster_id: facts.ob_cluster_id.map(Long),
        cluster_type: facts.cluster_type,
    })
}

fn tenant(task: &task::Model) -> Option<OcpTenant> {
    let facts = TargetFacts::of(task);
    Some(OcpTenant {
        id: task.target_tenant_id.map(Long),
        mode: facts.tenant_mode,
        name: task.target_tenant.clone()?,
        ob_cluster_id: facts.ob_tenant_id.map(Long),
        ob_tenant_id: facts.ob_tenant_id.map(Long),
    })
}

fn creator(task: &task::Model) -> OcpCreator {
    OcpCreator { id: task.creator_id.map(|id| Long(id.0)), name: task.creator.clone() }
}

macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident $(: $data:ty)?),+ $(,)?) => {$(
        $(#[$doc])*
        #[expect(dead_code, reason = "the envelope around an answer, for the description")]
        #[derive(ToSchema)]
        #[schema(rename_all = "camelCase")]
        pub struct $name {
            $(data: $data,)?
            /// In milliseconds.
            duration: u64,
            server: String,
            /// The HTTP status.
            status: u16,
            #[schema(example = true)]
            successful: bool,
            #[schema(format = DateTime, example = "2021-08-25T14:30:27.27+08:00")]
            timestamp: String,
            #[schema(pattern = "^[0-9a-f]{16}$")]
            trace_id: String,
        }
    )+};
}

answers! {
    /// A page.
    PageAnswer: OcpTaskPage,
    /// A task.
    TaskAnswer: OcpTask,
    /// A subtask.
    SubtaskAnswer: OcpSubtask,
    /// A log.
    LogAnswer: OcpSubtaskLog,
    /// It is done.
    DoneAnswer,
}

/// A refusal.
#[expect(dead_code, reason = "the envelope around an answer, for the description")]
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ErrorAnswer {
    duration: u64,
    error: OcpFault,
    server: String,
    status: u16,
    #[schema(example = false)]
    successful: bool,
    #[schema(format = DateTime)]
    timestamp: String,
    #[schema(pattern = "^[0-9a-f]{16}$")]
    trace_id: String,
}
