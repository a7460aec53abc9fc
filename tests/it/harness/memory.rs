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
    // The mark begins anew at what there is now.
    std::fs::write(format!("/proc/{}/clear_refs", server.pid()), "5").unwrap();
    let answer = ask.await;
    let more = status(server, "VmHWM:").saturating_sub(idle);
    eprintln!("{what}: {} MB above idle", more >> 20);
    assert!(more < MOST, "{what}: {} MB above idle", more >> 20);
    answer
}
