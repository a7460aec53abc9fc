//! A PostgreSQL that cannot be reached: said at once, once, with what to do, and never with a password.

use std::time::{Duration, Instant};

use super::finish;
use super::taskloom;
use crate::harness::postgres;

/// How long an answer may take: far less than a pool tries, and long enough for a slow machine.
const SOON: Duration = Duration::from_secs(4);

/// Starts a server and a command on this database: both are refused with this.
fn is_refused(url: &str, remedy: &str, cause: &str) {
    let folder = tempfile::tempdir().unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate", "status"], &["user", "list"]] {
        let begun = Instant::now();
        let mut taskloom = taskloom();
        taskloom.current_dir(folder.path()).args(command).args(["--database-url", url]);
        let (status, output, errors) = finish(taskloom.output().unwrap());
        assert!(begun.elapsed() < SOON, "{command:?} took {:?}: {errors}", begun.elapsed());
        assert_eq!((status, output.as_str()), (1, ""), "{command:?}");
        assert!(!errors.contains("s3cret"), "{errors}");
        let said = errors.lines().last().unwrap();
        assert!(said.starts_with("error: cannot connect to postgres"), "{said}");
        assert_eq!((said.matches(remedy).count(), said.matches(cause).count()), (1, 1), "{said}");
    }
}

#[test]
fn a_wrong_port_is_told_at_once() {
    // Taken and given back: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://me:s3cret@127.0.0.1:{port}/taskloom");
    is_refused(&url, "nothing listens there: start PostgreSQL, or mend the host and the port", "Connection refused");
}

#[test]
fn a_name_that_nobody_knows_is_told_at_once() {
    let url = "postgres://me:s3cret@nowhere.invalid/taskloom?sslpassword=s3cret";
    is_refused(url, "the host's name is not known: mend it", "failed to lookup address information");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_database_and_wrong_credentials_are_told_at_once() {
    let database = postgres::database().await;
    let (server, name) = database.url.rsplit_once('/').unwrap();
    let url = format!("{server}/no_such_database");
    let cause = "database \"no_such_database\" does not exist";
    is_refused(&url, "make the database (`createdb`), or mend its name", cause);
    let (_, host) = server.rsplit_once('@').unwrap();
    for user in ["postgres", "no_such_user"] {
        let url = format!("postgres://{user}:s3cret@{host}/{name}");
        let cause = format!("password authentication failed for user \"{user}\"");
        is_refused(&url, "mend the user or the password", &cause);
    }
}
