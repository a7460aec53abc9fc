//! Every document that the commands send, with the shape of its answer.

use serde::Deserialize;

pub(in crate::cli) const SUBMIT: &str = "
mutation Submit($input: SubmitTaskInput!) {
  submitTask(input: $input) { task { id databaseId state } }
}";

pub(in crate::cli) const CANCEL: &str = "
mutation Cancel($id: ID!) {
  cancelTask(input: {id: $id}) { task { id databaseId name state } }
}";

/// A task and how far each of its subtasks is.
pub(in crate::cli) const WATCH: &str = "
query Watch($id: ID!) {
  node(id: $id) {
    ... on Task {
      databaseId name state progress message
      subtasks { id databaseId name state runs progress message logLines waitingFor { reason message } }
    }
  }
}";

/// Rings when something of the task has changed.
pub(in crate::cli) const BELL: &str = "
subscription Bell($id: ID!) {
  taskProgress(taskId: $id) { __typename }
}";

/// The newest tasks.
pub(in crate::cli) const LIST: &str = "
query List($first: Int!, $filter: TaskFilter) {
  tasks(first: $first, filter: $filter) {
    nodes { databaseId name state progress user createdAt }
    pageInfo { hasNextPage }
  }
}";

/// A part of a log.
pub(in crate::cli) const LOG: &str = "
query Log($id: ID!, $from: BigInt!, $limit: Int!) {
  node(id: $id) {
    ... on Subtask { log(from: $from, limit: $limit) { lines { number time level text } nextLine } }
  }
}";

/// A log as it grows.
pub(in crate::cli) const TAIL: &str = "
subscription Tail($id: ID!, $from: BigInt!) {
  subtaskLog(subtaskId: $id, fromLine: $from) { lines { number time level text } nextLine }
}";

/// Registers a vCenter or changes it, or says what would change.
pub(in crate::cli) const PUT_VCENTER: &str = "
mutation PutVcenter($input: PutVcenterInput!, $dryRun: Boolean = false) {
  putVcenter(input: $input, dryRun: $dryRun) { tenant { id name } changes }
}";

pub(in crate::cli) const DELETE_VCENTER: &str = "
mutation DeleteVcenter($input: DeleteVcenterInput!) {
  deleteVcenter(input: $input) { vcenter { id } }
}";

pub(in crate::cli) const VCENTERS: &str = "
query Vcenters($first: Int!, $after: String) {
  vcenters(first: $first, after: $after) {
    nodes { id name tenant { id name } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// Whether anything of a vCenter's history is kept.
pub(in crate::cli) const HAS_HISTORY: &str = "
query HasHistory($id: ID!) {
  vsphereTasks(first: 1, filter: {vcenterId: $id}) { nodes { id } }
}";

pub(in crate::cli) const TENANTS: &str = "
query Tenants($first: Int!, $after: String) {
  tenants(first: $first, after: $after) {
    nodes { id name }
    pageInfo { hasNextPage endCursor }
  }
}";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct SubmitTaskAnswer {
    pub(in crate::cli) submit_task: Payload,
}

/// What a mutation of a task answers.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Payload {
    pub(in crate::cli) task: TaskHandle,
}

/// `cancelTask`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Canceled {
    pub(in crate::cli) cancel_task: CancelPayload,
}

/// What it answers.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct CancelPayload {
    pub(in crate::cli) task: Brief,
}

/// A task by its ids.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct TaskHandle {
    pub(in crate::cli) id: String,
    pub(in crate::cli) database_id: i64,
}

/// A task by what a person calls it, and where it stands.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Brief {
    pub(in crate::cli) database_id: i64,
    pub(in crate::cli) name: String,
    pub(in crate::cli) state: String,
}

/// An object of any type; none: it does not exist, or is not ours to see.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct NodeAnswer<T> {
    pub(in crate::cli) node: Option<T>,
}

/// A task as it stands.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct WatchedTask {
    pub(in crate::cli) name: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) message: Option<String>,
    pub(in crate::cli) subtasks: Vec<WatchedSubtask>,
}

/// A subtask as it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct WatchedSubtask {
    pub(in crate::cli) id: String,
    pub(in crate::cli) database_id: i64,
    pub(in crate::cli) name: String,
    pub(in crate::cli) state: String,
    /// Attempts begun, ever.
    pub(in crate::cli) runs: u32,
    /// 0 to 1.
    pub(in crate::cli) progress: f64,
    pub(in crate::cli) message: Option<String>,
    /// How many lines its log has had.
    pub(in crate::cli) log_lines: i64,
    /// Why it is not running, the nearest reason first.
    pub(in crate::cli) waiting_for: Vec<SubtaskWaiting>,
}

/// One reason why a subtask is not running.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct SubtaskWaiting {
    /// A value of `WaitingReason`.
    pub(in crate::cli) reason: String,
    /// In a sentence.
    pub(in crate::cli) message: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct TaskListAnswer {
    pub(in crate::cli) tasks: ConnectionPage<TaskRow>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct ConnectionPage<T> {
    pub(in crate::cli) nodes: Vec<T>,
    pub(in crate::cli) page_info: PageInfo,
}

/// Whether there is more.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct PageInfo {
    pub(in crate::cli) has_next_page: bool,
    #[serde(default)]
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Behind what the next page begins, if there is one.
    pub(in crate::cli) fn next(self) -> Option<String> {
        self.end_cursor.filter(|_| self.has_next_page)
    }
}

/// A thing by its id and name.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::cli) struct NamedNode {
    pub(in crate::cli) id: String,
    pub(in crate::cli) name: String,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Tenants {
    pub(in crate::cli) tenants: ConnectionPage<NamedNode>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct PutVcenter {
    pub(in crate::cli) put_vcenter: Difference,
}

/// What changes, and whose it is.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Difference {
    pub(in crate::cli) tenant: Option<NamedNode>,
    /// The names of fields; `name` alone: it is new.
    pub(in crate::cli) changes: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(in crate::cli) struct VcenterList {
    pub(in crate::cli) vcenters: ConnectionPage<VcenterRow>,
}

/// A vCenter in a list.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct VcenterRow {
    pub(in crate::cli) id: String,
    pub(in crate::cli) name: String,
    pub(in crate::cli) tenant: Option<NamedNode>,
}

/// Things that are only counted.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Nodes {
    pub(in crate::cli) nodes: Vec<serde::de::IgnoredAny>,
}

/// Whether there is one task.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct HasHistory {
    pub(in crate::cli) vsphere_tasks: Nodes,
}

/// A task in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct TaskRow {
    pub(in crate::cli) database_id: i64,
    pub(in crate::cli) name: String,
    pub(in crate::cli) state: String,
    pub(in crate::cli) progress: f64,
    pub(in crate::cli) user: String,
    pub(in crate::cli) created_at: String,
}

/// `Subtask.log`.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Logged {
    pub(in crate::cli) log: LogExcerpt,
}

/// `subtaskLog`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct Tailed {
    pub(in crate::cli) subtask_log: LogExcerpt,
}

/// Some lines of a log.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct LogExcerpt {
    pub(in crate::cli) lines: Vec<Line>,
    pub(in crate::cli) next_line: i64,
}

/// A line of a log.
#[derive(Debug, Deserialize)]
pub(in crate::cli) struct Line {
    /// From 1 through all attempts of the subtask.
    pub(in crate::cli) number: i64,
    pub(in crate::cli) time: String,
    pub(in crate::cli) text: String,
}
