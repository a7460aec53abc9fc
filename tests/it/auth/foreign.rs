//! What belongs to another tenant answers, on every field, exactly like what never was.

use std::time::Duration;

use serde_json::{Value, json};
use taskloom::resolver::vsphere::collect;
use taskloom::resolver::{task, token, vcenter};
use taskloom_entity::{Role, TenantId, Timestamp, VcenterId, VsphereTaskId};

use super::bench::{Bench, PASSWORD, id, on_both};
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
    let new = taskloom::resolver::source::New {
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
        user: id("User", user),
        tenant: id("Tenant", tenant),
        token: id("Token", token.id),
        task: text(made.at("/data/submitTask/task/id")),
        subtask: text(made.at("/data/submitTask/task/subtasks/0/id")),
        definition: text(kept.at("/data/saveDefinition/definition/id")),
        secret: id("Secret", secret.id),
        source: id("DataSource", source.id),
        vcenter: id("Vcenter", vcenter),
        vsphere_task: id("VsphereTask", vsphere_task),
        name: "secret".into(),
    }
}

/// A vCenter of this tenant, and a task of it.
async fn registered(t: &Bench, tenant: TenantId) -> (VcenterId, VsphereTaskId) {
    let new = vcenter::New { uuid: Some("secret".into()), ..rows::vcenter(tenant, "kept", None) };
    let system = t.system();
    vcenter::put(&system, new, false).await.unwrap();
    let (row, lease, _) = collect::claim(&system, ("test", &mut collect::Leases::default()), Duration::from_secs(15))
        .await
        .unwrap()
        .remove(0);
    let instance = collect::meet(&system, &lease, "instance").await.unwrap();
    let running = rows::running("task-1", Timestamp(1));
    let seen = collect::Seen { cancelable: true, description_id: "Task.secret".into(), ..running };
    let report = collect::Report { lease, instance, source: collect::Source::Live, tasks: vec![seen] };
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
