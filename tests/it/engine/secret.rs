//! Secrets: given by name, unreadable everywhere else, sealed under keys that change while the server runs.

use serde_json::{Value, json};
use taskloom::store::open::{self, DatabasePlace, Pools};

use super::bench::Bench;
use super::step::{shell, step};

stories!(a_secret_reaches_its_step_and_nobody_else, a_secret_that_is_not_there_is_named);

const VALUE: &str = "s3cr=t/sw+rd fish";
const PUT: &str = "mutation($input: PutSecretInput!) { putSecret(input: $input) { secret { id name } } }";

/// Gives a secret its value; its id.
pub(super) async fn put(bench: &Bench, name: &str, value: &str) -> Value {
    let tenant = bench.admin.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes/0/id").await;
    let input = json!({"input": {"name": name, "value": value, "tenantId": tenant}});
    bench.admin.get(PUT, input, "/putSecret/secret/id").await
}

async fn a_secret_reaches_its_step_and_nobody_else(bench: Bench) {
    put(&bench, "db_password", "the one of before").await;
    put(&bench, "db_password", VALUE).await;
    let code = r#"
        test "$TASKLOOM_SECRET_db_password" = "$(cat "$TASKLOOM_SECRETS_FOLDER/db_password")" || exit 3
        test -z "$TASKLOOM_SECRET_other" || exit 4
        stat -c %a "$TASKLOOM_SECRETS_FOLDER/db_password"
        echo "password is $TASKLOOM_SECRET_db_password."
        echo "$TASKLOOM_SECRET_db_password" >&2
        printf 's3cr=t/sw'; printf '+rd fish'; echo ' in two'
        printf 'user:%s' "$TASKLOOM_SECRET_db_password" | base64
        echo "https://u:s3cr%3Dt%2Fsw%2Brd%20fish@host"
        echo "::output length=${#TASKLOOM_SECRET_db_password}"
        echo "::output value=$TASKLOOM_SECRET_db_password"
        echo "::progress 0.5 with $TASKLOOM_SECRET_db_password"
        echo "::warning beware of $TASKLOOM_SECRET_db_password""#;
    let step = shell("a", code).with("secrets", json!(["db_password"]));
    let task = bench.admin.submit("login", &[step, shell("b", "echo $TASKLOOM_PARAM_value").needs("a")]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;

    let document = "query($id: ID!) { task(id: $id) { name message subtasks { name output message
        log { lines { source text } } attempts { message } }
        events(first: 100) { nodes { message } } } audit(first: 50) { nodes { action object detail } } }";
    let all = bench.admin.get(document, json!({"id": task}), "").await;
    let text = all.to_string();
    for form in ["s3cr", "sw+rd", "c3cr", "czNjc", "s3cr%3D", "of before"] {
        assert!(!text.contains(form), "{form} in {text}");
    }
    let a = &all["task"]["subtasks"][0];
    let spec = bench.admin.subtask(&task, "a", "spec").await;
    assert_eq!(spec["spec"]["secrets"], json!(["db_password"]));
    assert_eq!(a["output"], json!({"length": "17", "value": "***"}));
    let lines = a["log"]["lines"].as_array().unwrap().iter();
    let lines: Vec<&str> =
        lines.filter(|line| line["source"] == "STDOUT").filter_map(|line| line["text"].as_str()).collect();
    assert_eq!(lines[..3], ["600", "password is ***.", "*** in two"]);
    assert!(lines[3].starts_with("dXNlcj") && lines[3].contains("***"), "{lines:?}");
    assert_eq!(lines[4], "https://u:***@host");
    // Nor is it left in a file.
    let left = std::process::Command::new("grep").args(["-rlF", VALUE]).arg(&bench.settings.data_dir).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "it is in a file");
}

async fn a_secret_that_is_not_there_is_named(bench: Bench) {
    let id = put(&bench, "short_lived", "swordfish").await;
    bench
        .admin
        .get("mutation($id: ID!) { deleteSecret(input: {id: $id}) { secret { name } } }", json!({"id": id}), "")
        .await;
    let task = bench.admin.submit("lost", &[shell("a", "true").with("secrets", json!(["short_lived"]))]).await;
    assert_eq!(bench.admin.wait(&task, "FAILED").await, "FAILED: a FAILED");
    let a = bench.admin.subtask(&task, "a", "message").await;
    assert_eq!(a["message"], json!("secret short_lived does not exist"));
    for (name, value) in [("KEY", "long enough"), ("1st", "long enough"), ("a-b", "long enough"), ("a", "abc")] {
        let tenant = bench.admin.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes/0/id").await;
        let refused =
            bench.admin.refused(PUT, json!({"input": {"name": name, "value": value, "tenantId": tenant}})).await;
        assert_eq!(refused["code"], "INVALID_INPUT", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_changes_beside_a_running_server() {
    let bench = Bench::sqlite().await;
    for name in ["one", "two", "three"] {
        put(&bench, name, VALUE).await;
    }
    let folder = &bench.settings.data_dir;
    let before = std::fs::read_to_string(folder.join("secret.key")).unwrap();
    let keys = async || {
        let place = DatabasePlace::Folder(folder.clone());
        let store = open::beside(
            &place,
            Pools {
                connections: 1,
                acquire: std::time::Duration::from_secs(5),
                statement: std::time::Duration::from_secs(30),
            },
        )
        .await;
        taskloom::store::sealed::keys(store.unwrap().read()).await.unwrap()
    };
    let old = keys().await;
    let rotate = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_taskloom"));
        let output = command.args(["key", "rotate", "--data-dir"]).arg(folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let new = rotate();
    assert_ne!(old.first(), Some(&new));
    assert_eq!(keys().await, [new], "everything is under the new one");
    let step = shell("a", "test \"$TASKLOOM_SECRET_two\" = 's3cr=t/sw+rd fish'").with("secrets", json!(["two"]));
    let task = bench.admin.submit("after", &[step]).await;
    bench.admin.wait(&task, "SUCCESSFUL").await;
    put(&bench, "four", VALUE).await;
    assert_eq!(keys().await.len(), 1, "the server seals with the new key as well");

    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>();
    let between = std::fs::read_to_string(folder.join("secret.key")).unwrap();
    assert!(lines(&between).contains(&lines(&before)[0]), "the key of before stays for a while");
    rotate();
    let after = std::fs::read_to_string(folder.join("secret.key")).unwrap();
    assert_eq!(lines(&after).len(), 2);
    assert!(!lines(&after).contains(&lines(&before)[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_server_left_is_removed() {
    let mut bench = Bench::sqlite().await;
    let folder = bench.settings.attempts().join("9-9-9");
    std::fs::create_dir_all(folder.join(".secrets")).unwrap();
    std::fs::write(folder.join(".secrets/db_password"), VALUE).unwrap();
    std::fs::write(folder.join("result"), "of work").unwrap();
    bench.restart().await;
    assert!(!folder.join(".secrets").exists() && folder.join("result").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tenants_are_like_none() {
    let bench = Bench::with(&[]).await;
    put(&bench, "theirs", VALUE).await;
    let make = "mutation { createTenant(input: {name: \"other\"}) { tenant { id } } }";
    let other = bench.admin.get(make, json!({}), "/createTenant/tenant/id").await;
    let source = "mutation($input: PutDataSourceInput!) { putDataSource(input: $input) { dataSource { id } } }";
    let tenant = bench.tenant().await;
    let input = json!({"name": "theirs", "kind": "SQLITE", "database": "x.db", "tenantId": tenant, "engine": "spark"});
    bench.admin.get(source, json!({"input": input}), "").await;
    let steps = [
        shell("a", "true").with("secrets", json!(["theirs"])),
        step("b", json!({"sql": "select 1", "source": "theirs"})),
    ];
    let spec = super::step::spec("foreign", &steps);
    let input = json!({"input": {"spec": spec, "tenantId": other}});
    let task = bench.admin.get(super::bench::SUBMIT, input, "/submitTask/task/id").await;
    let task = task.as_str().unwrap();
    bench.admin.wait(task, "FAILED").await;
    assert_eq!(bench.admin.subtask(task, "a", "message").await["message"], json!("secret theirs does not exist"));
    assert_eq!(bench.admin.subtask(task, "b", "message").await["message"], json!("data source theirs does not exist"));
}
