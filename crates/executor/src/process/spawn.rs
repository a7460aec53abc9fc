//! Starts one process: in its control group, in a session of its own, with nothing but descriptors 0 to 2.
//!
//! With [`super::cell`] the unsafe code of the executor. `fork` copies the page tables of the whole server (3 ms at 60 MB, 13 ms at
//! 300 MB), so the child shares the server's memory until `execve`, as `posix_spawn` does; `posix_spawn` itself can
//! neither join a control group nor limit memory, and `std::process::Command` forks as soon as it has something to do
//! in the child. The rule that makes it sound: between clone and `execve` the child only makes system calls on memory
//! that was prepared before; it allocates nothing, locks nothing, runs on a stack of its own, and the calling thread
//! stands still meanwhile with every signal blocked.

#![expect(unsafe_code, reason = "a child that shares memory until execve needs clone and raw system calls")]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};

use libc::{c_char, c_int, c_void};
use nix::sys::signal::{SigSet, SigmaskHow};

use super::cell::{self, Cell};
use super::exit;
use super::rlimit_tag::RlimitTag;

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) program: CString,
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
    pub(crate) folder: CString,
    /// The most memory one process may map, in bytes.
    pub(crate) address_space: Option<u64>,
    /// The longest file it may write, in bytes.
    pub(crate) file_size: Option<u64>,
    /// How many descriptors it may have open, soft and hard; `None`: as many as the server.
    pub(crate) descriptors: Option<(u64, u64)>,
    /// By which its descendants are known.
    pub(crate) tag: Option<RlimitTag>,
    /// What keeps it apart from others.
    pub(crate) cell: Cell,
}

/// The descriptors 0 to 2 of the child.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wiring<'a> {
    pub(super) stdin: BorrowedFd<'a>,
    pub(super) stdout: BorrowedFd<'a>,
    pub(super) stderr: BorrowedFd<'a>,
}

/// A started process: not reaped until somebody does through `handle`.
#[derive(Debug)]
pub(super) struct Spawned {
    pub(super) pid: i32,
    /// A pid descriptor: readable when the process has ended.
    pub(super) handle: OwnedFd,
}

/// Why nothing was started, and whose fault that is.
#[derive(Debug)]
pub(super) enum SpawnError {
    /// The host gave no process.
    Host(io::Error),
    /// The program could not be executed.
    Program(io::Error),
}

const STACK: usize = 64 * 1024;
const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD;

/// Everything the child needs, as the kernel wants it; and the place where it leaves its error.
struct Plan {
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    folder: *const c_char,
    wiring: [c_int; 3],
    /// The `cgroup.procs` that it writes itself into; negative: none.
    procs: c_int,
    /// Resource, soft, hard.
    limits: [Option<(libc::__rlimit_resource_t, u64, u64)>; 4],
    cell: *const Cell,
    failed_step: AtomicI32,
    errno: AtomicI32,
}

const STEP_SETUP: i32 = 1;
const STEP_EXECUTE: i32 = 2;

/// Starts `command`, in the control group whose `cgroup.procs` is given. Blocks until the program is executed.
///
/// That takes well under a millisecond. Where a group is joined after a while without any the kernel first waits for
/// all processors to have passed a quiet state (`cgroup_threadgroup_rwsem`, kernel/cgroup/cgroup.c), some milliseconds.
pub(super) fn spawn(
    command: &Command,
    wiring: Wiring<'_>,
    procs: Option<BorrowedFd<'_>>,
) -> Result<Spawned, SpawnError> {
    let arguments = pointers(&command.arguments);
    let environment = pointers(&command.environment);
    let plan = Plan {
        program: command.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        folder: command.folder.as_ptr(),
        wiring: [wiring.stdin.as_raw_fd(), wiring.stdout.as_raw_fd(), wiring.stderr.as_raw_fd()],
        procs: procs.map_or(-1, |procs| procs.as_raw_fd()),
        limits: [
            command.address_space.map(|bytes| (libc::RLIMIT_AS, bytes, bytes)),
            command.file_size.map(|bytes| (libc::RLIMIT_FSIZE, bytes, bytes)),
            command.tag.map(|tag| (libc::RLIMIT_MSGQUEUE, tag.soft, tag.hard)),
            command.descriptors.map(|(soft, hard)| (libc::RLIMIT_NOFILE, soft, hard)),
        ],
        cell: &raw const command.cell,
        failed_step: AtomicI32::new(0),
        errno: AtomicI32::new(0),
    };
    // A handler of the server must not run in the child while it shares the server's memory.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_SETMASK).map_err(|e| SpawnError::Host(e.into()))?;
    let cloned = clone(&plan);
    before.thread_set_mask().map_err(|e| SpawnError::Host(e.into()))?;
    let spawned = cloned.map_err(SpawnError::Host)?;
    let error = || io::Error::from_raw_os_error(plan.errno.load(Ordering::SeqCst));
    match plan.failed_step.load(Ordering::SeqCst) {
        0 => Ok(spawned),
        step => {
            exit::reap(&spawned.handle).map_err(SpawnError::Host)?;
            Err(if step == STEP_EXECUTE { SpawnError::Program(error()) } else { SpawnError::Host(error()) })
        }
    }
}

fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([ptr::null()]).collect()
}

fn clone(plan: &Plan) -> io::Result<Spawned> {
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    let bottom = stack.as_mut_ptr();
    let mut handle: c_int = -1;
    let plan: *const Plan = plan;
    // SAFETY: the stack is aligned, large enough and outlives the child's use of it, because CLONE_VFORK holds this
    // thread until the child executes or exits; `child` reads the plan and never returns here.
    let pid = unsafe {
        let top = bottom.cast::<u8>().add(STACK).cast();
        libc::clone(child, top, FLAGS | libc::SIGCHLD, plan.cast_mut().cast(), &raw mut handle)
    };
    if pid < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: CLONE_PIDFD put a new descriptor there that nobody else owns; it is close-on-exec.
    Ok(Spawned { pid, handle: unsafe { OwnedFd::from_raw_fd(handle) } })
}

/// The child's life before `execve`: system calls only.
extern "C" fn child(plan: *mut c_void) -> c_int {
    // SAFETY: the parent keeps the plan alive and stands still; the pointers in it are valid C strings and arrays.
    unsafe {
        let plan = &*plan.cast::<Plan>();
        if let Err(errno) = set_up(plan) {
            plan.errno.store(errno, Ordering::SeqCst);
            plan.failed_step.store(STEP_SETUP, Ordering::SeqCst);
            libc::_exit(127);
        }
        libc::execve(plan.program, plan.arguments, plan.environment);
        plan.errno.store(*libc::__errno_location(), Ordering::SeqCst);
        plan.failed_step.store(STEP_EXECUTE, Ordering::SeqCst);
        libc::_exit(127)
    }
}

/// # Safety
/// Only in the child, before `execve`.
unsafe fn set_up(plan: &Plan) -> Result<(), c_int> {
    // SAFETY: plain system calls on prepared memory; `errno` belongs to the parent's thread, which stands still.
    unsafe {
        let check = |answer: c_int| if answer < 0 { Err(*libc::__errno_location()) } else { Ok(()) };
        if plan.procs >= 0 {
            // "0" is whoever writes it (cgroup-v2.rst, "Processes"): nothing of the program runs outside of its group.
            check(c_int::try_from(libc::write(plan.procs, c"0".as_ptr().cast(), 1)).unwrap_or(-1))?;
        }
        check(libc::setsid())?;
        for (target, source) in plan.wiring.iter().enumerate() {
            // The sources lie above 2: the Rust runtime opens 0 to 2 before `main` when they are closed.
            check(libc::dup2(*source, c_int::try_from(target).unwrap_or(-1)))?;
        }
        cell::enter(&*plan.cell)?;
        // Every descriptor of ours is close-on-exec already; this holds for those of C libraries too. An older kernel
        // than 5.9 does not know the call.
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        for (resource, rlim_cur, rlim_max) in plan.limits.iter().flatten().copied() {
            let limit = libc::rlimit { rlim_cur, rlim_max };
            check(libc::setrlimit(resource, &raw const limit))?;
        }
        check(libc::chdir(plan.folder))?;
        // Ignored signals stay ignored over execve (Rust ignores SIGPIPE, nohup SIGHUP); a program expects none. The
        // kernel's own call, since that of libc hides two signals. All zero is SIG_DFL without flags.
        let default = [0_u64; 4];
        for signal in 1..=64 {
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), ptr::null::<u64>(), size_of::<u64>());
        }
        let mut none = std::mem::zeroed::<libc::sigset_t>();
        libc::sigemptyset(&raw mut none);
        check(libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()))
    }
}
