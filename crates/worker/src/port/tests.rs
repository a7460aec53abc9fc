//! Each type of the port goes through JSON and comes back as it was; a secret is in what goes to a worker alone.

use std::fmt::Debug;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, json};
use taskloom_core::error::{Error, code};
use taskloom_core::log::{Gather, Source};
use taskloom_core::rows::{self, Column};
use taskloom_core::{AttemptId, ColumnType, DataSourceKind, Operation, ResultKind, SubtaskId, TaskId, Timestamp};
use taskloom_vault::Hidden;

use super::*;

/// Sends a value there and back.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(serde_json::from_str::<T>(&text).unwrap(), *value, "{text}");
}

fn attempt() -> AttemptRef {
    AttemptRef { id: AttemptId(7), subtask_id: SubtaskId(i64::MAX), task_id: TaskId(3), epoch: 2 }
}

fn object(value: &serde_json::Value) -> Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

fn measured() -> ResourceUse {
    ResourceUse { cpu_seconds: Some(0.25), memory_bytes: Some(1 << 40), peak_memory_bytes: None, processes: Some(3) }
}

fn equipment() -> AttemptEquipment {
    let secret = |text: &str| PortSecret::from(Hidden::new(text.to_owned()));
    AttemptEquipment {
        secrets: vec![("TOKEN".into(), secret("gold in the \"cellar\" 升"))],
        source: Some(DataSourceAccess {
            name: "books".into(),
            kind: DataSourceKind::Postgresql,
            host: Some("db".into()),
            port: Some(5432),
            database: "books".into(),
            user: Some("reader".into()),
            password: Some(secret("gold of the books")),
            options: vec![("sslmode".into(), "require".into())],
        }),
        vcenter: Some(VcenterAccess {
            name: "lab".into(),
            address: "https://lab/sdk".into(),
            trust: CertificateTrust::Thumbprint("AB:CD".into()),
            user: "root".into(),
            password: secret("gold of the lab"),
        }),
    }
}

#[test]
fn a_session_survives() {
    let labels = vec!["gpu".into(), "升".into()];
    survives(&WorkerRegistration { name: "w".into(), labels, slots: 4, isolation: "none".into() });
    survives(&WorkerSession { id: "0190".into(), lease: Duration::from_millis(15_001) });
    survives(&Some(Timestamp(1_700_000_000_000_001)));
}

#[test]
fn work_survives() {
    let spec = json!({"name": "a", "shell": "true"}).to_string();
    let parameters = object(&json!({"z": 1, "a": [null, 1.5, {"deep": "\u{0}"}]}));
    let assignment = Assignment {
        attempt: attempt(),
        operation: Operation::Rollback,
        number: 2,
        first_line: i64::MAX,
        spec,
        parameters,
    };
    survives(&vec![assignment]);
    let intents = [Intent::Run, Intent::Pause, Intent::Cancel, Intent::GiveBack, Intent::Drop];
    survives(&intents.map(|intent| (attempt(), intent)).to_vec());
}

#[test]
fn what_an_attempt_says_survives() {
    let mut gather = Gather::into_chunks(1 << 20);
    assert_eq!(gather.push(b"\xff one\n", 1, Source::Stderr, Timestamp(5)), None);
    survives(&vec![gather.seal().unwrap()]);
    survives(&AttemptReport::Progress(0.1, Some("half\tway".into())));
    survives(&AttemptReport::Warning("careful".into()));
    survives(&AttemptReport::Usage(measured()));
    let rows = rows::RowChunk::seal(&[vec![Some("1".into()), None]]);
    let columns = vec![Column::new("n", ColumnType::Int)];
    survives(&vec![
        PackedPart::Begin { number: 0, kind: ResultKind::Table, columns },
        PackedPart::Rows { number: 0, first_row: 1 << 40, chunk: rows },
        PackedPart::End { number: 0, truncated: true },
    ]);
    survives(&[Acceptance::Accepted, Acceptance::Refused].to_vec());
}

#[test]
fn an_end_survives() {
    for outcome in [Outcome::Succeeded, Outcome::Failed, Outcome::TimedOut, Outcome::Canceled, Outcome::Lost] {
        survives(&AttemptEnd::bare(attempt(), outcome, None));
    }
    survives(&AttemptEnd {
        exit_code: Some(-1),
        message: Some("exit status 1: no".into()),
        outputs: object(&json!({"z": "1", "a": ""})),
        used: measured(),
        ..AttemptEnd::lost(attempt(), "it never came")
    });
}

#[test]
fn what_is_given_survives_and_shows_no_secret() {
    survives(&AttemptNeeds { secrets: vec!["TOKEN".into()], source: Some("books".into()), vcenter: None });
    survives(&equipment());
    for trust in [CertificateTrust::System, CertificateTrust::Authorities("-----BEGIN".into())] {
        survives(&trust);
    }
    let sent = serde_json::to_string(&equipment()).unwrap();
    assert_eq!(sent.matches("gold").count(), 3, "a worker gets them: {sent}");
    let shown = format!("{0:?} {0:#?}", equipment());
    assert!(shown.contains("***") && !shown.contains("gold"), "{shown}");
}

#[test]
fn an_error_survives_and_says_what_to_do() {
    let away = PortError::from(Error::new(&code::DATABASE_UNAVAILABLE).source("no route"));
    assert_eq!((away.kind, away.is_database_away()), (PortErrorKind::Away, true));
    assert_eq!(away.cause, "no route");
    let stops = PortError::from(Error::new(&code::SHUTTING_DOWN));
    assert_eq!((stops.kind, stops.is_database_away()), (PortErrorKind::Away, false));
    let record = PortError::from(Error::new(&code::SECRET_NOT_FOUND).with("id", "TOKEN"));
    assert_eq!(record.kind, PortErrorKind::Record);
    assert!(record.to_string().contains("TOKEN"), "{record}");
    for error in [away, stops, record, PortError::session_over()] {
        survives(&error);
    }
}
