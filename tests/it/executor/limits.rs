//! Limits and what was used.

use taskloom::executor::{Enforcement, Limits, Outcome, Program};

use super::stage::each_way;

const HUNGRY: &str = "block = bytearray(600_000_000)\nprint('got it')";

#[tokio::test]
async fn memory_is_limited_and_what_is_not_is_said() {
    each_way(async |stage| {
        let can = stage.host.capabilities();
        let mut work = stage.work("w", Program::Python(HUNGRY.to_owned()));
        work.limits = Limits { memory_bytes: Some(300_000_000), cpu: Some(0.5), processes: Some(50), file_size: None };
        let (finished, said) = stage.run(work).await;
        assert_eq!(finished.outcome, Outcome::Failed, "{finished:?} {said:?}");
        assert_eq!(said.text(), "");
        let says = |text: &str| said.system.contains(text);
        assert_eq!(says("each process alone"), can.memory == Enforcement::EachProcess);
        assert_eq!(says("the cpu limit cannot be enforced"), can.cpu == Enforcement::No);
        assert_eq!(says("the processes limit cannot be enforced"), can.processes == Enforcement::No);
    })
    .await;
}

#[tokio::test]
async fn the_host_says_what_it_does() {
    each_way(async |stage| {
        let text = stage.host.describe();
        let way = match stage.host.capabilities().way {
            taskloom::executor::TreeKind::Cgroup => "control groups in /",
            taskloom::executor::TreeKind::Subreaper => {
                "the sub-reaper (control groups: not wanted by the configuration)"
            }
        };
        assert!(text.contains(way) && text.contains("; limits: memory ") && text.contains("guardian"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn what_is_used_is_told_while_it_runs_and_at_the_end() {
    each_way(async |stage| {
        let code = "block = bytearray(100_000_000)\nimport time\nend = time.process_time() + 0.5\n\
             while time.process_time() < end: pass\nprint('worked')\nimport os\n\
             while not os.path.exists('go'): time.sleep(0.02)\n";
        let mut work = stage.start(stage.work("w", Program::Python(code.to_owned())));
        work.until(|said| said.text().contains("worked")).await;
        let said = work.until(|said| said.usage.is_some_and(|usage| usage.cpu_seconds >= 0.5)).await;
        let live = said.usage.unwrap();
        assert!(live.memory_bytes > 100_000_000, "{live:?}");
        std::fs::write(work.folder.join("go"), "").unwrap();
        let (finished, _) = work.finish().await;
        assert!(finished.usage.cpu_seconds >= live.cpu_seconds, "{:?}", finished.usage);
        assert!(finished.usage.peak_memory_bytes >= live.memory_bytes);
        assert!(finished.usage.processes >= 1);
    })
    .await;
}

#[tokio::test]
async fn a_short_work_is_measured_too() {
    each_way(async |stage| {
        let code = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done";
        let (finished, _) = stage.run_shell(code).await;
        assert!(finished.usage.cpu_seconds > 0.0, "{:?}", finished.usage);
        assert_eq!(finished.usage.processes, 1);
    })
    .await;
}
