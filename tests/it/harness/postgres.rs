//! One private PostgreSQL cluster per test run, one database per test. Durability stays at its default: a test that
//! kills something must find what a real installation would.
//!
//! nextest runs each test in its own process, so the first test that needs the cluster starts it under a file lock and
//! leaves its address beside it; a watchdog outside our process group ends it when the test runner has ended, however
//! that happened. PostgreSQL refuses to run as root: then it runs as the user `postgres`.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::{CommandExt, parent_id};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User};

/// A database of one test; it is dropped with this value.
#[derive(Debug)]
pub(crate) struct Database {
    /// `postgres://…`, as `--database-url` takes it.
    pub(crate) url: String,
    name: String,
    cluster: Cluster,
}

/// Makes an empty database in this run's cluster, which is started when there is none yet.
pub(crate) async fn database() -> Database {
    tokio::task::spawn_blocking(|| {
        let cluster = Cluster::get();
        let name = format!("t{}", uuid::Uuid::now_v7().simple());
        cluster.psql(&format!("CREATE DATABASE {name}"));
        Database { url: cluster.url(&name), name, cluster }
    })
    .await
    .unwrap()
}

impl Drop for Database {
    fn drop(&mut self) {
        self.cluster.psql(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// A cluster of one test's own, which it may stop and start; it is removed with this value.
#[derive(Debug)]
pub(crate) struct Own {
    /// `postgres://…`, as `--database-url` takes it.
    pub(crate) url: String,
    folder: PathBuf,
    port: u16,
}

/// Makes and starts one.
pub(crate) async fn own() -> Own {
    tokio::task::spawn_blocking(|| {
        let folder = Path::new("/tmp").join(format!("taskloom-test-postgres-{}", uuid::Uuid::now_v7().simple()));
        fs::create_dir(&folder).unwrap();
        let port = start(&folder);
        Own { url: Cluster { port }.url("postgres"), folder, port }
    })
    .await
    .unwrap()
}

impl Own {
    /// Stops it at once, whoever is connected.
    pub(crate) fn stop(&self) {
        run(self.control().args(["stop", "--wait", "--silent", "--mode", "immediate"]));
    }

    /// Starts it again, where it was.
    pub(crate) fn start(&self) {
        let log = self.folder.join("data/server.log");
        let mut control = self.control();
        control.args(["start", "--wait", "--silent", "--options", &format!("-p {}", self.port), "--log"]).arg(log);
        // Its streams go on to the cluster: a pipe of ours would never end.
        assert!(control.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
    }

    fn control(&self) -> Command {
        let mut command = Owner::find().command("pg_ctl");
        command.arg("--pgdata").arg(self.folder.join("data"));
        command
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.control().args(["stop", "--silent", "--mode", "immediate"]).stderr(Stdio::null()).status();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A running cluster, known by its port.
#[derive(Debug)]
struct Cluster {
    port: u16,
}

impl Cluster {
    /// This run's cluster. Processes that come at the same time wait for the one that starts it.
    fn get() -> Self {
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        let lock = File::create(folder.join("lock")).unwrap();
        lock.lock().unwrap();
        let address = folder.join("port");
        let port = match fs::read_to_string(&address) {
            Ok(port) => port.parse().unwrap(),
            Err(_) => {
                let port = start(&folder);
                fs::write(&address, port.to_string()).unwrap();
                port
            }
        };
        Self { port }
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres:private@127.0.0.1:{}/{database}", self.port)
    }

    fn psql(&self, statement: &str) {
        let mut command = Command::new(program("psql"));
        command.args(["--no-psqlrc", "--quiet", "--dbname", &self.url("postgres"), "--command", statement]);
        run(&mut command);
    }
}

/// A run is its test runner's process; all its test processes are children of that.
fn folder() -> PathBuf {
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| format!("pid-{}", parent_id()));
    // Not the configured temporary folder: that may be one which only root can enter.
    Path::new("/tmp").join(format!("taskloom-test-postgres-{run}"))
}

fn start(folder: &Path) -> u16 {
    let data = folder.join("data");
    let owned = Owner::find();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o700)).unwrap();
    chown(&data, Some(owned.uid), Some(owned.gid)).unwrap();
    fs::write(folder.join("password"), "private").unwrap();

    let mut initdb = owned.command("initdb");
    initdb.args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
    initdb.arg("--pwfile").arg(folder.join("password")).arg("--pgdata").arg(&data);
    run(&mut initdb);
    settings(&data);

    for _ in 0..5 {
        let port = free_port();
        let mut start = owned.command("pg_ctl");
        start.args(["start", "--wait", "--silent", "--options", &format!("-p {port}")]);
        start.arg("--pgdata").arg(&data).arg("--log").arg(data.join("server.log"));
        if start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success() {
            watch(folder, &data);
            return port;
        }
    }
    panic!("PostgreSQL did not start:\n{}", fs::read_to_string(data.join("server.log")).unwrap_or_default());
}

fn settings(data: &Path) {
    let path = data.join("postgresql.auto.conf");
    let lines = format!(
        "listen_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nmax_connections = 300\ntimezone = 'UTC'\n",
        data.display()
    );
    fs::write(path, lines).unwrap();
}

/// Ends the cluster and removes its folder when the test runner has ended. It holds none of our streams: the runner
/// would take it for a leak.
fn watch(folder: &Path, data: &Path) {
    const SCRIPT: &str = r#"
        tail --pid="$1" --sleep-interval=0.2 -f /dev/null
        kill -QUIT "$(head -n 1 "$3/postmaster.pid")"
        until rm -rf "$2"; do sleep 0.2; done"#;
    let mut watchdog = Command::new("setsid");
    watchdog.args(["--fork", "sh", "-c", SCRIPT, "watchdog"]).arg(parent_id().to_string()).arg(folder).arg(data);
    watchdog.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(watchdog.status().unwrap().success());
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr()).map(|a| a.port()).unwrap()
}

/// Whom the cluster's files belong to and who runs it.
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    root: bool,
}

impl Owner {
    pub(super) fn find() -> Self {
        let me = Uid::effective();
        let user = if me.is_root() { User::from_name("postgres") } else { User::from_uid(me) };
        let user = user.unwrap().expect("as root, tests need a user `postgres`: `make test` installs PostgreSQL");
        Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), root: me.is_root() }
    }

    pub(super) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.current_dir("/").env("LC_ALL", "C.UTF-8").process_group(0);
        if self.root {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }
}

/// The newest PostgreSQL that Debian has put beside others, or what the search path has.
fn program(name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin").join(name)))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

#[track_caller]
pub(super) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|e| panic!("{command:?}: {e}: `make test` installs what is missing"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own() {
    use sea_orm::{ConnectionTrait, Database as Connection};

    let (first, second) = (database().await, database().await);
    let connection = Connection::connect(&first.url).await.unwrap();
    connection.execute_unprepared("CREATE TABLE only_here (id bigint)").await.unwrap();
    let other = Connection::connect(&second.url).await.unwrap();
    assert!(other.execute_unprepared("SELECT id FROM only_here").await.is_err());

    let gone = first.url.clone();
    drop(first);
    assert!(Connection::connect(&gone).await.is_err());
}
