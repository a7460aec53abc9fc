//! `serve` as a host meets it: variables of others, addresses, rights on the disk, the first password.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::stage::Started;
use super::{finish, taskloom};
use crate::harness::server::{PASSWORD, Server, until};

/// A server by this command line, without a password of its own.
fn serve(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = taskloom();
    command.current_dir(folder).arg("serve").args(arguments);
    command
}

/// The address in what a server has said.
async fn address(started: &Started) -> String {
    until("the server answers", async || {
        let said = started.errors();
        Some(said.split_once("GraphQL at http://")?.1.split_once("/graphql")?.0.to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_that_kubernetes_sets_for_a_service_are_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), &["--listen", "127.0.0.1:0"]);
    let variables = [
        ("TASKLOOM_SERVICE_HOST", "10.96.0.7"),
        ("TASKLOOM_SERVICE_PORT", "8080"),
        ("TASKLOOM_PORT", "tcp://10.96.0.7:8080"),
        ("TASKLOOM_PORT_8080_TCP", "tcp://10.96.0.7:8080"),
        ("TASKLOOM_PORT_8080_TCP_ADDR", "10.96.0.7"),
    ];
    command.envs(variables);
    let started = Started::new(command, folder.path());
    address(&started).await;
    for (name, value) in variables {
        assert!(started.errors().contains(&format!("WARN taskloom::cli::serve: {name}: unknown variable")), "{name}");
        assert!(!started.errors().contains(value) || value == "8080", "a value may be a secret: {value}");
    }
    assert_eq!(started.output(), "");
}

#[test]
fn a_variable_with_two_underscores_stays_an_error_and_a_misspelt_one_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (status, output, errors) =
        finish(serve(folder.path(), &[]).env("TASKLOOM_SERVER__LISEN", ":1").output().unwrap());
    assert_eq!((status, output.as_str()), (2, ""));
    assert!(
        errors.contains("TASKLOOM_SERVER__LISEN: unknown key server.lisen: did you mean server.listen?"),
        "{errors}"
    );

    let mut command = taskloom();
    command.current_dir(folder.path()).arg("check-config").env("TASKLOOM_LISTEM", ":1");
    let (status, output, errors) = finish(command.output().unwrap());
    assert_eq!(status, 0);
    assert_eq!(errors, "warning: TASKLOOM_LISTEM: unknown variable: did you mean TASKLOOM_LISTEN?\n");
    assert!(output.contains("listen = \"127.0.0.1:8080\""), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_of_the_machine_and_names_can_be_listened_on() {
    for (listen, hosts) in [(":0", &["127.0.0.1", "localhost"][..]), ("localhost:0", &["localhost"])] {
        let folder = tempfile::tempdir().unwrap();
        let started = Started::new(serve(folder.path(), &["--listen", listen]), folder.path());
        let address = address(&started).await;
        let port = address.rsplit(':').next().unwrap();
        for host in hosts {
            let answer = reqwest::get(format!("http://{host}:{port}/healthz")).await.unwrap();
            assert_eq!(answer.status(), 200, "{listen} at {host}");
        }
    }
}

#[test]
fn an_address_that_cannot_be_had_is_named_with_its_reason_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (listen, remedy) in [
        (taken.as_str(), "is another server running there? choose another with --listen"),
        ("nowhere.invalid:0", "name this machine or an address of it with --listen"),
        ("192.0.2.1:0", "name this machine or an address of it with --listen"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (status, output, errors) = finish(serve(folder.path(), &["--listen", listen]).output().unwrap());
        assert_eq!((status, output.as_str()), (1, ""), "{errors}");
        let said = errors
            .strip_prefix(&format!("error: cannot listen on {listen}; {remedy}: "))
            .unwrap_or_else(|| panic!("{errors}"));
        assert_eq!(said.matches("os error").count(), usize::from(!listen.starts_with('n')), "{errors}");
        assert!(!folder.path().join("data").exists(), "who cannot have the port has changed nothing");
    }
}

/// The rights of everything below a folder.
fn rights(folder: &Path) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let meta = std::fs::metadata(&path).unwrap();
        if meta.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let name = path.strip_prefix(folder).unwrap().display().to_string();
        found.insert(name, meta.mode() & 0o7777);
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_its_owner_s_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    // A folder of an earlier version, with wide rights.
    std::fs::create_dir(&data).unwrap();
    for name in ["taskloom.db", "taskloom.db-wal"] {
        std::fs::write(data.join(name), "").unwrap();
        std::fs::set_permissions(data.join(name), PermissionsExt::from_mode(0o644)).unwrap();
    }
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    let server = Server::start(&data, &[]).await;
    let task = server.submit(json!([{"name": "a", "run": {"shell": "echo hello; echo kept > file"}}])).await;
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL").await;
    let rights = rights(&data);
    for name in ["taskloom.db", "taskloom.db-wal", "taskloom.db-shm", "taskloom.lock", "secret.key", "reserve"] {
        assert_eq!(rights.get(name), Some(&0o600), "{name}: {rights:#?}");
    }
    assert_eq!(rights.get(""), Some(&0o700), "{rights:#?}");
    let mut attempts = self::rights(&folder.path().join("data.work"));
    attempts.retain(|name, _| !name.contains('/'));
    assert_eq!(attempts.remove(""), Some(0o711), "who passes through finds nothing: {attempts:#?}");
    assert!(!attempts.is_empty() && attempts.values().all(|mode| *mode == 0o700), "{attempts:#?}");
    assert!(server.log().contains("was open to others; it is its owner's alone now"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_others_is_left_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("somebody-s.txt"), "").unwrap();
    std::fs::set_permissions(&data, PermissionsExt::from_mode(0o755)).unwrap();
    let server = Server::start(&data, &[]).await;
    let rights = rights(&data);
    assert_eq!((rights[""], rights["taskloom.db"], rights["secret.key"]), (0o755, 0o600, 0o600));
    assert!(server.log().contains("the data folder is open to others: chmod 700"), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_password_keeps_to_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), &["--listen", "127.0.0.1:0"]);
    let (status, output, errors) = finish(command.env("TASKLOOM_ADMIN_PASSWORD", "short").output().unwrap());
    assert_eq!((status, output.as_str()), (1, ""));
    assert_eq!(
        errors.lines().last(),
        Some("error: TASKLOOM_ADMIN_PASSWORD is not valid: at least 8 characters are needed")
    );
    // Where there are users it is not read.
    let data = folder.path().join("data");
    drop(Server::start(&data, &[]).await);
    let server = Server::start(&data, &[("ADMIN_PASSWORD", "short")]).await;
    assert_eq!(server.get("{ me { name } }", json!({}), "/me/name").await, json!("admin"));
}

/// Signs in with this password through a proxy that was spoken to by `from`: the status, and the code of the refusal.
async fn sign_in(server: &Server, password: &str, from: &[(&str, &str)]) -> Option<String> {
    let mut request = server.request("POST", "/graphql").basic_auth("admin", Some(password));
    for (name, value) in from {
        request = request.header(*name, *value);
    }
    let answer: serde_json::Value =
        request.json(&json!({"query": "{ me { name } }"})).send().await.unwrap().json().await.unwrap();
    answer.pointer("/errors/0/extensions/code").map(|code| code.as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_behind_a_trusted_proxy_locks_out_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("SERVER__TRUSTED_PROXIES", "127.0.0.1, ::1, 10.0.0.0/8"), ("TELEMETRY__LEVEL", "debug")];
    let server = Server::start(&folder.path().join("data"), &settings).await;
    let guesser = [("x-forwarded-for", "192.0.2.66, 10.1.1.1")];
    for _ in 0..10 {
        assert_eq!(sign_in(&server, "a wrong one", &guesser).await.as_deref(), Some("BAD_CREDENTIALS"));
    }
    // It may write what it likes before its own address, and that is the one that counts.
    for forged in ["198.51.100.7, 192.0.2.66", "192.0.2.66", "junk, 192.0.2.66, 10.9.9.9"] {
        let code = sign_in(&server, PASSWORD, &[("x-forwarded-for", forged)]).await;
        assert_eq!(code.as_deref(), Some("TOO_MANY_REQUESTS"), "{forged}");
    }
    assert_eq!(
        sign_in(&server, PASSWORD, &[("forwarded", "for=192.0.2.66")]).await.as_deref(),
        Some("TOO_MANY_REQUESTS")
    );
    for other in [&[("x-forwarded-for", "192.0.2.67")][..], &[("forwarded", "for=\"[2001:db8::7]:80\"")], &[]] {
        assert_eq!(sign_in(&server, PASSWORD, other).await, None, "{other:?}");
    }
    let refusals = "{ audit(first: 50, filter: {action: \"session.authenticate\"}) { nodes { outcome address } } }";
    let rows = server.get(refusals, json!({}), "/audit/nodes").await;
    let wanted = json!({"outcome": "REFUSED", "address": "192.0.2.66"});
    assert_eq!(rows, json!(vec![wanted; 10]));
    assert!(server.log().contains("client=192.0.2.66"), "the log names whom the request came from");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_proxy_no_header_counts() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), &[]).await;
    for n in 0..10 {
        let from = format!("192.0.2.{n}");
        let code = sign_in(&server, "a wrong one", &[("x-forwarded-for", &from)]).await;
        assert_eq!(code.as_deref(), Some("BAD_CREDENTIALS"));
    }
    let code = sign_in(&server, PASSWORD, &[("x-forwarded-for", "192.0.2.99")]).await;
    assert_eq!(code.as_deref(), Some("TOO_MANY_REQUESTS"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dialects_tell_the_time_in_the_zone_of_the_settings() {
    for (zone, offset) in [("Asia/Shanghai", "+08:00"), ("Pacific/Honolulu", "-10:00")] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("data"), &[("SERVER__TIME_ZONE", zone)]).await;
        server.submit(json!([{"name": "a", "run": {"noop": {}}}])).await;
        let answer = server.request("GET", "/api/v2/tasks/instances").basic_auth("admin", Some(PASSWORD)).send().await;
        let answer: serde_json::Value = answer.unwrap().json().await.unwrap();
        let stamp = answer["timestamp"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(stamp.ends_with(offset), "{zone}: {stamp}");
    }
}

#[test]
fn a_zone_that_nobody_knows_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let (status, _, errors) =
        finish(serve(folder.path(), &[]).env("TASKLOOM_SERVER__TIME_ZONE", "Mars/Olympus").output().unwrap());
    assert_eq!(status, 2);
    assert!(errors.contains("server.time_zone: expected a time zone such as Asia/Shanghai"), "{errors}");
}
