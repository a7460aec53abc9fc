//! Starts one process: born inside its control group, in a session of its own, with nothing but descriptors 0 to 2.
//!
//! With [`super::cell`] the unsafe code of the executor. `fork` copies the page tables of the whole server (3 ms at 60 MB, 13 ms at
//! 300 MB), so the child shares the server's memory until `execve`, as `posix_spawn` does; `posix_spawn` itself can
//! neither join a control group nor limit memory. The rule that makes it sound: between clone and `execve` the child
//! only makes system calls on memory that was prepared before; it allocates nothing, locks nothing, runs on a stack
//! of its own, and the calling thread stands still meanwhile with every signal blocked.

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
pub(in crate::executor) struct Command {
    pub(in crate::executor) program: CString,
    pub(in crate::executor) arguments: Vec<CString>,
    pub(in crate::executor) environment: Vec<CString>,
    pub(in crate::executor) folder: CString,
    /// The most memory one process may map, in bytes.
    pub(in crate::executor) address_space: Option<u64>,
    /// The longest file it may write, in bytes.
    pub(in crate::executor) file_size: Option<u64>,
    /// How many descriptors it may have open, soft and hard; `None`: as many as the server.
    pub(in crate::executor) descriptors: Option<(u64, u64)>,
    /// By which its descendants are known.
    pub(in crate::executor) tag: Option<RlimitTag>,
    /// What keeps it apart from others.
    pub(in crate::executor) cell: Cell,
}

/// How a process gets into its control group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    /// It does not.
    Nowhere,
    /// By the clone call itself: the descriptor is the group's folder. Free of the cost of a migration.
    Born(BorrowedFd<'a>),
    /// By its own first act: the descriptor is the group's `cgroup.procs`.
    Moves(BorrowedFd<'a>),
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
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
const FLAGS: c_int = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PIDFD;

/// Everything the child needs, as the kernel wants it; and the place where it leaves its error.
struct Plan {
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    folder: *const c_char,
    wiring: [c_int; 3],
    procs: c_int,
    /// Resource, soft, hard.
    limits: [Option<(libc::__rlimit_resource_t, u64, u64)>; 4],
    cell: *const Cell,
    failed_step: AtomicI32,
    errno: AtomicI32,
}

const STEP_SETUP: i32 = 1;
const STEP_EXECUTE: i32 = 2;

/// Starts `command`. Blocks until the program is executed, well under a millisecond.
pub(super) fn spawn(command: &Command, wiring: Wiring<'_>, entry: Entry<'_>) -> Result<Spawned, SpawnError> {
    let arguments = pointers(&command.arguments);
    let environment = pointers(&command.environment);
    let plan = Plan {
        program: command.program.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        folder: command.folder.as_ptr(),
        wiring: [wiring.stdin.as_raw_fd(), wiring.stdout.as_raw_fd(), wiring.stderr.as_raw_fd()],
        procs: if let Entry::Moves(procs) = entry { procs.as_raw_fd() } else { -1 },
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
    let cloned = clone(&plan, entry);
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

fn clone(plan: &Plan, entry: Entry<'_>) -> io::Result<Spawned> {
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    let bottom = stack.as_mut_ptr();
    let mut handle: c_int = -1;
    let plan: *const Plan = plan;
    let pid = match entry {
        Entry::Born(group) => clone_into(plan, group.as_raw_fd(), bottom.cast(), &mut handle)?,
        Entry::Nowhere | Entry::Moves(_) => {
            // SAFETY: the stack is aligned, large enough and outlives the child's use of it, because CLONE_VFORK
            // holds this thread until the child executes or exits; `child` reads the plan and never returns here.
            let pid = unsafe {
                let top = bottom.cast::<u8>().add(STACK).cast();
                libc::clone(child, top, FLAGS | libc::SIGCHLD, plan.cast_mut().cast(), &raw mut handle)
            };
            if pid < 0 {
                return Err(io::Error::last_os_error());
            }
            pid
        }
    };
    // SAFETY: CLONE_PIDFD put a new descriptor there that nobody else owns; it is close-on-exec.
    Ok(Spawned { pid, handle: unsafe { OwnedFd::from_raw_fd(handle) } })
}

/// The argument of `clone3` (include/uapi/linux/sched.h), in its second published size.
#[cfg(target_arch = "x86_64")]
#[repr(C)]
#[derive(Default)]
struct CloneArgs {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// `clone3` with the child on its own stack. glibc publishes no wrapper, and a plain system call cannot come back
/// twice on one stack, so the child's way to [`child`] is spelled out.
#[cfg(target_arch = "x86_64")]
fn clone_into(plan: *const Plan, group: c_int, stack: *mut u8, handle: &mut c_int) -> io::Result<i32> {
    let arguments = CloneArgs {
        flags: u64::from(FLAGS.unsigned_abs()) | CLONE_INTO_CGROUP,
        pidfd: ptr::from_mut(handle) as u64,
        exit_signal: u64::from(libc::SIGCHLD.unsigned_abs()),
        stack: stack as u64,
        stack_size: STACK as u64,
        cgroup: u64::from(group.unsigned_abs()),
        ..CloneArgs::default()
    };
    let answer: i64;
    // SAFETY: as for `libc::clone` above. The child starts with the registers of its parent, an aligned stack pointer
    // at the top of its own stack, calls `child(plan)` and never comes back; the parent sees an ordinary system call.
    unsafe {
        std::arch::asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, {plan}",
            "call {child}",
            "ud2",
            "2:",
            plan = in(reg) plan,
            child = in(reg) child as extern "C" fn(*mut c_void) -> c_int,
            inlateout("rax") libc::SYS_clone3 => answer,
            in("rdi") &raw const arguments,
            in("rsi") size_of::<CloneArgs>(),
            // Not `lateout`: the call overwrites them before the child has used its inputs.
            out("rcx") _,
            out("r11") _,
        );
    }
    if answer < 0 {
        return Err(io::Error::from_raw_os_error(i32::try_from(-answer).unwrap_or(libc::EINVAL)));
    }
    i32::try_from(answer).map_err(io::Error::other)
}

/// Elsewhere the way is not spelled out; the host's probe sees this refusal and lets processes move by themselves.
#[cfg(not(target_arch = "x86_64"))]
fn clone_into(_: *const Plan, _: c_int, _: *mut u8, _: &mut c_int) -> io::Result<i32> {
    let _ = CLONE_INTO_CGROUP;
    Err(io::Error::from_raw_os_error(libc::ENOSYS))
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
