//! Updates as they were recorded and as the definition has them, told by a client that follows.

use super::feed::{LIST, change, follow, leaves, server, set, task, told, whole};
use super::fixture;
use super::server::Server;

/// Whatever filter a fixture is of, it is the list's here.
fn of_list(fixture: &str) -> String {
    let (before, rest) = fixture.split_once("<filter type=\"PropertyFilter\">").unwrap();
    let (filter, _) = rest.split_once("</filter>").unwrap();
    let all = fixture.replace(&format!(">{filter}</filter>"), &format!(">{LIST}</filter>"));
    assert!(all.starts_with(before));
    all
}

/// Waits get these answers; a task that is read is the one of the definition that runs.
fn waiting(waits: Vec<String>) -> Server {
    server(waits, |request| {
        (request.method() == "RetrievePropertiesEx")
            .then(|| fixture!("definition/02-task-running-with-progress").into())
    })
}

#[tokio::test]
async fn parts_of_tasks_as_defined() {
    let whole = [whole("task-3251", "running", "40"), whole("task-3260", "queued", "")].concat();
    let server = waiting(vec![
        set("4", LIST, &whole),
        of_list(fixture!("definition/11-updates-task-enters-then-progress-leaf")),
        of_list(fixture!("definition/12-updates-truncated")),
        of_list(fixture!("definition/13-updates-rest-after-truncated")),
        fixture!("definition/17-updates-none-within-max-wait").into(),
    ]);
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-3251"), task("task-3260")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-3251 running 40", "task-3260 queued "]);
    assert_eq!(told(&mut follow).await, ["task-3260 running 3", "task-3251 running 52"]);
    // Both parts of what was cut are told at once.
    assert_eq!(told(&mut follow).await, ["task-3251 running 60", "task-3260 success "]);
    assert!(told(&mut follow).await.is_empty());
    assert_eq!(server.methods().iter().filter(|method| *method == "WaitForUpdatesEx").count(), 5);
    assert!(!server.methods().iter().any(|method| method == "RetrievePropertiesEx"));
}

#[tokio::test]
async fn tasks_that_leave_or_are_missing_as_defined() {
    let server = waiting(vec![
        of_list(fixture!("definition/14-updates-task-leaves")),
        of_list(fixture!("definition/15-updates-missing-object-and-property")),
    ]);
    let mut follow = follow(&server).await;
    follow.watch(&["task-3240", "task-3251", "task-3259"].map(task), &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-3240 gone"]);
    // That one property may not be read takes nothing from the task.
    assert_eq!(told(&mut follow).await, ["task-3259 gone"]);
}

#[tokio::test]
async fn a_latest_page_as_defined() {
    let server = waiting(vec![fixture!("definition/16-updates-latest-page").into()]);
    let mut follow = follow(&server).await;
    let told = told(&mut follow).await;
    let keys = told.iter().map(|line| line.split(' ').next().unwrap()).collect::<Vec<_>>();
    assert_eq!(keys, ["task-3247", "task-3245"]);
}

#[tokio::test]
async fn progress_in_whole_tasks_as_recorded() {
    let server = waiting(
        [
            fixture!("recorded/315-wait-progress-whole-info-2"),
            fixture!("recorded/316-wait-progress-whole-info-3"),
            fixture!("recorded/317-wait-progress-whole-info-4"),
            fixture!("recorded/318-wait-progress-whole-info-5"),
            fixture!("recorded/319-wait-progress-whole-info-6"),
            fixture!("recorded/320-wait-progress-whole-info-7"),
            fixture!("recorded/321-wait-progress-whole-info-8"),
        ]
        .map(of_list)
        .to_vec(),
    );
    let mut follow = follow(&server).await;
    let mut lines = Vec::new();
    for _ in 0..7 {
        lines.extend(told(&mut follow).await);
    }
    // What came twice is told once.
    let states = ["queued ", "running ", "running 25", "running 50", "running 75", "running 100", "success 100"];
    assert_eq!(lines, states.map(|state| format!("task-69 {state}")));
}

#[tokio::test]
async fn progress_in_parts_as_recorded() {
    let server = waiting(
        [
            set("1", LIST, &[whole("task-70", "queued", ""), whole("task-71", "running", "1")].concat()),
            of_list(fixture!("recorded/323-wait-progress-leaf-paths-1")),
            of_list(fixture!("recorded/324-wait-progress-leaf-paths-2")),
            of_list(fixture!("recorded/325-wait-progress-leaf-paths-6")),
            of_list(fixture!("recorded/326-wait-progress-leaf-paths-7")),
        ]
        .to_vec(),
    );
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-70"), task("task-71")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await.len(), 2);
    assert_eq!(told(&mut follow).await, ["task-70 running ", "task-70 running 0"]);
    assert_eq!(told(&mut follow).await, ["task-70 running 25"]);
    assert_eq!(told(&mut follow).await, ["task-70 success 25"]);
    assert_eq!(told(&mut follow).await, ["task-71 queued 0"]);
}

#[tokio::test]
async fn a_list_as_recorded() {
    let server = waiting(
        [
            fixture!("recorded/330-wait-list-view-initial"),
            fixture!("recorded/332-wait-list-view-1"),
            fixture!("recorded/333-wait-list-view-2"),
        ]
        .map(of_list)
        .to_vec(),
    );
    let mut follow = follow(&server).await;
    assert_eq!(told(&mut follow).await, ["task-70 success 100", "task-71 running 50"]);
    assert_eq!(told(&mut follow).await, ["task-71 running 75"]);
    assert_eq!(told(&mut follow).await, ["task-71 running 100"]);
}

#[tokio::test]
async fn recent_tasks_as_recorded() {
    let server = waiting(
        [
            fixture!("recorded/302-wait-for-updates-initial"),
            fixture!("recorded/305-wait-for-updates-task-appears-1"),
            fixture!("recorded/307-wait-for-updates-second-task-1"),
        ]
        .map(of_list)
        .to_vec(),
    );
    let mut follow = follow(&server).await;
    let first = ["task-8", "task-10", "task-12", "task-14", "task-24"].map(|key| format!("{key} success "));
    assert_eq!(told(&mut follow).await, first);
    assert_eq!(told(&mut follow).await, ["task-82 success "]);
    assert_eq!(told(&mut follow).await, ["task-83 success "]);
}

#[tokio::test]
async fn a_part_of_a_task_that_is_not_known_lets_it_be_read() {
    let part = change("task-3251", &[("info.unheardOf", "xsd:string", "x")]);
    let server = waiting(vec![set("1", LIST, &part), set("2", LIST, &leaves("task-3251"))]);
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-3251")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-3251 running 37"]);
    assert_eq!(told(&mut follow).await, ["task-3251 gone"]);
}

#[tokio::test]
async fn nothing_new_as_recorded() {
    let server = waiting(
        [
            fixture!("recorded/303-wait-for-updates-nothing-new"),
            fixture!("recorded/304-wait-for-updates-poll-zero"),
            fixture!("recorded/306-wait-for-updates-task-appears-2"),
            fixture!("recorded/308-wait-for-updates-unknown-version"),
        ]
        .map(str::to_owned)
        .to_vec(),
    );
    let mut follow = follow(&server).await;
    for _ in 0..4 {
        assert!(told(&mut follow).await.is_empty());
    }
}

#[tokio::test]
async fn parts_of_tasks_that_are_not_known_let_each_be_read_as_recorded() {
    let server = waiting(vec![of_list(fixture!("recorded/309-wait-for-updates-max-object-updates-2"))]);
    let mut follow = follow(&server).await;
    assert_eq!(told(&mut follow).await, ["task-3251 running 37"]);
    assert_eq!(server.methods().iter().filter(|method| *method == "RetrievePropertiesEx").count(), 8);
}

#[tokio::test]
async fn a_list_that_knows_all_as_recorded() {
    let server = server(Vec::new(), |request| {
        (request.method() == "ModifyListView").then(|| fixture!("recorded/328-modify-list-view").into())
    });
    let mut follow = follow(&server).await;
    assert!(follow.watch(&[task("task-70"), task("task-71")], &[]).await.unwrap().is_empty());
}
