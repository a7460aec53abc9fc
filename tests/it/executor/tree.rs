//! Nothing escapes: normal, `setsid`, double-forked and disguised children are stopped, frozen and counted alike.

use std::time::Duration;

use taskloom::executor::{Order, Outcome, Program, StopReason};

use super::stage::{each_way, eventually, lives, living, look};

/// Starts `$1` in five ways of getting lost, and says `all` when their numbers have been told.
const FAMILY: &str = r#"
family() {
    "$@" & echo "pid $!"
    setsid "$@" & echo "pid $!"
    ( "$@" & echo "pid $!" )
    setsid sh -c '"$@" & echo "pid $!"' family "$@"
    env -i PATH="$PATH" setsid sh -c 'cd /; "$@" >/dev/null 2>&1 & echo "pid $!"' family "$@"
    echo all
}
"#;

fn family(then: &str) -> String {
    format!("{FAMILY}\n{then}")
}

#[tokio::test]
async fn a_cancel_leaves_nobody() {
    each_way(async |stage| {
        let mut work = stage.shell("w", &family("family sleep 1000; echo pid $$; sleep 1000"));
        let pids = work.until(|said| said.pids().len() == 6).await.pids();
        assert_eq!(living(&pids), pids);
        work.order(Order::Stop(StopReason::Canceled));
        let (finished, said) = work.finish().await;
        assert_eq!(living(&pids), [0; 0]);
        assert_eq!(finished.outcome, Outcome::Canceled);
        assert!(said.system.contains("TERM"), "{}", said.system);
    })
    .await;
}

#[tokio::test]
async fn a_kill_needs_no_grace() {
    each_way(async |stage| {
        let code = family("trap '' TERM; family sleep 1000; echo pid $$; while :; do sleep 1000; done");
        let mut work = stage.shell("w", &code);
        let pids = work.until(|said| said.pids().len() == 6).await.pids();
        work.order(Order::Stop(StopReason::Shutdown));
        work.until(|said| said.system.contains("TERM")).await;
        work.order(Order::Kill(StopReason::Shutdown));
        let (finished, _) = work.finish().await;
        assert_eq!(living(&pids), [0; 0]);
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Lost, None));
    })
    .await;
}

#[tokio::test]
async fn who_ignores_term_is_killed_after_the_grace() {
    each_way(async |stage| {
        let code = "trap '' TERM; setsid sleep 1000 & echo pid $!; echo pid $$; while :; do sleep 1000; done";
        let mut work = stage.work("w", Program::Shell(code.to_owned()));
        work.grace = Duration::from_millis(300);
        let mut work = stage.start(work);
        let pids = work.until(|said| said.pids().len() == 2).await.pids();
        work.order(Order::Stop(StopReason::Canceled));
        let (finished, said) = work.finish().await;
        assert_eq!(living(&pids), [0; 0]);
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Canceled, None));
        assert!(said.system.contains("KILL"), "{}", said.system);
    })
    .await;
}

#[tokio::test]
async fn who_heeds_term_may_tidy_up() {
    each_way(async |stage| {
        let code = "trap 'echo tidied; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
        let mut work = stage.shell("w", code);
        work.until(|said| said.text().contains("ready")).await;
        work.order(Order::Stop(StopReason::Canceled));
        let (finished, said) = work.finish().await;
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Canceled, Some(7)));
        assert!(said.text().ends_with("tidied\n"), "{}", said.text());
    })
    .await;
}

#[tokio::test]
async fn a_pause_stops_everybody_and_a_resume_goes_on() {
    each_way(async |stage| {
        let code = family("spin() { while :; do :; done; }; family sh -c 'while :; do :; done'; echo pid $$; spin");
        let mut work = stage.shell("w", &code);
        let pids = work.until(|said| said.pids().len() == 6).await.pids();
        let used = || pids.iter().map(|pid| look(*pid).unwrap().1).collect::<Vec<_>>();
        let busy = used();
        eventually("all of them use the processor", || used().iter().zip(&busy).all(|(now, then)| now > then)).await;

        work.order(Order::Pause);
        work.until(|said| said.system.contains("paused")).await;
        // A busy loop wants to run at any time, unless it is frozen.
        eventually("all of them stand still", || pids.iter().all(|pid| look(*pid).unwrap().0 != 'R')).await;
        let frozen = used();
        let busy = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
        let (other, _) = stage.run(stage.work("other", Program::Shell(busy.to_owned()))).await;
        assert!(other.usage.cpu_seconds > 0.05, "another work gets the processor meanwhile: {:?}", other.usage);
        assert_eq!(used(), frozen);

        work.order(Order::Run);
        eventually("all of them go on", || used().iter().zip(&frozen).all(|(now, then)| now > then)).await;
        work.order(Order::Pause);
        work.order(Order::Stop(StopReason::Canceled));
        let (finished, _) = work.finish().await;
        assert_eq!(living(&pids), [0; 0]);
        assert_eq!(finished.outcome, Outcome::Canceled);
        assert!(finished.usage.cpu_seconds > 0.0);
        assert!(finished.usage.processes >= 6, "{:?}", finished.usage);
    })
    .await;
}

#[tokio::test]
async fn what_a_step_leaves_behind_ends_with_it() {
    each_way(async |stage| {
        let (finished, said) = stage.run_shell(&family("family sleep 1000; exit 3")).await;
        assert_eq!(living(&said.pids()), [0; 0]);
        assert_eq!(said.pids().len(), 5);
        assert_eq!((finished.outcome, finished.exit_code), (Outcome::Failed, Some(3)));
        assert_eq!(finished.message.as_deref(), Some("exit status 3"));
        assert!(said.system.contains("left others"), "{}", said.system);
    })
    .await;
}

#[tokio::test]
async fn the_last_words_of_a_leftover_are_heard() {
    each_way(async |stage| {
        let (finished, said) = stage.run_shell("(while kill -0 $$; do :; done 2>/dev/null; echo late) & exit 0").await;
        assert_eq!(finished.outcome, Outcome::Succeeded);
        assert_eq!((said.text().as_str(), said.system.as_str()), ("late\n", ""));
    })
    .await;
}

#[tokio::test]
async fn works_do_not_touch_each_other() {
    each_way(async |stage| {
        let mut first = stage.shell("first", &family("family sleep 1000; echo pid $$; sleep 1000"));
        let mut second = stage.shell("second", &family("family sleep 1000; echo pid $$; sleep 1000"));
        let first_pids = first.until(|said| said.pids().len() == 6).await.pids();
        let second_pids = second.until(|said| said.pids().len() == 6).await.pids();
        first.order(Order::Stop(StopReason::Canceled));
        first.finish().await;
        assert_eq!(living(&first_pids), [0; 0]);
        assert_eq!(living(&second_pids), second_pids);
        second.order(Order::Stop(StopReason::Canceled));
        second.finish().await;
        assert_eq!(living(&second_pids), [0; 0]);
    })
    .await;
}

#[tokio::test]
async fn nobody_waits_so_nobody_runs() {
    each_way(async |stage| {
        let mut work = stage.shell("w", &family("trap '' TERM; family sleep 1000; echo pid $$; sleep 1000"));
        let pids = work.until(|said| said.pids().len() == 6).await.pids();
        work.abandon();
        eventually("the abandoned processes are gone", || !pids.iter().any(|pid| lives(*pid))).await;
        let next = stage.shell("next", "exit 0");
        assert_eq!(next.finish().await.0.outcome, Outcome::Succeeded);
    })
    .await;
}

#[tokio::test]
async fn a_hundred_at_once() {
    each_way(async |stage| {
        let go = stage.folder.path().join("go");
        let wait = format!("while [ ! -e {} ]; do sleep 0.1; done", go.display());
        let code = format!("echo hello $TASKLOOM_PARAM_n; ({wait}; echo child) & wait; exit $((TASKLOOM_PARAM_n % 2))");
        let works = (0..100).map(|n| {
            let mut work = stage.work(&format!("w{n}"), Program::Shell(code.clone()));
            work.parameters = serde_json::json!({ "n": n });
            stage.start(work)
        });
        let mut works = works.collect::<Vec<_>>();
        for work in &mut works {
            work.until(|said| said.text().contains("hello")).await;
        }
        std::fs::write(&go, "").unwrap();
        for (n, work) in works.into_iter().enumerate() {
            let (finished, said) = work.finish().await;
            assert_eq!(said.text(), format!("hello {n}\nchild\n"));
            assert_eq!(finished.exit_code, Some(i32::try_from(n % 2).unwrap()));
        }
    })
    .await;
}

#[tokio::test]
async fn who_forks_without_end_is_ended() {
    each_way(async |stage| {
        let name = format!("{}.5", std::process::id());
        let code = format!("trap '' TERM; echo begun; while :; do (setsid sleep {name} &); done");
        let mut work = stage.shell("w", &code);
        work.until(|said| said.text().contains("begun")).await;
        eventually("there are many", || named(&name) > 20).await;
        work.order(Order::Kill(StopReason::Canceled));
        let (finished, _) = work.finish().await;
        assert_eq!(finished.outcome, Outcome::Canceled);
        assert_eq!(named(&name), 0);
    })
    .await;
}

#[tokio::test]
async fn the_dead_are_buried() {
    each_way(async |stage| {
        let code = "(setsid true &); (setsid true & echo pid $!); echo pid $$; while [ ! -e go ]; do sleep 0.02; done";
        let mut work = stage.shell("w", code);
        let pids = work.until(|said| said.pids().len() == 2).await.pids();
        eventually("the orphan is not even a zombie", || look(pids[0]).is_none()).await;
        assert!(lives(pids[1]));
        std::fs::write(work.folder.join("go"), "").unwrap();
        let (finished, said) = work.finish().await;
        assert_eq!((finished.outcome, said.system.as_str()), (Outcome::Succeeded, ""));
    })
    .await;
}

#[tokio::test]
async fn a_name_is_for_one_work_at_a_time() {
    each_way(async |stage| {
        let mut first = stage.shell("same", "echo pid $$; sleep 1000");
        let pids = first.until(|said| said.pids().len() == 1).await.pids();
        let (_orders, receiver) = tokio::sync::watch::channel(Order::Run);
        let (reports, _said) = tokio::sync::mpsc::channel(1);
        let work = stage.work("same", Program::Shell("exit 0".to_owned()));
        let clock = taskloom::executor::LineClock::system();
        let refused = stage.host.run(work, receiver, reports, clock).await;
        assert!(matches!(refused, Err(taskloom::executor::ExecutorError::Taken(_))), "{refused:?}");
        assert_eq!(living(&pids), pids);
        first.order(Order::Kill(StopReason::Canceled));
        assert_eq!(first.finish().await.0.outcome, Outcome::Canceled);
    })
    .await;
}

/// How many processes live that were given this argument.
fn named(argument: &str) -> usize {
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_it = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes())
    };
    pids.filter(is_it).filter(|pid| lives(*pid)).count()
}
