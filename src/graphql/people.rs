//! Loaders of users and tenants: fields that lead from many objects to theirs cost one query, whatever their number.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::dataloader::Loader;
use taskloom_entity::{TenantId, UserId, tenant, user};

use crate::error::Error;
use crate::resolver::{self, Request};

/// Loads in the name of one caller: what it may not see is not found.
#[derive(Debug)]
pub struct People(Request);

/// The key of the tenants a user belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantsOf(pub UserId);

impl People {
    /// Loads for who sent this request.
    #[must_use]
    pub fn new(request: Request) -> Self {
        Self(request)
    }
}

impl Loader<UserId> for People {
    type Value = user::Model;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[UserId]) -> Result<HashMap<UserId, user::Model>, Arc<Error>> {
        let users = resolver::user::many(&self.0, ids).await?;
        Ok(users.into_iter().map(|user| (user.id, user)).collect())
    }
}

impl Loader<TenantId> for People {
    type Value = tenant::Model;
    type Error = Arc<Error>;

    async fn load(&self, ids: &[TenantId]) -> Result<HashMap<TenantId, tenant::Model>, Arc<Error>> {
        let tenants = resolver::tenant::many(&self.0, ids).await?;
        Ok(tenants.into_iter().map(|tenant| (tenant.id, tenant)).collect())
    }
}

impl Loader<TenantsOf> for People {
    type Value = Vec<tenant::Model>;
    type Error = Arc<Error>;

    async fn load(&self, users: &[TenantsOf]) -> Result<HashMap<TenantsOf, Vec<tenant::Model>>, Arc<Error>> {
        let ids: Vec<UserId> = users.iter().map(|of| of.0).collect();
        let tenants = resolver::user::tenants(&self.0, &ids).await?;
        Ok(tenants.into_iter().map(|(user, tenants)| (TenantsOf(user), tenants)).collect())
    }
}
