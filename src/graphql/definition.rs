//! Kept definitions and their versions.

use async_graphql::{Context, ID, InputObject, Object, Result};
use taskloom_entity::definition::Model;
use taskloom_entity::{DefinitionId, TenantId};

use super::change::{names_one, shows_one};
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::task::SpecInput;
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant, StoredJson};
use crate::resolver;
use crate::resolver::definition;
use crate::resolver::read::Document;
use crate::resolver::task::submit::SubmissionSource;

/// One version of a definition.
#[derive(Clone, Debug)]
pub struct Definition(pub definition::DefinitionRow);

impl From<Model> for Definition {
    fn from(kept: Model) -> Self {
        Self(kept.into())
    }
}

/// One version of a definition.
#[Object]
impl Definition {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("Definition", self.0.id)
    }
    /// The number that legacy clients know.
    async fn database_id(&self) -> BigInt {
        BigInt(self.0.id.0)
    }
    /// Its name.
    async fn name(&self) -> &str {
        &self.0.name
    }
    /// From 1; a version never changes.
    async fn version(&self) -> i32 {
        self.0.version
    }
    /// Whether it is the newest of its name.
    async fn latest(&self) -> bool {
        self.0.latest
    }
    /// The definition itself.
    async fn spec(&self, ctx: &Context<'_>) -> Result<StoredJson> {
        let found = ctx.document(Document::DefinitionSpec, self.0.id.0).await?;
        Ok(found.ok_or_else(|| definition::not_found(self.0.id))?)
    }
    /// Who saved it.
    async fn creator(&self) -> &str {
        &self.0.creator
    }
    /// When.
    async fn created_at(&self) -> Instant {
        self.0.created_at.into()
    }
}

const LIST: OrderedList = OrderedList::by_id("definitions");

/// How many definitions a list has.
#[derive(Clone, Debug)]
pub struct DefinitionTotal(Option<String>);

/// How many definitions a list has.
#[Object]
impl DefinitionTotal {
    /// How many match; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::definition::count(ctx.request(), self.0.as_deref()).await?.cast_signed()))
    }
}

/// Questions about definitions.
#[derive(Debug, Default)]
pub struct DefinitionQuery;

/// Questions about definitions.
#[Object]
impl DefinitionQuery {
    /// The newest version of each definition, or with `versionsOf` every version of one; the newest first.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "a field has as many arguments as the schema gives it")]
    async fn definitions(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        versions_of: Option<String>,
    ) -> Result<Paged<ListRow<Definition>, DefinitionTotal>> {
        let page = LIST.page(&Args { first, after, last, before })?;
        let slice = resolver::definition::list(ctx.request(), versions_of.as_deref(), page).await?;
        Ok(connection_with(slice, DefinitionTotal(versions_of), |row| {
            (LIST.cursor(row.id.0), ListRow(Definition(row)))
        }))
    }

    /// One definition by name; the newest version unless one is named.
    async fn definition(&self, ctx: &Context<'_>, name: String, version: Option<i32>) -> Result<Option<Definition>> {
        Ok(Some(resolver::definition::get_by_name(ctx.request(), &name, version).await?.into()))
    }
}

/// A definition to be kept: exactly one of `spec` and `source`.
#[derive(Clone, Debug, InputObject)]
pub struct SaveDefinitionInput {
    /// As an object.
    spec: Option<SpecInput>,
    /// As YAML or JSON text: faults come with their lines.
    source: Option<String>,
    /// The owner; left out: the caller's own tenant.
    tenant_id: Option<ID>,
}

names_one! {
    "Definition" as DefinitionId:
    /// Which definition is taken out of use: any of its versions.
    DeleteDefinitionInput
}

shows_one! {
    definition: Definition, of Model:
    /// The definition as it is kept.
    SaveDefinitionPayload
    /// The definition that was taken out of use.
    DeleteDefinitionPayload
}

#[derive(Debug, Default)]
pub struct DefinitionMutation;

/// Changes of definitions.
#[Object]
impl DefinitionMutation {
    /// Keeps a definition as the newest version of its name; one that is unchanged stays as it is.
    async fn save_definition(&self, ctx: &Context<'_>, input: SaveDefinitionInput) -> Result<SaveDefinitionPayload> {
        let source: SubmissionSource = super::task::source(input.spec, input.source, None, None)?;
        let tenant = input.tenant_id.map(|tenant| id::decode("Tenant", &tenant)).transpose()?.map(TenantId);
        Ok(resolver::definition::save(ctx.request(), source, tenant).await?.into())
    }

    /// Takes every version of a definition out of use. Tasks made of it stay.
    async fn delete_definition(
        &self,
        ctx: &Context<'_>,
        input: DeleteDefinitionInput,
    ) -> Result<DeleteDefinitionPayload> {
        Ok(resolver::definition::delete(ctx.request(), input.decode()?).await?.into())
    }
}
