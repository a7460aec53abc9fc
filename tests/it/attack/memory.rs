//! What the memory of a real server comes to.

use crate::harness::server::Server;

/// So much above idle is a request's, or a work's, share.
pub(super) const SHARE: u64 = 64 << 20;

/// A figure of a process in bytes, as the kernel has it: `VmRSS:`, `VmHWM:`.
pub(super) fn status(server: &Server, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Lets the kernel's mark of the most memory begin anew at what there is now, which is the answer.
pub(super) fn begin(server: &Server) -> u64 {
    std::fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
    status(server, "VmRSS:")
}

/// The most since, above `idle`.
pub(super) fn above(server: &Server, idle: u64) -> u64 {
    status(server, "VmHWM:").saturating_sub(idle)
}
