//! A private MariaDB server of one test, which speaks MySQL's protocol. It runs as the user that PostgreSQL runs as, and
//! ends with this value.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use sqlx::{Connection as _, MySqlConnection};

use super::postgres::{Owner, free_port, run};
use super::server::until;

/// The password of the user `story`.
pub(crate) const PASSWORD: &str = "private one";

/// A running server with the database `story`, which belongs to the user of that name.
pub(crate) struct MariaDb {
    pub(crate) port: u16,
    child: Child,
    folder: PathBuf,
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Makes and starts one.
pub(crate) async fn start() -> MariaDb {
    let folder = PathBuf::from("/tmp").join(format!("taskloom-test-mariadb-{}", uuid::Uuid::now_v7().simple()));
    fs::create_dir(&folder).unwrap();
    let owner = Owner::find();
    chown(&folder, Some(owner.uid), Some(owner.gid)).unwrap();
    let data = format!("--datadir={}", folder.join("data").display());
    let mut install = owner.command("mariadb-install-db");
    // One that starts removes the temporary tables that it finds, another's too.
    install.env("TMPDIR", &folder);
    run(install.args(["--no-defaults", "--skip-test-db", "--auth-root-authentication-method=normal", &data]));

    let first = folder.join("first.sql");
    let sql = format!(
        "create database story;\ncreate user story@'127.0.0.1' identified by '{PASSWORD}';\n\
         grant all on story.* to story@'127.0.0.1';\ngrant process on *.* to story@'127.0.0.1';\n"
    );
    fs::write(&first, sql).unwrap();
    let port = free_port();
    let mut serve = owner.command("/usr/sbin/mariadbd");
    serve.env("TMPDIR", &folder);
    serve.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", &data]);
    serve.arg(format!("--port={port}")).arg(format!("--init-file={}", first.display()));
    serve.arg(format!("--socket={}", folder.join("socket").display()));
    serve.arg(format!("--log-error={}", folder.join("data/server.log").display()));
    let child = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = MariaDb { port, child, folder };
    until("MariaDB answers", async || server.connect().await.ok()).await;
    server
}

impl MariaDb {
    /// A connection of the user `story`.
    pub(crate) async fn connect(&self) -> sqlx::Result<MySqlConnection> {
        let options = sqlx::mysql::MySqlConnectOptions::new();
        let options = options.host("127.0.0.1").port(self.port).username("story").password(PASSWORD).database("story");
        MySqlConnection::connect_with(&options).await
    }
}
