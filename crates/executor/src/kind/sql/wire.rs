//! What the server and the process of its statements say to each other, by pipes: values in frames of their length.
//!
//! An request carries a password, so it is never an argument or a variable, which others of this machine may read.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use taskloom_core::DataSourceKind;
use taskloom_core::rows::{Column, Row};
use taskloom_vault::Hidden;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use crate::context::WorkContext;
use crate::policy::OutboundPolicy;
use crate::program::{DataSource, SqlJob};
use crate::work::Limits;

/// Beside its one largest row, a frame has a batch and the names of columns.
const ROOM: usize = 4 << 20;
/// The largest request: statements and parameters have limits of their own.
pub(super) const REQUEST: usize = 64 << 20;
/// How long a word to the process may take: it reads them all at once, so the pipe has room.
const SAY: Duration = Duration::from_secs(1);

/// What the process is to do: its first frame.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StatementsRequest {
    name: String,
    kind: DataSourceKind,
    host: Option<String>,
    port: Option<u16>,
    database: String,
    user: Option<String>,
    #[serde(with = "hidden")]
    password: Option<Hidden>,
    options: Vec<(String, String)>,
    /// None: to say what the database is.
    statements: Option<String>,
    /// As a JSON object.
    parameters: String,
    sqlite_folder: Option<PathBuf>,
    connect_timeout: Duration,
    rows: u64,
    result: u64,
    cell: u64,
    /// The most memory of the process, in bytes.
    pub(super) memory: u64,
}

impl StatementsRequest {
    pub(super) fn new(job: &SqlJob, with: &WorkContext, limits: Limits) -> Self {
        let request = Self::probe(&job.source, &with.policy);
        let memory = limits.memory_bytes.map_or(request.memory, |bytes| bytes.min(request.memory));
        let parameters = serde_json::to_string(&with.parameters).expect("invariant: a map of values is JSON");
        Self { statements: Some(job.statements.clone()), parameters, memory, ..request }
    }

    pub(super) fn probe(source: &DataSource, policy: &OutboundPolicy) -> Self {
        let DataSource { name, kind, host, port, database, user, password, options } = source.clone();
        let (statements, parameters) = (None, "{}".to_owned());
        let sqlite_folder = policy.sqlite_folder.clone();
        let OutboundPolicy { connect_timeout, rows, result, cell, memory, .. } = *policy;
        Self {
            name,
            kind,
            host,
            port,
            database,
            user,
            password,
            options,
            statements,
            parameters,
            sqlite_folder,
            connect_timeout,
            rows,
            result,
            cell,
            memory,
        }
    }

    /// Its parts, in the process: for whom, how far, with which parameters.
    pub(super) fn open(self) -> io::Result<(SqlJob, OutboundPolicy, serde_json::Map<String, serde_json::Value>)> {
        let Self { name, kind, host, port, database, user, password, options, statements, .. } = self;
        let source = DataSource { name, kind, host, port, database, user, password, options };
        let Self { sqlite_folder, connect_timeout, rows, result, cell, memory, .. } = self;
        let policy =
            OutboundPolicy { sqlite_folder, connect_timeout, rows, result, cell, memory, ..OutboundPolicy::default() };
        let job = SqlJob { statements: statements.unwrap_or_default(), source };
        Ok((job, policy, serde_json::from_str(&self.parameters)?))
    }

    /// Whether it is only asked what the database is.
    pub(super) fn is_probe(&self) -> bool {
        self.statements.is_none()
    }
}

/// What is wanted of the process, after its request.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum Instruction {
    Run,
    Pause,
    /// The running statement is to be cancelled, and the process to end.
    Cancel,
}

/// What the process says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// A line for the log.
    Note(String),
    Begin(Vec<Column>),
    Rows(Vec<Row>),
    EndOfSet {
        truncated: bool,
    },
    Progress {
        fraction: f64,
        text: String,
    },
    /// It has ended, and says nothing after this.
    Ended(LastWord),
}

/// The version that was asked for; or what failed.
pub(super) type LastWord = Result<Option<String>, String>;

#[derive(Debug)]
pub(super) struct FrameReader(FramedRead<Receiver, LengthDelimitedCodec>);

impl FrameReader {
    pub(super) fn new(pipe: Receiver, most: usize) -> Self {
        Self(FramedRead::new(pipe, codec(most)))
    }

    /// The next value; none: the other side is gone.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        let frame = self.0.next().await.transpose()?;
        frame.map(|frame| postcard::from_bytes(&frame).map_err(io::Error::other)).transpose()
    }
}

#[derive(Debug)]
pub(super) struct FrameWriter(FramedWrite<Sender, LengthDelimitedCodec>);

impl FrameWriter {
    pub(super) fn new(pipe: Sender) -> Self {
        Self(FramedWrite::new(pipe, codec(u32::MAX as usize)))
    }

    pub(super) async fn send<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let frame = postcard::to_stdvec(value).map_err(io::Error::other)?;
        self.0.send(Bytes::from(frame)).await
    }

    /// The same, to somebody who may be gone, or stands still.
    pub(super) async fn say<T: Serialize>(&mut self, value: &T) {
        let _ = tokio::time::timeout(SAY, self.send(value)).await;
    }
}

/// What is heard of a process.
#[derive(Debug)]
pub(super) struct SaidFrames(FrameReader);

impl SaidFrames {
    /// Frames of rows up to so many bytes.
    pub(super) fn new(pipe: Receiver, row: u64) -> Self {
        Self(FrameReader::new(pipe, usize::try_from(row).unwrap_or(usize::MAX).saturating_add(ROOM)))
    }

    /// The next word; none: it has ended without a last one.
    pub(super) async fn next(&mut self) -> Option<Said> {
        match self.0.next().await {
            Ok(said) => said,
            Err(error) => Some(Said::Ended(Err(format!("the process of the statements is not understood: {error}")))),
        }
    }
}

fn codec(most: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(most).new_codec()
}

mod hidden {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use taskloom_vault::Hidden;

    pub(super) fn serialize<S: Serializer>(hidden: &Option<Hidden>, serializer: S) -> Result<S::Ok, S::Error> {
        hidden.as_ref().map(Hidden::expose).serialize(serializer)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<Hidden>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(Hidden::new))
    }
}

#[cfg(test)]
mod tests {
    use taskloom_core::ColumnType;
    use tokio::net::unix::pipe::pipe;

    use super::*;

    #[tokio::test]
    async fn what_is_said_is_heard_and_no_frame_is_larger_than_it_may_be() {
        let (near, far) = pipe().unwrap();
        let (mut writes, mut says) = (FrameWriter::new(near), SaidFrames::new(far, 1 << 20));
        writes.send(&Said::Begin(vec![Column::new("升", ColumnType::Bigint)])).await.unwrap();
        writes.send(&Said::Rows(vec![vec![Some("a\0".to_owned()), None], vec![]])).await.unwrap();
        let Some(Said::Begin(columns)) = says.next().await else { panic!("no columns") };
        assert_eq!(columns, [Column::new("升", ColumnType::Bigint)]);
        let Some(Said::Rows(rows)) = says.next().await else { panic!("no rows") };
        assert_eq!(rows, [vec![Some("a\0".to_owned()), None], vec![]]);
        let large = Said::Note("x".repeat(ROOM + (1 << 20)));
        let (_, heard) = tokio::join!(writes.say(&large), says.next());
        assert!(matches!(heard, Some(Said::Ended(Err(_)))), "{heard:?}");
        drop(writes);
        assert!(says.next().await.is_none(), "the other side is gone");
    }

    #[test]
    fn an_errand_hides_its_password_from_logs_and_gives_it_to_the_process() {
        let source = DataSource {
            name: "s".to_owned(),
            kind: DataSourceKind::Postgresql,
            host: None,
            port: Some(1),
            database: "d".to_owned(),
            user: None,
            password: Some(Hidden::new("swordfish".to_owned())),
            options: vec![],
        };
        let request = StatementsRequest::probe(&source, &OutboundPolicy::default());
        assert!(!format!("{request:?}").contains("swordfish") && request.is_probe());
        let sent: StatementsRequest = postcard::from_bytes(&postcard::to_stdvec(&request).unwrap()).unwrap();
        assert_eq!(sent.open().unwrap().0.source, source);
    }
}
