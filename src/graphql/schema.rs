//! The schema: every resource's part in one graph.

use std::any::TypeId;
use std::sync::Arc;

use async_graphql::{Data, MergedObject, MergedSubscription, SDLExportOptions, Schema as GraphSchema};

use super::audit::AuditQuery;
use super::definition::{DefinitionMutation, DefinitionQuery};
use super::event::TaskSubscription;
use super::limits::named;
use super::loader::SharedLoaders;
use super::node::NodeQuery;
use super::now::NowQuery;
use super::secret::{SecretMutation, SecretQuery};
use super::session::SessionMutation;
use super::source::{DataSourceMutation, DataSourceQuery};
use super::subtask::SubtaskMutation;
use super::task::{TaskMutation, TaskQuery};
use super::tenant::{TenantMutation, TenantQuery};
use super::token::{TokenMutation, TokenQuery};
use super::user::{UserMutation, UserQuery};
use super::vcenter::{VcenterMutation, VcenterQuery};
use super::vsphere::{VsphereMutation, VsphereQuery, VsphereSubscription};
use super::worker::WorkerQuery;
use crate::gql::limits::{self, OperationLimits, SchemaGuard};
use crate::resolver::now::RequestStart;
use crate::resolver::{App, Request};

/// Questions.
#[derive(MergedObject, Default, Debug)]
pub struct Query(
    NowQuery,
    NodeQuery,
    TaskQuery,
    DefinitionQuery,
    WorkerQuery,
    SecretQuery,
    DataSourceQuery,
    VcenterQuery,
    VsphereQuery,
    UserQuery,
    TenantQuery,
    TokenQuery,
    AuditQuery,
);

/// Changes.
#[derive(MergedObject, Default, Debug)]
pub struct Mutation(
    TaskMutation,
    SubtaskMutation,
    DefinitionMutation,
    SecretMutation,
    DataSourceMutation,
    VcenterMutation,
    VsphereMutation,
    UserMutation,
    TenantMutation,
    TokenMutation,
    SessionMutation,
);

/// What is followed.
#[derive(MergedSubscription, Default, Debug)]
pub struct Subscription(TaskSubscription, VsphereSubscription);

pub type GraphqlSchema = SchemaGuard<GraphSchema<Query, Mutation, Subscription>>;

/// The schema of a process, behind the limits.
#[must_use]
pub fn build(app: &Arc<App>, limits: &OperationLimits) -> GraphqlSchema {
    let build = || GraphSchema::build(Query::default(), Mutation::default(), Subscription::default());
    let (app, loaders) = (app.clone(), SharedLoaders::default());
    limits::guard(build, &named(limits)).beginning(move |data, session| {
        data.insert(RequestStart::of(&app));
        // As the gate has left it: with this operation, or with the session that the operation is one of.
        if let Some(asked) = request_of(data).or_else(|| request_of(session?)).cloned() {
            data.insert(loaders.begin(asked));
        }
    })
}

fn request_of(data: &Data) -> Option<&Request> {
    data.get(&TypeId::of::<Request>())?.downcast_ref()
}

/// The schema's text, as it is committed.
#[must_use]
pub fn text() -> String {
    let schema = GraphSchema::new(Query::default(), Mutation::default(), Subscription::default());
    let options = SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().include_specified_by();
    let mut text = schema.sdl_with_options(options);
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}
