//! The envelope `{scode, desc, message, message_cn, stack, data}` of a platform's management APIs: HTTP 200 whatever
//! happens, but for paths that do not exist, bodies that are too large and callers who may not.

use std::sync::Arc;

use axum::Json;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};

use super::query::Wrong;
use super::{Server, caller};
use crate::auth::Credentials;
use crate::error::{Error, Kind, Language, Result, code};
use crate::resolver::{App, Request};

#[derive(Debug, Serialize)]
struct ScodeEnvelope<T> {
    scode: u32,
    desc: String,
    message: String,
    message_cn: String,
    stack: Option<Vec<String>>,
    data: Option<T>,
}

/// The envelope of a refusal.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "described here, written by `ScodeEnvelope`")]
#[schema(as = Refused)]
pub struct ScodeRefusalBody {
    /// Which refusal.
    #[schema(example = 10001)]
    scode: u32,
    /// What went wrong in detail.
    #[schema(example = "vsphere_uuid: it is missing")]
    desc: String,
    /// In English.
    #[schema(example = "Parse parameter error: vsphere_uuid: it is missing")]
    message: String,
    /// In Chinese.
    #[schema(example = "参数解析出错: vsphere_uuid: 缺少该参数")]
    message_cn: String,
    /// Where.
    stack: Vec<String>,
    /// Nothing.
    #[schema(value_type = Option<Object>)]
    data: (),
}

/// A kind of refusal: its number, and its words around the detail.
struct ScodeKind(u32, &'static str, &'static str);

const FAULT: ScodeKind = ScodeKind(10000, "Manager server error: %s", "服务器出错: %s");
const PARAMETER: ScodeKind = ScodeKind(10001, "Parse parameter error: %s", "参数解析出错: %s");
const NO_USER: ScodeKind = ScodeKind(10183, "user not exist", "用户不存在");
const STATE: ScodeKind = ScodeKind(18002, "crontab task state not allowed: %s", "定时任务状态不允许该操作: %s");
const NAME: ScodeKind = ScodeKind(18003, "crontab task name exists: %s", "定时任务名称已存在: %s");
const OBJECT: ScodeKind = ScodeKind(18004, "object not exist: %s", "对象不存在: %s");
const STRANGER: ScodeKind = ScodeKind(10401, "not logged in", "未登录");
const ROLE: ScodeKind = ScodeKind(10403, "permission denied", "没有权限");

/// Why a call is refused.
#[derive(Debug)]
pub enum ScodeRefusal {
    /// A parameter cannot be meant so.
    Wrong(Wrong),
    /// What the resolvers say.
    Of(Error),
}

impl From<Error> for ScodeRefusal {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

impl From<Wrong> for ScodeRefusal {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(wrong)
    }
}

impl ScodeRefusal {
    /// The HTTP status and the kind.
    fn encode(&self) -> (StatusCode, ScodeKind) {
        match self {
            Self::Wrong(_) => (StatusCode::OK, PARAMETER),
            Self::Of(error) => kind(error),
        }
    }

    /// What went wrong in detail.
    fn detail(&self, language: Language) -> String {
        match self {
            Self::Wrong(Wrong { name, value, reason }) => {
                let value = if value.is_empty() { String::new() } else { format!(" '{value}'") };
                format!("{name}{value}: {}", reason.text(language))
            }
            Self::Of(error) => error.message(language),
        }
    }
}

fn kind(error: &Error) -> (StatusCode, ScodeKind) {
    let own = error.code();
    match own.kind {
        Kind::NotFound if own == &code::PATH_NOT_FOUND => (StatusCode::NOT_FOUND, PARAMETER),
        Kind::NotFound if own == &code::USER_NOT_FOUND => (StatusCode::OK, NO_USER),
        Kind::NotFound => (StatusCode::OK, OBJECT),
        Kind::Conflict if own == &code::NAME_TAKEN => (StatusCode::OK, NAME),
        Kind::Conflict => (StatusCode::OK, STATE),
        Kind::Invalid if own == &code::METHOD_NOT_ALLOWED => (StatusCode::METHOD_NOT_ALLOWED, PARAMETER),
        Kind::Invalid if own == &code::UNSUPPORTED_MEDIA_TYPE => (StatusCode::UNSUPPORTED_MEDIA_TYPE, PARAMETER),
        Kind::Invalid => (StatusCode::OK, PARAMETER),
        Kind::Unauthenticated => (StatusCode::UNAUTHORIZED, STRANGER),
        Kind::Forbidden => (StatusCode::FORBIDDEN, ROLE),
        Kind::Limit if own == &code::BODY_TOO_LARGE => (StatusCode::PAYLOAD_TOO_LARGE, PARAMETER),
        Kind::Limit | Kind::Unavailable | Kind::Internal => (StatusCode::OK, FAULT),
    }
}

/// Where a call is answered, for the stack of a refusal.
#[derive(Clone, Debug)]
pub struct ScodeCallSite {
    /// This server, as it speaks of itself.
    pub host: Arc<str>,
    pub module: &'static str,
    pub operation: &'static str,
}

impl ScodeCallSite {
    /// The answer with data.
    pub fn answer<T: Serialize>(&self, request_id: &str, found: Result<T, ScodeRefusal>) -> Response {
        match found {
            Ok(data) => {
                let (desc, stack) = (String::new(), None);
                let (message, message_cn) = ("success".to_owned(), "成功".to_owned());
                Json(ScodeEnvelope { scode: 0, desc, message, message_cn, stack, data: Some(data) }).into_response()
            }
            Err(refusal) => self.refuse(request_id, &refusal),
        }
    }

    /// The answer without.
    pub fn refuse(&self, request_id: &str, refusal: &ScodeRefusal) -> Response {
        if let ScodeRefusal::Of(error) = refusal {
            caller::log(error, request_id);
        }
        let (status, ScodeKind(scode, en, zh)) = refusal.encode();
        let desc = refusal.detail(Language::En);
        let stack = format!("host:{},module:{},code:{scode},func:{}", self.host, self.module, self.operation);
        let (message, message_cn) = (en.replace("%s", &desc), zh.replace("%s", &refusal.detail(Language::Zh)));
        let envelope = ScodeEnvelope::<()> { scode, desc, message, message_cn, stack: Some(vec![stack]), data: None };
        let mut response = (status, Json(envelope)).into_response();
        if let ScodeRefusal::Of(error) = refusal
            && let Some(pause) = error.pause()
        {
            // Rounded up: a client that waits as told must not come too early.
            response.headers_mut().insert(RETRY_AFTER, (pause.as_millis().div_ceil(1000) as u64).into());
        }
        response
    }
}

/// Lets a caller in by a bare token, or by what every door reads.
///
/// # Errors
/// Those of the sign-in.
pub async fn enter(server: &Server, parts: &Parts, guest: caller::Guest) -> Result<Request, (Arc<str>, Error)> {
    let request = caller::stranger(&server.app, parts, Language::default());
    let id = request.id.clone();
    let entered = async {
        caller::screen(parts, &server.app)?;
        let trust = caller::Trust::by_method(parts, &server.app);
        caller::enter(request, credentials(&parts.headers, &server.app)?, (guest, trust)).await
    };
    entered.await.map_err(|error| (id, error))
}

fn credentials(headers: &HeaderMap, app: &App) -> Result<Credentials> {
    let bare = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::trim);
    match bare.filter(|text| !text.is_empty() && !text.contains(' ')) {
        Some(token) => Ok(Credentials::Token(token.into())),
        None => Credentials::read(headers, &app.gate.settings().origins),
    }
}

/// Writes the way to sign in into a description.
pub struct ScodeSecuritySchemes;

impl utoipa::Modify for ScodeSecuritySchemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let text = "A token, with or without `Bearer `";
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", text)));
        openapi.components.get_or_insert_default().add_security_scheme("token", key);
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::wrong;
    use super::*;

    #[test]
    fn every_code_has_a_number_and_a_status() {
        for own in code::ALL {
            let (status, ScodeKind(scode, ..)) = ScodeRefusal::from(Error::new(own)).encode();
            assert!(scode >= 10000, "{}", own.name);
            assert_eq!(status == StatusCode::UNAUTHORIZED, own.kind == Kind::Unauthenticated, "{}", own.name);
            assert_eq!(status == StatusCode::FORBIDDEN, own.kind == Kind::Forbidden, "{}", own.name);
        }
    }

    #[test]
    fn a_wrong_parameter_is_named() {
        let refusal = ScodeRefusal::from(wrong("page_num", "x", ("a whole number is expected", "应为整数")));
        assert_eq!(refusal.encode().1.0, 10001);
        assert_eq!(refusal.detail(Language::En), "page_num 'x': a whole number is expected");
        assert_eq!(refusal.detail(Language::Zh), "page_num 'x': 应为整数");
        assert_eq!(
            ScodeRefusal::from(wrong("page_num", "", ("it is missing", "缺少该参数"))).detail(Language::Zh),
            "page_num: 缺少该参数"
        );
    }
}
