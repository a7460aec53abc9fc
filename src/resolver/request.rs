//! What every resolver function is given: who asks, in which language, under which request id, and the machinery.

use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use crate::auth::{Gate, Principal};
use crate::clock::Clock;
use crate::error::Language;
use crate::event::{Bell, Hub};
use crate::executor::Reach;
use crate::log::Live;
use crate::store::Store;
use crate::vault::Vault;

/// The machinery behind the resolvers, one per process.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Proves credentials.
    pub gate: Arc<Gate>,
    /// Rung after each commit.
    pub bell: Bell,
    /// Behind every subscription.
    pub hub: Hub,
    /// The live ends of logs.
    pub live: Live,
    /// The keys of what lies sealed.
    pub vault: Vault,
    /// How far this process may go on somebody's behalf.
    pub reach: Reach,
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

impl Deref for Request {
    type Target = App;

    fn deref(&self) -> &App {
        &self.app
    }
}
