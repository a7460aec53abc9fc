//! Where this process stands in the cgroup v2 hierarchy, if one is mounted: it need not be at `/sys/fs/cgroup`.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The folder of this process's own control group.
///
/// # Errors
/// With a sentence for the log, when there is none to be seen.
pub(super) fn own_group() -> Result<PathBuf, String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error: io::Error| format!("{path}: {error}"));
    locate(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)
}

fn locate(mounts: &str, groups: &str) -> Result<PathBuf, String> {
    let own = groups.lines().find_map(|line| line.strip_prefix("0::")).ok_or("this kernel has no cgroup v2")?;
    let own = Path::new(own);
    if own.components().any(|part| part == Component::ParentDir) {
        return Err("this process's own control group lies outside of what is mounted here".to_owned());
    }
    let found = mounts.lines().filter_map(cgroup2).find_map(|(root, at)| Some(at.join(own.strip_prefix(root).ok()?)));
    found.ok_or_else(|| "no cgroup v2 mount shows this process's own control group".to_owned())
}

/// Root and mount point of a line of mountinfo (proc_pid_mountinfo(5)) that mounts cgroup v2.
fn cgroup2(line: &str) -> Option<(PathBuf, PathBuf)> {
    let (left, right) = line.split_once(" - ")?;
    let mut fields = left.split(' ').skip(3);
    let (root, at) = (fields.next()?, fields.next()?);
    (right.split(' ').next()? == "cgroup2").then(|| (unescape(root), unescape(at)))
}

/// mountinfo writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> PathBuf {
    let plain = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    plain.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n\
        39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_mount_may_be_anywhere() {
        assert_eq!(locate(HYBRID, "8:pids:/\n0::/\n"), Ok("/sys/fs/cgroup/unified".into()));
        let own = "0::/user.slice/a b.service\n";
        assert_eq!(locate(HYBRID, own), Ok("/sys/fs/cgroup/unified/user.slice/a b.service".into()));
    }

    #[test]
    fn a_mount_may_show_a_part_only() {
        let part = "50 1 0:30 /docker/abc /sys/fs/cgroup\\040two rw shared:9 - cgroup2 cgroup rw\n";
        assert_eq!(locate(part, "0::/docker/abc/x\n"), Ok("/sys/fs/cgroup two/x".into()));
        assert!(locate(part, "0::/system.slice\n").is_err());
        assert!(locate(part, "0::/../other\n").is_err());
        assert!(locate("", "0::/\n").is_err());
        assert!(locate(HYBRID, "8:pids:/\n").is_err());
    }
}
