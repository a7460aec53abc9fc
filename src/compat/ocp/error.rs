//! The one way from an error to OCP's envelope: HTTP status, code and message.

use axum::http::StatusCode;
use taskloom_entity::TaskState;

use super::super::query::Wrong;
use super::wire::{OcpFault, OcpTaskStatus};
use crate::error::{Error, Kind, Language, code};

/// Why a call of this dialect is refused.
#[derive(Debug)]
pub enum OcpRefusal {
    /// An id of the path is no number.
    NoNumber {
        /// The parameter.
        name: &'static str,
        /// As it was sent.
        value: String,
    },
    /// A parameter of the query cannot be meant so.
    Wrong(Wrong),
    /// What the resolvers say.
    Of(Error),
}

impl From<Error> for OcpRefusal {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

impl From<Wrong> for OcpRefusal {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl OcpRefusal {
    /// The status and the `error` of the envelope.
    #[must_use]
    pub fn encode(&self, language: Language) -> (StatusCode, OcpFault) {
        match self {
            Self::NoNumber { name, value } => {
                let message =
                    format!("The parameter '{name}' of value '{value}' could not be converted to type 'Long'");
                (StatusCode::BAD_REQUEST, OcpFault { code: 0, message, target: Some((*name).to_owned()) })
            }
            Self::Wrong(Wrong { name, value, reason }) => {
                let reason = reason.text(language);
                let message = match language {
                    Language::En => format!("parameter {name} does not accept '{value}': {reason}"),
                    Language::Zh => format!("参数 {name} 的值 '{value}' 无效：{reason}"),
                };
                (StatusCode::BAD_REQUEST, OcpFault { code: 10001, message, target: Some(name.clone()) })
            }
            Self::Of(error) => {
                let (status, code) = status(error);
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                (status, OcpFault { code, message: message(error, language), target: None })
            }
        }
    }
}

/// The HTTP status and the product's number.
fn status(error: &Error) -> (u16, u32) {
    let own = error.code();
    match own.kind {
        Kind::NotFound if own == &code::TASK_NOT_FOUND || own == &code::SUBTASK_NOT_FOUND => (404, 20000),
        Kind::NotFound => (404, 0),
        Kind::Conflict if own == &code::OPERATION_NOT_ALLOWED => (400, 20003),
        Kind::Conflict if own == &code::ROLLBACK_PROHIBITED => (400, 20004),
        Kind::Conflict => (400, 0),
        Kind::Invalid if own == &code::METHOD_NOT_ALLOWED => (405, 0),
        Kind::Invalid if own == &code::UNSUPPORTED_MEDIA_TYPE => (415, 0),
        Kind::Invalid => (400, 10001),
        Kind::Unauthenticated => (401, 30000),
        Kind::Forbidden => (403, 30014),
        Kind::Limit | Kind::Unavailable | Kind::Internal => (own.status, 0),
    }
}

/// The product's words where it has some, else the error's own.
fn message(error: &Error, language: Language) -> String {
    let id = error.value("id").unwrap_or_default();
    let own = error.code();
    if own == &code::TASK_NOT_FOUND || own == &code::SUBTASK_NOT_FOUND {
        return match language {
            Language::En => format!("task {id} does not exist"),
            Language::Zh => format!("任务 {id} 不存在"),
        };
    }
    if own == &code::OPERATION_NOT_ALLOWED {
        let state = state(error);
        return match language {
            Language::En => format!("task {id} is {state}: this operation is not allowed"),
            Language::Zh => format!("任务{id}, 状态{state}, 不能进行此操作"),
        };
    }
    if own == &code::ROLLBACK_PROHIBITED {
        return match language {
            Language::En => format!("task {id} cannot be rolled back"),
            Language::Zh => format!("任务 {id} 不能回滚"),
        };
    }
    error.message(language)
}

/// The state that forbids it, in the dialect's words: those of a subtask are its own, those of a task are three.
fn state(error: &Error) -> &str {
    let state = error.value("state").unwrap_or_default();
    match error.value("object") {
        Some(object) if object.starts_with("task") => {
            TaskState::parse(state).map_or(state, |state| OcpTaskStatus::of(state).name())
        }
        _ => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(object: &str, state: &str) -> OcpRefusal {
        let error = Error::new(&code::OPERATION_NOT_ALLOWED).with("object", object).with("state", state);
        error.with("operation", "RETRY").with("id", 7).into()
    }

    #[test]
    fn a_refusal_speaks_the_products_words() {
        let (status, fault) = refused("task 7", "ROLLED_BACK").encode(Language::En);
        assert_eq!((status.as_u16(), fault.code), (400, 20003));
        assert_eq!(fault.message, "task 7 is SUCCESSFUL: this operation is not allowed");
        let (_, fault) = refused("subtask 7", "PENDING").encode(Language::Zh);
        assert_eq!(fault.message, "任务7, 状态PENDING, 不能进行此操作");
        let (status, fault) = OcpRefusal::NoNumber { name: "taskInstanceId", value: "x".into() }.encode(Language::Zh);
        assert_eq!((status.as_u16(), fault.code), (400, 0));
        assert_eq!(fault.message, "The parameter 'taskInstanceId' of value 'x' could not be converted to type 'Long'");
    }

    #[test]
    fn every_code_has_a_status_of_a_refusal() {
        for own in code::ALL {
            let (status, fault) = OcpRefusal::from(Error::new(own)).encode(Language::En);
            assert!(status.as_u16() >= 400, "{}", own.name);
            assert_eq!(
                status.is_server_error(),
                matches!(own.kind, Kind::Unavailable | Kind::Internal),
                "{}",
                own.name
            );
            assert_eq!(fault.code == 30000, own.kind == Kind::Unauthenticated, "{}", own.name);
        }
    }
}
