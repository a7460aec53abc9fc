//! The guardian: a tiny shell process that holds the reading end of a pipe. When this server ends, however it ends
//! (`kill -9` too), the pipe closes and the guardian kills every process of this run. It needs no signal and no
//! time-out, and it costs nothing while it waits.
//!
//! `PR_SET_PDEATHSIG` would not do: it reaches direct children only, and it fires when the *thread* that started them
//! ends, which in a runtime's pool happens while the server lives. If the guardian itself is killed, the next start
//! of the server sweeps (`sweep`).

use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::server_run::{MARK, ServerRun};

/// `$1` is the folder of this run's control groups. Groups are removed by the folder's name alone: the files in them
/// are not real ones.
const GROUPS: &str = r#"
trap '' HUP INT TERM
read -r _
cd / && n=0
while [ -d "$1" ] && [ $n -lt 300 ]; do
    echo 1 >"$1/cgroup.kill" || for p in $(cat "$1"/*/cgroup.procs); do kill -KILL "$p"; done
    for g in "$1"/*/; do rmdir "$g"; done
    rmdir "$1" || sleep 0.1
    n=$((n + 1))
done
rmdir "${1%/*}"
"#;

/// `$1` is the mark of this run. Everything marked is stopped before anything is killed, so that nothing forks away.
const MARKED: &str = r#"
trap '' HUP INT TERM
read -r _
cd / && clean=0 n=0
while [ $clean -lt 3 ] && [ $n -lt 300 ]; do
    found=
    for e in /proc/[0-9]*/environ; do
        p=${e%/environ} p=${p#/proc/}
        if grep -qsF "$1" "$e"; then kill -STOP "$p"; found="$found $p"; fi
    done
    for p in $found; do kill -KILL "$p"; done
    if [ -z "$found" ]; then clean=$((clean + 1)); else clean=0; fi
    n=$((n + 1))
done
"#;

/// A guardian at work. Dropping it ends it, and with it whatever is left of this run.
#[derive(Debug)]
pub(super) struct Guardian {
    child: Child,
}

impl Guardian {
    /// Starts the guardian for the groups in `folder`, or where there are none for everything that carries the mark.
    pub(super) fn post(run: &ServerRun, folder: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new("/bin/sh");
        match folder {
            Some(folder) => command.args(["-c", GROUPS, "taskloom-guard"]).arg(folder),
            None => command.args(["-c", MARKED, "taskloom-guard"]).arg(format!("{MARK}={}", run.prefix())),
        };
        // A process group of its own: what a terminal sends to the server's group must not end the guardian first.
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir("/").process_group(0);
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { child })
    }

    pub(super) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(-1)
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // Nothing is left in an orderly end, so it ends at once.
        let _ = self.child.wait();
    }
}
