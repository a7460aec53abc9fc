//! What belongs to another tenant answers, on every field, exactly like what never was.

use std::time::Duration;

use sea_orm::{ActiveModelTrait as _, Set};
use serde_json::{Value, json};
use taskloom::auth::Principal;
use taskloom::gql::id;
use taskloom::graphql::loader::{
    AttemptsOf, CollectionOf, DocumentLengthOf, DocumentTextOf, LabelsOf, ObjectOf, ResultsOf, SharedLoaders,
    SnapshotOf, SubtasksOf, TenantsOf, TotalsOf, VsphereKey,
};
use taskloom::resolver::read::Document;
use taskloom::resolver::vsphere::{self, collect};
use taskloom::resolver::{Request, task, token, vcenter};
use taskloom::store;
use taskloom_entity::{
    AttemptId, DefinitionId, JsonText, Operation, ResultKind, Role, SubtaskId, TaskId, TenantId, Timestamp, UserId,
    VcenterId, VsphereInstanceId, VsphereTaskId, result_set,
};

use super::bench::{self, Bench, PASSWORD, on_both};
use super::field::{Things, changes, questions, subscriptions};
use super::streams;
use crate::vsphere::rows;

#[tokio::test]
async fn every_field_answers_for_foreign_things_as_for_none() {
    on_both(async |t| {
        let (red, blue) = (t.tenant("red").await, t.tenant("blue").await);
        let (foreign, unknown) = (foreign(&t, blue).await, Things::unknown());
        t.user("max", Role::Manager, &[red]).await;
        let ada = t.user("ada", Role::Admin, &[red]).await;
        let lesser = t.token(ada, Role::Manager).await.secret;
        for caller in [t.basic("max", PASSWORD), t.bearer(&lesser)] {
            let pairs = |of| questions(of).into_iter().chain(changes(of, 0));
            for (is, never) in pairs(&foreign).zip(pairs(&unknown)) {
                let answers = (caller.ask(&is.document).await, caller.ask(&never.document).await);
                assert_eq!(plain(&answers.0.body), plain(&answers.1.body), "{}", is.name);
            }
        }
        for (is, never) in subscriptions(&foreign).into_iter().zip(subscriptions(&unknown)) {
            if is.name == "taskChanged" {
                continue; // names nothing
            }
            let init = json!({"token": lesser});
            let answers =
                (streams::first(&t, init.clone(), &is.document).await, streams::first(&t, init, &never.document).await);
            assert!(answers.0.get("errors").is_some(), "{}: {}", is.name, answers.0);
            assert_eq!(plain(&answers.0), plain(&answers.1), "{}", is.name);
        }
        // And all of it is still there.
        let still = t.system();
        assert!(task::list(&still, &Default::default(), Default::default(), &part()).await.unwrap().rows.len() == 1);
    })
    .await;
}

#[tokio::test]
async fn no_list_shows_what_is_foreign() {
    on_both(async |t| {
        let (red, blue) = (t.tenant("red").await, t.tenant("blue").await);
        foreign(&t, blue).await;
        let max = t.caller("max", Role::Manager, &[red]).await;
        for list in ["tasks", "allTasks", "taskPage", "definitions", "dataSources", "vcenters", "vsphereTasks"] {
            let answer = max.ask(&format!("{{ {list} {{ nodes {{ id }} }} }}")).await;
            assert_eq!(answer.at(&format!("/data/{list}/nodes")), &json!([]), "{list}");
        }
        let answer = max.ask("mutation { cancelTasks(all: true) { tasks { id } refused { id } hasMore } }").await;
        assert_eq!(answer.at("/data/cancelTasks"), &json!({"tasks": [], "refused": [], "hasMore": false}));
        let zoe = t.basic("zoe", PASSWORD);
        assert_eq!(zoe.ask("{ tasks { totalCount } }").await.at("/data/tasks/totalCount"), &json!(1));
    })
    .await;
}

/// Whoever makes a key out of whatever: what it leads to is looked for in the caller's scope.
#[tokio::test]
async fn a_loader_finds_nothing_by_a_foreign_key() {
    on_both(async |t| {
        let (red, blue) = (t.tenant("red").await, t.tenant("blue").await);
        let keys = Keys::of(&t, &foreign(&t, blue).await).await;
        let max = t.user("max", Role::Manager, &[red]).await;
        let max = Request { principal: Principal::user(max, "max", Role::Manager, vec![red]), ..t.system() };
        let zoe = Principal::user(keys.user, "zoe", Role::Manager, vec![blue]);
        let zoe = Request { principal: zoe, ..t.system() };
        let loaders = SharedLoaders::default();
        let own = keys.found(&loaders, &zoe).await;
        assert!(own.iter().all(|(_, is_found)| *is_found), "its own tenant finds each: {own:?}");
        assert_eq!(own, keys.found(&loaders, &t.system()).await, "and so do parts of the server");
        let foreign = keys.found(&loaders, &max).await;
        assert!(foreign.iter().all(|(_, is_found)| !is_found), "{foreign:?}");
        let tenants = loaders.begin(max).one(TenantsOf(keys.user)).await.unwrap();
        assert_eq!(tenants.map(|tenants| tenants.len()), Some(0), "of a user, those that both belong to");
        // Of no tenant, so their scopes are the same: neither is shown as the other.
        let loose = ["eve", "mal"].map(|name| t.user(name, Role::Viewer, &[]));
        let [eve, mal] = futures::future::join_all(loose).await[..] else { unreachable!() };
        for (id, name, other) in [(eve, "eve", mal), (mal, "mal", eve)] {
            let principal = Principal::user(id, name, Role::Viewer, vec![]);
            let loaders = loaders.begin(Request { principal, ..t.system() });
            assert_eq!(loaders.own(id).await.unwrap().map(|user| user.id), Some(id), "oneself");
            for found in [loaders.own(other).await, loaders.one(other).await] {
                assert!(found.unwrap().is_none(), "{name} sees another");
            }
        }
        let nobody = Request { principal: Principal::anonymous(), ..t.system() };
        let refused = loaders.begin(nobody).one(keys.task).await.unwrap_err();
        assert_eq!(refused.code().name, "UNAUTHENTICATED");
    })
    .await;
}

/// What loaders are asked for of one tenant's things.
struct Keys {
    user: UserId,
    tenant: TenantId,
    task: TaskId,
    subtask: SubtaskId,
    attempt: AttemptId,
    definition: DefinitionId,
    vcenter: VcenterId,
    vsphere_task: VsphereTaskId,
    instance: VsphereInstanceId,
}

impl Keys {
    /// Of these things, and of an attempt with a result that they get.
    async fn of(t: &Bench, things: &Things) -> Self {
        let number = |kind, text: &str| id::decode(kind, &async_graphql::ID::from(text)).unwrap();
        let (task, subtask) = (TaskId(number("Task", &things.task)), SubtaskId(number("Subtask", &things.subtask)));
        let now = Timestamp(1);
        let vsphere_task = VsphereTaskId(number("VsphereTask", &things.vsphere_task));
        let seen = vsphere::task::get(&t.system(), vsphere_task).await.unwrap();
        let begun = store::attempt::Begun {
            subtask_id: subtask,
            task_id: task,
            number: 1,
            operation: Operation::Execute,
            worker_id: "none".into(),
            epoch: 1,
            started_at: now,
        };
        let tx = t.app.store.begin().await.unwrap();
        let attempt = store::attempt::begin(&tx, &[begun]).await.unwrap()[&subtask].id;
        let set = result_set::ActiveModel {
            attempt_id: Set(attempt),
            subtask_id: Set(subtask),
            number: Set(0),
            kind: Set(ResultKind::Table),
            columns: Set(JsonText::of(&json!([]))),
            rows: Set(0),
            bytes: Set(0),
            truncated: Set(false),
            created_at: Set(now),
            ..Default::default()
        };
        set.insert(&tx).await.unwrap();
        store::commit(tx).await.unwrap();
        Self {
            user: UserId(number("User", &things.user)),
            tenant: TenantId(number("Tenant", &things.tenant)),
            task,
            subtask,
            attempt,
            definition: DefinitionId(number("Definition", &things.definition)),
            vcenter: VcenterId(number("Vcenter", &things.vcenter)),
            vsphere_task,
            instance: seen.instance_id,
        }
    }

    /// Which loaders find something for this caller.
    async fn found(&self, loaders: &SharedLoaders, request: &Request) -> Vec<(String, bool)> {
        let loaders = loaders.begin(request.clone());
        let mut found = vec![];
        macro_rules! ask {
            ($($key:expr),+ $(,)?) => {$(
                found.push((stringify!($key).to_owned(), loaders.one($key).await.unwrap().is_some()));
            )+};
        }
        ask!(self.user, self.tenant, self.task, self.subtask, self.attempt, self.definition);
        ask!(SubtasksOf(self.task), TotalsOf(self.task), SnapshotOf(self.task));
        ask!(AttemptsOf(self.subtask), ResultsOf(self.attempt));
        ask!(self.vcenter, self.vsphere_task, CollectionOf(self.vcenter));
        ask!(LabelsOf(self.vcenter, "Task.secret".into()), ObjectOf(self.vcenter, "VirtualMachine:vm-1".into()));
        ask!(VsphereKey(self.instance, "task-1".into()));
        for (of, id) in [
            (Document::TaskSpec, self.task.0),
            (Document::TaskParameters, self.task.0),
            (Document::SubtaskSpec, self.subtask.0),
            (Document::SubtaskOutputs, self.subtask.0),
            (Document::DefinitionSpec, self.definition.0),
        ] {
            let length = loaders.one(DocumentLengthOf(of, id)).await.unwrap();
            let text = loaders.one(DocumentTextOf(of, id)).await.unwrap();
            assert_eq!(length.is_some(), text.is_some(), "{of:?}");
            found.push((format!("{of:?}"), text.is_some()));
        }
        let alone =
            loaders.siblings(self.task).await.unwrap().len() + loaders.attempts(self.subtask).await.unwrap().len();
        let snapshot = loaders.snapshot(self.task).await.unwrap();
        assert_eq!(alone, if snapshot.is_some() { 2 } else { 0 });
        found.push(("alone".into(), snapshot.is_some()));
        found
    }
}

fn part() -> taskloom::store::keyset::Part {
    taskloom::store::keyset::Part { limit: 10, ..Default::default() }
}

/// One of each, of this tenant.
async fn foreign(t: &Bench, tenant: TenantId) -> Things {
    let user = t.user("zoe", Role::Manager, &[tenant]).await;
    let token::Created { token, .. } = t.token(user, Role::Manager).await;
    let zoe = t.basic("zoe", PASSWORD);
    let spec = "spec: {name: \"secret\", subtasks: [{name: \"only\", run: {noop: {}}}]}";
    let kept = zoe.ask(&format!("mutation {{ saveDefinition(input: {{{spec}}}) {{ definition {{ id }} }} }}")).await;
    let made =
        zoe.ask("mutation { submitTask(input: {definition: \"secret\"}) { task { id subtasks { id } } } }").await;
    let value = taskloom::vault::Hidden::new("swordfish".into());
    let secret = taskloom::resolver::secret::put(&t.system(), Some(tenant), "kept", &value).await.unwrap();
    let new = taskloom::resolver::source::NewDataSource {
        tenant: Some(tenant),
        name: "kept".into(),
        kind: taskloom_entity::DataSourceKind::Sqlite,
        host: None,
        port: None,
        database: "x.db".into(),
        user: None,
        password: None,
        options: Default::default(),
        engine: Some("spark".into()),
    };
    let source = taskloom::resolver::source::put(&t.system(), new).await.unwrap();
    let (vcenter, vsphere_task) = registered(t, tenant).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Things {
        user: bench::id("User", user),
        tenant: bench::id("Tenant", tenant),
        token: bench::id("Token", token.id),
        task: text(made.at("/data/submitTask/task/id")),
        subtask: text(made.at("/data/submitTask/task/subtasks/0/id")),
        definition: text(kept.at("/data/saveDefinition/definition/id")),
        secret: bench::id("Secret", secret.id),
        source: bench::id("DataSource", source.id),
        vcenter: bench::id("Vcenter", vcenter),
        vsphere_task: bench::id("VsphereTask", vsphere_task),
        name: "secret".into(),
    }
}

/// A vCenter of this tenant, and a task of it.
async fn registered(t: &Bench, tenant: TenantId) -> (VcenterId, VsphereTaskId) {
    let new = vcenter::NewVcenter { uuid: Some("secret".into()), ..rows::vcenter(tenant, "kept", None) };
    let system = t.system();
    vcenter::put(&system, new, false).await.unwrap();
    let (row, lease, _) = collect::claim(&system, ("test", &mut collect::Leases::default()), Duration::from_secs(15))
        .await
        .unwrap()
        .remove(0);
    let instance = collect::meet(&system, &lease, "instance").await.unwrap();
    let running = rows::running("task-1", Timestamp(1));
    let seen = collect::Seen { cancelable: true, description_id: "Task.secret".into(), ..running };
    let object =
        collect::Object { reference: "VirtualMachine:vm-1".into(), name: "secret".into(), parent: None, host: None };
    collect::objects(&system, &lease, &[object]).await.unwrap();
    collect::labels(&system, &lease, "en", vec![("Task.secret".into(), "Secret".into())]).await.unwrap();
    let report = collect::Report { lease, instance, source: collect::ReportSource::Live, tasks: vec![seen] };
    collect::record(&system, &[report]).await.unwrap();
    let task = collect::unfinished(&system, row.id).await.unwrap().remove(0);
    (row.id, task.id)
}

/// An answer without what differs by the question alone: the id that was asked for, and where it stood.
fn plain(body: &Value) -> Value {
    let mut body = body.clone();
    for error in body.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        let error = error.as_object_mut().unwrap();
        error.remove("locations");
        error.get_mut("extensions").and_then(Value::as_object_mut).unwrap().remove("requestId");
        let message = error["message"].as_str().unwrap().replace("secret", "…").replace("nothing", "…");
        let message: String = message.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        error.insert("message".into(), message.into());
    }
    body
}
