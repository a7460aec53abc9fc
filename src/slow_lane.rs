//! Threads that step back for all others: what is long goes on here, and what is short is answered meanwhile.
//!
//! What a thread of the lane begins is the lane's: tasks are spawned on its runtime, and a thread that a database driver
//! starts for a connection inherits its priority.

use std::cell::Cell;
use std::io;
use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};
use tokio_util::task::AbortOnDropHandle;

/// What goes on in it at a time; the rest waits for its turn.
pub const AT_ONCE: u8 = 4;
/// How far it steps back: a tenth of a processor where others want it (nice(2)).
const NICE: i32 = 10;
/// The time it asks for at a stretch, in nanoseconds. Who asks for less is let in at once when it wakes, where the kernel
/// knows of it (Linux 6.12); elsewhere the processor is given back when the usual stretch is over.
const SLICE: u64 = 100_000_000;

thread_local! {
    static IS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// None: the system gives no threads.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    let built = Builder::new_multi_thread().thread_name("slow-lane").on_thread_start(enter).enable_all().build();
    built.inspect_err(|error| tracing::warn!(%error, "there is no slow lane: what is long holds up what is short")).ok()
});

fn enter() {
    IS_HERE.set(true);
    if let Err(error) = step_back() {
        tracing::debug!(%error, "the slow lane does not step back");
    }
}

#[expect(unsafe_code, reason = "the libraries for system calls have none for this one")]
fn step_back() -> io::Result<()> {
    let attr = libc::sched_attr {
        size: const { size_of::<libc::sched_attr>() as u32 },
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: NICE,
        sched_priority: 0,
        sched_runtime: SLICE,
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the kernel reads as many bytes as `size` says, and only this thread's pace is changed (sched_setattr(2)).
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Whether this thread is the lane's.
#[must_use]
pub fn is_here() -> bool {
    IS_HERE.get()
}

/// Works on the lane; dropped, the work ends. Without a lane it is done where everything is.
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> AbortOnDropHandle<T> {
    AbortOnDropHandle::new(match &*RUNTIME {
        Some(runtime) => runtime.spawn(work),
        None => tokio::spawn(work),
    })
}

#[cfg(test)]
mod tests {
    use super::{NICE, is_here, spawn};

    #[tokio::test]
    async fn what_is_begun_in_the_lane_stays_in_it_and_steps_back() {
        let seen = spawn(async {
            let spawned = tokio::spawn(async { is_here() }).await.unwrap();
            let nice = std::thread::spawn(|| rustix::process::getpriority_process(None).unwrap()).join().unwrap();
            (is_here(), spawned, nice)
        });
        assert_eq!(seen.await.unwrap(), (true, true, NICE));
        assert!(!is_here());
    }
}
