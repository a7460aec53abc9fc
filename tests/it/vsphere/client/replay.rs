//! A recorded session, in order: each call has to be the one that was recorded, and gets the answer that was.

use std::sync::{Arc, Mutex};

use taskloom::vsphere::{CloneTo, Error, Filter, Reconfigure, Reference, TaskState, Value};

use super::fixture;
use super::server::{Server, send};
use super::vcenter::{COOKIE, connect};

/// A request and its answer.
type Exchange = (&'static str, &'static str);

macro_rules! exchange {
    ($name:literal) => {
        (fixture!(concat!("recorded/", $name, ".request")), fixture!(concat!("recorded/", $name)))
    };
}

/// What counts of a request: its body, without the version that each argument names and the names of traversals.
fn shape(request: &str) -> String {
    let (_, body) = request.split_once("<soapenv:Body>").unwrap();
    let (body, _) = body.split_once("</soapenv:Body>").unwrap();
    body.replace(" versionId=\"6.7.3\"", "").replace("<name>recent</name>", "")
}

fn replay(exchanges: Vec<Exchange>) -> (Server, Arc<Mutex<Vec<Exchange>>>) {
    let left = Arc::new(Mutex::new(exchanges.into_iter().rev().collect::<Vec<_>>()));
    let answers = Arc::clone(&left);
    let server = Server::start(None, move |request, out| {
        let (status, body) = match request.method() {
            "" => (200, fixture!("recorded/000-service-versions")),
            "RetrieveServiceContent" => (200, fixture!("recorded/001-retrieve-service-content")),
            _ => match answers.lock().unwrap().pop() {
                Some((recorded, answer)) if shape(recorded) == shape(&request.body) => {
                    (if answer.contains("<faultcode>") { 500 } else { 200 }, answer)
                }
                Some((recorded, _)) => panic!("{}\nis sent, not\n{}", shape(&request.body), shape(recorded)),
                None => panic!("{} is one too many", request.body),
            },
        };
        let cookie = if request.method() == "Login" { format!("Set-Cookie: {COOKIE}\r\n") } else { String::new() };
        send(out, status, &cookie, body.as_bytes())
    });
    (server, left)
}

#[tokio::test]
async fn a_session_as_recorded() {
    let (server, left) = replay(vec![
        exchange!("004-login"),
        exchange!("008-current-time"),
        exchange!("100-task-description-catalogue"),
        exchange!("200-power-off"),
        exchange!("201-power-off-info"),
        exchange!("206-reconfigure"),
        exchange!("208-create-snapshot"),
        exchange!("210-revert-to-snapshot"),
        exchange!("212-remove-snapshot"),
        exchange!("214-clone"),
        exchange!("216-destroy"),
        exchange!("219-recent-tasks-with-info-by-traversal"),
        exchange!("412-create-collector-by-state"),
        exchange!("413-read-next-by-state"),
        exchange!("500-logout"),
        exchange!("501-call-after-logout"),
    ]);
    let session = connect(&server).await.unwrap().sign_in("user", "pass", "zh_CN").await.unwrap();
    assert_eq!(session.signed_in().locale, "zh_CN");
    assert_eq!(session.server_clock().await.unwrap().to_rfc3339(), "2026-11-21T01:43:11.439755+00:00");
    let catalogue = session.catalogue().await.unwrap();
    assert_eq!(catalogue.get("ManagedEntity.rename").unwrap().label, "Rename managed entity");
    let vm = Reference::new("VirtualMachine", "vm-57");
    let task = session.power_off(&vm).await.unwrap();
    assert_eq!(task, Reference::task("task-68"));
    assert_eq!(session.task(&task).await.unwrap().state, TaskState::Success);
    let note = Reconfigure { annotation: Some("note".into()), ..Reconfigure::default() };
    assert_eq!(session.reconfigure(&vm, &note).await.unwrap(), Reference::task("task-71"));
    assert_eq!(session.create_snapshot(&vm, "before", "", false, false).await.unwrap(), Reference::task("task-72"));
    let snapshot = Reference::new("VirtualMachineSnapshot", "snapshot-73");
    assert_eq!(session.revert(&snapshot).await.unwrap(), Reference::task("task-74"));
    assert_eq!(session.remove_snapshot(&snapshot, false).await.unwrap(), Reference::task("task-75"));
    let folder = Reference::new("Folder", "folder-3");
    session.clone_vm(&vm, &folder, "copy-of-vm", &CloneTo::default()).await.unwrap();
    session.destroy(&Reference::new("VirtualMachine", "vm-78")).await.unwrap();
    assert_eq!(session.recent_tasks().await.unwrap().len(), 6);
    let failed = Filter { states: vec![TaskState::Error], ..Filter::default() };
    let page = session.history(&failed).await.unwrap().next(3).await.unwrap();
    let fault = page[0].error.as_ref().unwrap();
    assert_eq!((page.len(), fault.kind.as_str()), (1, "InvalidPowerState"));
    assert_eq!(fault.detail("requestedState"), Some(&Value::Text("poweredOff".into())));
    session.sign_out().await.unwrap();
    assert!(matches!(session.server_clock().await, Err(Error::NotAuthenticated)));
    assert!(left.lock().unwrap().is_empty());
}
