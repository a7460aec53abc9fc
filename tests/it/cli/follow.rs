//! `run --follow` and `cancel` on a server, their output in files.

use nix::sys::signal::Signal;
use serde_json::json;

use super::stage::Stage;

stories! {
    each_step_s_output_stands_between_its_begin_and_its_end,
    a_second_try_is_told_and_why_it_is_not_there_yet,
    what_nobody_can_run_is_told_and_left_to_the_server,
    a_task_of_a_server_is_cancelled_where_that_was_asked_for,
}

async fn each_step_s_output_stands_between_its_begin_and_its_end(stage: Stage) {
    let script = stage.until_told("echo one", "echo two; echo three >&2");
    let text = json!({"name": "story", "subtasks": [
        {"name": "gate", "run": {"noop": {}}},
        {"name": "talk", "needs": ["gate"], "run": {"shell": script}},
        {"name": "last", "needs": ["talk"], "run": {"shell": "seq 3000; exit 3"}},
    ]});
    let follower = stage.start(&["run", stage.file("story.json", &text.to_string()), "--follow"]);
    follower.says("talk | one\n").await;
    assert_eq!(follower.output(), "gate running\ngate successful\ntalk running\ntalk | one\n", "as it comes");
    stage.tell();
    let (status, output, errors) = follower.ended().await;
    assert_eq!(status, 1);
    let (head, rest) = output.split_once("last running\n").unwrap();
    let (mut talk, ended) = (head.lines().skip(4).collect::<Vec<_>>(), "talk successful");
    assert_eq!(talk.pop(), Some(ended));
    talk.sort_unstable();
    assert_eq!(talk, ["talk | three", "talk | two"]);
    let numbers: String = (1..=3000).map(|n| format!("last | {n}\n")).collect();
    let end = rest.strip_prefix(&numbers).unwrap_or_else(|| panic!("{rest}"));
    assert!(end.starts_with("last failed\ntask 1 (story) failed"), "{end}");
    assert!(errors.contains("    2999\n    3000\n") && !errors.contains("    2980\n"), "{errors}");
}

async fn a_second_try_is_told_and_why_it_is_not_there_yet(stage: Stage) {
    let tried = stage.path().join("tried");
    let script =
        format!("if test -e '{0}'; then echo again; else touch '{0}'; echo first; exit 1; fi", tried.display());
    let retry = json!({"attempts": 2, "backoff": "3s"});
    let text = json!({"name": "story", "subtasks": [{"name": "a", "run": {"shell": script}, "retry": retry}]});
    let (status, output, errors) =
        stage.start(&["run", stage.file("story.json", &text.to_string()), "-f"]).ended().await;
    assert_eq!((status, errors.as_str()), (0, ""));
    // A line may come a moment after the news that its try has ended.
    assert_eq!(output.matches("a | first\n").count(), 1, "{output}");
    let output = output.replacen("a | first\n", "", 1);
    let (head, rest) = output.split_once("a waiting: is tried again at ").unwrap_or_else(|| panic!("{output}"));
    assert_eq!(head, "a running\n");
    let (instant, rest) = rest.split_once('\n').unwrap();
    assert!(instant.starts_with("20") && instant.ends_with('Z'), "{instant}");
    assert_eq!(rest, "a running, try 2\na | again\na successful\ntask 1 (story) successful\n");
}

async fn what_nobody_can_run_is_told_and_left_to_the_server(stage: Stage) {
    let text = json!({"name": "story", "subtasks": [{"name": "a", "run": {"noop": {}}, "workers": ["gpu"]}]});
    let before = asked(&stage).await;
    let follower = stage.start(&["run", stage.file("story.json", &text.to_string()), "--follow"]);
    follower.says("a waiting: no living worker has the labels gpu\n").await;
    follower.signal(Signal::SIGINT);
    let (status, output, errors) = follower.ended().await;
    assert_eq!((status, output.as_str()), (130, "a waiting: no living worker has the labels gpu\n"));
    let url = stage.server.url();
    assert_eq!(errors, format!("task 1 goes on; to cancel it: taskloom cancel 1 --server {url}\n"));
    // Submitted, listened to, and looked at every two seconds; a client that polls asks more in the second it waited.
    let times = asked(&stage).await - before;
    assert!(times <= 8.0, "{times} requests");
    assert_eq!(stage.state().await, "PENDING");

    assert_eq!(stage.run(&["cancel", "1", "--server", &url]), (0, "task 1 (story) canceled\n".into(), String::new()));
    assert_eq!(stage.state().await, "CANCELED");
    let (status, output, errors) = stage.run(&["cancel", "1"]);
    assert_eq!((status, output.as_str()), (1, ""));
    assert!(errors.contains("is not allowed; allowed now: "), "{errors}");
    let (status, _, errors) = stage.run(&["cancel", "7"]);
    assert!(status == 1 && errors.contains("task 7 does not exist"), "{errors}");
}

/// How many requests the graph has answered.
async fn asked(stage: &Stage) -> f64 {
    let (_, text) = stage.server.probe("/metrics").await;
    let samples =
        text.lines().filter(|line| line.starts_with("taskloom_http_requests_total") && line.contains("/graphql\""));
    samples.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

async fn a_task_of_a_server_is_cancelled_where_that_was_asked_for(stage: Stage) {
    let script = stage.until_told("echo one", "true");
    let text = json!({"name": "story", "subtasks": [{"name": "a", "run": {"shell": script}}]});
    let file = stage.file("story.json", &text.to_string());
    let follower = stage.start(&["run", file, "--follow", "--cancel-on-interrupt"]);
    follower.says("a | one\n").await;
    follower.signal(Signal::SIGINT);
    let (status, output, errors) = follower.ended().await;
    assert_eq!(status, 130, "{output}{errors}");
    assert!(output.ends_with("task 1 (story) canceled\n"), "{output}");
    assert!(errors.starts_with("canceling task 1; Ctrl-C again does not wait for it\n"), "{errors}");
    assert_eq!(stage.state().await, "CANCELED");
}
