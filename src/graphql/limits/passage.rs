//! What a door lets pass, and how far the request that came through it got. The door puts it into the request's data,
//! the guard reads and writes it, and the door chooses its status by it.

use std::sync::atomic::{AtomicU8, Ordering};

use async_graphql::parser::types::OperationType;

/// One request's way through a door.
#[derive(Debug, Default)]
pub struct Passage {
    /// Whether mutations may pass: not by GET.
    pub mutations: bool,
    /// Whether subscriptions may pass: not where there is one answer.
    pub subscriptions: bool,
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
    pub fn new(mutations: bool, subscriptions: bool) -> Self {
        Self { mutations, subscriptions, stage: AtomicU8::new(0) }
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

    pub(super) fn lets(&self, operation: OperationType) -> bool {
        let lets = match operation {
            OperationType::Query => true,
            OperationType::Mutation => self.mutations,
            OperationType::Subscription => self.subscriptions,
        };
        if !lets {
            self.stage.store(1, Ordering::Relaxed);
        }
        lets
    }

    pub(super) fn executed(&self) {
        self.stage.store(2, Ordering::Relaxed);
    }
}
