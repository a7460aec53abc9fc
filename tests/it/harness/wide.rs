//! Rows by the thousand and by the megabyte, written by SQL alone: what lists and pages are read from.

use std::time::Duration;

use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, EntityTrait, Set};
use taskloom::log::chunk::{LogChunk, Mark, Source};
use taskloom::store::open::{DatabasePlace, Pools, open};
use taskloom::store::{Store, migrate};
use taskloom_entity::{AttemptId, SubtaskId, Timestamp, log_chunk, tenant};

/// Ended tasks, numbered from `first` on. Their subtasks have the numbers `task * 1000 + place`, from 1.
#[derive(Clone, Copy)]
pub(crate) struct Wide {
    pub(crate) first: i64,
    pub(crate) tasks: i64,
    pub(crate) subtasks: i64,
    /// Bytes of each subtask's definition.
    pub(crate) spec: usize,
    /// Bytes of each subtask's description.
    pub(crate) description: usize,
    /// Bytes that each task was submitted with by an old client; 0: none.
    pub(crate) submission: usize,
}

impl Default for Wide {
    fn default() -> Self {
        Self { first: 1_001, tasks: 1, subtasks: 1, spec: 0, description: 0, submission: 0 }
    }
}

/// So many letters, in SQL.
fn letters(backend: DbBackend, many: usize) -> String {
    match backend {
        DbBackend::Postgres => format!("repeat('x', {many})"),
        _ => format!("replace(hex(zeroblob({})), '0', 'x')", many.div_ceil(2)),
    }
}

/// Makes a database whose oldest tenant is `home`, with what `fill` writes into it.
pub(crate) async fn database(place: DatabasePlace, fill: impl AsyncFnOnce(&Store)) {
    let pools = Pools { connections: 2, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, _guard) = open(&place, pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    let home = tenant::ActiveModel { name: Set("home".into()), created_at: Set(Timestamp(0)), ..Default::default() };
    home.insert(store.write()).await.unwrap();
    fill(&store).await;
    store.close().await;
}

impl Wide {
    /// Writes them, of the oldest tenant.
    pub(crate) async fn fill(self, store: &Store) {
        let Self { first, tasks, subtasks, submission, .. } = self;
        let last = first + tasks - 1;
        let numbers = format!(
            "WITH RECURSIVE numbers(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i < {last})"
        );
        let tasks = format!(
            "INSERT INTO task (id, tenant_id, name, task_type, creator, state, operation, backward, priority, labels, \
             prohibit_rollback, progress, created_at) {numbers} SELECT i, (SELECT MIN(id) FROM tenant), 'wide ' || i, \
             'MANUAL', 'admin', 'SUCCESSFUL', 'EXECUTE', FALSE, 50, '{{}}', FALSE, 1.0, 1629871200697000 + i FROM numbers"
        );
        let sent = letters(store.read().get_database_backend(), submission);
        let sent = format!("'{{\"executionContent\":{{\"code\":\"' || {sent} || '\"}}}}'");
        let sent = if submission == 0 { "NULL".to_owned() } else { sent };
        let inputs = format!(
            "INSERT INTO task_input (task_id, spec, parameters, submission) {numbers} SELECT i, '{{}}', '{{}}', {sent} FROM numbers"
        );
        for sql in [tasks, inputs] {
            store.write().execute_unprepared(&sql).await.unwrap();
        }
        self.fill_subtasks(store, (1, subtasks)).await;
    }

    /// Writes subtasks of tasks that are there, at these places.
    pub(crate) async fn fill_subtasks(self, store: &Store, (from, to): (i64, i64)) {
        let Self { first, tasks, spec, description, .. } = self;
        let last = first + tasks - 1;
        let backend = store.read().get_database_backend();
        let (spec, description) = (letters(backend, spec), letters(backend, description));
        let sql = format!(
            "INSERT INTO subtask (id, task_id, seq, name, description, executor, spec, needs, requires, priority, state, \
             operation, held, progress, weight, runs, tries, max_tries, backoff_ms, on_lost, prohibit_rollback, epoch, \
             outputs, log_lines, log_bytes) \
             WITH RECURSIVE numbers(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i < {last}), \
             places(p) AS (SELECT {from} UNION ALL SELECT p + 1 FROM places WHERE p < {to}) \
             SELECT i * 1000 + p, i, p - 1, 'step ' || p, {description}, 'SHELL', \
             '{{\"name\":\"a\",\"description\":\"a\",\"run\":{{\"shell\":\"' || {spec} || '\"}}}}', '[]', '', 50, \
             'SUCCESSFUL', 'EXECUTE', FALSE, 1.0, 1.0, 1, 1, 1, 0, 'RETRY', FALSE, 1, '{{}}', 0, 0 FROM numbers, places"
        );
        store.write().execute_unprepared(&sql).await.unwrap();
    }

    /// The number of a task's first subtask.
    pub(crate) fn subtask(self, task: i64) -> i64 {
        task * 1_000 + 1
    }
}

/// Gives an ended subtask an attempt that has said these lines, so many in a chunk.
pub(crate) async fn say(store: &Store, task: i64, subtask: i64, lines: &[String], each: usize) {
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    let attempt = format!(
        "INSERT INTO attempt (id, subtask_id, task_id, number, operation, worker_id, epoch, state, started_at, first_line) \
         VALUES ({subtask}, {subtask}, {task}, 1, 'EXECUTE', 'w', 1, 'SUCCESSFUL', 1629871200697000, 1)"
    );
    let told = format!(
        "UPDATE subtask SET log_lines = {}, log_bytes = {bytes}, attempt_id = {subtask} WHERE id = {subtask}",
        lines.len()
    );
    for sql in [attempt, told] {
        store.write().execute_unprepared(&sql).await.unwrap();
    }
    let (mut line, mut byte) = (1, 0);
    for some in lines.chunks(each) {
        let mark = Mark { lines: u32::try_from(some.len()).unwrap(), at: Timestamp(0), source: Source::Stdout };
        let text: String = some.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let chunk = LogChunk::seal(&[mark], text.as_bytes());
        let row = log_chunk::ActiveModel {
            subtask_id: Set(SubtaskId(subtask)),
            first_line: Set(line),
            attempt_id: Set(AttemptId(subtask)),
            lines: Set(i32::try_from(chunk.lines).unwrap()),
            first_byte: Set(byte),
            bytes: Set(i32::try_from(chunk.bytes).unwrap()),
            at: Set(chunk.at),
            data: Set(chunk.data),
        };
        log_chunk::Entity::insert(row).exec_without_returning(store.write()).await.unwrap();
        line += i64::from(chunk.lines);
        byte += i64::from(chunk.bytes);
    }
}

/// Lines of 64 KiB, each of which begins with its number.
pub(crate) fn long_lines(many: usize) -> Vec<String> {
    (1..=many).map(|number| format!("{number:08}{}", "x".repeat((64 << 10) - 9))).collect()
}
