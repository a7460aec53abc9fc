//! Following: what is told, once each; what goes missing; servers that lack something.

use std::time::Duration;

use taskloom::vsphere::{Error, Feed, TaskState, Update};

use super::feed::{
    FEED, LIST, change, follow, info, leaves, page, plain, server, set, task, told, truncated, waits, whole,
};
use super::fixture;
use super::server::Received;
use super::vcenter::session;

#[tokio::test]
async fn tells_each_change_of_the_latest_page_once() {
    let (one, two) = (info("task-1", "running", "10"), info("task-2", "queued", ""));
    let server = plain(vec![
        set("1", FEED, &page(std::slice::from_ref(&one))),
        set("2", FEED, &page(&[one, two])),
        set("3", FEED, &page(&[info("task-1", "success", ""), info("task-2", "queued", "")])),
    ]);
    let mut follow = follow(&server).await;
    assert_eq!(follow.feed(), Feed::LatestPage);
    assert_eq!(told(&mut follow).await, ["task-1 running 10"]);
    assert_eq!(told(&mut follow).await, ["task-2 queued "]);
    assert_eq!(told(&mut follow).await, ["task-1 success "]);
    assert!(told(&mut follow).await.is_empty());
    assert_eq!(waits(&server), ["/1", "1/1", "2/1", "3/1"]);
    follow.close().await;
    let ends = ["DestroyPropertyCollector", "DestroyView", "DestroyCollector"];
    assert_eq!(server.methods()[server.methods().len() - 3..], ends);
}

#[tokio::test]
async fn watches_progress_whole_or_in_parts() {
    let server = server(
        vec![
            set("1", LIST, &whole("task-1", "running", "10")),
            set("2", LIST, &change("task-1", &[("info.progress", "xsd:int", "52")])),
            set(
                "3",
                LIST,
                &change(
                    "task-1",
                    &[
                        ("info.state", "TaskInfoState", "success"),
                        ("info.progress", "xsd:int", ""),
                        ("info.completeTime", "xsd:dateTime", "2026-03-02T08:20:00.5Z"),
                    ],
                ),
            ),
            set("4", LIST, &change("task-3251", &[("info.progress", "xsd:int", "37")])),
        ],
        |request| match request.method() {
            "ModifyListView" if request.body.contains("task-3100") => {
                Some(fixture!("definition/18-modify-list-view-with-unresolved").into())
            }
            "RetrievePropertiesEx" => Some(fixture!("definition/02-task-running-with-progress").into()),
            _ => None,
        },
    );
    let mut follow = follow(&server).await;
    let unresolved = follow.watch(&[task("task-1"), task("task-3100")], &[]).await.unwrap();
    assert_eq!(unresolved, [task("task-3100")]);
    assert_eq!(told(&mut follow).await, ["task-1 running 10"]);
    assert_eq!(told(&mut follow).await, ["task-1 running 52"]);
    let ended = follow.wait(Duration::ZERO).await.unwrap();
    let [Update::Task(info)] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!((info.state, info.progress, info.complete_time.is_some()), (TaskState::Success, None, true));
    // Of a task of which nothing is known a part says nothing: the task is read.
    assert_eq!(told(&mut follow).await, ["task-3251 running 37"]);
    assert_eq!(server.methods().last().map(String::as_str), Some("RetrievePropertiesEx"));
}

#[tokio::test]
async fn progress_never_goes_back_to_what_the_feed_shows() {
    // The feed changes with states only: in one answer it shows progress as it was when it last did.
    let feed = |progress| {
        let page = page(&[info("task-1", "running", progress), info("task-2", "running", "")]);
        format!("<filterSet><filter type=\"PropertyFilter\">{FEED}</filter>{page}</filterSet></returnval>")
    };
    let both =
        |version, list, old| set(version, LIST, &whole("task-1", "running", list)).replace("</returnval>", &feed(old));
    let server = plain(vec![both("1", "99", "10"), both("2", "99", "10"), both("3", "100", "")]);
    let mut follow = follow(&server).await;
    assert_eq!(told(&mut follow).await, ["task-1 running 99", "task-2 running "]);
    assert!(told(&mut follow).await.is_empty());
    assert_eq!(told(&mut follow).await, ["task-1 running 100"]);
}

#[tokio::test]
async fn a_key_that_is_given_out_again_is_told_anew() {
    let again = |state| info("task-1", state, "").replace("2026-03-02T08:15:04Z", "2026-03-09T00:00:00Z");
    let pages = [vec![info("task-1", "success", "")], vec![info("task-1", "success", ""), again("running")]];
    let pages = pages.map(|tasks| page(&tasks));
    let [first, second] = pages;
    let server = plain(vec![
        set("1", FEED, &first),
        set("2", FEED, &second),
        set("3", LIST, &change("task-1", &[("info.progress", "xsd:int", "5")])),
    ]);
    let mut follow = follow(&server).await;
    assert_eq!(told(&mut follow).await, ["task-1 success "]);
    assert_eq!(told(&mut follow).await, ["task-1 running "]);
    follow.watch(&[task("task-1")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-1 running 5"]);
}

#[tokio::test]
async fn a_task_that_cannot_be_read_keeps_none_from_being_told() {
    let wrong = info("task-2", "paused", "");
    let unreadable = fixture!("definition/02-task-running-with-progress").replace(">running<", ">paused<");
    let server = server(
        vec![
            set("1", FEED, &page(&[info("task-1", "running", "1"), wrong.clone(), info("task-3", "queued", "")])),
            set("2", LIST, &[whole("task-2", "paused", ""), whole("task-1", "running", "2")].concat()),
            // A part that makes no sense lets it be read, which does not go either.
            set(
                "3",
                LIST,
                &[change("task-2", &[("info.state", "TaskInfoState", "paused")]), whole("task-1", "running", "3")]
                    .concat(),
            ),
        ],
        move |request| (request.method() == "RetrievePropertiesEx").then(|| unreadable.clone()),
    );
    let session = session(&server).await;
    let mut follow = session.follow(100).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-1 running 1", "task-3 queued "]);
    assert_eq!(told(&mut follow).await, ["task-1 running 2"]);
    assert_eq!(told(&mut follow).await, ["task-1 running 3"]);
    let left_out: Vec<_> =
        session.left_out().tasks.into_iter().map(|task| format!("{}: {}", task.key, task.why)).collect();
    let why = "state has a value that it cannot have";
    assert_eq!(left_out, [format!("task-2: {why}"), format!("task-2: {why}"), format!("task-3251: {why}")]);
    assert!(session.left_out().is_empty(), "each is told once");
}

#[tokio::test]
async fn tells_what_has_gone_only_of_the_watched_and_unfinished() {
    let missing = "<missingSet><obj type=\"Task\">task-4</obj><fault><fault xsi:type=\"ManagedObjectNotFound\"/></fault></missingSet>";
    let lists = [whole("task-1", "running", "1"), whole("task-2", "running", "1"), whole("task-3", "success", "")];
    let gone = ["task-1", "task-2", "task-3"].map(leaves).concat();
    let server = plain(vec![set("1", LIST, &lists.concat()), set("2", LIST, &format!("{gone}{missing}"))]);
    let mut follow = follow(&server).await;
    follow.watch(&["task-1", "task-2", "task-3", "task-4"].map(task), &[]).await.unwrap();
    assert_eq!(told(&mut follow).await.len(), 3);
    follow.watch(&[], &[task("task-1")]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-2 gone", "task-4 gone"]);
    let modify = server.received().into_iter().rfind(|request| request.method() == "ModifyListView").unwrap();
    assert!(modify.body.contains("<remove type=\"Task\">task-1</remove>") && !modify.body.contains("<add"));
    assert!(follow.watch(&[], &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_task_that_ended_never_runs_again() {
    let late = [info("task-1", "running", "90"), info("task-2", "running", "5")];
    let server = plain(vec![set("1", LIST, &whole("task-1", "success", "")), set("2", FEED, &page(&late))]);
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-1")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-1 success "]);
    assert_eq!(told(&mut follow).await, ["task-2 running 5"]);
}

#[tokio::test]
async fn a_feed_that_has_gone_is_an_error() {
    let object = "<obj type=\"TaskHistoryCollector\">history</obj>";
    let fault = "<fault><fault xsi:type=\"ManagedObjectNotFound\"/></fault>";
    for gone in [
        format!("<objectSet><kind>leave</kind>{object}</objectSet>"),
        format!("<missingSet>{object}{fault}</missingSet>"),
    ] {
        let mut follow = follow(&plain(vec![set("1", FEED, &gone)])).await;
        let ended = follow.wait(Duration::ZERO).await.unwrap_err();
        assert!(matches!(ended, Error::ManagedObjectNotFound { .. }) && !ended.is_passing());
    }
}

#[tokio::test]
async fn fetches_the_rest_of_a_truncated_set() {
    let server = plain(vec![
        truncated(&set("1", LIST, &whole("task-1", "running", "1"))),
        truncated(&set("2", LIST, &whole("task-2", "running", "2"))),
        set("3", LIST, &whole("task-3", "running", "3")),
    ]);
    let mut follow = follow(&server).await;
    assert_eq!(told(&mut follow).await, ["task-1 running 1", "task-2 running 2", "task-3 running 3"]);
    assert_eq!(waits(&server), ["/1", "1/0", "2/0"]);
}

#[tokio::test]
async fn begins_anew_where_the_version_is_not_known_any_more() {
    let server = plain(vec![
        set("7", LIST, &whole("task-1", "running", "1")),
        fixture!("definition/25-fault-invalid-collector-version").into(),
        set("1", LIST, &[whole("task-1", "running", "1"), whole("task-2", "running", "2")].concat()),
    ]);
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-1")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-1 running 1"]);
    assert_eq!(told(&mut follow).await, ["task-2 running 2"]);
    assert_eq!(waits(&server), ["/1", "7/1", "/1"]);
}

#[tokio::test]
async fn a_lost_session_ends_it_in_either_form() {
    let lost = "<objectSet><kind>modify</kind><obj type=\"Task\">task-1</obj><missingSet><path>info</path>\
                <fault><fault xsi:type=\"NotAuthenticated\"/></fault></missingSet></objectSet>";
    for answer in [fixture!("definition/21-fault-not-authenticated").to_owned(), set("1", LIST, lost)] {
        let mut follow = follow(&plain(vec![answer])).await;
        assert!(follow.wait(Duration::ZERO).await.unwrap_err().is_session_lost());
    }
}

#[tokio::test]
async fn what_was_learned_before_a_break_is_told_after_it() {
    let server = plain(vec![
        truncated(&set("1", LIST, &whole("task-1", "running", "1"))),
        fixture!("definition/26-fault-request-canceled").into(),
    ]);
    let mut follow = follow(&server).await;
    let broken = follow.wait(Duration::ZERO).await.unwrap_err();
    assert!(matches!(broken, Error::RequestCanceled) && broken.is_passing());
    assert_eq!(told(&mut follow).await, ["task-1 running 1"]);
}

#[tokio::test]
async fn without_histories_the_recent_tasks_feed() {
    let waits = vec![
        set("1", FEED, &whole("task-1", "running", "1")),
        set("2", FEED, &[leaves("task-1"), whole("task-2", "success", "")].concat()),
    ];
    let fault = fixture!("recorded/400-create-collector-not-implemented");
    let server = server(waits, |request| (request.method() == "CreateCollectorForTasks").then(|| fault.to_owned()));
    let mut follow = follow(&server).await;
    assert_eq!(follow.feed(), Feed::RecentTasks);
    assert_eq!(told(&mut follow).await, ["task-1 running 1"]);
    assert_eq!(told(&mut follow).await, ["task-2 success "]);
    assert!(server.received().iter().any(|request| request.body.contains("<path>recentTask</path>")));
}

#[tokio::test]
async fn without_a_latest_page_the_recent_tasks_feed() {
    let refuses = |request: &Received| {
        let page = request.method() == "CreateFilter" && request.body.contains("latestPage");
        page.then(|| fixture!("definition/29-fault-client-fault-code-unknown-method").to_owned())
    };
    let early = server(Vec::new(), refuses);
    assert_eq!(follow(&early).await.feed(), Feed::RecentTasks);
    assert_eq!(early.methods().last().map(String::as_str), Some("DestroyCollector"));
    let missing = "<objectSet><kind>enter</kind><obj type=\"TaskHistoryCollector\">history</obj><missingSet>\
                   <path>latestPage</path><fault><fault xsi:type=\"InvalidProperty\"/></fault></missingSet></objectSet>";
    let late = plain(vec![set("1", FEED, missing)]);
    let mut follow = follow(&late).await;
    assert!(told(&mut follow).await.is_empty());
    assert_eq!(follow.feed(), Feed::RecentTasks);
    assert!(late.received().iter().any(|request| request.body.contains("<path>recentTask</path>")));
}

#[tokio::test]
async fn gives_back_what_it_made_when_it_cannot_begin() {
    let fault = fixture!("definition/28-fault-invalid-state-too-many-collectors");
    let server =
        server(Vec::new(), |request| (request.method() == "CreateCollectorForTasks").then(|| fault.to_owned()));
    let refused = session(&server).await.follow(100).await.unwrap_err();
    assert!(matches!(refused, Error::TooManyCollectors));
    assert_eq!(server.methods()[server.methods().len() - 2..], ["DestroyPropertyCollector", "DestroyView"]);
}

#[tokio::test]
async fn a_task_whose_end_is_told_has_not_gone() {
    // The list loses it before the feed tells, in the same answer, how it ended.
    let left = set("2", LIST, &leaves("task-1"));
    let page = format!("<filter type=\"PropertyFilter\">{FEED}</filter>{}", page(&[info("task-1", "success", "")]));
    let both = left.replace("</filterSet>", &format!("</filterSet><filterSet>{page}</filterSet>"));
    let server = plain(vec![set("1", LIST, &whole("task-1", "running", "1")), both]);
    let mut follow = follow(&server).await;
    follow.watch(&[task("task-1")], &[]).await.unwrap();
    assert_eq!(told(&mut follow).await, ["task-1 running 1"]);
    assert_eq!(told(&mut follow).await, ["task-1 success "]);
}
