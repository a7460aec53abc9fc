//! `run --follow` in a pseudo-terminal: bars that move, output above them, and what a person forbids a terminal.

use std::process::Command;

use serde_json::json;

use super::stage::Stage;
use super::taskloom;
use crate::harness::server::until;
use crate::harness::terminal::Terminal;

/// A definition that puts out a line that would clear the screen.
const LOUD: &str = r"{name: loud, subtasks: [{name: talk, run: {shell: 'printf ''\033[2J\033[31mhello\033[0m\n'''}}]}";

/// A run without a server, in a terminal of this kind.
fn loud(folder: &tempfile::TempDir, terminal: &[(&str, &str)]) -> Terminal {
    std::fs::write(folder.path().join("loud.yaml"), LOUD).unwrap();
    let mut command = taskloom();
    command.current_dir(folder.path()).args(["run", "loud.yaml", "--follow"]);
    Terminal::start(dressed(&mut command, terminal))
}

fn dressed<'c>(command: &'c mut Command, terminal: &[(&str, &str)]) -> &'c Command {
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM"] {
        command.env_remove(name);
    }
    command.env("TERM", "xterm-256color").envs(terminal.iter().copied())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_bars_with_colours_and_output_above_them() {
    let folder = tempfile::tempdir().unwrap();
    let (status, screen) = loud(&folder, &[]).ended().await;
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("\x1b[36m") && screen.contains("100% successful"), "{screen:?}");
    assert!(screen.contains("talk | hello"), "{screen:?}");
    assert!(!screen.contains("\x1b[2J") && !screen.contains("\x1b[31m"), "{screen:?}");
    assert!(screen.ends_with("task 1 (loud) successful\r\n"), "{screen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_colours_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let (status, screen) = loud(&folder, &[("NO_COLOR", "1")]).ended().await;
    assert_eq!(status, 0, "{screen}");
    // Bars move the cursor; they have no colour.
    assert!(!screen.contains("\x1b[36m") && !screen.contains("\x1b[2m"), "{screen:?}");
    assert!(screen.contains("100% successful") && screen.contains("talk | hello"), "{screen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_knows_only_text_has_lines() {
    let folder = tempfile::tempdir().unwrap();
    let (status, screen) = loud(&folder, &[("TERM", "dumb")]).ended().await;
    assert_eq!((status, screen.contains('\x1b')), (0, false), "{screen:?}");
    assert_eq!(screen, "talk running\r\ntalk | hello\r\ntalk successful\r\ntask 1 (loud) successful\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_words_of_a_server_have_colours_where_they_are_wanted() {
    for (terminal, coloured) in [(&[][..], true), (&[("NO_COLOR", "1")], false), (&[("TERM", "dumb")], false)] {
        let folder = tempfile::tempdir().unwrap();
        let mut command = taskloom();
        command.current_dir(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]);
        let mut terminal = Terminal::start(dressed(&mut command, terminal));
        terminal.shows("password  ").await;
        terminal.interrupt();
        let (status, screen) = terminal.ended().await;
        assert_eq!((status, screen.contains('\x1b')), (0, coloured), "{screen:?}");
        assert!(screen.contains("password  ") && screen.contains("stopped"), "{screen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_cancels_what_runs_here() {
    let folder = tempfile::tempdir().unwrap();
    let begun = folder.path().join("begun");
    let script = format!("echo here; touch '{}'; sleep 600", begun.display());
    let text = json!({"name": "long", "subtasks": [{"name": "wait", "run": {"shell": script}}]});
    std::fs::write(folder.path().join("long.yaml"), text.to_string()).unwrap();
    for arguments in [&["run", "long.yaml", "--follow"][..], &["run", "long.yaml"]] {
        let mut command = taskloom();
        command.current_dir(folder.path()).args(arguments);
        let mut terminal = Terminal::start(dressed(&mut command, &[]));
        until("it runs", async || begun.exists().then_some(())).await;
        std::fs::remove_file(&begun).unwrap();
        terminal.interrupt();
        let (status, screen) = terminal.ended().await;
        assert_eq!(status, 130, "{screen:?}");
        assert!(screen.contains("canceling task 1; Ctrl-C again"), "{screen:?}");
        assert!(screen.ends_with("task 1 (long) canceled\r\n"), "{screen:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_what_runs_on_a_server() {
    let stage = Stage::sqlite(&[]).await;
    let text = json!({"name": "story", "subtasks": [
        {"name": "wait", "run": {"shell": stage.until_told("echo here", "true")}},
        {"name": "after", "needs": ["wait"], "run": {"noop": {}}},
    ]});
    let mut command = stage.command(&["run", stage.file("story.json", &text.to_string()), "--follow"]);
    let mut terminal = Terminal::start(dressed(&mut command, &[]));
    terminal.shows("wait | here").await;
    terminal.shows("waits for wait").await;
    terminal.interrupt();
    let (status, screen) = terminal.ended().await;
    assert_eq!(status, 130, "{screen:?}");
    assert!(screen.contains("task 1 goes on; to cancel it: taskloom cancel 1 --server http://"), "{screen:?}");
    assert_eq!(stage.state().await, "RUNNING");
    stage.tell();
    stage.stands("SUCCESSFUL").await;
}
