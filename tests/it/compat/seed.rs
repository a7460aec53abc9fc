//! A hundred tasks of three steps in every state, with Chinese and English names, with and without a target. Task `n`
//! has the subtasks `10 n`, `10 n + 1` and `10 n + 2`; its state is the `n`-th of [`STATES`], counted around.

use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Set};
use serde_json::json;
use taskloom::log::chunk::{LogChunk, Mark, Source};
use taskloom::resolver::task::submit::TargetFacts;
use taskloom::store::{Store, Tx};
use taskloom_entity::{
    AttemptId, AttemptState, ExecutorKind, JsonText, OnLost, Operation, SubtaskId, SubtaskState, TaskId, TaskState,
    TaskType, TenantId, Timestamp, UserId, WorkerState, attempt, log_chunk, subtask, task, task_input, worker,
};

use SubtaskState as S;

/// The state of task 1, of task 2, …; after the eighth from the beginning.
pub(in crate::compat) const STATES: [TaskState; 8] = [
    TaskState::Pending,
    TaskState::Running,
    TaskState::Paused,
    TaskState::Canceling,
    TaskState::Successful,
    TaskState::Failed,
    TaskState::Canceled,
    TaskState::RolledBack,
];
/// How many tasks there are.
pub(in crate::compat) const TASKS: i64 = 100;
const WORKER: &str = "01990000-0000-7000-8000-000000000001";
/// 2021-08-25T06:00:00.697Z.
const START: i64 = 1_629_871_200_697_000;

/// Writes the tasks into the tenant's rows.
pub(in crate::compat) async fn fill(store: &Store, tenant: TenantId) {
    let tx = store.begin().await.unwrap();
    let db = &tx;
    let life = worker::Model {
        isolation: None,
        id: WORKER.into(),
        name: "host-1".into(),
        labels: String::new(),
        slots: 4,
        state: WorkerState::Lost,
        lease_until: at(0, 0),
        started_at: at(0, 0),
        seen_at: at(0, 0),
        renewals: 0,
        lease_ms: 15_000,
        ended_at: Some(at(0, 0)),
    };
    life.into_active_model().insert(db).await.unwrap();
    for n in 1..=TASKS {
        task(n, tenant).into_active_model().reset_all().insert(db).await.unwrap();
        let input = task_input::Model {
            task_id: TaskId(n),
            spec: JsonText::of(&json!({"name": name(n)})),
            parameters: JsonText::of(&json!({})),
            submission: None,
        };
        input.into_active_model().reset_all().insert(db).await.unwrap();
        for step in 0..3 {
            subtask(n, step).into_active_model().reset_all().insert(db).await.unwrap();
            if let Some(attempt) = attempt(n, step) {
                attempt.into_active_model().reset_all().insert(db).await.unwrap();
            }
        }
        log(db, n).await;
    }
    // What is made through the doors is numbered behind these.
    if db.get_database_backend() == sea_orm::DbBackend::Postgres {
        for table in ["task", "subtask", "attempt"] {
            let sql = format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))");
            db.execute_unprepared(&sql).await.unwrap();
        }
    }
    tx.commit().await.unwrap();
}

fn at(task: i64, step: i64) -> Timestamp {
    Timestamp(START + task * 60_000_000 + step * 1_500_000)
}

fn name(n: i64) -> String {
    if n % 2 == 0 { format!("Prepare host {n}") } else { format!("准备主机 {n}") }
}

/// The state of a task.
pub(in crate::compat) fn state(n: i64) -> TaskState {
    STATES[usize::try_from(n - 1).unwrap() % STATES.len()]
}

fn task(n: i64, tenant_id: TenantId) -> task::Model {
    let state = state(n);
    let facts = TargetFacts {
        ob_cluster_id: (n % 3 == 0).then_some(1_000 + n),
        cluster_type: (n % 3 == 0).then(|| "PRIMARY".into()),
        ob_tenant_id: (n % 6 == 0).then_some(i64::MAX - n),
        tenant_mode: (n % 6 == 0).then(|| "ORACLE".into()),
    };
    let operation = match state {
        TaskState::RolledBack => Operation::Rollback,
        TaskState::Canceling | TaskState::Canceled => Operation::Cancel,
        _ => Operation::Execute,
    };
    let types = [TaskType::Manual, TaskType::SysOnce, TaskType::Scheduled, TaskType::SysScheduled];
    task::Model {
        id: TaskId(n),
        tenant_id,
        name: name(n),
        task_type: types[usize::try_from(n).unwrap() % 4],
        definition_id: None,
        creator_id: (n % 5 != 0).then_some(UserId(3)),
        creator: if n % 5 == 0 { "system:demo".into() } else { "manager".into() },
        state,
        operation,
        backward: state == TaskState::RolledBack,
        priority: 50,
        cluster: (n % 3 == 0).then(|| format!("Meta {}", n % 7)),
        target_tenant: (n % 6 == 0).then(|| "SYS".into()),
        host: (n % 4 == 0).then(|| format!("10.0.0.{n}")),
        cluster_id: (n % 3 == 0).then_some(n % 7),
        target_tenant_id: (n % 6 == 0).then_some(n),
        host_id: (n % 4 == 0).then_some(n),
        target_facts: (n % 3 == 0).then(|| JsonText::of(&facts)),
        labels: JsonText::of(&json!({})),
        prohibit_rollback: n % 10 == 4,
        progress: 0.5,
        message: None,
        idempotency_key: None,
        request_digest: None,
        created_at: at(n, 0),
        started_at: (state != TaskState::Pending).then(|| at(n, 1)),
        finished_at: state.is_final().then(|| at(n, 9)),
        name_folded: Some(taskloom::text::folded(&name(n))),
        cluster_folded: (n % 3 == 0).then(|| format!("meta {}", n % 7)),
    }
}

/// The states of the three steps.
fn steps(state: TaskState) -> [(SubtaskState, Operation); 3] {
    let run = Operation::Execute;
    match state {
        TaskState::Pending => [(S::Ready, run), (S::Pending, run), (S::Pending, run)],
        TaskState::Running | TaskState::Paused => [(S::Successful, run), (S::Running, run), (S::Pending, run)],
        TaskState::Canceling => [(S::Successful, run), (S::Canceling, Operation::Cancel), (S::Pending, run)],
        TaskState::Successful => [(S::Successful, run), (S::Successful, Operation::Skip), (S::Successful, run)],
        TaskState::Failed => [(S::Successful, run), (S::Failed, run), (S::Pending, run)],
        TaskState::Canceled => [(S::Successful, run), (S::Failed, Operation::Cancel), (S::Pending, run)],
        TaskState::RolledBack => {
            [(S::Pending, Operation::Rollback), (S::Pending, Operation::Rollback), (S::Pending, run)]
        }
    }
}

fn has_run(state: TaskState, step: i64) -> bool {
    match state {
        TaskState::Pending => false,
        TaskState::Successful => true,
        _ => step < 2,
    }
}

fn subtask(n: i64, step: i64) -> subtask::Model {
    let place = usize::try_from(step).unwrap();
    let (state, operation) = steps(self::state(n))[place];
    let ran = has_run(self::state(n), step);
    let runs = match ran {
        true if self::state(n) == TaskState::RolledBack => 2,
        true => 1,
        false => 0,
    };
    let kinds = [ExecutorKind::Shell, ExecutorKind::Python, ExecutorKind::Noop];
    let spec = match step {
        0 => json!({"name": "check", "description": "check", "run": {"shell": "true"}, "timeout": "1m 30s"}),
        1 => json!({"name": "install", "description": "安装", "needs": ["check"], "run": {"python": "pass"}}),
        _ => json!({"name": "report", "description": "report", "needs": ["check", "install"], "run": {"noop": {}}}),
    };
    subtask::Model {
        id: SubtaskId(10 * n + step),
        task_id: TaskId(n),
        seq: i32::try_from(step).unwrap(),
        name: spec["name"].as_str().unwrap().into(),
        description: spec["description"].as_str().unwrap().into(),
        executor: kinds[place],
        needs: JsonText::of(&(0..step).collect::<Vec<_>>()),
        spec: JsonText::of(&spec),
        requires: String::new(),
        priority: 50,
        state,
        operation,
        held: self::state(n) == TaskState::Paused,
        progress: 0.0,
        weight: 1.0,
        runs,
        tries: runs.min(1),
        max_tries: 1,
        backoff_ms: 1000,
        on_lost: OnLost::Retry,
        prohibit_rollback: n % 10 == 2 && step == 0,
        epoch: runs.into(),
        attempt_id: ran.then_some(AttemptId(10 * n + step)),
        not_before: None,
        outputs: JsonText::of(&json!({})),
        message: (state == S::Failed).then(|| "exit status 1".into()),
        log_lines: if step == 1 && ran { 3 } else { 0 },
        log_bytes: if step == 1 && ran { i64::try_from(LOG.len()).unwrap() } else { 0 },
        started_at: ran.then(|| at(n, 2 + step)),
        finished_at: (ran && !state.is_active()).then(|| at(n, 3 + step)),
    }
}

fn attempt(n: i64, step: i64) -> Option<attempt::Model> {
    let subtask = subtask(n, step);
    let state = match subtask.state {
        S::Running | S::Canceling => AttemptState::Running,
        S::Failed => AttemptState::Failed,
        S::Pending | S::Ready | S::Successful => AttemptState::Successful,
    };
    Some(attempt::Model {
        id: subtask.attempt_id?,
        subtask_id: subtask.id,
        task_id: subtask.task_id,
        number: subtask.runs,
        operation: Operation::Execute,
        worker_id: WORKER.into(),
        epoch: subtask.epoch,
        state,
        started_at: subtask.started_at?,
        finished_at: subtask.finished_at,
        exit_code: None,
        message: None,
        first_line: 1,
        cpu_seconds: Some(0.25),
        memory_bytes: Some(1 << 20),
        peak_memory_bytes: Some(2 << 20),
        processes: Some(1),
    })
}

const LOG: &str = "begin\n\n安装 95 %\n";

async fn log(db: &Tx, n: i64) {
    let subtask = subtask(n, 1);
    let Some(attempt_id) = subtask.attempt_id else { return };
    let at = subtask.started_at.unwrap();
    let chunk = LogChunk::seal(&[Mark { lines: 3, at, source: Source::Stdout }], LOG.as_bytes());
    let row = log_chunk::ActiveModel {
        subtask_id: Set(subtask.id),
        first_line: Set(1),
        attempt_id: Set(attempt_id),
        lines: Set(3),
        first_byte: Set(0),
        bytes: Set(i32::try_from(LOG.len()).unwrap()),
        at: Set(at),
        data: Set(chunk.data),
    };
    log_chunk::Entity::insert(row).exec_without_returning(db).await.unwrap();
}
