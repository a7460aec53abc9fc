//! `migrate`, `user` and `token`, on a data folder that a server may hold and on PostgreSQL.

use std::path::Path;
use std::time::Duration;

use taskloom::auth::first_start;
use taskloom::clock::SystemClock;
use taskloom::store::open::{self, DatabasePlace, FolderGuard, Pools};
use taskloom::store::{Store, migrate};

use super::{done, run, run_with};
use crate::harness::postgres;

/// What a first start leaves, held open as a running server would.
async fn prepare(place: &DatabasePlace) -> (Store, FolderGuard) {
    let pools = Pools { connections: 2, acquire: Duration::from_secs(5), statement: Duration::from_secs(30) };
    let (store, guard) = open::open(place, pools).await.unwrap();
    migrate::up(&store).await.unwrap();
    first_start::run(&store, &SystemClock, Some("a password of the test")).await.unwrap();
    (store, guard)
}

/// A folder whose server runs.
async fn folder() -> (tempfile::TempDir, (Store, FolderGuard)) {
    let folder = tempfile::tempdir().unwrap();
    let held = prepare(&DatabasePlace::Folder(folder.path().join("data"))).await;
    (folder, held)
}

fn rows(output: &str) -> Vec<Vec<&str>> {
    output.lines().skip(1).map(|line| line.split_whitespace().collect()).collect()
}

async fn a_token_lives(at: &Path, extra: &[&str]) {
    let done = |arguments: &[&str]| done(at, &[arguments, extra].concat());
    let token = done(&["token", "create", "--user", "admin", "--role", "manager", "--name", "ci"]);
    let secret = token.strip_suffix('\n').unwrap();
    assert!(secret.starts_with("tl_") && !secret.contains(char::is_whitespace), "{token:?}");

    let list = done(&["token", "list"]);
    assert!(!list.contains(secret), "{list}");
    let id = rows(&list)[0][0].to_owned();
    assert_eq!(rows(&list)[0][1..5], ["admin", "manager", "ci", "valid"]);

    assert_eq!(done(&["token", "revoke", &id]), "");
    assert_eq!(rows(&done(&["token", "list", "--user", "admin"]))[0][4], "revoked");
}

#[tokio::test]
async fn a_token_is_made_listed_and_revoked_beside_a_server() {
    let (folder, _held) = folder().await;
    a_token_lives(folder.path(), &[]).await;
}

#[tokio::test]
async fn the_same_on_postgres() {
    let database = postgres::database().await;
    let (store, _guard) = prepare(&DatabasePlace::Postgres(database.url.clone())).await;
    let folder = tempfile::tempdir().unwrap();
    a_token_lives(folder.path(), &["--database-url", &database.url]).await;
    store.close().await;
}

#[tokio::test]
async fn a_token_gives_no_more_than_its_user_has() {
    let (folder, _held) = folder().await;
    done(folder.path(), &["user", "create", "mia", "--role", "viewer"]);
    let (status, output, errors) = run(folder.path(), &["token", "create", "--user", "mia", "--role", "admin"]);
    assert_eq!((status, output.as_str()), (1, ""));
    assert!(errors.contains("user mia has only the role VIEWER"), "{errors}");
    let (status, _, errors) = run(folder.path(), &["token", "create", "--user", "nobody", "--role", "viewer"]);
    assert_eq!(status, 1);
    assert!(errors.contains("nobody does not exist"), "{errors}");
}

#[tokio::test]
async fn users_are_made_and_changed() {
    let (folder, _held) = folder().await;
    let at = folder.path();
    let password = done(at, &["user", "create", "mia", "--role", "viewer"]);
    assert_eq!(password.trim().len(), 24, "{password:?}");
    done(at, &["user", "set-role", "mia", "manager"]);
    let list = done(at, &["user", "list"]);
    let names: Vec<_> = rows(&list).iter().map(|row| row[..4].join(" ")).collect();
    assert_eq!(names, ["admin admin enabled default", "mia manager enabled default"]);

    let (status, output, _) = run_with(at, &["user", "set-password", "mia", "--password-stdin"], "chosen by Mia 1\n");
    assert_eq!((status, output.as_str()), (0, ""));
    let (status, _, errors) = run_with(at, &["user", "set-password", "mia", "--password-stdin"], "\n");
    assert_eq!(status, 2);
    assert!(errors.contains("no password on standard input"), "{errors}");
    let (status, _, errors) = run(at, &["user", "set-role", "admin", "viewer"]);
    assert_eq!(status, 1);
    assert!(errors.contains("last administrator"), "{errors}");
    let (status, _, errors) = run(at, &["user", "create", "eve", "--role", "viewer", "--tenant", "other"]);
    assert_eq!(status, 2);
    assert!(errors.contains("there is no tenant other; there are: default"), "{errors}");
}

#[tokio::test]
async fn the_schema_is_not_changed_beside_a_server() {
    let (folder, _held) = folder().await;
    let (status, _, errors) = run(folder.path(), &["migrate", "down"]);
    assert_eq!(status, 1);
    assert!(errors.contains("in use by another taskloom"), "{errors}");
}

fn goes_up_and_down(extra: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let migrate = |step: &[&str]| done(folder.path(), &[&["migrate"], step, extra].concat());
    assert!(migrate(&["status"]).contains("pending"));
    let up = migrate(&["up"]);
    assert!(up.contains("applied") && !up.contains("pending"), "{up}");
    assert!(migrate(&["down", "--steps", "1"]).trim_end().ends_with("pending"));
}

#[test]
fn the_schema_goes_up_and_down_on_sqlite() {
    goes_up_and_down(&[]);
}

#[tokio::test]
async fn the_schema_goes_up_and_down_on_postgres() {
    let database = postgres::database().await;
    goes_up_and_down(&["--database-url", &database.url]);
}
