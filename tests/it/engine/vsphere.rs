//! The executor `vsphere`, against the simulated vCenter. Between both stands what a story needs: a way that can be
//! cut, and that makes machines slow to turn on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use super::bench::{Bench, SUBMIT, until};
use super::step::{Step, spec, step};
use crate::vsphere::simulator::{PASSWORD, Simulator, USER};

const PUT: &str = "mutation($input: PutVcenterInput!) { putVcenter(input: $input) { changes } }";
const FIELDS: &str = "state progress message output log { lines { text } }";
const MACHINE: &str = "DC0_H0_VM0";

/// What every story is told with.
struct Stage {
    bench: Bench,
    middle: Arc<Middle>,
}

/// A way to the simulator.
#[derive(Default)]
struct Middle {
    simulator: RwLock<Option<Simulator>>,
    /// What is made of a machine's start; none: what the simulator makes of it.
    slow: RwLock<Option<Value>>,
    cut: AtomicBool,
    /// The answers of starts are lost.
    deaf: AtomicBool,
    /// How often a machine was told to start.
    starts: AtomicUsize,
}

impl Middle {
    async fn pass(&self, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        let simulator = self.simulator.read().await;
        let Some(simulator) = simulator.as_ref().filter(|_| !self.cut.load(Ordering::SeqCst)) else {
            return StatusCode::BAD_GATEWAY.into_response();
        };
        let text = String::from_utf8_lossy(&body).into_owned();
        if text.contains("<PowerOnVM_Task") {
            self.starts.fetch_add(1, Ordering::SeqCst);
            if let Some(order) = &*self.slow.read().await {
                let machine = text.split_once("type=\"VirtualMachine\">").unwrap().1.split_once('<').unwrap().0;
                let mut order = order.clone();
                order["entity"] = format!("VirtualMachine:{machine}").into();
                return started(&simulator.task(order).await).into_response();
            }
        }
        let base = simulator.url.split_once("/sdk").unwrap().0;
        let mut request = reqwest::Client::new().request(method, format!("{base}{uri}")).body(body);
        for name in ["cookie", "soapaction", "content-type"] {
            request = headers.get(name).into_iter().fold(request, |request, value| request.header(name, value));
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap();
        if text.contains("<PowerOnVM_Task") && self.deaf.load(Ordering::SeqCst) {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        let mut response = (status, bytes).into_response();
        for name in ["set-cookie", "content-type"] {
            if let Some(value) = headers.get(name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        response
    }

    async fn start(&self, flags: &[&str]) {
        let flags = [&["-tls=false"], flags].concat();
        *self.simulator.write().await = Some(Simulator::start(&flags).await);
    }

    async fn kill(&self) {
        let simulator = self.simulator.write().await.take().unwrap();
        simulator.kill().await;
    }

    /// The simulator's tasks that are no part of its past: description, state, whether cancelled.
    async fn tasks(&self) -> Vec<Value> {
        let simulator = self.simulator.read().await;
        simulator.as_ref().unwrap().get("/tasks?live=true").await.as_array().unwrap().clone()
    }

    /// Makes machines slow to turn on.
    async fn slow(&self, seconds: u32, cancelable: bool) {
        let order = json!({"descriptionId": "VirtualMachine.powerOn", "name": "PowerOnVM_Task", "seconds": seconds,
            "queued": 0.1, "steps": 600, "cancelable": cancelable});
        *self.slow.write().await = Some(order);
    }
}

/// The answer to the call that starts a machine.
fn started(key: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <PowerOnVM_TaskResponse xmlns=\"urn:vim25\"><returnval type=\"Task\">{key}</returnval></PowerOnVM_TaskResponse>\
         </soapenv:Body></soapenv:Envelope>"
    )
}

impl Stage {
    async fn new(flags: &[&str]) -> Self {
        let middle = Arc::new(Middle::default());
        middle.start(flags).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sdk", listener.local_addr().unwrap());
        let way = middle.clone();
        let pass = async move |method, uri, headers, body| way.pass(method, uri, headers, body).await;
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(pass)).await.unwrap() });
        let bench = Bench::with(&[("vsphere.allow_http", "true"), ("vsphere.collect", "false")]).await;
        let input = json!({"name": "lab", "address": url, "user": USER, "password": PASSWORD, "collect": false,
            "tenantId": bench.tenant().await});
        bench.admin.get(PUT, json!({"input": input}), "/putVcenter").await;
        Self { bench, middle }
    }

    /// Runs one operation to its end.
    async fn run(&self, operation: &Value, end: &str) -> Value {
        let task = self.bench.admin.submit("work", &[of(operation)]).await;
        self.bench.admin.wait(&task, end).await;
        self.bench.admin.subtask(&task, "a", FIELDS).await
    }

    /// A start that is under way.
    async fn starting(&self, more: impl Fn(Step) -> Step) -> String {
        let task = self.bench.admin.submit("work", &[more(of(&json!({"powerOn": {"vm": MACHINE}})))]).await;
        until("it is under way", async || {
            let a = self.bench.admin.subtask(&task, "a", "progress").await;
            (a["progress"].as_f64().unwrap() > 0.0).then_some(())
        })
        .await;
        task
    }

    /// Waits until its log says this.
    async fn says(&self, task: &str, wanted: &str) {
        let what = format!("the log says {wanted}");
        until(&what, async || log(&self.bench.admin.subtask(task, "a", FIELDS).await).contains(wanted).then_some(()))
            .await;
    }

    async fn ended(&self, task: &str, end: &str) -> Value {
        self.bench.admin.wait(task, end).await;
        self.bench.admin.subtask(task, "a", FIELDS).await
    }
}

/// The step `a` with an operation for the vCenter `lab`.
fn of(operation: &Value) -> Step {
    let mut inner = json!({"vcenter": "lab"});
    inner.as_object_mut().unwrap().extend(operation.as_object().unwrap().clone());
    step("a", json!({ "vsphere": inner }))
}

fn log(subtask: &Value) -> String {
    subtask["log"]["lines"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_operation_is_done_and_gives_what_it_made() {
    let stage = Stage::new(&[]).await;
    let off = stage.run(&json!({"powerOff": {"vm": MACHINE}}), "SUCCESSFUL").await;
    let key = off["output"]["task"].as_str().unwrap().to_owned();
    assert!(key.starts_with("task-") && log(&off).contains(&format!("powerOff on lab: {key} of {MACHINE} (")), "{off}");
    assert_eq!((&off["progress"], off["message"].as_str()), (&json!(1.0), None), "{off}");

    let new = json!({"vm": MACHINE, "name": "before ${param.n}", "description": "a < b"});
    let input = json!({"input": {"spec": spec("s", &[of(&json!({"snapshot": new}))]), "parameters": {"n": 7}}});
    let task = stage.bench.admin.get(SUBMIT, input, "/submitTask/task/id").await;
    let made = stage.ended(task.as_str().unwrap(), "SUCCESSFUL").await;
    let snapshot = made["output"]["created_snapshot"].as_str().unwrap();
    assert_eq!(made["output"]["snapshot"], snapshot, "{made}");
    assert!(snapshot.starts_with("VirtualMachineSnapshot:"), "{made}");
    stage.run(&json!({"reconfigure": {"vm": MACHINE, "cpus": 4, "annotation": "x"}}), "SUCCESSFUL").await;
    stage.run(&json!({"revert": {"vm": MACHINE}}), "SUCCESSFUL").await;
    stage.run(&json!({"revert": {"vm": MACHINE, "snapshot": "before 7"}}), "SUCCESSFUL").await;
    stage.run(&json!({"removeSnapshot": {"vm": MACHINE, "snapshot": snapshot}}), "SUCCESSFUL").await;
    let gone = stage.run(&json!({"revert": {"vm": MACHINE, "snapshot": "before 7"}}), "FAILED").await;
    assert!(gone["message"].as_str().unwrap().contains("has no snapshot `before 7`"), "{gone}");

    let copy = stage.run(&json!({"clone": {"vm": MACHINE, "name": "copy"}}), "SUCCESSFUL").await;
    assert_eq!(copy["output"].get("vm"), None, "a parameter of that name is not hidden: {copy}");
    let reference = copy["output"]["cloned_vm"].as_str().unwrap();
    assert!(reference.starts_with("VirtualMachine:"), "{copy}");
    for verb in ["powerOn", "reset", "suspend", "powerOn", "powerOff", "destroy"] {
        let mut operation = json!({});
        operation[verb] = json!({"vm": reference});
        stage.run(&operation, "SUCCESSFUL").await;
    }
    let sessions = stage.middle.simulator.read().await.as_ref().unwrap().get("/sessions").await;
    assert_eq!(sessions["count"], 0, "each one was closed: {sessions}");
}

/// What a step puts out is named as no key of an operation: parameters mean the same all the way down.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_hides_no_parameter() {
    let stage = Stage::new(&[]).await;
    let run = |name: &str, operation: Value, needs: Value| {
        let mut inner = json!({"vcenter": "lab"});
        inner.as_object_mut().unwrap().extend(operation.as_object().unwrap().clone());
        json!({"name": name, "needs": needs, "run": {"vsphere": inner}})
    };
    let subtasks = json!([
        run("copy", json!({"clone": {"vm": "${param.vm}", "name": "copy"}}), json!([])),
        run("keep", json!({"snapshot": {"vm": "${param.vm}", "name": "${param.snapshot}"}}), json!(["copy"])),
        run("too", json!({"snapshot": {"vm": "${param.cloned_vm}", "name": "${param.snapshot}"}}), json!(["keep"])),
        run("back", json!({"revert": {"vm": "${param.vm}", "snapshot": "${param.created_snapshot}"}}), json!(["keep"])),
        run("off", json!({"powerOff": {"vm": "${param.vm}"}}), json!(["too", "back"])),
    ]);
    let input = json!({"input": {"spec": {"name": "s", "subtasks": subtasks}, "parameters": {"vm": MACHINE, "snapshot": "before"}}});
    let task = stage.bench.admin.get(SUBMIT, input, "/submitTask/task/id").await;
    let task = task.as_str().unwrap();
    stage.bench.admin.wait(task, "SUCCESSFUL").await;
    let off = stage.bench.admin.subtask(task, "off", FIELDS).await;
    assert!(log(&off).contains(&format!(" of {MACHINE} (")), "the machine of the parameter, not its copy: {off}");
    let too = stage.bench.admin.subtask(task, "too", FIELDS).await;
    assert!(log(&too).contains(" of copy ("), "{too}");
    assert_eq!(too["output"].get("snapshot"), None, "{too}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_step_says_what_goes_on_there() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, false).await;
    let task = stage.starting(|step| step).await;
    stage.bench.admin.act("cancelTask", &task).await;
    let a = stage.ended(&task, "CANCELED").await;
    let key = stage.middle.tasks().await[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(a["message"], format!("canceled; the vCenter's task {key} cannot be cancelled and goes on there"));
    assert_eq!(stage.middle.tasks().await[0]["state"], "running");
    // One that is cancelled there does not go on.
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, true).await;
    let task = stage.starting(|step| step).await;
    stage.bench.admin.act("cancelTask", &task).await;
    assert_eq!(stage.ended(&task, "CANCELED").await["message"], "canceled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_the_step_s() {
    let stage = Stage::new(&[]).await;
    let twice = stage.run(&json!({"powerOn": {"vm": MACHINE}}), "FAILED").await;
    let message = twice["message"].as_str().unwrap();
    assert!(message.starts_with("InvalidPowerState: ") && message.contains("(task-"), "{message}");
    let none = stage.run(&json!({"powerOn": {"vm": "nobody"}}), "FAILED").await;
    assert_eq!(none["message"], "vCenter lab: there is no virtual machine `nobody`");
    let elsewhere = step("a", json!({"vsphere": {"vcenter": "other", "powerOn": {"vm": MACHINE}}}));
    let task = stage.bench.admin.submit("work", &[elsewhere]).await;
    let message = stage.ended(&task, "FAILED").await["message"].to_string();
    assert!(message.contains("other"), "{message}");
    stage.middle.cut.store(true, Ordering::SeqCst);
    let away = stage.run(&json!({"powerOn": {"vm": MACHINE}}), "FAILED").await;
    assert!(away["message"].as_str().unwrap().starts_with("vCenter lab: "), "{away}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_reaches_the_vcenter() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, true).await;
    let task = stage.starting(|step| step).await;
    let going = stage.bench.admin.subtask(&task, "a", "progress").await;
    assert!(going["progress"].as_f64().unwrap() < 0.9, "{going}");
    stage.bench.admin.act("cancelTask", &task).await;
    stage.ended(&task, "CANCELED").await;
    let all = stage.middle.tasks().await;
    assert!(all.len() == 1 && all[0]["cancelled"] == true && all[0]["state"] == "error", "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_cancelled_goes_on_and_is_named() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, false).await;
    let task = stage.starting(|step| step.with("timeout", json!("2s"))).await;
    let a = stage.ended(&task, "FAILED").await;
    let message = a["message"].as_str().unwrap();
    assert!(message.contains("time limit") && message.contains("cannot be cancelled and goes on there"), "{message}");
    assert_eq!(stage.middle.tasks().await[0]["state"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_limit_reaches_the_vcenter() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, true).await;
    let task = stage.starting(|step| step.with("timeout", json!("2s"))).await;
    stage.ended(&task, "FAILED").await;
    assert_eq!(stage.middle.tasks().await[0]["cancelled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_session_and_a_cut_way_begin_nothing_twice() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(5, true).await;
    let task = stage.starting(|step| step).await;
    stage.middle.simulator.read().await.as_ref().unwrap().post("/sessions/terminate", json!({})).await;
    stage.middle.cut.store(true, Ordering::SeqCst);
    stage.says(&task, "is followed on as soon as that is possible").await;
    stage.middle.cut.store(false, Ordering::SeqCst);
    let a = stage.ended(&task, "SUCCESSFUL").await;
    assert!(log(&a).contains("signed in again, to follow task-"), "{a}");
    assert_eq!(stage.middle.starts.load(Ordering::SeqCst), 1);
    assert_eq!(stage.middle.tasks().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_vcenter_ends_what_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let stage = Stage::new(&["-state", &state]).await;
    stage.middle.slow(60, true).await;
    let task = stage.starting(|step| step).await;
    stage.middle.kill().await;
    stage.says(&task, "is followed on as soon as that is possible").await;
    stage.middle.start(&["-state", &state]).await;
    let a = stage.ended(&task, "FAILED").await;
    assert!(a["message"].as_str().unwrap().starts_with("SystemError"), "{a}");
    assert_eq!(stage.middle.starts.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_the_vcenter_has_forgotten_is_not_said_to_have_ended_well() {
    let stage = Stage::new(&[]).await;
    stage.middle.slow(60, true).await;
    let task = stage.starting(|step| step).await;
    stage.middle.kill().await;
    stage.middle.start(&[]).await;
    let a = stage.ended(&task, "FAILED").await;
    assert!(a["message"].as_str().unwrap().contains("how it ended is not known"), "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_nobody_answered_is_not_made_again() {
    let stage = Stage::new(&[]).await;
    stage.run(&json!({"powerOff": {"vm": MACHINE}}), "SUCCESSFUL").await;
    stage.middle.deaf.store(true, Ordering::SeqCst);
    let a = stage.run(&json!({"powerOn": {"vm": MACHINE}}), "FAILED").await;
    assert!(a["message"].as_str().unwrap().contains("whether powerOn was begun is not known"), "{a}");
    assert_eq!(stage.middle.starts.load(Ordering::SeqCst), 1);
}

/// Passwords are everywhere on the way, and in nothing that is said.
#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_masked_in_all_that_is_said() {
    let stage = Stage::new(&[]).await;
    let a = stage.run(&json!({"powerOn": {"vm": PASSWORD}}), "FAILED").await;
    assert!(!a.to_string().contains(PASSWORD) && a["message"].as_str().unwrap().contains("no virtual machine"), "{a}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_page_runs_and_is_taken_back() {
    let stage = Stage::new(&[]).await;
    let page = include_str!("../../../docs/executors.md");
    let section = page.split_once("## Vsphere").unwrap().1;
    let example = section.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0;
    let submit = async |text: &str| {
        let input = json!({"source": text, "parameters": {"vm": MACHINE}});
        let task = stage.bench.admin.get(SUBMIT, json!({ "input": input }), "/submitTask/task/id").await;
        task.as_str().unwrap().to_owned()
    };
    let failing = format!("{example}  - {{name: last, needs: [on], run: {{shell: 'false'}}}}\n");
    let failing = failing
        .replace("    run: {vsphere: {vcenter: lab, powerOn: {vm: '${param.vm}'}}}\n  -", "    run: {noop: {}}\n  -");
    let task = submit(&failing).await;
    stage.bench.admin.wait(&task, "FAILED").await;
    stage.bench.admin.act("rollbackTask", &task).await;
    until("it is taken back", async || {
        let tasks = stage.middle.tasks().await;
        let done: Vec<_> = tasks.iter().map(|task| task["descriptionId"].as_str().unwrap_or_default()).collect();
        done.ends_with(&["VirtualMachine.powerOn"]).then_some(())
    })
    .await;
    let task = submit(example).await;
    stage.bench.admin.wait(&task, "SUCCESSFUL").await;
}
