//! Rows of vCenters as a collector would write them, without a vCenter: for stories of what is kept.

use std::sync::Arc;
use std::time::Duration;

use taskloom::auth::{self, Principal};
use taskloom::clock::Clock;
use taskloom::error::Language;
use taskloom::resolver::vsphere::collect::Seen;
use taskloom::resolver::{App, Request, vcenter};
use taskloom::store::Store;
use taskloom::vault::{Hidden, Vault};
use taskloom_entity::{TenantId, Timestamp, VcenterTrust, VsphereReason, VsphereTaskState};

/// A request of a part of a server on this store.
pub(super) async fn system(store: Store, clock: Arc<dyn Clock>) -> Request {
    let settings = auth::gate::AuthSettings {
        session_idle: Duration::from_secs(3600),
        token_expiry: None,
        origins: Default::default(),
    };
    let app = App::open(store, clock, Vault::fleeting(), settings).await.unwrap();
    Request {
        app: Arc::new(app),
        principal: Principal::system("test"),
        language: Language::En,
        id: "0000000000000000".into(),
        address: None,
    }
}

/// A vCenter that nobody reaches.
pub(crate) fn vcenter(tenant: TenantId, name: &str, keep_days: Option<i32>) -> vcenter::NewVcenter {
    vcenter::NewVcenter {
        tenant: Some(tenant),
        name: name.into(),
        uuid: Some(name.into()),
        address: "127.0.0.1:1".into(),
        user: "reader".into(),
        password: Some(Hidden::new("secret".into())),
        trust: VcenterTrust::System,
        trusted: None,
        collect: true,
        keep_days,
    }
}

/// A task that runs since this instant.
pub(crate) fn running(key: &str, queued_at: Timestamp) -> Seen {
    Seen {
        key: key.into(),
        state: VsphereTaskState::Running,
        is_lost: false,
        cancelled: false,
        cancelable: false,
        progress: None,
        name: None,
        description_id: "VirtualMachine.powerOn".into(),
        entity: None,
        entity_name: None,
        reason: VsphereReason::System,
        username: None,
        fault: None,
        message: None,
        detail: None,
        event_chain_id: 1,
        parent_key: None,
        root_key: None,
        rest: None,
        queued_at,
        started_at: None,
        completed_at: None,
    }
}

/// The same when it has ended.
pub(super) fn ended(key: &str, queued_at: Timestamp, completed_at: Timestamp) -> Seen {
    let completed_at = Some(completed_at);
    Seen { state: VsphereTaskState::Success, completed_at, ..running(key, queued_at) }
}
