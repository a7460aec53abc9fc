//! A small flow, run once for each statement that it takes: the connection breaks at that statement, before the database
//! hears of it or before its answer is heard. However that is, the flow ends, and everything of it is there once.
//!
//! A short form takes every fifth statement; `TASKLOOM_CHAOS=full` all of them.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::harness::cut::{FailPoint, Moment, Proxy, Which};
use crate::harness::server::{SUBMIT, Server, until};
use crate::harness::{postgres, wait};

/// Servers that are tried at the same time.
const LANES: usize = 2;
/// How long a flow may take: two looks, and all of its steps again.
const DEADLINE: Duration = Duration::from_secs(30);

/// A server behind a proxy of its own.
struct Lane {
    server: Server,
    proxy: Proxy,
    /// Past the proxy.
    direct: PgConnection,
    flows: usize,
    _kept: (postgres::Database, tempfile::TempDir),
}

/// What a flow was like.
struct Flow {
    /// The connection broke.
    cut: bool,
    /// What it took.
    statements: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_may_lose_its_answer() {
    let step = match std::env::var("TASKLOOM_CHAOS").as_deref() {
        Ok("full") => 1,
        _ => 5,
    };
    let mut lanes = vec![];
    for _ in 0..LANES {
        lanes.push(Lane::begin().await);
    }
    // What a flow takes: each of two took it. The first has less prepared than those behind it.
    lanes[0].flow("first").await;
    let (one, other) = (lanes[0].flow("second").await, lanes[0].flow("third").await);
    let other = points(&other.statements);
    let points: Vec<FailPoint> = points(&one.statements).into_iter().filter(|point| other.contains(point)).collect();
    assert!(points.len() > 60, "a flow takes more than these: {points:?}");

    let (points, begun) = (&points, Instant::now());
    let runs = lanes.into_iter().enumerate().map(|(lane, mut at)| async move {
        let mut cut = 0;
        for point in points.iter().step_by(step).skip(lane).step_by(LANES) {
            at.proxy.arm(point.clone());
            // Statements of the background come as they like.
            cut += usize::from(at.flow(&format!("{point:?}")).await.cut);
        }
        at.count_tasks().await;
        cut
    });
    let cut: usize = futures::future::join_all(runs).await.into_iter().sum();
    let tried = points.len().div_ceil(step);
    eprintln!("{cut} of {tried} connections were cut ({} statements), in {:?}", points.len() / 2, begun.elapsed());
    assert!(cut * 4 >= tried * 3, "{cut} of {tried}: the flow does not reach its statements any more");
}

/// Each statement, the first and each later time that it comes, twice.
fn points(recorded: &[String]) -> Vec<FailPoint> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut points = vec![];
    for text in recorded {
        let nth = *seen.entry(text).and_modify(|nth| *nth += 1).or_insert(0);
        let point = |moment| FailPoint { which: Which::Text(text.clone()), nth, moment };
        points.extend([Moment::After, Moment::Before].map(point));
    }
    points
}

impl Lane {
    async fn begin() -> Self {
        let database = postgres::database().await;
        let proxy = Proxy::before(&database.url).await;
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().display().to_string();
        let settings = [
            ("DATABASE_URL", proxy.url.as_str()),
            ("DATABASE__ACQUIRE_TIMEOUT", "2s"),
            ("WORKER__LEASE", "3s"),
            ("WORKER__RENEW", "500ms"),
            ("EXECUTOR__SQL__SQLITE_FOLDER", files.as_str()),
        ];
        let server = Server::start(&folder.path().join("data"), &settings).await;
        let tenant = server.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes/0/id").await;
        let source = json!({"name": "file", "kind": "SQLITE", "database": "x.db", "options": {"mode": "rwc"}, "tenantId": tenant});
        let put = "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { dataSource { id } } }";
        server.get(put, json!({"input": source}), "").await;
        let direct = PgConnection::connect(&database.url).await.unwrap();
        Self { server, proxy, direct, flows: 0, _kept: (database, folder) }
    }

    /// A task from its submission to its end, and what is there of it then.
    async fn flow(&mut self, key: &str) -> Flow {
        self.flows += 1;
        self.proxy.record();
        let talk = "echo $TASKLOOM_RUN one; echo '::warning look'; echo '::progress 0.5 half'; echo '::output k=v'; \
                    sleep 0.15; echo $TASKLOOM_RUN two";
        let again = json!({"attempts": 2, "backoff": "0s"});
        let steps = json!([
            {"name": "talk", "run": {"shell": talk}},
            {"name": "ask", "needs": ["talk"], "run": {"sql": "select 1 as n", "source": "file"}},
            {"name": "again", "needs": ["talk"], "run": {"shell": "test $TASKLOOM_RUN -gt 1"}, "retry": again},
            {"name": "end", "needs": ["ask", "again"], "run": {"noop": {}}},
        ]);
        // A key has a length.
        let id = format!("{:016x}", self.flows);
        let input = json!({"spec": {"name": id, "subtasks": steps}, "idempotencyKey": id});
        until("it is accepted", async || {
            let answer = self.server.ask(SUBMIT, json!({"input": input})).await;
            let code = answer.pointer("/errors/0/extensions/code").and_then(Value::as_str);
            let passes = matches!(code, None | Some("OUTCOME_UNKNOWN" | "DATABASE_UNAVAILABLE"));
            assert!(passes, "{key}: {answer}\n{}", self.server.log());
            answer.pointer("/data/submitTask").map(drop)
        })
        .await;
        let mut stands = (0, String::new());
        let ended = async || {
            let task = sqlx::query("SELECT id, state FROM task WHERE name = $1").bind(&id);
            let row = task.fetch_one(&mut self.direct).await.unwrap();
            stands = (row.get(0), row.get(1));
            (!matches!(stands.1.as_str(), "PENDING" | "RUNNING")).then_some(())
        };
        wait::attempt_within(DEADLINE, ended).await;
        let (task, state) = stands;
        assert_eq!(state, "SUCCESSFUL", "{key}\n{}", self.server.log());
        let flow = Flow { cut: self.proxy.disarm(), statements: self.proxy.recorded() };
        self.account_for(task).await.unwrap_or_else(|wrong| panic!("{key}: {wrong}\n{}", self.server.log()));
        flow
    }

    /// What must hold of a flow that has ended.
    async fn account_for(&mut self, task: i64) -> Result<(), String> {
        self.attempts(task).await?;
        self.events(task).await?;
        let kept = "SELECT s.outputs = '{\"k\":\"v\"}', (SELECT count(*) FROM result_set r JOIN attempt a ON a.id = r.attempt_id
            AND a.state = 'SUCCESSFUL' WHERE a.task_id = s.task_id AND r.rows = 1) FROM subtask s WHERE s.task_id = $1 AND s.name = 'talk'";
        let kept = sqlx::query(kept).bind(task).fetch_one(&mut self.direct).await.unwrap();
        let kept: (bool, i64) = (kept.get(0), kept.get(1));
        if kept != (true, 1) {
            return Err(format!("output and result set are {kept:?}"));
        }
        self.lines(task).await
    }

    /// Every run is an attempt, the last one succeeded, and the others were lost or failed as they should.
    async fn attempts(&mut self, task: i64) -> Result<(), String> {
        let all = "SELECT s.name, s.state, s.runs, string_agg(a.state, ' ' ORDER BY a.number) FROM subtask s
            JOIN attempt a ON a.subtask_id = s.id WHERE s.task_id = $1 GROUP BY s.id ORDER BY s.seq";
        let rows = sqlx::query(all).bind(task).fetch_all(&mut self.direct).await.unwrap();
        let mut lost = 0;
        for row in &rows {
            let (name, state, runs, attempts): (String, String, i32, String) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            let states: Vec<&str> = attempts.split(' ').collect();
            let (last, before) = states.split_last().unwrap();
            lost += before.iter().filter(|state| **state == "LOST").count();
            let failed = before.iter().filter(|state| **state == "FAILED").count();
            let rest = before.iter().filter(|state| !matches!(**state, "LOST" | "FAILED")).count();
            let sound = *last == "SUCCESSFUL" && rest == 0 && failed <= usize::from(name == "again");
            if state != "SUCCESSFUL" || runs as usize != states.len() || !sound {
                return Err(format!("{name} is {state} after {runs} runs: {attempts}"));
            }
        }
        // One answer was lost: it cannot have cost more than the attempts of one claim.
        if rows.len() == 4 && lost <= 2 {
            Ok(())
        } else {
            Err(format!("{} subtasks, {lost} attempts lost", rows.len()))
        }
    }

    /// Each event is there once, with one warning for each run that warned.
    async fn events(&mut self, task: i64) -> Result<(), String> {
        let all = "SELECT kind, coalesce(subtask_id, 0), coalesce(attempt_id, 0),
            concat_ws(' ', kind, subtask_id, attempt_id, task_state, subtask_state, operation, message, actor)
            FROM task_event WHERE task_id = $1 ORDER BY id";
        let rows = sqlx::query(all).bind(task).fetch_all(&mut self.direct).await.unwrap();
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for row in &rows {
            *told.entry(row.get(3)).or_default() += 1;
        }
        let twice: Vec<_> = told.iter().filter(|(_, count)| **count > 1).collect();
        let ended = told.keys().filter(|told| told.starts_with("TASK_CHANGED") && told.contains("SUCCESSFUL")).count();
        let warned = rows.iter().filter(|row| row.get::<String, _>(0) == "WARNING").count();
        let ran = "SELECT count(*) FROM attempt a JOIN subtask s ON s.id = a.subtask_id WHERE s.task_id = $1 AND s.name = 'talk'
            AND a.state = 'SUCCESSFUL'";
        let ran: i64 = sqlx::query(ran).bind(task).fetch_one(&mut self.direct).await.unwrap().get(0);
        if twice.is_empty() && ended == 1 && warned >= 1 && ran == 1 {
            return Ok(());
        }
        Err(format!("told twice: {twice:?}; {ended} ends, {warned} warnings, {ran} runs\n{told:#?}"))
    }

    /// Each run's lines are there once, without a gap, and the last run's are whole.
    async fn lines(&mut self, task: i64) -> Result<(), String> {
        let document = "query($name: String!) { tasks(filter: {name: $name}) { nodes { databaseId subtasks { runs log {
            lines { number text } } } } } }";
        let name = format!("{:016x}", self.flows);
        let found = self.server.get(document, json!({"name": name}), "/tasks/nodes/0").await;
        assert_eq!(found["databaseId"].to_string().trim_matches('"'), task.to_string());
        let talk = &found["subtasks"][0];
        let lines = talk["log"]["lines"].as_array().unwrap();
        let numbers: Vec<i64> = lines.iter().map(|line| line["number"].as_i64().unwrap()).collect();
        let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
        let last = talk["runs"].to_string();
        let count = |text: String| texts.iter().filter(|line| **line == text).count();
        let whole = count(format!("{last} one")) == 1 && count(format!("{last} two")) == 1;
        let once = (1..4).all(|run| count(format!("{run} one")) <= 1 && count(format!("{run} two")) <= 1);
        let sound =
            numbers == (1..=numbers.len() as i64).collect::<Vec<_>>() && count("look".into()) <= last.parse().unwrap();
        if whole && once && sound { Ok(()) } else { Err(format!("of {last} runs: {numbers:?} {texts:?}")) }
    }

    /// What was sent again is the same task.
    async fn count_tasks(&mut self) {
        let count: i64 = sqlx::query("SELECT count(*) FROM task").fetch_one(&mut self.direct).await.unwrap().get(0);
        assert_eq!(count, self.flows as i64);
    }
}
