//! The id of a job as Linkis gives it out:
//! `exec_id018014linkis-cg-entrance127.0.0.1:8080IDE_admin_7`, the lengths of the service's and the instance's name in
//! front. Its last number is the task's, which stands for it everywhere.

use taskloom_entity::TaskId;

/// The name of the service in ids and answers.
pub const SERVICE: &str = "linkis-cg-entrance";

/// The id of a job of `user` by the application `creator`.
#[must_use]
pub fn exec_id(instance: &str, creator: &str, user: &str, id: TaskId) -> String {
    let (service, length) = (SERVICE.len(), instance.len());
    format!("exec_id{service:03}{length:03}{SERVICE}{instance}{}", short_id(creator, user, id))
}

/// The part of it that names the job alone.
#[must_use]
pub fn short_id(creator: &str, user: &str, id: TaskId) -> String {
    format!("{creator}_{user}_{id}")
}

/// The task that an id or a bare number names; none: it names none.
#[must_use]
pub fn parse(text: &str) -> Option<TaskId> {
    let number = match text.strip_prefix("exec_id") {
        Some(rest) => rest.rsplit_once('_')?.1,
        None => text,
    };
    let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if plain { number.parse().ok().map(TaskId) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_how_long_its_parts_are() {
        let id = exec_id("127.0.0.1:8080", "IDE", "admin", TaskId(7));
        assert_eq!(id, "exec_id018014linkis-cg-entrance127.0.0.1:8080IDE_admin_7");
        assert_eq!(parse(&id), Some(TaskId(7)));
        assert_eq!(parse("7"), Some(TaskId(7)));
        for wrong in ["", "x", "exec_id", "exec_id018014_", "-1", "+1", "0x7", "9223372036854775808", "７"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
