//! What a server's process takes of memory, by the kernel's own mark of the most that it had.

use super::server::Server;

/// What one request may take beside what the server needs anyhow.
pub(crate) const MOST: u64 = 64 << 20;

/// A figure of a server's process in bytes, as the kernel has it.
pub(crate) fn status(server: &Server, key: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Asks, and checks what that needed beyond what the server had when it was idle.
pub(crate) async fn measured<T>(server: &Server, idle: u64, what: &str, ask: impl Future<Output = T>) -> T {
    // The mark begins anew at what there is now; but for root the server's memory is closed, and the mark stays.
    let begins_anew = std::fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").is_ok();
    let idle = if begins_anew { idle } else { status(server, "VmHWM:") };
    let answer = ask.await;
    let more = status(server, "VmHWM:").saturating_sub(idle);
    eprintln!("{what}: {} MB above idle", more >> 20);
    assert!(more < MOST, "{what}: {} MB above idle", more >> 20);
    answer
}

/// Lets the kernel's mark of the most memory begin anew at what there is now; for a plain user, whom the server's memory is
/// closed to, it stays where it is. From there on [`above`] counts.
pub(crate) fn begin(server: &Server) -> u64 {
    match std::fs::write(format!("/proc/{}/clear_refs", server.pid()), "5") {
        Ok(()) => status(server, "VmRSS:"),
        Err(_) => status(server, "VmHWM:"),
    }
}

/// The most since, above `idle`.
pub(crate) fn above(server: &Server, idle: u64) -> u64 {
    status(server, "VmHWM:").saturating_sub(idle)
}
