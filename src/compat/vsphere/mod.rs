//! A platform's task lists of vCenters: `/v1/vsphere/task`.

mod ask;
mod call;
mod wire;

use axum::Router;
use axum::extract::RawQuery;
use axum::response::Response;
use axum::routing::{any, get};
use taskloom_entity::vsphere_task;
use utoipa::OpenApi;

use self::ask::VsphereListRequest;
use self::call::{VsphereCall, VsphereRouterState, no_such_path, wrong_method};
use self::wire::{Item, ListAnswer, RecentAnswer, VsphereTaskList};
use super::caller::Guest;
use super::scode::{ScodeRefusal, ScodeRefusalBody, ScodeSecuritySchemes};
use super::{Server, hint};
use crate::resolver;
use crate::resolver::vsphere::task::{MOST, VsphereTaskFilter};
use crate::resolver::vsphere::{label, task};

/// The GraphQL document of each route.
pub const DOCUMENTS: &[hint::OperationDocument] = &[
    ("vsphere.listRecentTasks", include_str!("operations/listRecentTasks.graphql")),
    ("vsphere.listTasks", include_str!("operations/listTasks.graphql")),
    ("vsphere.listResourceTasks", include_str!("operations/listResourceTasks.graphql")),
];

const TASKS: &str = "/v1/vsphere/task";

/// The dialect's routes; everything else below its path is answered in its envelope.
pub fn router(server: Server, guest: Guest) -> Router {
    Router::new()
        .route(&format!("{TASKS}/root_recent/list"), hint::route(get, "vsphere.listRecentTasks", recent))
        .route(&format!("{TASKS}/root/list"), hint::route(get, "vsphere.listTasks", list))
        .route(&format!("{TASKS}/resource/list"), hint::route(get, "vsphere.listResourceTasks", resource))
        .method_not_allowed_fallback(wrong_method)
        .route(TASKS, any(no_such_path))
        .route(&format!("{TASKS}/{{*rest}}"), any(no_such_path))
        .with_state(VsphereRouterState { server, guest })
}

/// What is true of the dialect as a whole.
#[derive(OpenApi)]
#[openapi(
    info(title = "Taskloom: vSphere task histories", description = "The task lists of vCenters as a platform's management API has them, answered by Taskloom from what it has collected. Each answer names the GraphQL operation that does the same."),
    paths(recent, list, resource),
    modifiers(&ScodeSecuritySchemes),
    security(("token" = [])),
    servers((url = "/", description = "This server")),
    tags((name = "vsphere", description = "Tasks of vCenters"))
)]
struct VsphereOpenApi;

/// The dialect's OpenAPI description.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    VsphereOpenApi::openapi()
}

/// Lists what a vCenter has or had at work just now, the newest first.
#[utoipa::path(get, path = "/v1/vsphere/task/root_recent/list", operation_id = "vsphere.listRecentTasks", tag = "vsphere",
    params(ask::VsphereRecentParameters),
    responses((status = 200, description = "The tasks, or why not", body = RecentAnswer),
    (status = "4XX", description = "Refused", body = ScodeRefusalBody)))]
async fn recent(call: VsphereCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let ask = VsphereListRequest::parse(query.as_deref(), false)?;
        let (vcenter, filter) = filter(&call, &ask).await?;
        let tasks = task::recent(&call.request, vcenter, &filter).await?;
        let (offset, limit) = ask.part();
        let clamp = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        items(&call, tasks.into_iter().skip(clamp(offset)).take(clamp(limit)).collect()).await
    };
    call.answer("vsphere.listRecentTasks", found.await)
}

/// Lists the tasks of a vCenter, the newest first.
#[utoipa::path(get, path = "/v1/vsphere/task/root/list", operation_id = "vsphere.listTasks", tag = "vsphere",
    params(ask::VsphereRootParameters), responses((status = 200, description = "A page, or why not", body = ListAnswer),
    (status = "4XX", description = "Refused", body = ScodeRefusalBody)))]
async fn list(call: VsphereCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let ask = VsphereListRequest { reference: None, ..VsphereListRequest::parse(query.as_deref(), false)? };
        page(&call, &ask).await
    };
    call.answer("vsphere.listTasks", found.await)
}

/// Lists the tasks on an object of a vCenter and on what lies under it, the newest first.
#[utoipa::path(get, path = "/v1/vsphere/task/resource/list", operation_id = "vsphere.listResourceTasks", tag = "vsphere",
    params(ask::VsphereResourceParameters),
    responses((status = 200, description = "A page, or why not", body = ListAnswer),
    (status = "4XX", description = "Refused", body = ScodeRefusalBody)))]
async fn resource(call: VsphereCall, RawQuery(query): RawQuery) -> Response {
    let found = async { page(&call, &VsphereListRequest::parse(query.as_deref(), true)?).await };
    call.answer("vsphere.listResourceTasks", found.await)
}

async fn page(call: &VsphereCall, ask: &VsphereListRequest) -> Result<VsphereTaskList, ScodeRefusal> {
    let (_, filter) = filter(call, ask).await?;
    let total_count = task::count(&call.request, &filter).await?;
    let tasks = task::page(&call.request, &filter, ask.part()).await?;
    Ok(VsphereTaskList { total_count, list: items(call, tasks).await? })
}

async fn filter(
    call: &VsphereCall,
    ask: &VsphereListRequest,
) -> Result<(taskloom_entity::VcenterId, VsphereTaskFilter), ScodeRefusal> {
    let vcenter = resolver::vcenter::get_by_uuid(&call.request, &ask.vcenter).await?.id;
    let search = match &ask.text {
        Some(text) => Some(label::search(&call.request, Some(vcenter), text, call.language()).await?),
        None => None,
    };
    let under = ask.reference.clone().map(|reference| (vcenter, reference));
    Ok((vcenter, VsphereTaskFilter { vcenter_id: Some(vcenter), search, under, ..VsphereTaskFilter::default() }))
}

async fn items(call: &VsphereCall, tasks: Vec<vsphere_task::Model>) -> Result<Vec<Item>, ScodeRefusal> {
    let names = label::list(&call.request, &tasks, call.language()).await?;
    Ok(tasks.into_iter().zip(names).map(|(task, name)| Item::of(task, name)).collect())
}

/// Rows of a page without a size.
const ALL: u64 = MOST;
