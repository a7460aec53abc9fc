//! Secrets in the graph: their names. A value comes in and never goes out.

use async_graphql::{ComplexObject, Context, ID, InputObject, Object, Result, SimpleObject};
use taskloom_entity::{SecretId, TenantId, secret};

use super::change::shows_one;
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::tenant::{self, Tenant};
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant};
use crate::resolver;
use crate::vault::Hidden;

/// A value that subtasks of its tenant may be given by its name. Nobody is shown the value.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Secret {
    #[graphql(skip)]
    key: SecretId,
    #[graphql(skip)]
    tenant_key: TenantId,
    /// As `secrets` of a subtask names it; unique within its tenant.
    name: String,
    /// Who made it.
    creator: String,
    /// When it was made.
    created_at: Instant,
    /// When its value was last given.
    updated_at: Instant,
}

#[ComplexObject]
impl Secret {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Secret", self.key)
    }

    /// Whose it is.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<Tenant>> {
        Ok(ctx.loaders().one(self.tenant_key).await?.map(Tenant::from))
    }
}

impl From<secret::Model> for Secret {
    fn from(row: secret::Model) -> Self {
        Self {
            key: row.id,
            tenant_key: row.tenant_id,
            name: row.name,
            creator: row.creator,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// The secret of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<SecretId> {
    id::decode("Secret", id).map(SecretId)
}

const LIST: OrderedList = OrderedList::by_id("secrets");

/// What a page of secrets says beside its edges.
#[derive(Debug)]
pub struct SecretTotal;

#[Object]
impl SecretTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::secret::count(ctx.request()).await?.cast_signed()))
    }
}

/// Reads secrets.
#[derive(Debug, Default)]
pub struct SecretQuery;

#[Object]
impl SecretQuery {
    /// Every secret without its value, the oldest first. For administrators.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn secrets(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Paged<ListRow<Secret>, SecretTotal>> {
        let page = LIST.page(&Args { first, after, last, before })?;
        let secrets = resolver::secret::list(ctx.request(), page).await?;
        Ok(connection_with(secrets, SecretTotal, |row| (LIST.cursor(row.id.0), ListRow(row.into()))))
    }
}

/// A secret's value. Send it as a variable, not within the document.
#[derive(InputObject)]
pub struct PutSecretInput {
    /// A letter or `_`, then letters, digits and `_`; at most 64.
    name: String,
    /// 4 bytes to 64 KiB of text. What it was before is gone.
    value: String,
    /// Whose it is; left out: the caller's own tenant's.
    tenant_id: Option<ID>,
}

/// Which secret is removed.
#[derive(Debug, InputObject)]
pub struct DeleteSecretInput {
    /// Its id.
    id: ID,
}

shows_one! {
    secret: Secret, of secret::Model:
    /// The secret as it is kept, without its value.
    PutSecretPayload
    /// The secret that was removed.
    DeleteSecretPayload
}

/// Changes secrets.
#[derive(Debug, Default)]
pub struct SecretMutation;

#[Object]
impl SecretMutation {
    /// Gives the secret of this name its value, and makes it where there is none.
    async fn put_secret(&self, ctx: &Context<'_>, input: PutSecretInput) -> Result<PutSecretPayload> {
        let value = Hidden::new(input.value);
        let tenant = input.tenant_id.as_ref().map(tenant::key).transpose()?;
        Ok(resolver::secret::put(ctx.request(), tenant, &input.name, &value).await?.into())
    }

    /// Removes a secret. Subtasks that name it fail from then on.
    async fn delete_secret(&self, ctx: &Context<'_>, input: DeleteSecretInput) -> Result<DeleteSecretPayload> {
        Ok(resolver::secret::delete(ctx.request(), key(&input.id)?).await?.into())
    }
}
