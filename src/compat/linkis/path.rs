//! Handles of results and logs. They look like paths, since clients take them for such; they are read back by this file
//! alone and never reach a disk.

use taskloom_entity::TaskId;

const ROOT: &str = "taskloom:/jobs/";

/// What a handle stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkisFileHandle {
    /// Every result of a job.
    Results(TaskId),
    /// One of them, from 0.
    Result(TaskId, i32),
    Log(TaskId),
}

/// The handle of a job's results.
#[must_use]
pub fn results(id: TaskId) -> String {
    format!("{ROOT}{id}/result")
}

/// The name of one result.
#[must_use]
pub fn name(number: i32) -> String {
    format!("_{number}.dolphin")
}

/// The handle of a job's log.
#[must_use]
pub fn log(id: TaskId) -> String {
    format!("{ROOT}{id}/log")
}

/// What a client has sent back; none: nothing that we gave out.
#[must_use]
pub fn parse(text: &str) -> Option<LinkisFileHandle> {
    let mut parts = text.strip_prefix(ROOT)?.split('/');
    let number = parts.next()?;
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let id = TaskId(plain.then(|| number.parse().ok()).flatten()?);
    let handle = match (parts.next()?, parts.next()) {
        ("log", None) => LinkisFileHandle::Log(id),
        ("result", None) => LinkisFileHandle::Results(id),
        ("result", Some(file)) => {
            let number = file.strip_prefix('_')?.strip_suffix(".dolphin")?;
            let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            LinkisFileHandle::Result(id, plain.then(|| number.parse().ok()).flatten()?)
        }
        _ => return None,
    };
    if parts.next().is_some() { None } else { Some(handle) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_out_is_read_back() {
        let id = TaskId(7);
        assert_eq!(parse(&results(id)), Some(LinkisFileHandle::Results(id)));
        assert_eq!(parse(&format!("{}/{}", results(id), name(12))), Some(LinkisFileHandle::Result(id, 12)));
        assert_eq!(parse(&log(id)), Some(LinkisFileHandle::Log(id)));
        assert!(results(id).bytes().all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b)));
    }

    #[test]
    fn nothing_else_is_a_handle() {
        for text in [
            "",
            "/etc/passwd",
            "../../etc/passwd",
            "taskloom:/jobs/../../etc/passwd",
            "taskloom:/jobs/7",
            "taskloom:/jobs/7/",
            "taskloom:/jobs//log",
            "taskloom:/jobs/7/log/x",
            "taskloom:/jobs/-7/log",
            "taskloom:/jobs/7/result/_-1.dolphin",
            "taskloom:/jobs/7/result/_99999999999.dolphin",
            "taskloom:/jobs/7/result/../log",
            "taskloom:/jobs/7/result/_0.dolphin/..",
            "file:///taskloom:/jobs/7/log",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
