//! What every resolver function is given: who asks, in which language, under which request id, and the machinery.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use taskloom_entity::Role;
use tokio::sync::Notify;

use super::refused::RefusedReads;
use crate::auth::{Authenticator, Principal, Scope, gate};
use crate::clock::Clock;
use crate::error::{Language, Result};
use crate::executor::{Host, OutboundPolicy};
use crate::feed::event::{Bell, Hub, VsphereEventLog};
use crate::feed::log::Live;
use crate::lease::Lives;
use crate::store::Store;
use crate::vault::Vault;

/// The machinery behind the resolvers, one per process.
#[derive(Clone, Debug)]
pub struct App {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub gate: Arc<Authenticator>,
    /// Rung after each commit.
    pub bell: Bell,
    /// Behind every subscription to tasks.
    pub hub: Hub,
    /// Behind every subscription to tasks of vCenters.
    pub vsphere_hub: Hub<VsphereEventLog>,
    /// The live ends of logs.
    pub live: Live,
    /// The keys of what lies sealed.
    pub vault: Vault,
    /// What this process has seen of workers.
    pub lives: Lives,
    pub refused: Arc<RefusedReads>,
    /// Told when something was deleted of which some is still kept.
    pub rests: Arc<Notify>,
    /// How far this process may go on somebody's behalf.
    pub policy: OutboundPolicy,
    /// Where it runs works; none: it runs none.
    pub host: Option<Host>,
    /// The most bytes of a log or a result that one page has.
    pub page: usize,
    /// The server's zone by its IANA name.
    pub time_zone: String,
}

/// Bytes of a page where nothing else is set.
pub const PAGE: usize = 4 << 20;

impl App {
    /// The machinery on a database.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(store: Store, clock: Arc<dyn Clock>, vault: Vault, proofs: gate::AuthSettings) -> Result<Self> {
        let bell = Bell::default();
        let hub = Hub::open(store.clone(), bell.clone()).await?;
        let vsphere_hub = Hub::open(store.clone(), bell.clone()).await?;
        let gate = Arc::new(Authenticator::new(store.clone(), clock.clone(), vault.clone(), proofs));
        let (live, policy) = (Live::default(), OutboundPolicy::default());
        let (lives, refused, rests) = (Lives::default(), Arc::default(), Arc::default());
        let time_zone = iana_time_zone::get_timezone().unwrap_or_else(|_| "UTC".to_owned());
        let (host, page) = (None, PAGE);
        let machinery = Self {
            store,
            clock,
            gate,
            bell,
            hub,
            vsphere_hub,
            live,
            vault,
            lives,
            refused,
            rests,
            policy,
            host,
            page,
            time_zone,
        };
        Ok(machinery)
    }
}

/// One call of a resolver.
#[derive(Clone, Debug)]
pub struct Request {
    /// The machinery; a request reads as it: `request.store`.
    pub app: Arc<App>,
    /// Who asks.
    pub principal: Principal,
    /// The language of messages.
    pub language: Language,
    /// 16 lower-case hex digits; the span, the audit row and the answer carry it.
    pub id: Arc<str>,
    /// Where it came from, where that is known: failed sign-ins are counted by it.
    pub address: Option<IpAddr>,
}

impl Request {
    /// What the caller may read who has at least `role`; a refusal is told of under the name of the operation.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, `FORBIDDEN`.
    pub fn reads(&self, role: Role, operation: &'static str) -> Result<&Scope> {
        self.principal.require(role).inspect_err(|error| self.refused.note(self, operation, error))
    }

    /// The same in another language.
    #[must_use]
    pub fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }
}

impl Deref for Request {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}
