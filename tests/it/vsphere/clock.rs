//! A vCenter's clock that is ahead and is set right: what it gave out in advance hides nothing that comes later.

use std::sync::{Arc, Mutex};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use nix::sys::signal::Signal;
use serde_json::json;

use super::lab::{Ground, agree, collection, follows, on_both, register_plain, truth};
use super::proxy::{Meddle, Meddler, retime};
use super::simulator::Simulator;
use crate::harness::server::{Server, until};

on_both!(a_clock_that_is_set_right_while_nobody_looks, a_clock_that_is_set_right_while_it_is_followed);

/// How far it is ahead.
const AHEAD: TimeDelta = TimeDelta::hours(1);

/// What happened before this moment has been given instants of a clock that was ahead; none: it still is.
#[derive(Default)]
struct Ahead(Mutex<Option<DateTime<Utc>>>);

impl Ahead {
    fn shown(&self, at: DateTime<Utc>) -> String {
        let is_ahead = self.0.lock().unwrap().is_none_or(|right| at < right);
        (if is_ahead { at + AHEAD } else { at }).to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    fn set_right(&self) {
        *self.0.lock().unwrap() = Some(Utc::now());
    }
}

impl Meddle for Ahead {
    fn answer(&self, method: &str, body: String) -> Option<Vec<u8>> {
        let mut text = retime(&body, |_, at| self.shown(at));
        if method == "CurrentTime"
            && let Some((before, rest)) = body.split_once("<returnval>")
        {
            let (now, behind) = rest.split_once('<').unwrap();
            text = format!("{before}<returnval>{}<{behind}", self.shown(now.parse().unwrap()));
        }
        Some(text.into_bytes())
    }
}

async fn jumped(server: &Server) {
    let said = until("the jump is said", async || {
        let said = collection(server, "lab").await;
        said["clockJump"].is_number().then_some(said)
    })
    .await;
    let jump = said["clockJump"].as_f64().unwrap();
    assert!((jump + 3600.0).abs() < 30.0, "{said}");
    assert!(said["clockOffset"].as_f64().unwrap().abs() < 30.0, "{said}");
    until("it is said to people", async || {
        let said = collection(server, "lab").await;
        let is_said = said["message"].as_str()?.contains("clock jumped back by 3");
        (said["state"] == "FOLLOWING" && said["reason"] == "CLOCK_JUMPED" && is_said).then_some(())
    })
    .await;
}

async fn a_clock_that_is_set_right_while_nobody_looks(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false"]).await;
    let ahead = Arc::new(Ahead::default());
    let proxy = Meddler::before(&simulator.url, ahead.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    follows(&server, "lab").await;
    simulator.post("/tasks", json!({"count": 20, "seconds": 0})).await;
    agree(&server, &id, &simulator).await;
    until("how far it is read is written", async || {
        (collection(&server, "lab").await["clockOffset"].as_f64()? > 3500.0).then_some(())
    })
    .await;
    server.signal(Signal::SIGKILL);
    drop(server);
    ahead.set_right();
    simulator.post("/tasks", json!({"count": 260, "seconds": 0})).await;
    let server = ground.server().await;
    agree(&server, &id, &simulator).await;
    assert_eq!(truth(&simulator).await.len(), 280);
    jumped(&server).await;
}

async fn a_clock_that_is_set_right_while_it_is_followed(ground: Ground) {
    let simulator = Simulator::start(&["-tls=false"]).await;
    let ahead = Arc::new(Ahead::default());
    let proxy = Meddler::before(&simulator.url, ahead.clone()).await;
    let server = ground.server().await;
    let id = register_plain(&server, "lab", &proxy.url).await;
    follows(&server, "lab").await;
    simulator.post("/tasks", json!({"count": 20, "seconds": 0})).await;
    agree(&server, &id, &simulator).await;
    ahead.set_right();
    // A burst that outruns the latest page is read from the history.
    simulator.post("/tasks", json!({"count": 260, "seconds": 0})).await;
    agree(&server, &id, &simulator).await;
    jumped(&server).await;
}
