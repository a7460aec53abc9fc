//! `run` without a server: what a person, or a script behind a pipe, sees of a task.

use super::run_with;

const HELLO: &str = "
name: hello
subtasks:
  - {name: gate, run: {noop: {}}}
  - {name: greet, needs: [gate], run: {shell: echo hello}}
";

const FAILING: &str = "{name: bad, subtasks: [{name: a, run: {shell: 'echo no such luck; exit 3'}}]}";

#[test]
fn every_run_is_told_behind_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let (status, output, errors) = run_with(folder.path(), &["run", "-", "--follow"], HELLO);
    let told =
        "gate running\ngate successful\ngreet running\ngreet | hello\ngreet successful\ntask 1 (hello) successful\n";
    assert_eq!((status, output.as_str(), errors.as_str()), (0, told, ""), "nothing else, and no password");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_failure_shows_the_end_of_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let (status, output, errors) = run_with(folder.path(), &["run", "-", "--follow"], FAILING);
    assert_eq!(status, 1);
    assert!(output.starts_with("a running\na | no such luck\na failed\ntask 1 (bad) failed"), "{output}");
    assert!(errors.contains("    no such luck\n") && !errors.contains("password"), "{errors}");
}

#[test]
fn a_folder_that_stays_has_a_user_who_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "-", "--data-dir", "kept"];
    let (status, _, errors) = run_with(folder.path(), &arguments, HELLO);
    assert!(status == 0 && errors.contains("password  "), "{errors}");
    let (status, _, errors) = run_with(folder.path(), &arguments, HELLO);
    assert_eq!((status, errors.as_str()), (0, ""), "once");
}
