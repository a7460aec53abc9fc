//! Connections that are opened and left: silent, trickling, more than there is room for.
//!
//! On PostgreSQL as well where its connections take descriptors. Clocks, places and hosts are looked after before any
//! database is asked: these stories are told on SQLite.

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::Command;
use std::time::{Duration, Instant};

use futures::future::join_all;
use nix::sys::signal::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::bench::{SOON, connect, exchange, read_all, server};
use super::figure;
use crate::harness::server::{PASSWORD, Server, until};
use crate::harness::{postgres, wait};

/// Writes a byte of a header a hundred times a second, until the server has had enough; how long that took. On a thread
/// of its own: in one task with others it would take their turns.
fn trickle(address: &str) -> Duration {
    let begun = Instant::now();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").unwrap();
    let mut byte = [0];
    while begun.elapsed() < SOON {
        // A reset, an end, and a refusal to take more are the same to it.
        let is_over = match stream.write_all(b"x").and_then(|()| stream.read(&mut byte)) {
            Ok(read) => read == 0,
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        if is_over {
            return begun.elapsed();
        }
    }
    panic!("a trickling connection is not closed within {SOON:?}");
}

/// Says nothing until the server has had enough; how long that took.
async fn keep_silent(address: String) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_ends_a_request_is_closed_and_a_stream_is_not() {
    let (_folder, server) = server(&[("SERVER__HEADER_TIMEOUT", "1s"), ("SERVER__IDLE_TIMEOUT", "2s")]).await;
    let mut stream = follow(&server).await;
    let address = server.url().trim_start_matches("http://").to_owned();
    let idle = honest(&server).await;
    let trickling: Vec<_> = (0..300)
        .map(|_| {
            let address = address.clone();
            tokio::task::spawn_blocking(move || trickle(&address))
        })
        .collect();
    let silent: Vec<_> = (0..200).map(|_| tokio::spawn(keep_silent(address.clone()))).collect();
    let beside = honest(&server).await;
    let trickling: Vec<Duration> = join_all(trickling).await.into_iter().map(Result::unwrap).collect();
    let silent: Vec<Duration> = join_all(silent).await.into_iter().map(Result::unwrap).collect();
    let (trickling, longest) = (trickling.iter().max().unwrap(), silent.iter().max().unwrap());
    let shortest = silent.iter().min().unwrap();
    assert!(*shortest >= Duration::from_secs(2), "a silent one is given its time, not {shortest:?}");
    let ratio = beside.as_secs_f64() / idle.as_secs_f64();
    assert!(beside < Duration::from_secs(1), "{idle:?} alone, {beside:?} beside them");
    // A connection that was answered is silent from then on.
    let mut answered = connect(&server).await;
    answered.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(read_all(&mut answered).await.starts_with("HTTP/1.1 200"));

    server.submit(json!([{"name": "a", "run": {"shell": "true"}}])).await;
    let mut heard = String::new();
    let told = async {
        let mut buffer = [0; 4096];
        while !heard.contains("event: next") {
            let read = stream.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the stream has ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
    };
    tokio::time::timeout(SOON, told).await.expect("the stream is open and tells");
    figure::note(
        "connections::who_never_ends_a_request_is_closed_and_a_stream_is_not",
        "300 connections that trickle headers and 200 that say nothing, with limits of 1 s and 2 s",
        "each is closed within 30 s, a stream stays, an honest p99 is below 1 s",
        &format!("closed after {trickling:.1?} and {longest:.1?}; an honest p99 is {ratio:.1} × idle"),
    );
}

/// The slowest but one of a hundred requests of somebody who means well.
async fn honest(server: &Server) -> Duration {
    let mut times = vec![];
    for _ in 0..100 {
        let begun = Instant::now();
        server.get("{ me { name } }", json!({}), "/me/name").await;
        times.push(begun.elapsed());
    }
    times.sort();
    times[98]
}

/// An event stream that is open: its head has been read.
async fn follow(server: &Server) -> TcpStream {
    use base64::Engine as _;
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("admin:{PASSWORD}"));
    let path = "/graphql?query=subscription%20%7B%20taskChanged%20%7B%20__typename%20%7D%20%7D";
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Basic {basic}\r\n\r\n");
    let mut stream = connect(server).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut begun = [0; 15];
    stream.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    until("the subscription is open", async || {
        (server.metric("taskloom_event_subscribers").await >= 1.0).then_some(())
    })
    .await;
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn who_finds_no_place_is_answered() {
    let (_folder, server) = server(&[("SERVER__MAX_CONNECTIONS_PER_ADDRESS", "60")]).await;
    let crowd: Vec<TcpStream> = join_all((0..60).map(|_| connect(&server))).await;
    // Who asked before has its connection already: a new one is needed.
    let ask = async |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        exchange(&server, request.as_bytes()).await
    };
    until("the house is full", async || ask("/graphql?query=%7B__typename%7D").await.contains(" 503 ").then_some(()))
        .await;
    let refused = ask("/graphql?query=%7B__typename%7D").await;
    assert!(refused.contains("retry-after: 5") && refused.contains("TOO_MANY_CONNECTIONS"), "{refused}");
    assert!(ask("/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(ask("/metrics").await.contains("taskloom_http_refused_connections_total{full=\"address\"}"));

    // Those who are told so unheard, since many say nothing.
    let begun = Instant::now();
    let crowd_at_the_door: Vec<TcpStream> = join_all((0..200).map(|_| connect(&server))).await;
    let answers = join_all(crowd_at_the_door.into_iter().map(async |mut stream| read_all(&mut stream).await)).await;
    let told = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 503")).count();
    let longest = begun.elapsed();
    assert!(told >= 150, "{told} of 200 were told");
    drop(crowd);
    until("there is room again", async || ask("/graphql?query=%7B__typename%7D").await.contains(" 200 ").then_some(()))
        .await;
    figure::note(
        "connections::who_finds_no_place_is_answered",
        "260 connections of an address that may have 60",
        "each is answered within 30 s, `/healthz` with 200",
        &format!("all after {longest:?}"),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_is_counted_in_all_alone() {
    let settings = [("SERVER__MAX_CONNECTIONS_PER_ADDRESS", "20"), ("SERVER__TRUSTED_PROXIES", "127.0.0.1")];
    let (_folder, server) = server(&settings).await;
    let _crowd: Vec<TcpStream> = join_all((0..60).map(|_| connect(&server))).await;
    let answer = exchange(&server, b"GET /graphql?query=%7B__typename%7D HTTP/1.0\r\n\r\n").await;
    assert!(answer.contains(" 200 "), "{answer}");
}

/// Waits until somebody who comes anew is answered with 200: those who came before are heard out first.
async fn answers(server: &Server, path: &str) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let ask = async || {
        let (mut stream, mut answer) = (connect(server).await, String::new());
        // In a crowd it may be turned away by a reset.
        let sent = stream.write_all(request.as_bytes()).await;
        let read = stream.read_to_string(&mut answer).await;
        (sent.is_ok() && read.is_ok() && answer.starts_with("HTTP/1.1 200")).then_some(())
    };
    wait::until_within(SOON, "it answers", ask).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_when_connections_have_taken_their_descriptors_on_sqlite() {
    work_goes_on_when_connections_have_taken_their_descriptors(&[], "SQLite").await;
}

/// Each connection to this database is a descriptor as well.
#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_when_connections_have_taken_their_descriptors_on_postgres() {
    let database = postgres::database().await;
    let settings = [("DATABASE_URL", database.url.as_str())];
    work_goes_on_when_connections_have_taken_their_descriptors(&settings, "PostgreSQL").await;
}

async fn work_goes_on_when_connections_have_taken_their_descriptors(settings: &[(&str, &str)], database: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 300 && exec \"$@\"", "sh"]);
    let server = Server::start_within(shell, &folder.path().join("data"), settings).await;
    let go = folder.path().join("go");
    let waits = format!("until test -e {}; do sleep 0.05; done", go.display());
    let steps =
        json!([{"name": "a", "run": {"shell": waits}}, {"name": "b", "needs": ["a"], "run": {"shell": "echo done"}}]);
    let task = server.submit(steps).await;
    let crowd: Vec<TcpStream> = join_all((0..400).map(|_| connect(&server))).await;
    answers(&server, "/healthz").await;
    std::fs::write(&go, "").unwrap();
    answers(&server, "/readyz").await;
    drop(crowd);
    server.wait(&task, "SUCCESSFUL: a SUCCESSFUL, b SUCCESSFUL").await;
    figure::note(
        "connections::work_goes_on_when_connections_have_taken_their_descriptors",
        &format!("400 connections where the process may have 300 files, {database}"),
        "`/healthz` answers, steps run to their end",
        "both",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_soft_limit_of_descriptors_is_no_limit() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -Sn 256 && exec \"$@\"", "sh"]);
    let server = Server::start_within(shell, &folder.path().join("data"), &[]).await;
    let crowd: Vec<TcpStream> = join_all((0..400).map(|_| connect(&server))).await;
    until("all are in", async || (server.metric("taskloom_http_connections").await >= 400.0).then_some(())).await;
    // A step may count no further than the usual.
    let limit = server.submit(json!([{"name": "a", "run": {"shell": "test $(ulimit -Sn) = 256"}}])).await;
    server.wait(&limit, "SUCCESSFUL: a SUCCESSFUL").await;
    drop(crowd);
}

/// A crowd that comes at once waits for a server that is slow to take it: nobody of it is turned away or forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_comes_at_once_waits() {
    let (_folder, server) = server(&[]).await;
    // The host's own limit: 4,096 where nobody has set it.
    let most: usize = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap().trim().parse().unwrap();
    let crowd = most.min(1_000);
    server.signal(Signal::SIGSTOP);
    let come = join_all((0..crowd).map(|_| connect(&server)));
    let come = tokio::time::timeout(SOON, come).await;
    server.signal(Signal::SIGCONT);
    let crowd_inside = come.expect("each is let in to wait");
    let inside = async || (server.metric("taskloom_http_connections").await >= crowd as f64).then_some(());
    until("all are in", inside).await;
    assert_eq!(crowd_inside.len(), crowd);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_names_one_host() {
    let (_folder, server) = server(&[]).await;
    for (request, status) in [
        ("GET /healthz HTTP/1.1\r\nconnection: close\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nHost: a\r\nconnection: close\r\n\r\n", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a/b\r\nconnection: close\r\n\r\n", 400),
        ("POST /graphql HTTP/1.1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}", 400),
        ("GET /healthz HTTP/1.1\r\nhost: a:8080\r\nconnection: close\r\n\r\n", 200),
        ("GET /healthz HTTP/1.0\r\n\r\n", 200),
    ] {
        let answer = exchange(&server, request.as_bytes()).await;
        assert_eq!(answer.split(' ').nth(1), Some(status.to_string().as_str()), "{request}\n{answer}");
    }
}
