//! A server under attack: a real process, people of each role, and connections without a client's manners.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::postgres;
use crate::harness::server::{PASSWORD, Server};

/// How long an answer may take on a machine that is busy with an attack.
pub(super) const SOON: Duration = Duration::from_secs(30);

/// A server with the settings, in a folder of its own.
pub(super) async fn server(settings: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&folder.path().join("data"), settings).await;
    (folder, server)
}

/// Tells a story of such a server on each database.
pub(super) async fn on_both(settings: &[(&str, &str)], story: impl AsyncFn(&Server)) {
    let (_folder, sqlite) = server(settings).await;
    story(&sqlite).await;
    drop(sqlite);
    let database = postgres::database().await;
    let mut settings = settings.to_vec();
    settings.push(("DATABASE_URL", database.url.as_str()));
    let (_folder, postgres) = server(&settings).await;
    story(&postgres).await;
}

/// Makes a user of every tenant, whose password is [`PASSWORD`]; its id.
pub(super) async fn user(server: &Server, name: &str, role: &str) -> String {
    let tenants = server.get("{ tenants { nodes { id } } }", json!({}), "/tenants/nodes").await;
    let ids: Vec<&Value> = tenants.as_array().unwrap().iter().map(|it| &it["id"]).collect();
    let document = "mutation($i: CreateUserInput!) { createUser(input: $i) { user { id } } }";
    let input = json!({"i": {"name": name, "role": role, "password": PASSWORD, "tenantIds": ids}});
    server.get(document, input, "/createUser/user/id").await.as_str().unwrap().to_owned()
}

/// Makes such a user; a token of theirs.
pub(super) async fn user_token(server: &Server, name: &str, role: &str) -> String {
    let id = user(server, name, role).await;
    let document = "mutation($i: CreateTokenInput!) { createToken(input: $i) { secret } }";
    let input = json!({"i": {"name": "attack", "role": role, "userId": id}});
    server.get(document, input, "/createToken/secret").await.as_str().unwrap().to_owned()
}

/// A token of the administrator's with this role.
pub(super) async fn token(server: &Server, role: &str) -> String {
    let document = "mutation($i: CreateTokenInput!) { createToken(input: $i) { secret } }";
    let input = json!({"i": {"name": "attack", "role": role}});
    server.get(document, input, "/createToken/secret").await.as_str().unwrap().to_owned()
}

/// A connection that sends what it is told to.
pub(super) async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap()
}

/// Sends `bytes` and reads what comes until the end.
pub(super) async fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(bytes).await.unwrap();
    read_all(&mut stream).await
}

/// What comes until the end, which must not be a reset.
pub(super) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = vec![];
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await;
    read.expect("the connection ends in time").expect("and is not reset");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The body of a GraphQL request of at least so many bytes, which is valid but for its length.
pub(super) fn padded(document: &str, bytes: usize) -> String {
    let body: Value = json!({"query": document, "extensions": {"pad": "x".repeat(bytes)}});
    body.to_string()
}
