//! What a door lets pass, and how far the request that came through it got. The door puts it into the request's data,
//! the guard reads and writes it, and the door chooses its status by it. A subscription keeps its place in it: it is
//! dropped with the request's data, and these with the stream.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use async_graphql::parser::types::OperationType;

use super::account::Payer;
use super::malformed;
use super::places::{PlacePermit, Places};
use crate::error::Result;

/// One request's way through a door.
#[derive(Debug)]
pub struct Passage {
    /// Whether mutations may pass: not by GET.
    mutations: bool,
    /// Where subscriptions find a place; none where there is one answer.
    subscriptions: Option<Places>,
    place: OnceLock<PlacePermit>,
    stage: AtomicU8,
}

/// How far a request got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was executed.
    Refused,
    /// Nothing was executed: this operation does not pass by this door.
    WrongDoor,
    /// Resolvers ran, so there is `data`, if only null.
    Executed,
}

impl Passage {
    /// A door.
    #[must_use]
    pub fn new(mutations: bool, subscriptions: Option<Places>) -> Self {
        Self { mutations, subscriptions, place: OnceLock::new(), stage: AtomicU8::new(0) }
    }

    /// How far the request got.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Relaxed) {
            0 => Stage::Refused,
            1 => Stage::WrongDoor,
            _ => Stage::Executed,
        }
    }

    /// Whether a subscription passed.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        self.place.get().is_some()
    }

    /// Lets an operation pass, or says why not.
    pub(super) fn admit(&self, operation: OperationType, payer: Option<Payer>) -> Result<()> {
        let refusal = match (operation, &self.subscriptions) {
            (OperationType::Subscription, Some(places)) => {
                // A request has one operation: there is no second place to be kept.
                let allowance = payer.and_then(|payer| payer.subscriptions);
                let _ = self.place.set(places.take(payer.map(|payer| payer.caller), allowance)?);
                return Ok(());
            }
            (OperationType::Subscription, None) => {
                "a subscription needs a stream: send `Accept: text/event-stream`, or use a WebSocket"
            }
            (OperationType::Mutation, _) if !self.mutations => "a mutation must be sent by POST",
            (OperationType::Query | OperationType::Mutation, _) => return Ok(()),
        };
        self.stage.store(1, Ordering::Relaxed);
        Err(malformed(refusal))
    }

    pub(super) fn executed(&self) {
        self.stage.store(2, Ordering::Relaxed);
    }
}
