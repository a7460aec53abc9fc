//! Old clients' days on a real server, with GraphQL beside them. OCP: the script of its page. Linkis: sign in, submit,
//! poll, read, pause, kill.

use std::path::Path;
use std::time::Duration;

use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::harness::server::{PASSWORD, Server, until};
use crate::harness::{postgres, wait};

const PREFIX: &str = "/api/rest_j/v1";
const DEADLINE: Duration = Duration::from_secs(30);

/// A client that has signed in.
struct Client {
    server: Server,
    ticket: String,
}

impl Client {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[]).await
    }

    async fn start_with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let server = Server::start(folder, settings).await;
        let body = json!({"userName": "admin", "password": PASSWORD}).to_string();
        let answer = server.request("POST", &format!("{PREFIX}/user/login")).body(body).send().await.unwrap();
        let ticket = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { server, ticket }
    }

    /// The envelope of an answer.
    async fn call(&self, method: &str, path: &str, body: Value) -> Value {
        let request = self.server.request(method, &format!("{PREFIX}{path}")).header("cookie", &self.ticket);
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        request.send().await.unwrap().json().await.unwrap()
    }

    /// The data of an answer that must be a good one.
    async fn get(&self, path: &str) -> Value {
        let mut answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer["status"], 0, "{path}: {answer}");
        answer["data"].take()
    }

    /// Submits code for an engine; the execID and the taskID.
    async fn submit(&self, engine: &str, run_type: &str, code: &str) -> (String, i64) {
        let body = json!({
            "executionContent": {"code": code, "runType": run_type},
            "params": {"variable": {"day": "monday"}},
            "labels": {"engineType": engine, "userCreator": "admin-IDE"},
        });
        let answer = self.call("POST", "/entrance/submit", body).await;
        assert_eq!(answer["status"], 0, "{answer}");
        let data = &answer["data"];
        (data["execID"].as_str().unwrap().to_owned(), data["taskID"].as_i64().unwrap())
    }

    /// Polls as the product's clients do: until the status is one of an end.
    async fn wait(&self, exec_id: &str, wanted: &str) {
        let is_so = async || {
            let status = self.get(&format!("/entrance/{exec_id}/status")).await["status"].take();
            let is_end = ["Succeed", "Failed", "Cancelled", "Timeout"].contains(&status.as_str().unwrap());
            assert!(status == wanted || !is_end, "it is {status}, not {wanted}");
            (status == wanted).then_some(())
        };
        wait::until_within(DEADLINE, wanted, is_so).await;
    }

    /// Reads a log to its end, page by page.
    async fn log(&self, exec_id: &str, begin: i64) -> Vec<String> {
        let (mut from, mut lines) = (begin, vec![]);
        loop {
            let page = self.get(&format!("/entrance/{exec_id}/log?fromLine={from}&size=2")).await;
            let all = page["log"][3].as_str().unwrap();
            let next = page["fromLine"].as_i64().unwrap();
            if next == from.max(1) {
                return lines;
            }
            lines.extend(all.split('\n').map(str::to_owned));
            from = next;
        }
    }

    /// The rows of each result of a job, by way of the history.
    async fn results(&self, task_id: i64) -> Vec<Value> {
        let job = self.get(&format!("/jobhistory/{task_id}/get")).await;
        let location =
            job["task"]["resultLocation"].as_str().unwrap_or_else(|| panic!("no result in {job}")).to_owned();
        let tree = self.get(&format!("/filesystem/getDirFileTrees?path={location}")).await;
        let mut results = vec![];
        for leaf in tree["dirFileTrees"]["children"].as_array().unwrap() {
            let path = leaf["path"].as_str().unwrap();
            results.push(self.get(&format!("/filesystem/openFile?path={path}&page=1&pageSize=5000")).await);
        }
        results
    }
}

/// The state, and the processor time in ticks, of every process that has this word in its command line.
fn processes(word: &str) -> Vec<(char, u64)> {
    let processes = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok().map(Pid::from_raw));
    let of = |pid: Pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&line).contains(word).then_some(())?;
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some((fields[0].chars().next()?, fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?))
    };
    processes.filter_map(of).collect()
}

#[tokio::test]
async fn a_client_of_linkis_gets_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::start(&folder.path().join("data")).await;

    let code = "echo it is ${day}; echo; echo \"2026-01-01 00:00:00 WARN careful\" >&2; echo done";
    let (shell, number) = client.submit("shell-1", "shell", code).await;
    client.wait(&shell, "Succeed").await;
    for begin in [0, 1] {
        let log = client.log(&shell, begin).await;
        assert!(
            log[0].contains(&format!(" INFO Your job is accepted,  jobID is {shell} and taskID is {number} in ")),
            "{log:?}"
        );
        let mut said: Vec<&str> = log[1..].iter().map(String::as_str).collect();
        said.sort_unstable();
        assert_eq!(said, ["", "2026-01-01 00:00:00 WARN careful", "done", "it is monday"]);
    }
    let progress = client.get(&format!("/entrance/{number}/progress")).await;
    assert_eq!((&progress["progress"], progress["progressInfo"].as_array().unwrap().len()), (&json!(1.0), 1));
    let results = client.results(number).await;
    assert_eq!(results[0]["fileContent"], json!([["it is monday"], [""], ["done"]]));
    assert_eq!((&results[0]["type"], results.len()), (&json!("1"), 1));

    let (python, number) = client.submit("python-3", "py", "print(6 * 7)").await;
    client.wait(&python, "Succeed").await;
    assert_eq!(client.results(number).await[0]["fileContent"], json!([["42"]]));

    let (failed, number) = client.submit("python-3", "python", "raise SystemExit(3)").await;
    client.wait(&failed, "Failed").await;
    let job = client.get(&format!("/jobhistory/{number}/get")).await;
    assert!(job["task"]["errDesc"].as_str().unwrap().contains('3'), "{job}");
    let list = client.get("/jobhistory/list?pageSize=2").await;
    assert_eq!((&list["totalPage"], &list["tasks"][0]["taskID"]), (&json!(3), &json!(number)));
}

/// Steps of another door's task that write at the same time, and one that is tried twice: whoever reads while they do
/// sees each line once, those of a step in its order.
#[tokio::test]
async fn the_log_of_parallel_steps_shows_each_line_once() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::start(&folder.path().join("data")).await;
    let mark = folder.path().join("mark").display().to_string();
    let talk = |name: &str, lines: u32| format!("for i in $(seq {lines}); do echo {name} $i; sleep 0.01; done");
    let again = format!("[ -e {mark} ] && {} || {{ touch {mark}; {}; exit 1; }}", talk("c", 20), talk("c", 10));
    let spec = json!({"name": "parallel", "subtasks": [
        {"name": "a", "run": {"shell": talk("a", 40)}},
        {"name": "b", "run": {"shell": talk("b", 60)}},
        {"name": "c", "run": {"shell": again}, "retry": {"attempts": 2, "backoff": "100ms"}},
        {"name": "d", "run": {"shell": talk("d", 5)}, "needs": ["a"]},
    ]});
    let submit = "mutation($input: SubmitTaskInput!) { submitTask(input: $input) { task { databaseId } } }";
    let id = client.server.get(submit, json!({"input": {"spec": spec}}), "/submitTask/task/databaseId").await;
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let (mut from, mut seen) = (0, vec![]);
    let has_ended = async || {
        let ended = client.get(&format!("/entrance/{id}/status")).await["status"] == "Succeed";
        let page = client.get(&format!("/entrance/{id}/log?fromLine={from}&size=7")).await;
        let next = page["fromLine"].as_i64().unwrap();
        let is_empty = next == i64::max(from, 1);
        if !is_empty {
            seen.extend(page["log"][3].as_str().unwrap().split('\n').map(str::to_owned));
        }
        from = next;
        (ended && is_empty).then_some(())
    };
    wait::until_within(DEADLINE, "the log has been read to its end", has_ended).await;
    let own = |name: &str| {
        let lines = seen.iter().filter_map(|line| line.strip_prefix(name)?.trim().parse::<u32>().ok());
        lines.collect::<Vec<_>>()
    };
    assert_eq!(own("a "), (1..=40).collect::<Vec<_>>(), "{seen:?}");
    assert_eq!(own("b "), (1..=60).collect::<Vec<_>>(), "{seen:?}");
    assert_eq!(own("c "), (1..=10).chain(1..=20).collect::<Vec<_>>(), "{seen:?}");
    assert_eq!(own("d "), (1..=5).collect::<Vec<_>>(), "{seen:?}");
    assert_eq!(seen.iter().filter(|line| line.contains("Your job is accepted")).count(), 1, "{seen:?}");
}

#[tokio::test]
async fn what_an_engine_of_text_gives_has_the_products_one_column() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::start_with(&folder.path().join("data"), &[("EXECUTOR__HTTP__ALLOW", "127.0.0.1/32")]).await;
    let code = json!({"url": format!("{}/healthz", client.server.url())}).to_string();
    let (job, number) = client.submit("http-1", "http", &code).await;
    client.wait(&job, "Succeed").await;
    let (python, other) = client.submit("python-3", "python", "print('ok')").await;
    client.wait(&python, "Succeed").await;
    let column = json!([{"columnName": "linkis_string", "comment": "NULL", "dataType": "string"}]);
    for number in [number, other] {
        let results = client.results(number).await;
        assert_eq!((&results[0]["type"], &results[0]["metadata"]), (&json!("1"), &column), "{results:?}");
        assert!(results[0]["totalLine"].as_u64() > Some(0), "{results:?}");
    }
}

#[tokio::test]
async fn a_statement_runs_on_the_source_of_its_engine() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::start(&folder.path().join("data")).await;
    let database = postgres::database().await;
    let url: reqwest::Url = database.url.parse().unwrap();
    let source = json!({"input": {
        "name": "warehouse", "kind": "POSTGRESQL", "host": url.host_str(), "port": url.port(),
        "user": url.username(), "password": url.password(), "database": url.path().trim_start_matches('/'), "engine": "spark",
    }});
    let put = "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { dataSource { name } } }";
    client.server.get(put, source, "/putDataSource/dataSource/name").await;

    let code = "create table t (n int, word text); insert into t values (28, 'a'), (29, null); select n, word from t order by n; select count(*) from t";
    let (job, number) = client.submit("spark-2.4.3", "sql", code).await;
    client.wait(&job, "Succeed").await;
    let tables = client.results(number).await;
    let rows: Vec<&Value> = tables.iter().map(|table| &table["fileContent"]).collect();
    assert!(rows.contains(&&json!([["28", "a"], ["29", "NULL"]])), "{rows:?}");
    assert!(rows.contains(&&json!([["2"]])), "{rows:?}");
    let named = tables.iter().find(|table| table["metadata"][1]["columnName"] == "word").unwrap();
    assert_eq!((&named["type"], &named["totalLine"], &named["totalPage"]), (&json!("2"), &json!(2), &json!(0)));
    assert_eq!(named["metadata"][0]["dataType"], "int");

    let body = json!({"executionCode": "select 1", "runType": "hql", "executeApplicationName": "hive"});
    let refused = client.call("POST", "/entrance/execute", body).await;
    assert!(refused["status"] == 1 && refused["message"].as_str().unwrap().contains("hive"), "{refused}");
}

#[tokio::test]
async fn a_paused_job_uses_no_processor_until_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let client = Client::start(&folder.path().join("data")).await;
    let word = format!("busy_{}", std::process::id());
    let code = format!("sh -c 'while :; do :; done; {word}' & setsid sh -c 'while :; do :; done; {word}' & wait");
    let (job, number) = client.submit("shell-1", "sh", &code).await;
    client.wait(&job, "Running").await;
    let ticks = || processes(&word).iter().map(|(_, ticks)| ticks).sum::<u64>();
    until("both are busy", async || (ticks() >= 10).then_some(())).await;
    for _ in 0..2 {
        let paused = client.call("GET", &format!("/entrance/{job}/pause"), Value::Null).await;
        assert_eq!(paused["message"], "success to pause job (成功pause了job)", "{paused}");
    }
    // A busy loop wants to run at any time, unless it is frozen. Then another job has the processor.
    let is_running = |(state, _): &(char, u64)| *state == 'R';
    until("it stands still", async || (!processes(&word).iter().any(is_running)).then_some(())).await;
    let before = ticks();
    let (other, _) = client.submit("shell-1", "sh", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").await;
    client.wait(&other, "Succeed").await;
    assert_eq!(ticks(), before, "it goes on though it is paused");
    let task =
        client.server.get("query($n: BigInt!) { task(databaseId: $n) { id } }", json!({"n": number}), "/task/id").await;
    let resume = "mutation($input: ResumeTaskInput!) { resumeTask(input: $input) { task { state } } }";
    client.server.get(resume, json!({"input": {"id": task}}), "/resumeTask/task/state").await;
    until("it goes on", async || (ticks() > before).then_some(())).await;
    let killed = client.call("GET", &format!("/entrance/{job}/kill?taskID={number}"), Value::Null).await;
    assert_eq!(killed["status"], 0, "{killed}");
    client.wait(&job, "Cancelled").await;
    assert_eq!(processes(&word), [], "no process is left");

    let (other, second) = client.submit("shell-1", "sh", "sleep 60").await;
    let body = json!({"taskIDList": [number, second], "idList": [job, other]});
    let killed = client.call("POST", "/entrance/0/killJobs", body).await;
    let statuses: Vec<&Value> =
        killed["data"]["messages"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [&json!(1), &json!(0)], "{killed}");
    client.wait(&other, "Cancelled").await;
}

/// The calls of `docs/dialects/ocp-session.sh`, and the events that a subscription saw up to the next call.
const OCP_SESSION: &str = "\
GET /api/v2/tasks/instances?name=renew&size=1&sort=id,desc
    event: backup RUNNING by EXECUTE
    event: task RUNNING
    event: backup SUCCESSFUL by EXECUTE
    event: renew READY by EXECUTE
    event: renew RUNNING by EXECUTE
    event: renew FAILED by EXECUTE
    event: task FAILED
GET /api/v2/tasks/instances/1
GET /api/v2/tasks/instances/1/subtasks/2/log
POST /api/v2/tasks/instances/1/subtasks/2/retry
    event: task RUNNING
    event: renew READY by RETRY
    event: renew RUNNING by RETRY
    event: renew FAILED by RETRY
    event: task FAILED
POST /api/v2/tasks/instances/1/subtasks/2/skip
    event: task RUNNING
    event: renew SUCCESSFUL by SKIP
    event: reload READY by EXECUTE
    event: reload RUNNING by EXECUTE
POST /api/v2/tasks/instances/1/subtasks/3/cancel
    event: reload CANCELING by CANCEL
    event: reload FAILED by CANCEL
    event: task FAILED
POST /api/v2/tasks/instances/1/retry
    event: task RUNNING
    event: reload READY by RETRY
    event: reload RUNNING by RETRY
POST /api/v2/tasks/instances/1/subtasks/3/cancel
    event: reload CANCELING by CANCEL
    event: reload FAILED by CANCEL
    event: task FAILED
POST /api/v2/tasks/instances/1/rollback
    event: task RUNNING
    event: reload READY by ROLLBACK
    event: backup SUCCESSFUL by ROLLBACK
    event: renew SUCCESSFUL by ROLLBACK
    event: reload RUNNING by ROLLBACK
    event: reload PENDING by ROLLBACK
    event: renew READY by ROLLBACK
    event: renew RUNNING by ROLLBACK
    event: renew PENDING by ROLLBACK
    event: backup READY by ROLLBACK
    event: backup RUNNING by ROLLBACK
    event: backup PENDING by ROLLBACK
    event: task ROLLED_BACK
GET /api/v2/tasks/instances/1/subtasks/1/log
GET /api/v2/tasks/instances/1
";

#[tokio::test]
async fn a_subscription_sees_what_an_ocp_client_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dialects/ocp-session.sh");
    let mut command = tokio::process::Command::new(script);
    command.arg(server.url()).env("TASKLOOM_ADMIN_PASSWORD", PASSWORD).kill_on_drop(true);
    let output = tokio::time::timeout(4 * DEADLINE, command.output()).await.unwrap().unwrap();
    let (said, wrong) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{said}\n{wrong}\n{}", server.log());
    let shown = |line: &&str| ["GET ", "POST ", "    event: "].iter().any(|start| line.starts_with(start));
    let calls: String = said.lines().filter(shown).map(|line| format!("{line}\n")).collect();
    assert_eq!(calls, OCP_SESSION, "{said}");
    let answers: Vec<&str> = said.lines().filter(|line| line.starts_with("    {")).collect();
    assert!(answers.len() == 11 && answers.iter().all(|answer| !answer.contains("\"error\"")), "{said}");
    assert!(
        answers[2].contains("the authority does not answer") && answers[9].contains("the old ones are kept"),
        "{said}"
    );
}
