//! Golden transcripts: what a client sends and every byte that it is answered. A file a route, a case a paragraph:
//!
//! ```text
//! # success: a failed subtask runs again
//! > POST /api/v2/tasks/instances/6/subtasks/61/retry
//! > as manager
//! < 200
//! < x-taskloom-operation: ocp.retrySubtask
//! {"data":…}
//! ```
//!
//! Each file is told on a new database, on both kinds. `UPDATE_TRANSCRIPTS=1` writes what is answered into the files: read
//! the difference before it is committed.

use std::fs;
use std::path::Path;

use super::bench::{Bench, on_both};

/// The headers that a transcript holds, where an answer has them.
const HEADERS: &[&str] = &["allow", "content-type", "link", "location", "retry-after", "x-taskloom-operation"];

/// A case of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) title: String,
    pub(super) request: Vec<String>,
    answer: Vec<String>,
}

/// The kinds of cases; a title begins with one of them.
pub(super) const KINDS: &[&str] =
    &["success", "not found", "bad input", "not signed in", "not allowed", "wrong state", "wrong method"];

fn path(operation: &str) -> String {
    format!("tests/it/compat/transcripts/{operation}.http")
}

/// The cases of a route.
pub(super) fn read(operation: &str) -> Vec<Case> {
    let path = path(operation);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut cases: Vec<Case> = vec![];
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            assert!(KINDS.iter().any(|kind| title.starts_with(kind)), "{path}: {title} is of no kind");
            cases.push(Case { title: title.into(), request: vec![], answer: vec![] });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{path} begins without a title"));
        match line.strip_prefix("> ") {
            Some(line) => case.request.push(line.into()),
            None => case.answer.push(line.into()),
        }
    }
    cases
}

/// Tells every case of these routes on both databases.
pub(super) async fn replay(operations: impl Iterator<Item = &'static str>) {
    for operation in operations {
        let cases = read(operation);
        if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
            update(operation, &cases).await;
            continue;
        }
        on_both(async |t| {
            for case in &cases {
                let answer = answer(&t, case).await;
                assert_eq!(answer, case.answer, "{operation}: {}", case.title);
            }
        })
        .await;
    }
}

async fn update(operation: &str, cases: &[Case]) {
    let bench = Bench::sqlite().await;
    let mut text = String::new();
    for case in cases {
        text.push_str(&format!("# {}\n", case.title));
        case.request.iter().for_each(|line| text.push_str(&format!("> {line}\n")));
        answer(&bench, case).await.iter().for_each(|line| text.push_str(&format!("{line}\n")));
        text.push('\n');
    }
    fs::write(Path::new(&path(operation)), text.trim_end().to_owned() + "\n").unwrap();
}

async fn answer(t: &Bench, case: &Case) -> Vec<String> {
    let (method, path) = case.request[0].split_once(' ').unwrap();
    let mut request = t.client.request(method.parse().unwrap(), format!("http://{}{path}", t.address));
    // The span's id is the answer's.
    request = request.header("x-request-id", "00f067aa0ba902b7");
    for line in &case.request[1..] {
        request = if let Some(who) = line.strip_prefix("as ") {
            request.bearer_auth(t.token(who))
        } else if let Some(body) = line.strip_prefix("body ") {
            request.body(body.to_owned())
        } else {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line} is no header"));
            request.header(name, value)
        };
    }
    let response = request.send().await.unwrap();
    let mut lines = vec![format!("< {}", response.status().as_u16())];
    for name in HEADERS {
        let values = response.headers().get_all(*name).iter();
        lines.extend(values.map(|value| format!("< {name}: {}", value.to_str().unwrap())));
    }
    let body = response.text().await.unwrap();
    lines.extend(steady(&body).split('\n').filter(|line| !line.is_empty()).map(str::to_owned));
    lines
}

/// The body without what no two answers have alike: how long it took.
fn steady(body: &str) -> String {
    let Some((before, after)) = body.split_once("\"duration\":") else { return body.to_owned() };
    format!("{before}\"duration\":0{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
}
