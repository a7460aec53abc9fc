//! Every mistake at the command line is answered with its place and its remedy, and with exit status 2 where the
//! command was used wrongly.

use super::{done, run, taskloom};

fn refused(arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let (status, output, errors) = run(folder.path(), arguments);
    assert_eq!(output, "", "an error belongs on standard error");
    (status, errors)
}

#[test]
fn a_wrong_setting_names_the_nearest() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/taskloom.toml"), "[worker]\nslot = 3\n").unwrap();
    let mut command = taskloom();
    command.current_dir(folder.path()).arg("check-config").env("TASKLOOM_SERVER__LISTEN", "here");
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(errors.contains("data/taskloom.toml:2: unknown key worker.slot: did you mean worker.slots?"), "{errors}");
    assert!(errors.contains("TASKLOOM_SERVER__LISTEN: server.listen: expected an address and a port"), "{errors}");
}

#[test]
fn the_settings_in_force_are_shown_with_their_origin() {
    let folder = tempfile::tempdir().unwrap();
    let output = done(folder.path(), &["check-config", "--database-url", "postgres://me:secret@db/x"]);
    assert!(!output.contains("secret"), "{output}");
    let line = output.lines().find(|line| line.starts_with("url = ")).unwrap();
    assert!(line.contains("postgres://me:***@db/x") && line.ends_with("# --database-url"), "{line}");
    assert!(output.contains("# default"), "{output}");
}

#[test]
fn a_folder_without_a_database_is_named() {
    let (status, errors) = refused(&["token", "create", "--user", "admin", "--role", "admin"]);
    assert_eq!(status, 1);
    assert!(errors.contains("there is no database in ./data"), "{errors}");
}

#[test]
fn a_database_that_does_not_answer_is_named_without_its_password() {
    let (status, errors) = refused(&["migrate", "--database-url", "postgres://me:secret@127.0.0.1:1/x"]);
    assert_eq!(status, 1);
    assert!(errors.contains("cannot connect to postgres://me:***@127.0.0.1:1/x"), "{errors}");
    assert!(!errors.contains("secret"), "{errors}");
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let (status, errors) = refused(&["tasks", "--server", "http://127.0.0.1:1"]);
    assert_eq!(status, 1);
    assert!(errors.contains("the server at http://127.0.0.1:1/graphql does not answer"), "{errors}");
    let (status, errors) = refused(&["tasks", "--server", "here"]);
    assert_eq!(status, 1);
    assert!(errors.contains("here is not the address of a server: use http://host:port"), "{errors}");
}

#[test]
fn a_definition_is_checked_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name: a\nsubtasks:\n  - name: one\n    needs: [too]\n    run: {shell: 'true'}\n";
    std::fs::write(folder.path().join("a.yaml"), text).unwrap();
    let (status, _, errors) = run(folder.path(), &["run", "a.yaml"]);
    assert_eq!(status, 2);
    assert!(errors.contains("a.yaml:4: subtasks[0].needs[0]: "), "{errors}");
    let (status, _, errors) = run(folder.path(), &["run", "b.yaml"]);
    assert_eq!(status, 2);
    assert!(errors.contains("cannot read b.yaml"), "{errors}");
}

#[test]
fn words_that_are_none_are_answered_with_those_that_are() {
    for (arguments, wanted) in [
        (&["token", "create", "--user", "a", "--role", "boss"][..], "the roles are viewer, manager, admin"),
        (&["tasks", "--state", "done"], "the states are pending, running"),
        (&["run", "a.yaml", "--param", "host"], "expected key=value"),
        (&["token", "create", "--user", "a", "--role", "viewer", "--expires", "soon"], "12h or 90d, or never"),
        (&["sreve"], "serve"),
    ] {
        let (status, errors) = refused(arguments);
        assert_eq!(status, 2, "{arguments:?}");
        assert!(errors.contains(wanted), "{arguments:?}: {errors}");
    }
}
