//! A small file system in memory that one server alone sees, and that goes with it: a disk that can be filled.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::server::Server;

/// Mounts it, and runs what follows.
const MOUNT: &str = r#"mount -t tmpfs -o "size=$0" disk "$1" && shift && exec "$@""#;

/// Runs what follows with a disk of this size (`64m`) at this place. None: nobody may mount on this host.
pub(crate) fn command(size: &str, place: &Path) -> Option<Command> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let by = |way: &[&str], place: &Path| {
        let mut command = Command::new("unshare");
        command.args(way).args(["sh", "-c", MOUNT, size]).arg(place);
        command
    };
    let can = |way: &&&[&str]| {
        let tried = by(way, Path::new("/mnt")).arg("true").stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    };
    ways.iter().find(can).map(|way| by(way, place))
}

/// A path as the server sees it.
pub(crate) fn seen(server: &Server, path: &Path) -> PathBuf {
    format!("/proc/{}/root{}", server.pid(), path.display()).into()
}
