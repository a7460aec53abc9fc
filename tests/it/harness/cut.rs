//! A proxy before PostgreSQL that loses answers: the server does what it was told, and the connection breaks before the
//! client hears of it. It can also say nothing at all for a while.
//!
//! It knows as much of the protocol as our driver uses of it: no TLS, and a statement a turn, which the server ends with
//! `ReadyForQuery` (PostgreSQL's manual, "Message Flow").

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// When the connection breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the server hears of the statement.
    Before,
    /// When the server has done it, before its answer is heard.
    After,
}

/// The statement that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// This one, as [`Proxy::recorded`] names it.
    Text(String),
    /// One that begins so.
    Statement(&'static str),
    /// The COMMIT of a transaction in which a statement begins so.
    CommitOf(&'static str),
}

/// Where an answer is lost, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailPoint {
    pub(crate) which: Which,
    /// The first is 0.
    pub(crate) nth: usize,
    pub(crate) moment: Moment,
}

#[derive(Debug, Default)]
struct Plan {
    recorded: Vec<String>,
    fail: Option<FailPoint>,
    /// Statements that were passed on since the plan was made, of those that it is about.
    passed: usize,
}

impl Plan {
    /// A statement is about to be passed on; what is to happen to it.
    fn meet(&mut self, text: &str, transaction: &[String]) -> Option<Moment> {
        self.recorded.push(text.to_owned());
        let fail = self.fail.as_ref()?;
        let is_it = match &fail.which {
            Which::Text(wanted) => text == wanted,
            Which::Statement(part) => text.starts_with(part),
            Which::CommitOf(part) => text == "COMMIT" && transaction.iter().any(|said| said.starts_with(part)),
        };
        if !is_it {
            return None;
        }
        self.passed += 1;
        if self.passed <= fail.nth {
            return None;
        }
        self.fail.take().map(|fail| fail.moment)
    }
}

/// Passes connections on; it ends with this value.
pub(crate) struct Proxy {
    /// The database behind it, as `--database-url` takes it.
    pub(crate) url: String,
    plan: Arc<Mutex<Plan>>,
    silent: watch::Sender<bool>,
    accept: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

impl Proxy {
    /// In front of what `url` names.
    pub(crate) async fn before(url: &str) -> Self {
        let (credentials, place) = url.rsplit_once('@').unwrap();
        let (target, database) = place.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{credentials}@{}/{database}?sslmode=disable", listener.local_addr().unwrap());
        let (plan, silent): (Arc<Mutex<Plan>>, _) = (Arc::default(), watch::Sender::new(false));
        let (passed, heard, target) = (plan.clone(), silent.subscribe(), target.to_owned());
        let accept = tokio::spawn(async move {
            // They end with this task.
            let mut open = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                open.spawn(pass(near, target.clone(), passed.clone(), heard.clone()));
                while open.try_join_next().is_some() {}
            }
        });
        Self { url, plan, silent, accept }
    }

    /// Breaks a connection there, once.
    pub(crate) fn arm(&self, fail: FailPoint) {
        *self.plan.lock().unwrap() = Plan { fail: Some(fail), ..Plan::default() };
    }

    /// Whether that has happened; it will not any more.
    pub(crate) fn disarm(&self) -> bool {
        self.plan.lock().unwrap().fail.take().is_none()
    }

    /// Forgets what was recorded.
    pub(crate) fn record(&self) {
        self.plan.lock().unwrap().recorded.clear();
    }

    /// Every statement since then, in the order in which they came.
    pub(crate) fn recorded(&self) -> Vec<String> {
        self.plan.lock().unwrap().recorded.clone()
    }

    /// From now on nobody hears anything, or again.
    pub(crate) fn be_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }
}

/// What the two directions of a connection know of each other.
#[derive(Debug, Default)]
struct Turns {
    /// Begun by the client; the first is the sign-in.
    begun: usize,
    /// Ended by the server.
    ended: usize,
    /// The turn whose answer is lost.
    lost: Option<usize>,
}

async fn pass(near: TcpStream, target: String, plan: Arc<Mutex<Plan>>, silent: watch::Receiver<bool>) {
    let Ok(far) = TcpStream::connect(target).await else { return };
    // What is said goes on at once.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    let (near_read, far_read) = (BufReader::new(near_read), BufReader::new(far_read));
    let (cut, turns): (CancellationToken, Arc<Mutex<Turns>>) = Default::default();
    let there = Client { plan, turns: turns.clone(), cut: cut.clone(), names: HashMap::new(), transaction: vec![] };
    let there = there.pass(Pipe { read: near_read, write: far_write, silent: silent.clone() });
    let back = answer(Pipe { read: far_read, write: near_write, silent }, turns, cut.clone());
    tokio::select! {
        () = cut.cancelled() => {}
        _ = there => {}
        _ = back => {}
    }
}

struct Pipe<R, W> {
    read: R,
    write: W,
    silent: watch::Receiver<bool>,
}

impl<R: AsyncReadExt + Unpin, W: AsyncWriteExt + Unpin> Pipe<R, W> {
    /// The next message: its type, none for the first of a client, and the whole of it.
    async fn next(&mut self, typed: bool) -> std::io::Result<(u8, Vec<u8>)> {
        let kind = if typed { self.read.read_u8().await? } else { 0 };
        let length = self.read.read_u32().await?;
        let mut message = if typed { vec![kind] } else { vec![] };
        message.extend(length.to_be_bytes());
        let head = message.len();
        message.resize(head + length as usize - 4, 0);
        self.read.read_exact(&mut message[head..]).await?;
        Ok((kind, message))
    }

    async fn send(&mut self, message: &[u8]) -> std::io::Result<()> {
        // Its sender goes with the proxy, and then everything does.
        let _ = self.silent.wait_for(|silent| !silent).await;
        self.write.write_all(message).await
    }
}

/// What comes from a client.
struct Client {
    plan: Arc<Mutex<Plan>>,
    turns: Arc<Mutex<Turns>>,
    cut: CancellationToken,
    /// Prepared statements.
    names: HashMap<String, String>,
    transaction: Vec<String>,
}

impl Client {
    async fn pass(
        mut self,
        mut pipe: Pipe<impl AsyncReadExt + Unpin, impl AsyncWriteExt + Unpin>,
    ) -> std::io::Result<()> {
        let (_, first) = pipe.next(false).await?;
        assert_eq!(first[4..6], [0, 3], "it begins without asking for TLS");
        pipe.send(&first).await?;
        self.turns.lock().unwrap().begun = 1;
        let mut bound = String::new();
        loop {
            let (kind, message) = pipe.next(true).await?;
            let mut texts =
                message[5..].split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text).into_owned());
            let mut text = || texts.next().unwrap_or_default();
            match kind {
                b'P' => {
                    let name = text();
                    self.names.insert(name, normal(&text()));
                }
                b'B' => {
                    let _portal = text();
                    bound = self.names[&text()].clone();
                }
                b'E' => self.meet(&bound),
                b'Q' => {
                    let said = normal(&text());
                    self.meet(&said);
                }
                _ => {}
            }
            if self.cut.is_cancelled() {
                return Ok(());
            }
            // The end of a turn.
            if matches!(kind, b'Q' | b'S') {
                self.turns.lock().unwrap().begun += 1;
            }
            pipe.send(&message).await?;
        }
    }

    fn meet(&mut self, text: &str) {
        if text.starts_with("BEGIN") {
            self.transaction.clear();
        }
        self.transaction.push(text.to_owned());
        match self.plan.lock().unwrap().meet(text, &self.transaction) {
            Some(Moment::Before) => self.cut.cancel(),
            Some(Moment::After) => {
                let mut turns = self.turns.lock().unwrap();
                turns.lost = Some(turns.begun);
            }
            None => {}
        }
    }
}

/// What comes from the server.
async fn answer(
    mut pipe: Pipe<impl AsyncReadExt + Unpin, impl AsyncWriteExt + Unpin>,
    turns: Arc<Mutex<Turns>>,
    cut: CancellationToken,
) -> std::io::Result<()> {
    loop {
        let (kind, message) = pipe.next(true).await?;
        let is_lost = {
            let mut turns = turns.lock().unwrap();
            let is_lost = turns.lost == Some(turns.ended);
            turns.ended += usize::from(kind == b'Z');
            is_lost
        };
        match (is_lost, kind) {
            (true, b'Z') => {
                cut.cancel();
                return Ok(());
            }
            (true, _) => {}
            (false, _) => pipe.send(&message).await?,
        }
    }
}

/// A statement by its text alone: without literals, and however many rows it has.
fn normal(text: &str) -> String {
    let text = text.split_once(" VALUES").map_or(text, |(head, _)| head);
    text.split('\'').step_by(2).collect::<Vec<_>>().join("'").trim().to_owned()
}
