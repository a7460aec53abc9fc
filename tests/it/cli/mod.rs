//! The commands as a person runs them: the real binary, its output, its exit status.

/// A test of each story on each database.
macro_rules! stories {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(super::Stage::sqlite(&[]).await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $story() {
                super::$story(super::Stage::postgres().await).await;
            })+
        }
    };
}

mod admin;
mod apply;
mod fake;
mod follow;
mod logs;
mod mistakes;
mod reach;
mod remote;
mod schedules;
mod serve;
mod stage;
mod task;
mod terminal;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The binary without any of this machine's settings.
pub(crate) fn taskloom() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_taskloom"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TASKLOOM_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs to the end in a folder: status, output, errors.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    finish(taskloom().current_dir(folder).args(arguments).output().unwrap())
}

/// The same with something on standard input.
fn run_with(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = taskloom();
    command.current_dir(folder).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    finish(child.wait_with_output().unwrap())
}

fn finish(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Runs what must succeed; gives its output.
#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> String {
    let (status, output, errors) = run(folder, arguments);
    assert_eq!(status, 0, "{arguments:?}: {errors}");
    output
}
