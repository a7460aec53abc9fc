//! Linkis's JSON of jobs, and nothing else: which names and types a client of the product reads.

use serde::Serialize;
use serde_json::Value;
use taskloom_entity::{AttemptState, ExecutorKind, SubtaskState, TaskState, Timestamp, attempt, task};
use utoipa::ToSchema;

use super::super::long::Long;
use super::id::{exec_id, short_id};
use super::path;
use crate::resolver::subtask::SubtaskRow;
use crate::resolver::task::{StandingSign, TaskStanding};
use crate::resolver::whole::Whole;

/// Where a job stands, in the dialect's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LinkisStatus)]
pub enum LinkisJobStatus {
    /// Accepted.
    Inited,
    /// Waits for its next try.
    WaitForRetry,
    /// May be taken by a worker.
    Scheduled,
    /// Runs, is paused, or is being stopped.
    Running,
    /// Done.
    Succeed,
    /// Failed.
    Failed,
    /// Stopped on request, or undone.
    Cancelled,
    /// Stopped at its time limit.
    Timeout,
}

impl LinkisJobStatus {
    /// Where the jobs stand that are shown by this word: what [`Self::of`] says of one, asked of all.
    #[must_use]
    pub fn standings(word: &str) -> Option<&'static [TaskStanding]> {
        const fn at(states: &'static [TaskState], sign: Option<(StandingSign, bool)>) -> TaskStanding {
            TaskStanding { states, sign }
        }
        const INITED: &[TaskStanding] = &[at(&[TaskState::Pending], Some((StandingSign::Ready, false)))];
        const SCHEDULED: &[TaskStanding] = &[at(&[TaskState::Pending], Some((StandingSign::Ready, true)))];
        const WAIT_FOR_RETRY: &[TaskStanding] = &[at(&[TaskState::Running], Some((StandingSign::BacksOff, true)))];
        const RUNNING: &[TaskStanding] = &[
            at(&[TaskState::Running], Some((StandingSign::BacksOff, false))),
            at(&[TaskState::Paused, TaskState::Canceling], None),
        ];
        const SUCCEED: &[TaskStanding] = &[at(&[TaskState::Successful], None)];
        const FAILED: &[TaskStanding] = &[at(&[TaskState::Failed], Some((StandingSign::TimedOut, false)))];
        const TIMEOUT: &[TaskStanding] = &[at(&[TaskState::Failed], Some((StandingSign::TimedOut, true)))];
        const CANCELLED: &[TaskStanding] = &[at(&[TaskState::Canceled, TaskState::RolledBack], None)];
        Some(match word {
            "Inited" => INITED,
            "WaitForRetry" => WAIT_FOR_RETRY,
            "Scheduled" => SCHEDULED,
            "Running" => RUNNING,
            "Succeed" => SUCCEED,
            "Failed" => FAILED,
            "Timeout" => TIMEOUT,
            "Cancelled" => CANCELLED,
            _ => return None,
        })
    }

    /// Where this job stands.
    #[must_use]
    pub fn of(whole: &Whole) -> Self {
        let waits = |subtask: &SubtaskRow| subtask.state == SubtaskState::Ready;
        let any = |is: &dyn Fn(&SubtaskRow) -> bool| whole.subtasks.iter().any(is);
        let late = |subtask: &SubtaskRow| {
            let attempt = subtask.attempt_id.and_then(|id| whole.attempts.get(&id));
            subtask.state == SubtaskState::Failed
                && attempt.is_some_and(|attempt| attempt.state == AttemptState::TimedOut)
        };
        match whole.task.state {
            TaskState::Pending if any(&waits) => Self::Scheduled,
            TaskState::Pending => Self::Inited,
            TaskState::Running if any(&|subtask| waits(subtask) && subtask.not_before.is_some()) => Self::WaitForRetry,
            TaskState::Running | TaskState::Paused | TaskState::Canceling => Self::Running,
            TaskState::Successful => Self::Succeed,
            TaskState::Failed if any(&late) => Self::Timeout,
            TaskState::Failed => Self::Failed,
            TaskState::Canceled | TaskState::RolledBack => Self::Cancelled,
        }
    }
}

/// A job as it was named when it was submitted.
#[derive(Clone, Debug)]
pub struct LinkisNamedJob<'a> {
    pub task: &'a task::Model,
    /// What the old client sent; null: it came through another door.
    pub origin: Value,
    /// `host:port`.
    pub instance: &'a str,
}

impl LinkisNamedJob<'_> {
    fn said(&self, key: &str) -> Option<&str> {
        self.origin.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn creator(&self) -> &str {
        self.said("linkis.creator").unwrap_or("IDE")
    }

    /// The id with everything in it.
    #[must_use]
    pub fn exec_id(&self) -> String {
        exec_id(self.instance, self.creator(), &self.task.creator, self.task.id)
    }
}

/// A submitted job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Submitted)]
pub struct LinkisSubmitAnswer {
    #[serde(rename = "execID")]
    #[schema(rename = "execID")]
    pub exec_id: String,
    #[serde(rename = "taskID")]
    #[schema(rename = "taskID")]
    pub task_id: Long,
}

/// Where a job stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stands {
    pub status: LinkisJobStatus,
    #[serde(rename = "execID")]
    #[schema(rename = "execID")]
    pub exec_id: String,
}

/// A job and nothing more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named1 {
    #[serde(rename = "execID")]
    #[schema(rename = "execID")]
    pub exec_id: String,
}

/// How far a step of a job is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisProgressInfo)]
pub struct LinkisProgressInfo {
    pub id: String,
    pub succeed_tasks: u32,
    pub failed_tasks: u32,
    pub running_tasks: u32,
    pub total_tasks: u32,
}

/// How far a job is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisProgress)]
pub struct Progress {
    /// 0 to 1.
    pub progress: f64,
    #[serde(rename = "execID")]
    #[schema(rename = "execID")]
    pub exec_id: String,
    pub progress_info: Vec<LinkisProgressInfo>,
}

/// What a job's running step uses of its host.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisResource)]
pub struct LinkisResourceUsage {
    pub cpu_seconds: f64,
    pub memory_bytes: i64,
    pub peak_memory_bytes: i64,
    pub processes: i32,
}

/// How far a job is, and what it uses.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisProgressWithResource)]
pub struct WithResource {
    #[serde(flatten)]
    pub progress: Progress,
    /// There is no Yarn: always null.
    #[schema(value_type = Option<Object>)]
    pub yarn_resource: Option<()>,
    /// Null while nothing runs.
    pub resource: Option<LinkisResourceUsage>,
}

impl Progress {
    /// How far a job is.
    #[must_use]
    pub fn of(whole: &Whole, exec_id: String) -> Self {
        let begun = whole.subtasks.iter().filter(|subtask| subtask.runs > 0);
        let count = |is: bool| u32::from(is);
        let info = |subtask: &SubtaskRow| LinkisProgressInfo {
            id: subtask.id.to_string(),
            succeed_tasks: count(subtask.state == SubtaskState::Successful),
            failed_tasks: count(subtask.state == SubtaskState::Failed),
            running_tasks: count(matches!(subtask.state, SubtaskState::Running | SubtaskState::Canceling)),
            total_tasks: 1,
        };
        Self { progress: progress(whole), exec_id, progress_info: begun.map(info).collect() }
    }
}

/// 0 to 1; an ended job has nothing left to do.
fn progress(whole: &Whole) -> f64 {
    if whole.task.state.is_final() { 1.0 } else { whole.task.progress }
}

impl LinkisResourceUsage {
    /// Of the running attempt.
    #[must_use]
    pub fn of(whole: &Whole) -> Option<Self> {
        let running = |attempt: &&attempt::Model| attempt.state == AttemptState::Running;
        let attempt = whole.attempts.values().find(running)?;
        Some(Self {
            cpu_seconds: attempt.cpu_seconds?,
            memory_bytes: attempt.memory_bytes.unwrap_or(0),
            peak_memory_bytes: attempt.peak_memory_bytes.unwrap_or(0),
            processes: attempt.processes.unwrap_or(0),
        })
    }
}

/// A job in the history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisTask)]
pub struct LinkisTask {
    #[serde(rename = "taskID")]
    #[schema(rename = "taskID")]
    pub task_id: Long,
    pub instance: String,
    pub exec_id: String,
    pub um_user: String,
    pub engine_instance: Option<String>,
    /// Text here, a number in the route of progress: clients of the product fail on the other.
    #[schema(example = "0.35")]
    pub progress: String,
    pub log_path: String,
    pub result_location: Option<String>,
    pub status: LinkisJobStatus,
    pub created_time: i64,
    pub updated_time: i64,
    pub cost_time: i64,
    pub engine_type: String,
    pub err_code: i32,
    pub err_desc: String,
    pub execute_application_name: String,
    pub request_application_name: String,
    pub run_type: String,
    pub params_json: String,
    pub stronger_exec_id: String,
    pub source_json: String,
    pub execution_code: String,
}

/// What the product calls a job that failed.
const FAILED: i32 = 21304;

impl LinkisTask {
    /// The job as the history shows it at this moment.
    #[must_use]
    pub fn of(whole: &Whole, named: &LinkisNamedJob<'_>, now: Timestamp) -> Self {
        let task = &whole.task;
        let status = LinkisJobStatus::of(whole);
        let updated = task.finished_at.or(task.started_at).unwrap_or(task.created_at);
        let until = task.finished_at.unwrap_or(now);
        let milliseconds = |at: Timestamp| at.0.div_euclid(1000);
        let failed = matches!(status, LinkisJobStatus::Failed | LinkisJobStatus::Cancelled | LinkisJobStatus::Timeout);
        let reason = || whole.subtasks.iter().find_map(|subtask| subtask.message.clone());
        let reason = task.message.clone().or_else(reason).unwrap_or_else(|| format!("the job is {status:?}"));
        let (kind, run_type) = kind(whole);
        let json =
            |key: &str| named.origin.get(key).filter(|value| !value.is_null()).map_or("{}".into(), Value::to_string);
        let code = named.origin.pointer("/executionContent/code").or_else(|| named.origin.get("executionCode"));
        Self {
            task_id: Long(task.id.0),
            instance: named.instance.to_owned(),
            exec_id: short_id(named.creator(), &task.creator, task.id),
            um_user: task.creator.clone(),
            engine_instance: whole.subtasks.iter().rev().find_map(|subtask| whole.worker(subtask)).map(str::to_owned),
            progress: format!("{:?}", progress(whole)),
            log_path: path::log(task.id),
            result_location: (task.state != TaskState::Pending).then(|| path::results(task.id)),
            status,
            created_time: milliseconds(task.created_at),
            updated_time: milliseconds(updated),
            cost_time: i64::try_from(until.since(task.created_at).as_millis()).unwrap_or(i64::MAX),
            engine_type: named
                .said("linkis.engineType")
                .map_or(kind, |of| of.split('-').next().unwrap_or(of))
                .to_owned(),
            err_code: if failed { FAILED } else { 0 },
            err_desc: if failed { reason } else { String::new() },
            execute_application_name: named.said("executeApplicationName").unwrap_or(kind).to_owned(),
            request_application_name: named.said("requestApplicationName").unwrap_or(named.creator()).to_owned(),
            run_type: named.said("linkis.runType").unwrap_or(run_type).to_owned(),
            params_json: json("params"),
            stronger_exec_id: named.exec_id(),
            source_json: json("source"),
            execution_code: code.and_then(Value::as_str).unwrap_or_default().to_owned(),
        }
    }
}

/// The engine and the kind of code of a task that came through another door.
fn kind(whole: &Whole) -> (&'static str, &'static str) {
    match whole.subtasks.first().map(|subtask| subtask.executor) {
        Some(ExecutorKind::Python) => ("python", "python"),
        Some(ExecutorKind::Sql) => ("jdbc", "sql"),
        Some(ExecutorKind::Http) => ("http", "http"),
        Some(ExecutorKind::Vsphere) => ("vsphere", "vsphere"),
        Some(ExecutorKind::Shell | ExecutorKind::Noop) | None => ("shell", "shell"),
    }
}

/// One job of the history, and nothing else.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Found)]
pub struct LinkisTaskAnswer {
    pub task: LinkisTask,
}

/// A page of the history.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    pub tasks: Vec<LinkisTask>,
    /// The number of jobs, for all its name.
    pub total_page: Long,
}

/// A page of a log: error, warn, info and all lines; or one text.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Log)]
pub struct LinkisLog {
    #[schema(value_type = Vec<String>)]
    pub log: Value,
    #[serde(rename = "execID")]
    #[schema(rename = "execID")]
    pub exec_id: String,
    /// The line to ask for next.
    pub from_line: Long,
}

/// A whole log.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeLog {
    /// Error, warn, info and all lines.
    pub log: [String; 4],
}

/// What became of each job of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Killed {
    #[schema(value_type = Vec<Object>)]
    pub messages: Vec<super::envelope::Message<Value>>,
}

/// Who signed in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    pub user_name: String,
    pub is_admin: bool,
    /// In milliseconds.
    pub session_time_out: i64,
    pub enable_watermark: bool,
}

/// Whose call it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct LinkisUser {
    pub user_name: String,
}
