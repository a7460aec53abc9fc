//! Random graphs, and what may happen to them at random moments.

use std::time::Duration;

use proptest::prelude::*;

use super::{Outcome, Story, Verb, graph};
use crate::task::Snapshot;
use crate::task::command::Target;
use crate::{OnLost, SubtaskState};

/// Something that happens. Numbers choose, modulo how many there are to choose from.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A worker takes a READY subtask.
    Claim(usize),
    /// An attempt ends, one that nobody expects to among them.
    End(usize, Outcome),
    /// An attempt tells how far it is.
    Advance(usize, f64),
    /// Somebody asks for anything at all.
    Ask(Verb, usize),
    /// Somebody asks for what is offered.
    Accept(usize),
    /// Time passes, in seconds.
    Later(u64),
}

/// What a random subtask is made of.
type RandomSubtask = (u16, u16, i32, u64, bool, f64, u8);

/// A task of 1 to 12 subtasks before it is submitted.
pub(super) fn task() -> impl Strategy<Value = Snapshot> {
    let subtask = (any::<u16>(), any::<u16>(), 1..=3_i32, 0..4_u64, any::<bool>(), 0.1..10.0_f64, 0..20_u8);
    (prop::collection::vec(subtask, 1..=12), 0..20_u8).prop_map(|(rows, forbids)| {
        // Two masks together: few enough arrows for branches, many enough for chains.
        let needs = |index: usize, mask: u16| (0..index).filter(|up| mask >> up & 1 == 1).collect();
        let named = |(index, row): (usize, &RandomSubtask)| (format!("s{index}"), needs(index, row.0 & row.1));
        let mut snapshot = graph::snapshot(rows.iter().enumerate().map(named).collect());
        snapshot.task.prohibit_rollback = forbids == 0;
        for (subtask, (_, _, tries, backoff, once, weight, forbids)) in snapshot.subtasks.iter_mut().zip(rows) {
            subtask.max_tries = tries;
            subtask.backoff = Duration::from_secs(backoff);
            subtask.on_lost = if once { OnLost::Fail } else { OnLost::Retry };
            subtask.weight = weight;
            subtask.prohibit_rollback = forbids == 0;
        }
        snapshot
    })
}

pub(super) fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        5 => Just(Outcome::Succeeded),
        3 => Just(Outcome::Failed),
        1 => Just(Outcome::TimedOut),
        1 => Just(Outcome::Canceled),
        1 => Just(Outcome::Lost),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => any::<usize>().prop_map(Happening::Claim),
        6 => (any::<usize>(), outcome()).prop_map(|(which, outcome)| Happening::End(which, outcome)),
        2 => (any::<usize>(), -0.1..1.1_f64).prop_map(|(which, fraction)| Happening::Advance(which, fraction)),
        1 => (prop::sample::select(&Verb::ALL[..]), any::<usize>()).prop_map(|(verb, on)| Happening::Ask(verb, on)),
        2 => any::<usize>().prop_map(Happening::Accept),
        1 => (0..5_u64).prop_map(Happening::Later),
    ]
}

/// What happens, in order.
pub(super) fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    prop::collection::vec(happening(), 0..80)
}

impl Story {
    /// The task and each of its subtasks.
    pub(super) fn targets(&self) -> Vec<Target> {
        let subtasks = (0..self.snapshot.subtasks.len()).map(Target::Subtask);
        std::iter::once(Target::Task).chain(subtasks).collect()
    }

    pub(super) fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Claim(which) => {
                if let Some(index) = self.one(*which, |state| state == SubtaskState::Ready) {
                    self.try_claim(index);
                }
            }
            Happening::End(which, outcome) => {
                // Every fourth comes to whom it may: too late, or for somebody else.
                let under = |state| matches!(state, SubtaskState::Running | SubtaskState::Canceling) || which % 4 == 0;
                if let Some(index) = self.one(*which / 4, under) {
                    self.finish(index, outcome);
                }
            }
            Happening::Advance(which, fraction) => {
                let name = self.snapshot.subtasks[which % self.snapshot.subtasks.len()].name.clone();
                self.advance(&name, *fraction);
            }
            Happening::Ask(verb, on) => {
                let targets = self.targets();
                let _: Result<(), _> = self.try_ask(*verb, targets[on % targets.len()]);
            }
            Happening::Accept(which) => {
                let offered = self.offered();
                if let Some(&(verb, target)) = offered.get(which % offered.len().max(1)) {
                    assert_eq!(self.try_ask(verb, target), Ok(()), "what is offered is accepted");
                }
            }
            Happening::Later(seconds) => {
                self.later(Duration::from_secs(*seconds));
            }
        }
    }

    /// Whatever is available, for whom.
    pub(super) fn offered(&self) -> Vec<(Verb, Target)> {
        let of = |target| super::command::available(&self.snapshot, target).into_iter().map(move |verb| (verb, target));
        self.targets().into_iter().flat_map(of).collect()
    }

    fn one(&self, which: usize, wanted: impl Fn(SubtaskState) -> bool) -> Option<usize> {
        let indexes =
            self.snapshot.subtasks.iter().enumerate().filter(|(_, s)| wanted(s.state)).map(|(index, _)| index);
        let indexes: Vec<usize> = indexes.collect();
        indexes.get(which % indexes.len().max(1)).copied()
    }
}
