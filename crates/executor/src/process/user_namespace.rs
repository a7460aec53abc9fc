//! A user namespace for a server that is not root: in it the server's user has the right to mount, and is nobody else.
//!
//! It is made once, through a child that has its own memory: the server's files in `/proc` are closed even to itself
//! (`PR_SET_DUMPABLE`), so a process on its memory could not write its map.

#![expect(unsafe_code, reason = "a new process enters a namespace before its program begins")]

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::unistd::{getegid, geteuid};

/// Makes one; it lives as long as the descriptor.
pub(super) fn own() -> io::Result<OwnedFd> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "read -r _"]).env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: one system call.
    unsafe {
        command.pre_exec(|| match libc::unshare(libc::CLONE_NEWUSER) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    let mut holder = command.spawn()?;
    let made = map(holder.id());
    drop(holder.stdin.take());
    holder.wait()?;
    made
}

fn map(holder: u32) -> io::Result<OwnedFd> {
    let file = |name: &str| format!("/proc/{holder}/{name}");
    let (user, group) = (geteuid(), getegid());
    fs::write(file("setgroups"), "deny")?;
    fs::write(file("uid_map"), format!("{user} {user} 1"))?;
    fs::write(file("gid_map"), format!("{group} {group} 1"))?;
    Ok(File::open(file("ns/user"))?.into())
}
