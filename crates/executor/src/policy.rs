//! How far works without a process may go from this host, and how much they may bring back.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// How far works may go and what they may bring back, as the settings allow it.
#[derive(Clone, Debug)]
pub struct OutboundPolicy {
    /// Networks that `http` may speak to though they are not public.
    pub networks: Vec<IpNet>,
    /// The longest that one try of `http` takes.
    pub request_timeout: Duration,
    /// The most that is kept of an answer's body, in bytes.
    pub response: u64,
    /// The folder of SQLite's files; none: there are none.
    pub sqlite_folder: Option<PathBuf>,
    /// The longest that a connection to a data source takes.
    pub connect_timeout: Duration,
    /// The program that runs statements by its hidden command: this one.
    pub program: PathBuf,
    /// The most memory of the process of one work's statements, in bytes.
    pub memory: u64,
    /// The most bytes of one value of a data source, and of one row.
    pub cell: u64,
    /// The most rows of one result set.
    pub rows: u64,
    /// The most bytes of all result sets of one work.
    pub result: u64,
    /// Whether vCenters may be spoken to without encryption.
    pub plain_vcenters: bool,
    /// The language of vCenters' texts, as they call it.
    pub locale: &'static str,
}

impl Default for OutboundPolicy {
    fn default() -> Self {
        Self {
            networks: vec![],
            request_timeout: Duration::from_secs(300),
            response: 1 << 20,
            sqlite_folder: None,
            connect_timeout: Duration::from_secs(10),
            program: "/proc/self/exe".into(),
            memory: 512 << 20,
            cell: 8 << 20,
            rows: 100_000,
            result: 64 << 20,
            plain_vcenters: false,
            locale: "en",
        }
    }
}
