//! Programs of others, as `make test` installs them in `tests/clients`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

/// How long one may run.
const PATIENCE: Duration = Duration::from_secs(240);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Runs a script with node; its standard output when it succeeded.
pub(crate) async fn node(script: &str, arguments: &[&str]) -> String {
    let arguments: Vec<&str> = [script].iter().chain(arguments).copied().collect();
    succeed(&run("node", &arguments).await)
}

/// Runs a command of an npm package; its standard output when it succeeded.
pub(crate) async fn npm(command: &str, arguments: &[&str]) -> String {
    succeed(&run(folder().join("node_modules/.bin").join(command), arguments).await)
}

/// Runs a command of a Python package; its standard output when it succeeded.
pub(crate) async fn python(command: &str, arguments: &[&str]) -> String {
    let program = folder().join(".venv/bin").join(command);
    assert!(program.exists(), "the Python clients are not installed: run `.ci/pip tests/clients`");
    succeed(&run(program, arguments).await)
}

async fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
    assert!(
        folder().join("node_modules/graphql-http").is_dir(),
        "the npm clients are not installed: run `npm ci --prefix tests/clients` (Node 20.19 or newer)"
    );
    let mut command = tokio::process::Command::new(program);
    command.current_dir(folder()).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    tokio::time::timeout(PATIENCE, command.output()).await.expect("the program ends in time").expect("it starts")
}

fn succeed(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}:\n{out}\n{err}", output.status);
    out.into_owned()
}
