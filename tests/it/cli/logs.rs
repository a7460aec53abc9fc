//! `logs` against a server: what there is, and what comes while it is followed.

use serde_json::json;

use super::stage::Stage;
use crate::harness::terminal::Terminal;

stories! {
    a_log_is_followed_as_it_grows_and_to_its_end,
    a_log_is_printed_from_a_line_on_and_with_times,
}

async fn a_log_is_followed_as_it_grows_and_to_its_end(stage: Stage) {
    let script = stage.until_told("echo one; echo two", "echo three");
    let task = stage.server.submit(json!([{"name": "a", "run": {"shell": script}}])).await;
    let id = stage.subtask(&task).await;
    let follower = stage.start(&["logs", "-f", &id]);
    follower.says("two\n").await;
    assert_eq!(follower.output(), "one\ntwo\n");
    let late = stage.start(&["logs", "--follow", &id, "--from", "2"]);
    stage.tell();
    assert_eq!(follower.ended().await, (0, "one\ntwo\nthree\n".into(), String::new()));
    assert_eq!(late.ended().await, (0, "two\nthree\n".into(), String::new()));
    // What has ended is shown and ends at once.
    assert_eq!(stage.run(&["logs", "-f", &id]), (0, "one\ntwo\nthree\n".into(), String::new()));
}

async fn a_log_is_printed_from_a_line_on_and_with_times(stage: Stage) {
    let task = stage.server.submit(json!([{"name": "a", "run": {"shell": "for n in 1 2 3; do echo $n; done"}}])).await;
    stage.server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let id = stage.subtask(&task).await;
    assert_eq!(stage.run(&["logs", &id, "--from", "3"]), (0, "3\n".into(), String::new()));
    let (status, output, errors) = stage.run(&["logs", &id, "--times", "--from", "2"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    for (line, number) in output.lines().zip(2..) {
        let (time, text) = line.split_once(' ').unwrap();
        assert!(time.starts_with("20") && time.contains('T'), "{line}");
        assert_eq!(text, number.to_string());
    }
    assert_eq!(output.lines().count(), 2);

    for follow in [&["logs", "99999"][..], &["logs", "-f", "99999"]] {
        let (status, output, errors) = stage.run(follow);
        assert_eq!((status, output.as_str()), (1, ""), "{follow:?}");
        assert!(errors.contains("subtask 99999 does not exist"), "{follow:?}: {errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_given_no_orders_by_a_log_and_a_pipe_has_its_bytes() {
    let stage = Stage::sqlite(&[]).await;
    let task =
        stage.server.submit(json!([{"name": "a", "run": {"shell": r"printf '\033[31mred\033[0m\033[2J\n'"}}])).await;
    stage.server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let id = stage.subtask(&task).await;
    assert_eq!(stage.run(&["logs", &id]).1, "\x1b[31mred\x1b[0m\x1b[2J\n");
    let (status, screen) = Terminal::start(&stage.command(&["logs", &id])).ended().await;
    assert_eq!((status, screen.as_str()), (0, "red\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn following_ends_with_ctrl_c_in_a_terminal() {
    let stage = Stage::sqlite(&[]).await;
    let script = stage.until_told("echo one", "echo two");
    let task = stage.server.submit(json!([{"name": "a", "run": {"shell": script}}])).await;
    let id = stage.subtask(&task).await;
    let mut terminal = Terminal::start(&stage.command(&["logs", "-f", &id]));
    terminal.shows("one\r\n").await;
    terminal.interrupt();
    assert_eq!(terminal.ended().await.0, 130);
    assert_eq!(stage.state().await, "RUNNING", "who looks on changes nothing");
}
