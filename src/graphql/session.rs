//! Signing in and out by cookie, for pages. Programs send a token or Basic credentials with each request instead.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use axum::http::header::SET_COOKIE;

use super::context::Has;
use super::gate::Reach;
use super::user::User;
use crate::auth::cookie::{self, Bound};
use crate::error::{Error, code};
use crate::gql::scalar::Instant;
use crate::resolver;

/// A name and its password.
#[derive(InputObject)]
pub struct LoginInput {
    /// The user's name.
    name: String,
    /// The user's password.
    password: String,
}

/// A session that has begun; its cookie is in the answer's headers.
#[derive(Debug, SimpleObject)]
pub struct LoginPayload {
    /// Who signed in.
    user: User,
    /// When the session ends unless it is used.
    expires_at: Instant,
}

/// A session that has ended.
#[derive(Debug, SimpleObject)]
pub struct LogoutPayload {
    /// Whose session it was.
    user: Option<User>,
}

/// Begins and ends sessions.
#[derive(Debug, Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Signs in: the answer sets a cookie that counts for pages of this server alone. Not over a WebSocket.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Result<LoginPayload> {
        let (request, bound) = (ctx.request(), reach(ctx)?);
        let signed_in = resolver::session::login(request, &input.name, &input.password, None).await?;
        let idle = request.gate.settings().session_idle;
        ctx.append_http_header(SET_COOKIE, cookie::set(&signed_in.cookie, idle, bound));
        Ok(LoginPayload { user: signed_in.user.into(), expires_at: signed_in.expires_at.into() })
    }

    /// Signs out: ends the session this request came with, and takes its cookie away. Not over a WebSocket.
    async fn logout(&self, ctx: &Context<'_>) -> Result<LogoutPayload> {
        let (request, bound) = (ctx.request(), reach(ctx)?);
        let user = resolver::session::me(request).await?.map(User::from);
        resolver::session::logout(request).await?;
        ctx.append_http_header(SET_COOKIE, cookie::clear(bound));
        Ok(LogoutPayload { user })
    }
}

/// To what the cookie is bound.
fn reach(ctx: &Context<'_>) -> crate::error::Result<Bound> {
    match ctx.data_opt::<Reach>() {
        Some(Reach::Http { bound }) => Ok(*bound),
        Some(Reach::Socket) | None => {
            let reason = "a socket cannot carry a cookie: sign in and out by POST";
            Err(Error::new(&code::BAD_REQUEST).with("reason", reason))
        }
    }
}
