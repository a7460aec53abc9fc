//! What the executor alone costs, beside the floor of this machine in the same run: processes started by the standard
//! library, and `cat` into a reader that only counts. Run by hand: `cargo bench --bench executor`,
//! `… -- starts` for the starts alone; asserts nothing.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people at a terminal")]

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use taskloom::executor::{
    Host, HostOptions, Limits, LineClock, Order, Outcome, Program, Report, TreeChoice, TreeKind, Work,
};
use tokio::sync::{mpsc, watch};

/// A server holds memory, and starting a process must not depend on how much.
const BALLAST: usize = 60 << 20;
const FLOWS: u64 = 200;
const STEPS: u64 = 3;
const LONE: usize = 60;
const PAUSE: Duration = Duration::from_millis(200);
const BYTES: u64 = 1_000_000_000;

static COUNT: AtomicU64 = AtomicU64::new(0);

fn main() {
    let ballast = std::hint::black_box(vec![1_u8; BALLAST]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let floor = spawn_floor();
    println!("floor: a flow of three `sh -c true` by the standard library {:.2} ms", floor.as_secs_f64() * 1e3);
    let read_floor = (!std::env::args().any(|word| word == "starts")).then(read_floor);
    if let Some(floor) = read_floor {
        println!("floor: 1 GB of lines into a reader that counts bytes {floor:.0} MB/s");
    }
    for way in [TreeKind::Cgroup, TreeKind::Subreaper] {
        let folder = tempfile::tempdir().unwrap();
        let options = HostOptions { way: TreeChoice::Only(way), ..HostOptions::new(folder.path()) };
        let host = match Host::detect(&options) {
            Ok(host) => host,
            Err(error) => {
                println!("{way:?}: {error}");
                continue;
            }
        };
        println!("{}", host.describe());
        let bench = Bench { host, folder: folder.path().into() };
        runtime.block_on(bench.flows(1, floor));
        runtime.block_on(bench.flows(10, floor));
        runtime.block_on(bench.lone());
        if let Some(floor) = read_floor {
            runtime.block_on(bench.lines(floor));
        }
    }
    drop(ballast);
}

#[derive(Clone)]
struct Bench {
    host: Host,
    folder: std::path::PathBuf,
}

impl Bench {
    async fn flows(&self, at_a_time: u64, floor: Duration) {
        let began = Instant::now();
        let lanes: Vec<_> = (0..at_a_time)
            .map(|_| {
                let bench = self.clone();
                tokio::spawn(async move {
                    for _ in 0..(FLOWS / at_a_time) * STEPS {
                        bench.run("true").await;
                    }
                })
            })
            .collect();
        for lane in lanes {
            lane.await.unwrap();
        }
        let each = began.elapsed().as_secs_f64() / f64::from(u32::try_from(FLOWS).unwrap());
        println!(
            "  flow of three, {at_a_time} at a time: {:.2} ms each, {:.0}/s, {:.2} × floor",
            each * 1e3,
            1.0 / each,
            each / floor.as_secs_f64()
        );
    }

    /// Steps that come one by one, as those of a quiet server do: the kernel may make the first after a pause wait.
    async fn lone(&self) {
        let mut turns = Vec::with_capacity(LONE);
        for _ in 0..LONE {
            tokio::time::sleep(PAUSE).await;
            let began = Instant::now();
            self.run("true").await;
            turns.push(began.elapsed().as_secs_f64() * 1e3);
        }
        turns.sort_by(f64::total_cmp);
        println!(
            "  a lone step after {PAUSE:?}: {:.2} ms in the middle, {:.2} at most",
            turns[LONE / 2],
            turns[LONE - 1]
        );
    }

    async fn lines(&self, floor: f64) {
        let before = resident();
        let began = Instant::now();
        let (bytes, most) = self.run(&generator()).await;
        let rate = bytes as f64 / 1e6 / began.elapsed().as_secs_f64();
        let more = most.saturating_sub(before) / 1_000_000;
        println!("  1 GB of lines: {rate:.0} MB/s, {:.2} × floor, {more} MB of memory above idle", rate / floor);
    }

    /// Runs a script; the bytes of its lines, and the most memory of this process meanwhile.
    async fn run(&self, code: &str) -> (u64, u64) {
        let name = format!("b{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let work = Work {
            folder: self.folder.join(&name),
            name,
            program: Program::Shell(code.to_owned()),
            parameters: serde_json::json!({}),
            environment: vec![],
            timeout: Some(Duration::from_secs(600)),
            grace: Duration::from_secs(10),
            limits: Limits::default(),
            user: None,
            secrets: vec![],
        };
        let (_orders, receiver) = watch::channel(Order::Run);
        let (sender, mut reports) = mpsc::channel(16);
        let count = async {
            let (mut bytes, mut most, mut blocks) = (0, 0, 0_u64);
            while let Some(report) = reports.recv().await {
                if let Report::Lines(block) = report {
                    bytes += block.text.len() as u64;
                    blocks += 1;
                    if blocks.is_multiple_of(1024) {
                        most = resident().max(most);
                    }
                }
            }
            (bytes, most)
        };
        let (finished, counted) = tokio::join!(self.host.run(work, receiver, sender, LineClock::system()), count);
        assert_eq!(finished.unwrap().outcome, Outcome::Succeeded);
        counted
    }
}

fn generator() -> String {
    format!(
        "yes 'a line of a log as programs write them, of about a hundred bytes with its time and level; n=42' | head -c {BYTES}"
    )
}

fn spawn_floor() -> Duration {
    let began = Instant::now();
    for _ in 0..FLOWS * STEPS {
        assert!(Command::new("/bin/sh").args(["-c", "true"]).status().unwrap().success());
    }
    began.elapsed() / u32::try_from(FLOWS).unwrap()
}

fn read_floor() -> f64 {
    let began = Instant::now();
    let mut child = Command::new("/bin/sh").args(["-c", &generator()]).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let (mut buffer, mut total) = (vec![0; 64 * 1024], 0);
    loop {
        match pipe.read(&mut buffer).unwrap() {
            0 => break,
            read => total += read,
        }
    }
    child.wait().unwrap();
    total as f64 / 1e6 / began.elapsed().as_secs_f64()
}

/// Memory of this process in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
