//! Data sources in the graph. A password comes in and never goes out.

use async_graphql::{ComplexObject, Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use taskloom_entity::{DataSourceId, TenantId, data_source};

use super::change::shows_one;
use super::context::Has;
use super::list::{OrderedList, connection_with};
use super::state::DataSourceKind;
use super::tenant::{self, Tenant};
use crate::error::{Error, code};
use crate::gql::id;
use crate::gql::many::Paged;
use crate::gql::page::{Args, cost};
use crate::gql::row::ListRow;
use crate::gql::scalar::{BigInt, Instant, Json};
use crate::resolver;
use crate::resolver::source::NewDataSource;
use crate::vault::Hidden;

/// A database that subtasks of its tenant may ask by its name.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct DataSource {
    #[graphql(skip)]
    key: DataSourceId,
    #[graphql(skip)]
    tenant_key: TenantId,
    /// As `source` of a subtask names it; unique within its tenant.
    name: String,
    /// Which database it is.
    kind: DataSourceKind,
    /// Where it is; null for a file.
    host: Option<String>,
    /// Null: the usual one.
    port: Option<i32>,
    /// Its name, or its file.
    database: String,
    /// Who signs in.
    user: Option<String>,
    /// Whether it has a password.
    has_password: bool,
    /// Its options.
    options: Json,
    /// The engine of a legacy dialect that it stands for.
    engine: Option<String>,
    /// Who made it.
    creator: String,
    /// When it was made.
    created_at: Instant,
    /// When it was last changed.
    updated_at: Instant,
}

#[ComplexObject]
impl DataSource {
    /// Opaque and unique.
    pub async fn id(&self) -> ID {
        id::encode("DataSource", self.key)
    }

    /// Whose it is.
    async fn tenant(&self, ctx: &Context<'_>) -> Result<Option<Tenant>> {
        Ok(ctx.loaders().one(self.tenant_key).await?.map(Tenant::from))
    }
}

impl From<data_source::Model> for DataSource {
    fn from(row: data_source::Model) -> Self {
        Self {
            key: row.id,
            tenant_key: row.tenant_id,
            name: row.name,
            kind: row.kind.into(),
            host: row.host,
            port: row.port,
            database: row.database,
            user: row.username,
            has_password: row.sealed.is_some(),
            options: Json::from(&row.options),
            engine: row.engine,
            creator: row.creator,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

/// The data source of an id.
///
/// # Errors
/// `INVALID_ID`.
pub(super) fn key(id: &ID) -> crate::error::Result<DataSourceId> {
    id::decode("DataSource", id).map(DataSourceId)
}

const LIST: OrderedList = OrderedList::by_id("dataSources");

/// What a page of data sources says beside its edges.
#[derive(Debug)]
pub struct DataSourceTotal;

#[Object]
impl DataSourceTotal {
    /// How many there are on all pages; counted only when asked for.
    async fn total_count(&self, ctx: &Context<'_>) -> Result<BigInt> {
        Ok(BigInt(resolver::source::count(ctx.request()).await?.cast_signed()))
    }
}

/// Reads data sources.
#[derive(Debug, Default)]
pub struct DataSourceQuery;

#[Object]
impl DataSourceQuery {
    /// The data sources without their passwords, the oldest first. For managers and administrators.
    #[graphql(complexity = "cost(first, last, child_complexity)")]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a Relay connection")]
    async fn data_sources(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Paged<ListRow<DataSource>, DataSourceTotal>> {
        let page = LIST.page(&Args { first, after, last, before })?;
        let sources = resolver::source::list(ctx.request(), page).await?;
        Ok(connection_with(sources, DataSourceTotal, |row| (LIST.cursor(row.id.0), ListRow(row.into()))))
    }
}

/// What a data source is to be. An existing one of this name is changed as a whole; only its password stays.
#[derive(InputObject)]
pub struct PutDataSourceInput {
    /// Unique within its tenant.
    name: String,
    /// Which database it is.
    kind: DataSourceKind,
    /// A name or an address; none for a file.
    host: Option<String>,
    /// Left out: the usual one.
    port: Option<i32>,
    /// Its name, or a file below `executor.sql.sqlite_folder`.
    database: String,
    /// Who signs in.
    user: Option<String>,
    /// Left out: as it was; null: none. Send it as a variable, not within the document.
    password: MaybeUndefined<String>,
    /// An object of the options that its kind may have; `docs/executors.md` lists them.
    options: Option<Json>,
    /// The engine of a legacy dialect that it stands for, such as `spark`.
    engine: Option<String>,
    /// Whose it is; left out: the caller's own tenant's.
    tenant_id: Option<ID>,
}

impl PutDataSourceInput {
    fn decode(self) -> crate::error::Result<NewDataSource> {
        let options = match self.options.map(|json| json.0) {
            None | Some(serde_json::Value::Null) => serde_json::Map::new(),
            Some(serde_json::Value::Object(options)) => options,
            Some(_) => {
                let error = Error::new(&code::INVALID_INPUT).with("what", "`options`");
                return Err(error.with("reason", "it is an object, such as {sslmode: \"require\"}"));
            }
        };
        Ok(NewDataSource {
            tenant: self.tenant_id.as_ref().map(tenant::key).transpose()?,
            name: self.name,
            kind: self.kind.into(),
            host: self.host,
            port: self.port,
            database: self.database,
            user: self.user,
            password: match self.password {
                MaybeUndefined::Undefined => None,
                MaybeUndefined::Null => Some(None),
                MaybeUndefined::Value(text) => Some(Some(Hidden::new(text))),
            },
            options,
            engine: self.engine,
        })
    }
}

/// Which data source is removed.
#[derive(Debug, InputObject)]
pub struct DeleteDataSourceInput {
    /// Its id.
    id: ID,
}

/// Which data source is looked at.
#[derive(Debug, InputObject)]
pub struct TestDataSourceInput {
    /// Its id.
    id: ID,
}

shows_one! {
    data_source: DataSource, of data_source::Model:
    /// The data source as it is kept, without its password.
    PutDataSourcePayload
    /// The data source that was removed.
    DeleteDataSourcePayload
}

/// What a look at a data source found.
#[derive(Debug, SimpleObject)]
pub struct TestDataSourcePayload {
    /// Whether it answered.
    ok: bool,
    /// What it calls itself.
    version: Option<String>,
    /// Why it did not answer.
    message: Option<String>,
}

/// Changes data sources.
#[derive(Debug, Default)]
pub struct DataSourceMutation;

#[Object]
impl DataSourceMutation {
    /// Sets a data source up, or changes the one of this name.
    async fn put_data_source(&self, ctx: &Context<'_>, input: PutDataSourceInput) -> Result<PutDataSourcePayload> {
        Ok(resolver::source::put(ctx.request(), input.decode()?).await?.into())
    }

    /// Removes a data source. Subtasks that name it fail from then on.
    async fn delete_data_source(
        &self,
        ctx: &Context<'_>,
        input: DeleteDataSourceInput,
    ) -> Result<DeleteDataSourcePayload> {
        Ok(resolver::source::delete(ctx.request(), key(&input.id)?).await?.into())
    }

    /// Connects to a data source, and asks it what it is.
    async fn test_data_source(&self, ctx: &Context<'_>, input: TestDataSourceInput) -> Result<TestDataSourcePayload> {
        let probe = resolver::source::test(ctx.request(), key(&input.id)?).await?;
        Ok(TestDataSourcePayload { ok: probe.version.is_some(), version: probe.version, message: probe.message })
    }
}
