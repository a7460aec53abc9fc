//! The program without a process.

use std::time::Duration;

use taskloom::executor::{Order, Outcome, Program, StopReason, TreeKind};

use super::stage::{Running, SOON, Stage};

fn start(sleep: Option<Duration>, timeout: Option<Duration>) -> (Stage, Running) {
    let stage = Stage::open(TreeKind::Subreaper).unwrap();
    let mut work = stage.work("w", Program::Noop { sleep });
    work.timeout = timeout;
    let running = stage.start(work);
    (stage, running)
}

#[tokio::test]
async fn it_does_nothing_at_once() {
    let (_stage, work) = start(None, Some(Duration::ZERO));
    let folder = work.folder.clone();
    assert_eq!(work.finish().await.0.outcome, Outcome::Succeeded);
    assert!(!folder.exists());
}

#[tokio::test]
async fn it_takes_its_time_or_the_limit() {
    let (_stage, work) = start(Some(Duration::from_millis(50)), Some(SOON));
    assert_eq!(work.finish().await.0.outcome, Outcome::Succeeded);
    let (_stage, work) = start(Some(SOON * 9), Some(Duration::from_millis(50)));
    let (finished, _) = work.finish().await;
    assert_eq!(finished.outcome, Outcome::TimedOut);
    assert_eq!(finished.message.as_deref(), Some("the time limit of 50ms was reached"));
}

#[tokio::test]
async fn it_obeys() {
    let (_stage, work) = start(Some(SOON * 9), None);
    work.order(Order::Pause);
    work.order(Order::Run);
    work.order(Order::Stop(StopReason::Canceled));
    assert_eq!(work.finish().await.0.outcome, Outcome::Canceled);
    let (_stage, work) = start(Some(SOON * 9), None);
    work.order(Order::Kill(StopReason::Shutdown));
    assert_eq!(work.finish().await.0.outcome, Outcome::Lost);
}

#[tokio::test]
async fn a_pause_stretches_it() {
    let (orders, receiver) = tokio::sync::watch::channel(Order::Pause);
    let (reports, _said) = tokio::sync::mpsc::channel(8);
    let stage = Stage::open(TreeKind::Subreaper).unwrap();
    let work = stage.work("w", Program::Noop { sleep: Some(Duration::from_millis(50)) });
    let clock = taskloom::executor::LineClock::system();
    let host = stage.host.clone();
    let answer = tokio::spawn(async move { host.run(work, receiver, reports, clock).await });
    // Another that takes longer is over first.
    let other = stage.work("other", Program::Noop { sleep: Some(Duration::from_millis(300)) });
    assert_eq!(stage.run(other).await.0.outcome, Outcome::Succeeded);
    assert!(!answer.is_finished());
    orders.send(Order::Run).unwrap();
    let finished = tokio::time::timeout(SOON, answer).await.unwrap().unwrap().unwrap();
    assert_eq!(finished.outcome, Outcome::Succeeded);
}
