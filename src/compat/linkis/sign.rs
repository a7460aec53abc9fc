//! Sign-in as the product's clients do it: a name and a password for a ticket in a cookie.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use serde_json::{Value, json};
use taskloom_entity::Role;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use super::call::{COOKIE, Linkis, LinkisCall, Sent};
use super::envelope::{LinkisAnswer, LinkisRefusal, LinkisRefusalBody, Message};
use super::wire::{LinkisUser, Login};
use crate::auth::{Via, cookie, origin};
use crate::error::{Error, code};
use crate::resolver::session;

/// A ticket that was not used for so long has ended.
const IDLE: Duration = Duration::from_secs(2 * 3600);
const NO_NAME: &str = "Username can not be empty(用户名不能为空)！";
const NO_PASSWORD: &str = "Password can not be blank(密码不能为空)！";
const WRONG: &str = "The user name or password is wrong(用户名或密码错误)！";

/// A call of somebody who may still be nobody, whatever was sent before.
pub struct LinkisOpenCall(LinkisCall);

impl FromRequestParts<Linkis> for LinkisOpenCall {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, linkis: &Linkis) -> Result<Self, Response> {
        // Whoever signs in anew may bring an old ticket.
        parts.headers = HeaderMap::from_iter(parts.headers.drain().filter_map(|(name, value)| {
            let name = name?;
            (name != "cookie" && name != "token-user" && name != "token-code").then_some((name, value))
        }));
        LinkisCall::from_request_parts(parts, linkis).await.map(Self)
    }
}

/// Signs in.
#[utoipa::path(post, path = "/api/rest_j/v1/user/login", operation_id = "linkis.login", tag = "user", security(()),
    request_body(content = Object, description = "`{userName, password}`"),
    responses((status = 200, description = "A ticket, in a cookie", body = Message<Login>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn login(LinkisOpenCall(call): LinkisOpenCall, headers: HeaderMap, Sent(body): Sent) -> Response {
    let mut ticket = None;
    let origins = &call.request.gate.settings().origins;
    let done = async {
        // A foreign page must not sign its visitor in as somebody else.
        if !origin::is_meant(&headers, origins) {
            return Err(Error::new(&code::FOREIGN_PAGE).into());
        }
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("userName").ok_or_else(|| LinkisRefusal::words(NO_NAME))?;
        let password = text("password").ok_or_else(|| LinkisRefusal::words(NO_PASSWORD))?;
        let signed = session::login(&call.request, name, password, Some(IDLE)).await.map_err(|error| {
            if error.code() == &code::BAD_CREDENTIALS { LinkisRefusal::words(WRONG) } else { error.into() }
        })?;
        ticket = Some(cookie::set_named(COOKIE, &signed.cookie, IDLE, origin::bound(&headers, origins)));
        let login = Login {
            user_name: signed.user.name,
            is_admin: signed.user.role == Role::Admin,
            session_time_out: i64::try_from(IDLE.as_millis()).unwrap_or(i64::MAX),
            enable_watermark: false,
        };
        Ok(LinkisAnswer("login successful(登录成功)！", login))
    };
    let done = done.await;
    with_cookie(call.answer(done), ticket)
}

/// Signs out.
#[utoipa::path(post, path = "/api/rest_j/v1/user/logout", operation_id = "linkis.logout", tag = "user",
    responses((status = 200, description = "The ticket has ended", body = Message<Object>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn logout(call: LinkisCall, headers: HeaderMap) -> Response {
    let done = async {
        match call.request.principal.via() {
            // A token does not end by saying good-bye.
            Via::Token(_) | Via::Password => {}
            Via::Session(_) | Via::Nothing => session::logout(&call.request).await?,
        }
        Ok(LinkisAnswer("Logout successful(退出登录成功)！", json!({})))
    };
    let done = done.await;
    let bound = origin::bound(&headers, &call.request.gate.settings().origins);
    let gone = cookie::set_named(COOKIE, "", Duration::ZERO, bound);
    with_cookie(call.answer(done), Some(gone))
}

/// Says whose call it is.
#[utoipa::path(get, path = "/api/rest_j/v1/user/userInfo", operation_id = "linkis.userInfo", tag = "user",
    responses((status = 200, description = "Whose call it is", body = Message<LinkisUser>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn user_info(call: LinkisCall) -> Response {
    let found = async {
        let user = session::me(&call.request).await?;
        let user = user.ok_or_else(|| Error::new(&code::UNAUTHENTICATED))?;
        Ok(LinkisAnswer("get user information succeed!", LinkisUser { user_name: user.name }))
    };
    call.answer(found.await)
}

fn with_cookie(mut response: Response, line: Option<String>) -> Response {
    if let Some(line) = line.and_then(|line| HeaderValue::from_str(&line).ok()) {
        response.headers_mut().append(SET_COOKIE, line);
    }
    response
}

/// Writes the ways to sign in into the description.
pub struct LinkisSecuritySchemes;

impl utoipa::Modify for LinkisSecuritySchemes {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let header = |name: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
        let bearer = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        let components = openapi.components.get_or_insert_default();
        for (name, scheme) in [
            ("bearer", bearer),
            ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)))),
            ("tokenUser", header("Token-User")),
            ("tokenCode", header("Token-Code")),
        ] {
            components.add_security_scheme(name, scheme);
        }
    }
}
