//! What becomes of processes when the server dies.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use taskloom::executor::{Host, HostOptions, LineClock, Order, Program, TreeChoice, TreeKind};

use super::stage::{Stage, eventually, lives, living, ways};

const ROLE: &str = "TASKLOOM_TEST_SERVER";
const CODE: &str = "trap '' TERM; sleep 1000 & echo pid $!; setsid sleep 1000 & echo pid $!; \
    ( setsid sh -c 'sleep 1000 & echo pid $!' ); echo pid $$; sleep 1000";

/// The server: runs one work and prints what it says, until it is killed.
async fn serve(folder: &str, way: TreeKind) {
    let host = Host::detect(&HostOptions { way: TreeChoice::Only(way), ..HostOptions::new(folder) }).unwrap();
    let stage = Stage { host: host.clone(), folder: tempfile::tempdir().unwrap() };
    let work = stage.work("w", Program::Shell(CODE.to_owned()));
    let (_orders, receiver) = tokio::sync::watch::channel(Order::Run);
    let (reports, mut said) = tokio::sync::mpsc::channel(8);
    let talk = async {
        while let Some(report) = said.recv().await {
            if let taskloom::executor::Report::Lines(block) = report {
                eprint!("{}", String::from_utf8_lossy(&block.text));
            }
        }
    };
    let (finished, ()) = tokio::join!(host.run(work, receiver, reports, LineClock::system()), talk);
    panic!("it was to be killed: {finished:?}");
}

/// A server in a process of its own: this test once more, in its other role. With the processes that it started.
fn server(test: &str, folder: &str, way: TreeKind) -> (Child, Vec<i32>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture"]).env(ROLE, format!("{way:?}:{folder}"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let pids = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("pid ")?.trim().parse().ok());
    let pids: Vec<i32> = pids.take(4).collect();
    assert_eq!(living(&pids).len(), 4);
    (child, pids)
}

fn role() -> Option<(TreeKind, String)> {
    let role = std::env::var(ROLE).ok()?;
    let (way, folder) = role.split_once(':')?;
    Some((if way == "Cgroup" { TreeKind::Cgroup } else { TreeKind::Subreaper }, folder.to_owned()))
}

fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[tokio::test]
async fn a_killed_server_takes_its_processes_along() {
    if let Some((way, folder)) = role() {
        return serve(&folder, way).await;
    }
    for way in ways() {
        let folder = tempfile::tempdir().unwrap();
        let test = "executor::guard::a_killed_server_takes_its_processes_along";
        let (mut server, pids) = server(test, folder.path().to_str().unwrap(), way);
        end(&mut server);
        eventually("the guardian has killed them all", || !pids.iter().any(|pid| lives(*pid))).await;
        assert_eq!(living(&pids), [0; 0]);
    }
}

#[tokio::test]
async fn a_start_sweeps_what_an_earlier_life_has_left() {
    if let Some((way, folder)) = role() {
        return serve(&folder, way).await;
    }
    // The next life finds them whichever way it uses itself.
    for (before, after) in ways().into_iter().flat_map(|before| ways().into_iter().map(move |after| (before, after))) {
        let folder = tempfile::tempdir().unwrap();
        let test = "executor::guard::a_start_sweeps_what_an_earlier_life_has_left";
        let (mut server, pids) = server(test, folder.path().to_str().unwrap(), before);
        for guard in guards(server.id()) {
            kill(Pid::from_raw(guard), Signal::SIGKILL).unwrap();
        }
        end(&mut server);
        assert_eq!(living(&pids), pids, "without a guardian they go on");

        let other = Stage::open(after).unwrap();
        assert_eq!(other.host.sweep().await.unwrap().processes, 0, "another data folder's are not ours");
        assert_eq!(living(&pids), pids);

        let options = HostOptions { way: TreeChoice::Only(after), ..HostOptions::new(folder.path()) };
        let next = Host::detect(&options).unwrap();
        assert!(next.sweep().await.unwrap().processes >= 4);
        assert_eq!(living(&pids), [0; 0]);
        assert_eq!(next.sweep().await.unwrap().processes, 0);
    }
}

/// The guardians of a server.
fn guards(server: u32) -> Vec<i32> {
    let all =
        fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse::<i32>().ok());
    let is_guard = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parent == Some(server) && String::from_utf8_lossy(&line).contains("taskloom-guard")
    };
    all.filter(is_guard).collect()
}
