//! How a process ended.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

/// How the main process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(Signal),
    /// By a real-time signal: they have no names.
    UnnamedSignal,
}

/// Takes the exit status; blocks while the process still runs.
pub(super) fn reap(handle: &OwnedFd) -> io::Result<Exit> {
    loop {
        match waitid(Id::PIDFd(handle.as_fd()), WaitPidFlag::WEXITED) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(Exit::Code(code)),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(Exit::Signal(signal)),
            Ok(other) => return Err(io::Error::other(format!("unexpected wait status {other:?}"))),
            Err(Errno::EINTR) => {}
            // What nix says about a signal that it has no name for; the process is reaped.
            Err(Errno::EINVAL) => return Ok(Exit::UnnamedSignal),
            Err(errno) => return Err(errno.into()),
        }
    }
}
