//! API tokens in the graph. A token's secret leaves once, in the payload of the mutation that makes it.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use taskloom_entity::{TokenId, UserId, token};

use super::change::{names_one, shows_one};
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::user::{self, Role, User};
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::resolver::token::{Created, Expiry, NewToken, TokenFilter};

/// Lets a program in, in the name of a user.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Token {
    #[graphql(skip)]
    key: TokenId,
    #[graphql(skip)]
    user_key: UserId,
    /// The number behind it.
    database_id: BigInt,
    /// For people.
    name: String,
    /// The most it may do; never more than its user.
    role: Role,
    /// When it was made.
    created_at: Instant,
    /// When it ends; null: when it is revoked.
    expires_at: Option<Instant>,
    /// When it was ended by somebody.
    revoked_at: Option<Instant>,
    /// When it was used last, give or take a minute.
    last_used_at: Option<Instant>,
    /// How many subscriptions its user may have open; null: as many as everybody.
    subscriptions: Option<i32>,
}

#[ComplexObject]
impl Token {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Token", self.key)
    }

    /// In whose name it lets in.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().own(self.user_key).await?.map(User::from))
    }
}

impl From<token::Model> for Token {
    fn from(row: token::Model) -> Self {
        Self {
            user_key: row.user_id,
            key: row.id,
            database_id: BigInt(row.id.0),
            name: row.name,
            role: row.role.into(),
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(Into::into),
            revoked_at: row.revoked_at.map(Into::into),
            last_used_at: row.last_used_at.map(Into::into),
            subscriptions: row.subscriptions,
        }
    }
}

/// The token of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<TokenId> {
    id::decode("Token", id).map(TokenId)
}

/// Which tokens.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "TokenFilter")]
pub struct TokenFilterInput {
    /// Of this user.
    user_id: Option<ID>,
    /// Only those that are neither revoked nor expired.
    #[graphql(default_with = "Some(false)")]
    valid: Option<bool>,
}

const LIST: OrderedList = OrderedList::by_id("tokens");

/// What a page of tokens says beside its edges.
#[derive(Debug)]
pub struct TokenTotal(TokenFilter);

#[Object]
impl TokenTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::token::count(ctx.request(), self.0.clone()).await?.cast_signed()))
    }
}

/// Reads tokens.
#[derive(Debug, Default)]
pub struct TokenQuery;

#[Object]
impl TokenQuery {
    /// Your tokens, newest first; an administrator sees all.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn tokens(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        filter: Option<TokenFilterInput>,
    ) -> Result<Paged<ListRow<Token>, TokenTotal>> {
        let request = ctx.request();
        let filter = filter.unwrap_or_default();
        let owner = filter.user_id.as_ref().map(user::key).transpose()?;
        let filter = TokenFilter { owner, valid_at: filter.valid.unwrap_or_default().then(|| request.clock.now()) };
        let page = LIST.page(&Args { first, after, last, before })?;
        let tokens = resolver::token::list(request, filter.clone(), page).await?;
        Ok(connection_with(tokens, TokenTotal(filter), |token| (LIST.cursor(token.id.0), ListRow(token.into()))))
    }
}

/// What a new token is made of.
#[derive(Debug, InputObject)]
pub struct CreateTokenInput {
    /// What it is for, in a line.
    name: String,
    /// The most it may do; no more than you.
    role: Role,
    /// When it ends. Left out: as the server is set up; null: when it is revoked.
    expires_at: MaybeUndefined<Instant>,
    /// In whose name it lets in; not given: yours.
    user_id: Option<ID>,
    /// With an access key beside it, for clients that sign their requests (`OCP-ACCESS-KEY-HMACSHA1`).
    #[graphql(default_with = "Some(false)")]
    access_key: Option<bool>,
    /// So many subscriptions may its user have open where they come with it, more than the settings give to everybody;
    /// for administrators to allow.
    subscriptions: Option<i32>,
}

/// The two halves of an access key.
#[derive(SimpleObject)]
pub struct AccessKey {
    /// The public half, which names it.
    id: String,
    /// The half to sign with. It is shown now and never again.
    secret: String,
}

names_one! {
    "Token" as TokenId:
    /// Which token lets nobody in any more.
    RevokeTokenInput
}

shows_one! {
    token: Token, of token::Model:
    /// The token that was revoked.
    RevokeTokenPayload
}

/// A new token.
#[derive(SimpleObject)]
pub struct CreateTokenPayload {
    /// The token.
    token: Token,
    /// What a program sends as `Authorization: Bearer …`. It is shown now and never again.
    secret: String,
    /// Its access key, where one was asked for.
    access_key: Option<AccessKey>,
}

/// Changes tokens.
#[derive(Debug, Default)]
pub struct TokenMutation;

#[Object]
impl TokenMutation {
    /// Makes a token.
    async fn create_token(&self, ctx: &Context<'_>, input: CreateTokenInput) -> Result<CreateTokenPayload> {
        let expiry = match input.expires_at {
            MaybeUndefined::Undefined => Expiry::Usual,
            MaybeUndefined::Null => Expiry::Never,
            MaybeUndefined::Value(at) => Expiry::At(at.into()),
        };
        let user = input.user_id.as_ref().map(user::key).transpose()?;
        let new = NewToken {
            user,
            name: input.name,
            role: input.role.into(),
            expiry,
            access_key: input.access_key.unwrap_or_default(),
            subscriptions: input.subscriptions,
        };
        let Created { token, secret, access_secret } = resolver::token::create(ctx.request(), new).await?;
        let key = token.access_key.clone().zip(access_secret);
        let access_key = key.map(|(id, secret)| AccessKey { id, secret });
        Ok(CreateTokenPayload { token: token.into(), secret, access_key })
    }

    /// Ends a token for good.
    async fn revoke_token(&self, ctx: &Context<'_>, input: RevokeTokenInput) -> Result<RevokeTokenPayload> {
        Ok(resolver::token::revoke(ctx.request(), input.decode()?).await?.into())
    }
}
