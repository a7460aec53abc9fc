//! What a process does to itself between its birth and its program, so that it reaches only what is its own.
//!
//! [`enter`] runs in the child, on the server's memory: system calls on what was prepared before, nothing else. The
//! kernel's own calls for the user, since those of libc would change every thread of the server.

#![expect(unsafe_code, reason = "raw system calls in a child that shares memory")]

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::ptr;
use std::sync::Arc;

use libc::{c_char, c_int, c_ulong};

/// The walls of one process.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// A view of the file system of its own.
    pub(super) space: Option<Space>,
    pub(super) rules: Option<OwnedFd>,
    /// Without the right to mount Landlock wants this vow.
    pub(super) no_new_privs: bool,
    /// Whom it becomes; `None`: it stays who the server is.
    pub(super) user: Option<Arc<Account>>,
}

#[derive(Debug)]
pub(super) struct Space {
    /// The user namespace that gives the right to it.
    pub(super) users: Option<Arc<OwnedFd>>,
    /// Folders that are empty in it; and, where that is said, the one instead of which it has [`TEMPORARY`].
    pub(super) covers: Vec<(CString, bool)>,
    /// Files that are empty in it.
    pub(super) blanks: Vec<CString>,
    /// Folders on the way to its own, the outermost first.
    pub(super) make: Vec<CString>,
    /// The work's own folder, which alone stays visible below what is covered.
    pub(super) own: CString,
}

/// A user of this machine.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(crate) home: PathBuf,
}

/// In a work's own folder: its `/tmp`. A part of the file system for which Landlock can have a rule beforehand.
pub(crate) const TEMPORARY: &str = ".tmp";

/// Nothing that is covered is executed or has devices.
const BARE: c_ulong = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;

fn check(answer: impl Into<i64>) -> Result<(), c_int> {
    if answer.into() >= 0 {
        return Ok(());
    }
    // SAFETY: the calling thread's, which belongs to a parent that stands still.
    Err(unsafe { *libc::__errno_location() })
}

/// # Safety
/// Only in the child, before `execve`.
pub(super) unsafe fn enter(cell: &Cell) -> Result<(), c_int> {
    // SAFETY: plain system calls on prepared memory.
    unsafe {
        if let Some(space) = &cell.space {
            hide(space)?;
        }
        if let Some(rules) = &cell.rules {
            if cell.no_new_privs {
                check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            }
            check(libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0))?;
        }
        if let Some(user) = &cell.user {
            check(libc::syscall(libc::SYS_setgroups, user.groups.len(), user.groups.as_ptr()))?;
            check(libc::syscall(libc::SYS_setresgid, user.gid, user.gid, user.gid))?;
            check(libc::syscall(libc::SYS_setresuid, user.uid, user.uid, user.uid))?;
        }
    }
    Ok(())
}

/// # Safety
/// As for [`enter`].
unsafe fn hide(space: &Space) -> Result<(), c_int> {
    const DOT: *const c_char = c".".as_ptr();
    // SAFETY: as for `enter`.
    unsafe {
        if let Some(users) = &space.users {
            check(libc::setns(users.as_raw_fd(), libc::CLONE_NEWUSER))?;
        }
        check(libc::unshare(libc::CLONE_NEWNS))?;
        // What is mounted on the host later is seen here, and nothing that is mounted here is seen there.
        let slave = libc::MS_REC | libc::MS_SLAVE;
        check(libc::mount(ptr::null(), c"/".as_ptr(), ptr::null(), slave, ptr::null()))?;
        // By this it is found when its path leads there no more.
        check(libc::chdir(space.own.as_ptr()))?;
        for (folder, is_temporary) in &space.covers {
            if *is_temporary {
                check(libc::mount(c".tmp".as_ptr(), folder.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null()))?;
            } else {
                let (name, kind, options) = (c"taskloom", c"tmpfs", c"mode=0711,size=64k");
                check(libc::mount(name.as_ptr(), folder.as_ptr(), kind.as_ptr(), BARE, options.as_ptr().cast()))?;
            }
        }
        for file in &space.blanks {
            check(libc::mount(c"/dev/null".as_ptr(), file.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null()))?;
        }
        for folder in &space.make {
            // Some may be there.
            libc::mkdir(folder.as_ptr(), 0o711);
            // Whatever the server's mask takes away.
            libc::chmod(folder.as_ptr(), 0o711);
        }
        check(libc::mount(DOT, space.own.as_ptr(), ptr::null(), libc::MS_BIND, ptr::null()))?;
        for (folder, _) in space.covers.iter().filter(|(_, is_temporary)| !is_temporary) {
            let flags = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY | BARE;
            check(libc::mount(ptr::null(), folder.as_ptr(), ptr::null(), flags, ptr::null()))?;
        }
        check(libc::chdir(space.own.as_ptr()))
    }
}
