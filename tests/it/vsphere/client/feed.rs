//! A server that is followed: what it answers to each wait, and what the client tells of it.

use std::sync::Mutex;
use std::time::Duration;

use taskloom::vsphere::{Follow, Reference, Update};

use super::server::{Received, Server};
use super::vcenter::{answer, session, start};

/// The filters, as the server numbers them: that of the list comes first.
pub(super) const LIST: &str = "filter-1";
pub(super) const FEED: &str = "filter-2";

/// Answers what a `Follow` needs; waits get these answers in turn, then nothing new.
pub(super) fn server(
    waits: Vec<String>,
    other: impl Fn(&Received) -> Option<String> + Send + Sync + 'static,
) -> Server {
    let (waits, filters) = (Mutex::new(waits.into_iter()), Mutex::new(0));
    start(move |request| {
        if let Some(answer) = other(request) {
            return Some(answer);
        }
        let method = request.method();
        let inside = match method {
            "CreateFilter" => {
                let mut filters = filters.lock().unwrap();
                *filters += 1;
                format!("<returnval type=\"PropertyFilter\">filter-{filters}</returnval>")
            }
            "CreatePropertyCollector" => "<returnval type=\"PropertyCollector\">own</returnval>".into(),
            "CreateListView" => "<returnval type=\"ListView\">list</returnval>".into(),
            "CreateCollectorForTasks" => "<returnval type=\"TaskHistoryCollector\">history</returnval>".into(),
            "WaitForUpdatesEx" => return Some(waits.lock().unwrap().next().unwrap_or_else(|| answer(method, ""))),
            "SetCollectorPageSize" | "ModifyListView" | "DestroyPropertyCollector" | "DestroyView" => String::new(),
            "DestroyCollector" => String::new(),
            _ => return None,
        };
        Some(answer(method, &inside))
    })
}

pub(super) fn plain(waits: Vec<String>) -> Server {
    server(waits, |_| None)
}

/// A set of updates of one filter.
pub(super) fn set(version: &str, filter: &str, inside: &str) -> String {
    let filter = format!("<filter type=\"PropertyFilter\">{filter}</filter>");
    let set = format!("<returnval><version>{version}</version><filterSet>{filter}{inside}</filterSet></returnval>");
    answer("WaitForUpdatesEx", &set)
}

pub(super) fn truncated(set: &str) -> String {
    set.replace("</returnval></Wait", "<truncated>true</truncated></returnval></Wait")
}

/// What is in a TaskInfo.
pub(super) fn info(key: &str, state: &str, progress: &str) -> String {
    let progress = if progress.is_empty() { String::new() } else { format!("<progress>{progress}</progress>") };
    format!(
        "<key>{key}</key><task type=\"Task\">{key}</task><descriptionId>x</descriptionId><state>{state}</state>\
         <cancelled>false</cancelled><cancelable>true</cancelable>{progress}<reason xsi:type=\"TaskReasonSystem\"/>\
         <queueTime>2026-03-02T08:15:04Z</queueTime><eventChainId>7</eventChainId>"
    )
}

pub(super) fn page(tasks: &[String]) -> String {
    let tasks = tasks.iter().map(|task| format!("<TaskInfo>{task}</TaskInfo>")).collect::<String>();
    let value = format!("<val xsi:type=\"ArrayOfTaskInfo\">{tasks}</val>");
    format!(
        "<objectSet><kind>modify</kind><obj type=\"TaskHistoryCollector\">history</obj>\
         <changeSet><name>latestPage</name><op>assign</op>{value}</changeSet></objectSet>"
    )
}

pub(super) fn change(key: &str, changes: &[(&str, &str, &str)]) -> String {
    let one = |(name, kind, value): &(&str, &str, &str)| match *value {
        "" => format!("<changeSet><name>{name}</name><op>indirectRemove</op></changeSet>"),
        _ => format!("<changeSet><name>{name}</name><op>assign</op><val xsi:type=\"{kind}\">{value}</val></changeSet>"),
    };
    let changes = changes.iter().map(one).collect::<String>();
    format!("<objectSet><kind>modify</kind><obj type=\"Task\">{key}</obj>{changes}</objectSet>")
}

pub(super) fn whole(key: &str, state: &str, progress: &str) -> String {
    change(key, &[("info", "TaskInfo", &info(key, state, progress))])
}

pub(super) fn leaves(key: &str) -> String {
    format!("<objectSet><kind>leave</kind><obj type=\"Task\">{key}</obj></objectSet>")
}

/// `task-1 running 50`, `task-2 gone`
pub(super) async fn told(follow: &mut Follow) -> Vec<String> {
    let line = |update: &Update| match update {
        Update::Gone(task) => format!("{} gone", task.value),
        Update::Task(info) => {
            let progress = info.progress.map(|percent| percent.to_string()).unwrap_or_default();
            format!("{} {} {progress}", info.key, info.state.word())
        }
    };
    follow.wait(Duration::from_secs(1)).await.unwrap().iter().map(line).collect()
}

pub(super) async fn follow(server: &Server) -> Follow {
    session(server).await.follow(100).await.unwrap()
}

pub(super) fn task(key: &str) -> Reference {
    Reference::task(key)
}

/// The version each wait continued from, and how long it might take.
pub(super) fn waits(server: &Server) -> Vec<String> {
    let between =
        |body: &str, start: &str, end: &str| body.split_once(start).unwrap().1.split_once(end).unwrap().0.to_owned();
    let received = server.received();
    let waits = received.iter().filter(|request| request.method() == "WaitForUpdatesEx");
    waits
        .map(|request| {
            let version = between(&request.body, "<version>", "</version>");
            format!("{version}/{}", between(&request.body, "<maxWaitSeconds>", "</maxWaitSeconds>"))
        })
        .collect()
}
