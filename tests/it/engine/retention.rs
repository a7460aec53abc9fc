//! Working folders: what a step leaves in its own stays for a while, and nothing else does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use taskloom::background::retention::Retention;
use taskloom::config::Settings;
use taskloom::worker::port::{Acceptance, Port};

use super::bench::{self, until};
use super::lab::Lab as Bench;
use super::recovery::succeeded;
use super::step::shell;

stories!(an_old_folder_goes);

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

async fn an_old_folder_goes(lab: Bench) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let folder = tempfile::tempdir().unwrap();
    lab.submit("two", &[shell("a", "true"), shell("b", "true").needs("a")]).await;
    let worker = lab.worker().await;
    let mut retention =
        Retention { settings: Settings::defaults("/nowhere").retention, attempts: folder.path().to_owned() };
    retention.settings.attempt_folders = Some(DAY);
    let named = |attempt: taskloom::worker::port::AttemptRef| {
        let name = format!("{}-{}-{}", attempt.task_id, attempt.subtask_id, attempt.id);
        fs::create_dir(folder.path().join(&name)).unwrap();
        fs::write(folder.path().join(&name).join("left"), "").unwrap();
        name
    };

    let first = worker.take().await.attempt;
    let old = named(first);
    assert_eq!(worker.dispatcher.finish(succeeded(first)).await.unwrap(), [Acceptance::Accepted]);
    let running = named(worker.take().await.attempt);
    // Of a task that was deleted; of nobody.
    for name in ["7-7-777777", "lost+found", "1-2-3-4"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }

    lab.clock.advance(DAY / 2);
    lab.retain(&retention).await;
    let mut kept = vec![old.clone(), running.clone(), "lost+found".to_owned(), "1-2-3-4".to_owned()];
    kept.sort();
    assert_eq!(names(folder.path()), kept, "only what nobody knows");
    lab.clock.advance(DAY);
    retention.settings.attempt_folders = None;
    lab.retain(&retention).await;
    assert_eq!(names(folder.path()), kept, "never");
    retention.settings.attempt_folders = Some(DAY);
    lab.retain(&retention).await;
    kept.retain(|name| *name != old);
    assert_eq!(names(folder.path()), kept, "what runs stays, however old");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_leaves_nothing_leaves_no_folder() {
    let bench = bench::Bench::sqlite().await;
    let steps = [shell("leaves", "echo of value > result"), shell("tidy", "true; rm -f none")];
    let task = bench.admin.submit("folders", &steps).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    let folder = bench.settings.attempts();
    until("one folder is left", async || (names(&folder).len() == 1).then_some(())).await;
    let left = folder.join(&names(&folder)[0]);
    until("it has what the step left", async || (names(&left) == ["result"]).then_some(())).await;
    assert_eq!(fs::read_to_string(left.join("result")).unwrap(), "of value\n");
}
