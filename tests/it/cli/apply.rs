//! `apply`: a file, a server, what differs, and what is done about it.

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::stage::Stage;
use super::{finish, run, taskloom};
use crate::harness::server::until;
use crate::vsphere::simulator::{PASSWORD, Simulator, USER};

const NAMES: &str = "{ vcenters(first: 50) { nodes { name address trust collect keepDays uuid tenant { name } } } }";

impl Stage {
    /// Applies a file with a variable `P` of this value: status, output, errors.
    fn apply(&self, file: &str, password: &str, more: &[&str]) -> (i32, String, String) {
        std::fs::write(self.path().join("file.yaml"), file).unwrap();
        let mut command = taskloom();
        command.current_dir(self.path()).args(["apply", "-f", "file.yaml", "--server", &self.server.url()]).args(more);
        command.env("TASKLOOM_TOKEN", &self.token).env("P", password).env("LAB_PASSWORD", password);
        let ended = finish(command.output().unwrap());
        let said = format!("{}{}", ended.1, ended.2);
        assert!(password.is_empty() || !said.contains(password), "a password is shown: {said}");
        ended
    }

    /// The same of what must go well: its output.
    #[track_caller]
    fn applied(&self, file: &str, password: &str, more: &[&str]) -> String {
        let (status, output, errors) = self.apply(file, password, more);
        assert_eq!((status, errors.as_str()), (0, ""), "{output}");
        output
    }

    async fn names(&self) -> String {
        let rows = self.server.get(NAMES, json!({}), "/vcenters/nodes").await;
        rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }
}

/// Two that nobody speaks to.
fn two(address: &str) -> String {
    format!(
        "vcenters:
  - name: lab
    address: {address}
    user: administrator@vsphere.local
    password: {{env: P}}
    trust: {{thumbprint: \"{}\"}}
    collect: false
    keepDays: 30
  - {{name: plant, address: 127.0.0.3, user: u, password: {{file: secret.txt}}, collect: false}}
",
        ["AB"; 32].join(":")
    )
}

#[tokio::test]
async fn a_file_is_shown_done_and_the_second_time_nothing() {
    let stage = Stage::sqlite(&[]).await;
    std::fs::write(stage.path().join("secret.txt"), "of-a-file-1\n").unwrap();
    let added = "+ vcenter lab\n+ vcenter plant\n2 to add, 0 to change, 0 to remove, 0 as they are to be\n";
    assert_eq!(stage.applied(&two("127.0.0.2"), "first-secret", &["--dry-run"]), added);
    assert_eq!(stage.names().await, "", "it was a question");

    let output = stage.applied(&two("127.0.0.2"), "first-secret", &[]);
    assert_eq!(output, format!("{added}done: 2 added, 0 changed, 0 removed\n"));
    let rows = stage.server.get(NAMES, json!({}), "/vcenters/nodes").await;
    assert_eq!(rows[0]["address"], "https://127.0.0.2/sdk");
    assert_eq!((&rows[0]["keepDays"], &rows[0]["trust"]), (&json!(30), &json!("THUMBPRINT")));
    assert_eq!((&rows[1]["keepDays"], &rows[1]["trust"]), (&json!(null), &json!("SYSTEM")));

    let again = stage.applied(&two("127.0.0.2"), "first-secret", &[]);
    assert_eq!(again, "nothing to do: 2 as they are to be\n");
    let again = stage.applied(&two("127.0.0.2"), "first-secret", &["--verbose", "--prune"]);
    assert_eq!(again, "= vcenter lab\n= vcenter plant\nnothing to do: 2 as they are to be\n");

    let output = stage.applied(&two("127.0.0.9:444"), "second-secret", &[]);
    assert_eq!(output.lines().next(), Some("~ vcenter lab: address, password"));
    assert_eq!(output.lines().last(), Some("done: 0 added, 1 changed, 0 removed"));
    assert_eq!(stage.names().await, "lab plant");
    assert!(!stage.server.log().contains("-secret"), "{}", stage.server.log());
}

#[tokio::test]
async fn what_is_not_named_goes_only_when_that_is_said_and_only_where_the_file_speaks() {
    let stage = Stage::sqlite(&[]).await;
    let create = "mutation { createTenant(input: {name: \"ops\"}) { tenant { id } } }";
    stage.server.get(create, json!({}), "/createTenant").await;
    let line =
        |name: &str, more: &str| format!("  - {{name: {name}, address: 127.0.0.2, user: u, collect: false{more}}}\n");
    let password = ", password: {env: P}";
    let first = ["vcenters:\n".to_owned(), line("a", password), line("b", password)].concat();
    let other = ["vcenters:\n".to_owned(), line("a", ", tenant: ops, password: {env: P}")].concat();
    stage.applied(&first, "a-secret", &[]);
    assert!(stage.applied(&other, "a-secret", &[]).starts_with("+ vcenter ops/a\n"));

    let only = ["vcenters:\n".to_owned(), line("a", "")].concat();
    assert_eq!(stage.applied(&only, "", &[]), "nothing to do: 1 as they are to be\n", "b stays, and a's password");
    let removed = "- vcenter b\n0 to add, 0 to change, 1 to remove, 1 as they are to be\n";
    assert_eq!(stage.applied(&only, "", &["--prune", "--dry-run"]), removed);
    assert_eq!(stage.names().await, "a b a");
    let output = stage.applied(&only, "", &["--prune"]);
    assert_eq!(output, format!("{removed}done: 0 added, 0 changed, 1 removed\n"));
    assert_eq!(stage.names().await, "a a", "the other tenant's stays");
    assert_eq!(stage.applied("vcenters: []", "", &["--prune"]), "nothing to do: 0 as they are to be\n");
    assert_eq!(stage.names().await, "a a", "a file that names none speaks of no tenant");
}

#[tokio::test]
async fn all_that_the_server_refuses_is_told_before_anything_is_done() {
    let stage = Stage::sqlite(&[]).await;
    let file = "vcenters:
  - {name: good, address: 127.0.0.2, user: u, password: {env: P}}
  - {name: bare, address: 127.0.0.2, user: u}
  - {name: lost, address: 127.0.0.2, user: u, password: {env: P}, tenant: defualt}
  - {name: open, address: 'http://127.0.0.2', user: u, password: {env: P}}
  - {name: good, address: 127.0.0.2, user: u, password: {env: P}, tenant: default}
";
    let (status, output, errors) = stage.apply(file, "a-secret", &[]);
    assert_eq!((status, output.as_str()), (1, ""));
    for wanted in [
        "nothing was changed",
        "vcenter bare: ",
        "a new vCenter needs it",
        "vcenter default/good: is in the file twice: `default` is your own tenant",
        "vcenter defualt/lost: there is no tenant `defualt`: did you mean `default`?",
        "vcenter open: ",
    ] {
        assert!(errors.contains(wanted), "{wanted}: {errors}");
    }
    assert_eq!(stage.names().await, "");
}

#[test]
fn a_file_is_checked_before_anybody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let file = "vcenters:
  - name: lab
    adress: vc.example.com
    user: u
    password: hunter-2
  - {name: two, address: 'ftp://x', user: u, password: {env: TASKLOOM_NOT_SET}, keepDays: 0}
  - {name: two, address: vc, user: 7, trust: {thumbprint: 'AB:CD'}}
  - {name: ca, address: vc, user: u, trust: {ca: nowhere.pem}, password: {file: nowhere.txt}}
  - {name: both, address: vc, user: u, trust: {}, password: {env: HOME, file: x}}
  - {name: same, address: vc, user: u}
  - {name: same, address: vc, user: u}
vcentres: []
";
    std::fs::write(folder.path().join("file.yaml"), file).unwrap();
    let (status, output, errors) = run(folder.path(), &["apply", "-f", "file.yaml"]);
    assert_eq!((status, output.as_str()), (2, ""));
    assert!(!errors.contains("hunter"), "{errors}");
    insta::assert_snapshot!(errors, @r#"
    error: the file is not valid
      file.yaml:2: vcenters[0].address: `address` is missing: add it
      file.yaml:3: vcenters[0].adress: unknown key `adress`: did you mean `address`?
      file.yaml:5: vcenters[0].password: a password does not stand in this file: write `{env: NAME}` for a variable, or `{file: path}`
      file.yaml:6: vcenters[1].address: the address is not valid: only https, and http for simulators, are spoken
      file.yaml:6: vcenters[1].password.env: the variable `TASKLOOM_NOT_SET` is not set, or is no text
      file.yaml:6: vcenters[1].keepDays: must be a whole number from 1 to 36500, but is the number 0
      file.yaml:7: vcenters[2].user: must be text, but is the number 7: put it in quotes
      file.yaml:7: vcenters[2].trust.thumbprint: a thumbprint is the SHA-256 of the certificate: 32 pairs of hexadecimal digits with colons between them
      file.yaml:8: vcenters[3].password.file: cannot read nowhere.txt: No such file or directory (os error 2)
      file.yaml:8: vcenters[3].trust.ca: cannot read nowhere.pem: No such file or directory (os error 2)
      file.yaml:9: vcenters[4].password: must say one way to it: write `{env: NAME}` for a variable, or `{file: path}`
      file.yaml:9: vcenters[4].trust: must be `{thumbprint: "AB:CD:…"}` or `{ca: path.pem}`; left out: the authorities of the server's machine
      file.yaml:11: vcenters[6]: the vCenter `same` is here twice, first on line 10: keep one
      file.yaml:12: vcentres: unknown key `vcentres`: did you mean `vcenters`?
    "#);
    let (status, _, errors) = run(folder.path(), &["apply", "-f", "file.yaml", "--prune-history"]);
    assert!(status == 2 && errors.contains("--prune"), "{errors}");
}

#[tokio::test]
async fn the_example_of_the_page_runs() {
    let stage = Stage::sqlite(&[]).await;
    let page = include_str!("../../../docs/apply.md");
    let block = |fence: &str| page.split_once(fence).unwrap().1.split_once("```").unwrap().0;
    assert_eq!(stage.applied(block("```yaml lab.yaml\n"), "a-secret", &["--dry-run"]), block("```text output\n"));
}

/// A graph that refuses the real change of one vCenter, after it had nothing against it.
async fn moody() -> String {
    let graph = post(async |Json(body): Json<Value>| {
        let input = &body["variables"]["input"];
        let real = body["variables"].get("dryRun").is_none();
        if real && input["name"] == "b" {
            return Json(json!({"data": null, "errors": [{"message": "not today"}]}));
        }
        Json(json!({"data": {"putVcenter": {"tenant": {"id": "t", "name": "default"}, "changes": ["name"]}}}))
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/graphql", graph)).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_in_the_middle_says_what_was_done() {
    let (folder, url) = (tempfile::tempdir().unwrap(), moody().await);
    let file =
        "vcenters: [{name: a, address: x, user: u}, {name: b, address: x, user: u}, {name: c, address: x, user: u}]";
    std::fs::write(folder.path().join("file.yaml"), file).unwrap();
    let (status, output, errors) = run(folder.path(), &["apply", "-f", "file.yaml", "--server", &url]);
    assert!(status == 1 && output.ends_with("3 to add, 0 to change, 0 to remove, 0 as they are to be\n"), "{output}");
    assert_eq!(
        errors,
        "error: stopped at vcenter b: not today\n  done: + vcenter a\n  not done: + vcenter b\n  not done: + vcenter c\n\
         apply the file again when it is mended: what is done stays, the rest follows\n"
    );
}

#[tokio::test]
async fn a_history_is_not_lost_unasked() {
    let simulator = Simulator::start(&["-history", "3"]).await;
    let stage = Stage::sqlite(&[]).await;
    let file = format!(
        "vcenters: [{{name: lab, address: '{}', user: {USER}, password: {{env: P}}, trust: {{thumbprint: '{}'}}}}]",
        simulator.url, simulator.sha256
    );
    stage.applied(&file, PASSWORD, &[]);
    until("its history is read", async || {
        let count = "{ vsphereTasks(first: 1) { totalCount } }";
        (stage.server.get(count, json!({}), "/vsphereTasks/totalCount").await != json!(0)).then_some(())
    })
    .await;
    let other = "vcenters: [{name: other, address: 127.0.0.2, user: u, password: {env: P}, collect: false}]";
    let (status, output, errors) = stage.apply(other, "a-secret", &["--prune"]);
    assert_eq!((status, output.as_str()), (1, ""));
    assert!(errors.contains("would be lost: vcenter lab") && errors.contains("--prune-history"), "{errors}");
    assert_eq!(stage.names().await, "lab", "nothing was changed");

    let output = stage.applied(other, "a-secret", &["--prune", "--prune-history"]);
    assert!(output.contains("- vcenter lab: with the history of its tasks\n"), "{output}");
    assert_eq!(stage.names().await, "other");
}
