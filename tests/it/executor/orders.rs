//! Time limits and orders at odd moments.

use std::time::Duration;

use taskloom::executor::{Order, Outcome, Program, StopReason};

use super::stage::{each_way, lives};

#[tokio::test]
async fn a_time_limit_ends_the_whole_tree() {
    each_way(async |stage| {
        let mut work = stage.work("w", Program::Shell("setsid sleep 1000 & echo pid $!; sleep 1000".to_owned()));
        work.timeout = Some(Duration::from_millis(300));
        let (finished, said) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::TimedOut);
        assert_eq!(finished.message.as_deref(), Some("the time limit of 300ms was reached"));
        assert_eq!(said.pids().iter().filter(|pid| lives(**pid)).count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_time_limit_stands_still_while_paused() {
    each_way(async |stage| {
        let code = "echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.timeout = Some(Duration::from_secs(2));
        let mut work = stage.start(work);
        work.until(|said| said.text().contains("begun")).await;
        work.order(Order::Pause);
        work.until(|said| said.system.contains("paused")).await;
        // Another one begins and comes to the end of the same limit meanwhile.
        let mut other = stage.work("other", Program::Noop { sleep: Some(Duration::from_secs(1000)) });
        other.timeout = Some(Duration::from_secs(2));
        assert_eq!(stage.run(other).await.0.outcome, Outcome::TimedOut);
        std::fs::write(work.folder.join("go"), "").unwrap();
        work.order(Order::Run);
        let (finished, said) = work.finish().await;
        assert_eq!((finished.outcome, said.text().as_str()), (Outcome::Succeeded, "begun\ndone\n"));
        assert_eq!(said.system, "paused\nresumed\n");
    })
    .await;
}

#[tokio::test]
async fn a_paused_work_can_be_stopped_with_its_grace() {
    each_way(async |stage| {
        let mut work = stage.shell("w", "trap 'echo tidied; exit 0' TERM; echo begun; while :; do sleep 0.05; done");
        work.until(|said| said.text().contains("begun")).await;
        work.order(Order::Pause);
        work.until(|said| said.system.contains("paused")).await;
        work.order(Order::Stop(StopReason::Shutdown));
        let (finished, said) = work.finish().await;
        assert_eq!((finished.outcome, said.text().as_str()), (Outcome::Lost, "begun\ntidied\n"));
    })
    .await;
}

#[tokio::test]
async fn a_paused_work_can_be_killed() {
    each_way(async |stage| {
        let mut work = stage.shell("w", "echo pid $$; sleep 1000");
        let pids = work.until(|said| said.pids().len() == 1).await.pids();
        work.order(Order::Pause);
        work.until(|said| said.system.contains("paused")).await;
        work.order(Order::Kill(StopReason::Canceled));
        let (finished, _) = work.finish().await;
        assert_eq!(finished.outcome, Outcome::Canceled);
        assert!(!lives(pids[0]));
    })
    .await;
}

#[tokio::test]
async fn an_order_may_come_before_the_start() {
    each_way(async |stage| {
        let work = stage.shell("stopped", "echo ran");
        work.order(Order::Stop(StopReason::Canceled));
        // Started or not when the order is seen: either way it is canceled, or was already over.
        let (finished, _) = work.finish().await;
        assert!(matches!(finished.outcome, Outcome::Canceled | Outcome::Succeeded));

        let (orders, receiver) = tokio::sync::watch::channel(Order::Stop(StopReason::Shutdown));
        let (reports, mut said) = tokio::sync::mpsc::channel(8);
        let work = stage.work("never", Program::Shell("echo ran".to_owned()));
        let folder = work.folder.clone();
        let clock = taskloom::executor::LineClock::system();
        let finished = stage.host.run(work, receiver, reports, clock).await.unwrap();
        assert_eq!((finished.outcome, said.recv().await, folder.exists()), (Outcome::Lost, None, false));
        drop(orders);
    })
    .await;
}

#[tokio::test]
async fn who_gives_orders_may_go_away() {
    each_way(async |stage| {
        let mut work = stage.shell("w", "echo begun; while [ ! -e go ]; do sleep 0.02; done; echo done");
        work.until(|said| said.text().contains("begun")).await;
        work.orders = tokio::sync::watch::channel(Order::Run).0;
        std::fs::write(work.folder.join("go"), "").unwrap();
        let (finished, said) = work.finish().await;
        assert_eq!((finished.outcome, said.text().as_str()), (Outcome::Succeeded, "begun\ndone\n"));
    })
    .await;
}

#[tokio::test]
async fn a_signal_is_named() {
    each_way(async |stage| {
        let (finished, _) = stage.run_shell("kill -SEGV $$").await;
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Failed, None));
        assert_eq!(finished.message.as_deref(), Some("ended by SIGSEGV"));
        let (finished, _) = stage.run_shell("kill -40 $$").await;
        assert_eq!(finished.message.as_deref(), Some("ended by a signal"));
    })
    .await;
}
