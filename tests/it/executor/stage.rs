//! A host on a private folder, works on it, and what they say.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use taskloom::executor::{
    ExecutorError, Finished, Host, HostOptions, Limits, LineClock, Order, Program, Report, Stream, TreeChoice,
    TreeKind, Usage, Work,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::harness::wait;

/// Long enough for a machine under load; nobody waits for it when all is well.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A host on a folder of its own.
pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) folder: TempDir,
}

/// A work that runs.
pub(crate) struct Running {
    pub(crate) orders: watch::Sender<Order>,
    pub(crate) folder: PathBuf,
    reports: mpsc::Receiver<Report>,
    said: Said,
    answer: JoinHandle<Result<Finished, ExecutorError>>,
}

/// What a work has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) system: String,
    pub(crate) lines: u64,
    /// Everything but lines and usage.
    pub(crate) others: Vec<Report>,
    pub(crate) usage: Option<Usage>,
}

/// Runs a story in each way that this machine offers.
pub(crate) async fn each_way(story: impl AsyncFn(Stage)) {
    for way in ways() {
        story(Stage::open(way).unwrap()).await;
    }
}

/// The sub-reaper, which works everywhere, and control groups, which must be tried where they are. A machine of CI has
/// them, unless it says `TASKLOOM_TEST_GROUPS=none`.
pub(crate) fn ways() -> Vec<TreeKind> {
    let why = match Stage::open(TreeKind::Cgroup) {
        Ok(_) => return vec![TreeKind::Subreaper, TreeKind::Cgroup],
        Err(ExecutorError::NoGroups(why)) => why,
        Err(error) => panic!("control groups: {error}"),
    };
    if let Some(group) = writable_group() {
        panic!("control groups can be made in {}, but are not: {why}", group.display());
    }
    let is_none = std::env::var("TASKLOOM_TEST_GROUPS").is_ok_and(|says| says == "none");
    let is_ci = std::env::var_os("CI").is_some();
    assert!(
        is_none || !is_ci,
        "this machine of CI has no control groups: {why}. Give it a writable mount of cgroup v2, or set TASKLOOM_TEST_GROUPS=none"
    );
    eprintln!("NOT RUN with control groups, which this machine does not offer: {why}");
    vec![TreeKind::Subreaper]
}

/// This process's own control group, if a mount of cgroup v2 (proc_pid_mountinfo(5)) shows it and groups can be made there.
fn writable_group() -> Option<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let of_v2 =
        mounts.lines().filter(|line| line.split_once(" - ").is_some_and(|(_, kind)| kind.starts_with("cgroup2 ")));
    let mut groups = of_v2.filter_map(|line| Some(PathBuf::from(line.split(' ').nth(4)?).join(own)));
    groups.find(|group| {
        let probe = group.join(format!("taskloom-test-{}", std::process::id()));
        fs::create_dir(&probe).and_then(|()| fs::remove_dir(&probe)).is_ok()
    })
}

impl Stage {
    pub(crate) fn open(way: TreeKind) -> Result<Self, ExecutorError> {
        let folder = tempfile::tempdir().unwrap();
        let options = HostOptions { way: TreeChoice::Only(way), ..HostOptions::new(folder.path()) };
        Ok(Self { host: Host::detect(&options)?, folder })
    }

    pub(crate) fn work(&self, name: &str, program: Program) -> Work {
        Work {
            name: name.to_owned(),
            folder: self.folder.path().join("attempts").join(name),
            program,
            parameters: serde_json::json!({}),
            environment: vec![],
            timeout: None,
            grace: Duration::from_secs(10),
            limits: Limits::default(),
            user: None,
            secrets: vec![],
        }
    }

    pub(crate) fn start(&self, work: Work) -> Running {
        self.start_with(work, 64)
    }

    pub(crate) fn start_with(&self, work: Work, capacity: usize) -> Running {
        let (orders, receiver) = watch::channel(Order::Run);
        let (sender, reports) = mpsc::channel(capacity);
        let (host, folder) = (self.host.clone(), work.folder.clone());
        let answer = tokio::spawn(async move { host.run(work, receiver, sender, LineClock::system()).await });
        Running { orders, folder, reports, said: Said::default(), answer }
    }

    pub(crate) fn shell(&self, name: &str, code: &str) -> Running {
        self.start(self.work(name, Program::Shell(code.to_owned())))
    }

    pub(crate) async fn run(&self, work: Work) -> (Finished, Said) {
        self.start(work).finish().await
    }

    pub(crate) async fn run_shell(&self, code: &str) -> (Finished, Said) {
        self.run(self.work("w", Program::Shell(code.to_owned()))).await
    }
}

impl Running {
    pub(crate) fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }

    /// Reads reports until `enough` has been said.
    pub(crate) async fn until(&mut self, enough: impl Fn(&Said) -> bool) -> Said {
        let wait = async {
            while !enough(&self.said) {
                match self.reports.recv().await {
                    Some(report) => self.said.hear(report),
                    None => panic!("it ended before it said enough: {:?}, {:?}", (&mut self.answer).await, self.said),
                }
            }
        };
        let waited = tokio::time::timeout(SOON, wait).await;
        waited.unwrap_or_else(|_| panic!("not enough said: {:?}", self.said));
        self.said.clone()
    }

    /// Reads to the end.
    pub(crate) async fn finish(mut self) -> (Finished, Said) {
        let all = async {
            while let Some(report) = self.reports.recv().await {
                self.said.hear(report);
            }
            (&mut self.answer).await.unwrap().unwrap()
        };
        let finished = tokio::time::timeout(2 * SOON, all).await.expect("it does not end");
        (finished, self.said)
    }

    /// Lets nobody wait for the answer any more.
    pub(crate) fn abandon(self) {
        self.answer.abort();
    }

    /// The channel's fill, to see it held back.
    pub(crate) fn waiting_reports(&self) -> usize {
        self.reports.len()
    }
}

impl Said {
    fn hear(&mut self, report: Report) {
        match report {
            Report::Lines(block) => {
                self.lines += u64::from(block.lines);
                match block.stream {
                    Stream::Stdout => self.stdout.extend_from_slice(&block.text),
                    Stream::Stderr => self.stderr.extend_from_slice(&block.text),
                    Stream::System => self.system.push_str(std::str::from_utf8(&block.text).unwrap()),
                }
            }
            Report::Usage(usage) => self.usage = Some(usage),
            other => self.others.push(other),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// The numbers in lines `pid 123`.
    pub(crate) fn pids(&self) -> Vec<i32> {
        self.text().lines().filter_map(|line| line.strip_prefix("pid ")?.trim().parse().ok()).collect()
    }
}

/// State, and processor time in ticks, of a process; `None` when it is gone.
pub(crate) fn look(pid: i32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some((fields[0].chars().next()?, fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?))
}

/// Whether a process runs or could run again.
pub(crate) fn lives(pid: i32) -> bool {
    look(pid).is_some_and(|(state, _)| !matches!(state, 'Z' | 'X'))
}

/// Those of `pids` that live.
pub(crate) fn living(pids: &[i32]) -> Vec<i32> {
    pids.iter().copied().filter(|pid| lives(*pid)).collect()
}

/// Polls until `is_so`.
pub(crate) async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    wait::until_within(SOON, what, async || is_so().then_some(())).await;
}
