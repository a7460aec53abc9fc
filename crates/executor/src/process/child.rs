//! The main process of a work: waits for its end without SIGCHLD, so it cannot take another's child away.

use std::io;
use std::os::fd::OwnedFd;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::exit::{Exit, reap};
use super::spawn::Spawned;
use super::subreaper;

/// The first process of a work, from its start until it is reaped.
#[derive(Debug)]
pub(crate) struct Child {
    pid: i32,
    handle: AsyncFd<OwnedFd>,
}

impl Child {
    /// Watches a process that was just started; inside a runtime.
    pub(super) fn watch(spawned: Spawned) -> io::Result<Self> {
        subreaper::own(spawned.pid);
        #[expect(unsafe_code, reason = "registration asks for a promise that an owned descriptor keeps by itself")]
        // SAFETY: an `OwnedFd` stays open and the same as long as it lives, and it lives inside the `AsyncFd`.
        let handle = unsafe { AsyncFd::register_with_interest(spawned.handle, Interest::READABLE) };
        let handle = handle.inspect_err(|_| {
            // Nobody will watch it, so it must not run.
            let pid = Pid::from_raw(spawned.pid);
            let _ = kill(pid, Signal::SIGKILL).and_then(|()| waitpid(pid, None));
            subreaper::disown(spawned.pid);
        })?;
        Ok(Self { pid: spawned.pid, handle })
    }

    pub(crate) fn pid(&self) -> i32 {
        self.pid
    }

    /// Waits until it has ended; it stays a zombie, so its number cannot be given away. May be dropped and called again.
    pub(crate) async fn ended(&self) -> io::Result<()> {
        self.handle.readable().await.map(|_| ())
    }

    /// Takes the exit status of a process that has ended.
    pub(crate) fn reap(&self) -> io::Result<Exit> {
        let exit = reap(self.handle.get_ref());
        subreaper::disown(self.pid);
        exit
    }
}
