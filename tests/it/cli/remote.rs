//! `tasks`, `key` and `schema`: what they write, in a file and in a terminal.

use serde_json::{Value, json};

use super::stage::Stage;
use super::{done, run, taskloom};
use crate::harness::terminal::Terminal;

stories! {
    tasks_are_listed_as_a_table_and_as_json,
    a_key_is_changed_beside_a_server,
}

async fn tasks_are_listed_as_a_table_and_as_json(stage: Stage) {
    for _ in 0..2 {
        let task = stage.server.submit(json!([{"name": "a", "run": {"noop": {}}}])).await;
        stage.server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    }
    stage.server.submit(json!([{"name": "a", "run": {"noop": {}}, "workers": ["gpu"]}])).await;

    let (status, output, errors) = stage.run(&["tasks"]);
    assert_eq!((status, errors.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> = output.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "STATE", "DONE", "CREATED", "USER", "NAME"]);
    let seen: Vec<_> = rows[1..].iter().map(|row| [row[0], row[1], row[2], row[4], row[5]].join(" ")).collect();
    let wanted = ["3 pending 0% admin story", "2 successful 100% admin story", "1 successful 100% admin story"];
    assert_eq!(seen, wanted);

    let (status, output, errors) = stage.run(&["tasks", "-n", "1", "--state", "successful", "--name", "sto", "--json"]);
    assert_eq!((status, errors.as_str(), output.lines().count()), (0, "", 1));
    let task: Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (&task["databaseId"], &task["state"], &task["progress"]),
        (&json!(2), &json!("SUCCESSFUL"), &json!(1.0))
    );
    let (_, output, errors) = stage.run(&["tasks", "-n", "1"]);
    assert_eq!((output.lines().count(), errors.as_str()), (2, "there are more: -n 5 shows them\n"));
    assert_eq!(stage.run(&["tasks", "--name", "nothing"]).1.lines().count(), 1, "the head alone");

    let (status, screen) = Terminal::start(&stage.command(&["tasks", "--state", "pending"])).ended().await;
    assert_eq!((status, screen.contains('\x1b')), (0, false), "{screen:?}");
    assert!(screen.starts_with("ID  STATE") && screen.lines().count() == 2, "{screen:?}");

    let mut stranger = stage.command(&["tasks"]);
    stranger.env_remove("TASKLOOM_TOKEN");
    let (status, output, errors) = super::finish(stranger.output().unwrap());
    assert_eq!((status, output.as_str()), (1, ""));
    assert!(errors.contains("give a token with --token or TASKLOOM_TOKEN"), "{errors}");
}

async fn a_key_is_changed_beside_a_server(stage: Stage) {
    let secret = r#"mutation { putSecret(input: {name: "db", value: "hunter-2"}) { secret { name } } }"#;
    stage.server.get(secret, json!({}), "/putSecret").await;
    let file = || std::fs::read_to_string(stage.path().join("data/secret.key")).unwrap();
    let keys = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let old = keys(&file());
    let (status, output, errors) = stage.run(&[&["key", "rotate"][..], &stage.place()].concat());
    assert_eq!(status, 0, "{errors}");
    let new = keys(&file());
    assert_eq!((old.len(), new.len(), new.last() == old.last()), (1, 2, true), "the old one stays behind the new one");
    let id = output.trim_end();
    assert_eq!((id.len(), errors), (16, format!("1 secrets are sealed with the key {id}\n")));
    assert!(!new.iter().any(|key| output.contains(key.as_str())), "the key itself is shown to nobody");
}

#[test]
fn the_schema_is_printed_as_it_is_committed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(done(folder.path(), &["schema"]), include_str!("../../../schema.graphql"));
}

#[test]
fn every_command_says_what_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let help = done(folder.path(), &["--help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 12 && commands.contains(&"cancel"), "{help}");
    for command in commands {
        let (status, output, errors) = run(folder.path(), &[command, "--help"]);
        assert_eq!((status, errors.as_str()), (0, ""), "{command}");
        assert!(output.contains("Usage: taskloom"), "{command}: {output}");
        assert!(!output.contains('\x1b'), "{command}: a pipe has no colours");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_has_colours_where_they_are_wanted() {
    for (name, value, coloured) in [("LANG", "C", true), ("NO_COLOR", "1", false), ("TERM", "dumb", false)] {
        let mut command = taskloom();
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.arg("--help").env("TERM", "xterm-256color").env(name, value);
        let (status, screen) = Terminal::start(&command).ended().await;
        assert_eq!((status, screen.contains('\x1b')), (0, coloured), "{name}");
    }
}
