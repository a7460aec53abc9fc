//! How much of our time and memory a vCenter may take.

use std::time::Duration;

/// Limits of each call. The defaults fit a vCenter with some ten thousand objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands, its TLS handshake included. 10 seconds.
    pub connect: Duration,
    /// From the call to the answer's last byte. 60 seconds.
    pub call: Duration,
    /// How much longer than it was asked to wait a call for updates may take. 15 seconds.
    pub wait_margin: Duration,
    /// The size of an answer in bytes, after decompression. 64 MiB.
    pub answer_bytes: usize,
    /// The same for a server that we did not sign in to yet. 4 MiB.
    pub stranger_bytes: usize,
    /// How deep elements may nest. 64.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
            wait_margin: Duration::from_secs(15),
            answer_bytes: 64 << 20,
            stranger_bytes: 4 << 20,
            depth: 64,
        }
    }
}
