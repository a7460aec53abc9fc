//! Stories about the pure core: a graph as a string in, a state line out. Each change that a story makes is held
//! against the rules in [`check`], whatever the story itself is about.

mod again;
mod cells;
mod check;
mod every_node;
mod forward;
mod graph;
mod pause;
mod preview;
mod progress;
mod properties;
mod random;
mod rollback;
mod scene;
mod show;
mod waiting;

use std::collections::VecDeque;
use std::time::Duration;

use super::command::execute::{self, Outcome};
use super::command::{self, Target, Verb};
use super::preview::Preview;
use super::{Draft, Plan, Refused, Snapshot, SubtaskFacts};
use crate::{AttemptId, SubtaskState, Timestamp};

/// A task under way, and what its attempts will come to.
#[derive(Clone, Debug)]
struct Story {
    snapshot: Snapshot,
    now: Timestamp,
    /// For each subtask the outcomes of its next attempts; afterwards they succeed.
    planned: Vec<VecDeque<Outcome>>,
    /// Which attempts began, in order: `a`, or `-a` for the undo.
    began: Vec<String>,
    attempts: i64,
}

impl Story {
    /// A task that was just submitted; `graph` is read as [`graph::parse`] says.
    fn of(graph: &str) -> Self {
        Self::submit(graph::parse(graph))
    }

    /// The same with one of its parts changed before it is submitted.
    fn with(graph: &str, change: impl FnOnce(&mut Snapshot)) -> Self {
        let mut snapshot = graph::parse(graph);
        change(&mut snapshot);
        Self::submit(snapshot)
    }

    fn submit(snapshot: Snapshot) -> Self {
        let planned = vec![VecDeque::new(); snapshot.subtasks.len()];
        let mut story = Self { snapshot, now: Timestamp(0), planned, began: vec![], attempts: 0 };
        story.decide(execute::start);
        story
    }

    fn index(&self, name: &str) -> usize {
        self.snapshot.subtasks.iter().position(|s| s.name == name).unwrap_or_else(|| panic!("no subtask {name}"))
    }

    /// `task`, or the name of a subtask.
    fn target(&self, name: &str) -> Target {
        if name == "task" { Target::Task } else { Target::Subtask(self.index(name)) }
    }

    /// Decides, checks the plan, and takes it over.
    fn decide<T>(&mut self, decide: impl FnOnce(&mut Draft) -> T) -> T {
        let (plan, answer) = self.plan(decide);
        check::plan(&self.snapshot, &plan);
        self.snapshot = plan.snapshot;
        check::rest(&self.snapshot);
        answer
    }

    fn plan<T>(&self, decide: impl FnOnce(&mut Draft) -> T) -> (Plan, T) {
        let mut draft = Draft::new(self.snapshot.clone(), self.now);
        let answer = decide(&mut draft);
        (draft.into_plan(), answer)
    }

    /// What planning `verb` would write.
    fn plan_of(&self, verb: Verb, target: &str) -> Plan {
        let target = self.target(target);
        let (plan, answer) = self.plan(|draft| command::decide(draft, verb, target));
        answer.unwrap();
        plan
    }

    fn try_ask(&mut self, verb: Verb, target: Target) -> Result<(), Refused> {
        self.decide(|draft| command::decide(draft, verb, target))
    }

    /// Somebody asks for it, and gets it.
    fn ask(&mut self, verb: Verb, target: &str) -> &mut Self {
        let target = self.target(target);
        if let Err(refused) = self.try_ask(verb, target) {
            panic!("{verb:?}: {refused}");
        }
        self
    }

    /// Somebody asks for it, and is refused.
    fn refused(&mut self, verb: Verb, target: &str) -> Refused {
        let target = self.target(target);
        self.try_ask(verb, target).unwrap_err()
    }

    fn preview(&self, verb: Verb, target: &str) -> Result<Preview, Refused> {
        super::preview::operation(&self.snapshot, verb, self.target(target), self.now)
    }

    fn may(&self, target: &str) -> Vec<Verb> {
        command::available(&self.snapshot, self.target(target))
    }

    fn try_claim(&mut self, index: usize) -> bool {
        self.attempts += 1;
        let id = AttemptId(self.attempts);
        let claimed = self.decide(|draft| {
            let claimed = execute::claim(draft, index);
            if claimed {
                execute::identify(draft, index, id);
            }
            claimed
        });
        if claimed {
            self.began.push(show::attempt(&self.snapshot, index));
        }
        claimed
    }

    fn claim(&mut self, name: &str) -> &mut Self {
        assert!(self.try_claim(self.index(name)), "{name} cannot be claimed: {}", self.states());
        self
    }

    fn finish(&mut self, index: usize, outcome: &Outcome) -> bool {
        let message = match outcome {
            Outcome::Failed => Some("exit 1".to_owned()),
            Outcome::TimedOut => Some("over its time limit".to_owned()),
            Outcome::Succeeded | Outcome::Canceled | Outcome::Lost => None,
        };
        self.decide(|draft| execute::finish(draft, index, outcome, message))
    }

    fn end(&mut self, name: &str, outcome: &Outcome) -> &mut Self {
        assert!(self.finish(self.index(name), outcome), "{name} is under no attempt: {}", self.states());
        self
    }

    /// One whole attempt that succeeds.
    fn run(&mut self, name: &str) -> &mut Self {
        self.claim(name).end(name, &Outcome::Succeeded)
    }

    /// One whole attempt that fails.
    fn fail(&mut self, name: &str) -> &mut Self {
        self.claim(name).end(name, &Outcome::Failed)
    }

    /// One attempt whose worker is lost.
    fn lose(&mut self, name: &str) -> &mut Self {
        self.claim(name).end(name, &Outcome::Lost)
    }

    /// A running attempt tells how far it is.
    fn advance(&mut self, name: &str, fraction: f64) -> &mut Self {
        let index = self.index(name);
        self.decide(|draft| execute::advance(draft, index, fraction));
        self
    }

    /// The next attempt of it that nobody plays by hand will end so.
    fn will(&mut self, name: &str, outcome: Outcome) -> &mut Self {
        let index = self.index(name);
        self.planned[index].push_back(outcome);
        self
    }

    fn later(&mut self, by: Duration) -> &mut Self {
        self.now = self.now.after(by);
        self
    }

    /// A worker takes whatever it may, one after the other, and ends it as planned, until there is nothing to do.
    fn idle(&mut self) -> &mut Self {
        let bound = 200 * (self.snapshot.subtasks.len() + 1);
        for _ in 0..bound {
            if !self.step() {
                return self;
            }
        }
        panic!("it never ends: {}", self.states());
    }

    fn step(&mut self) -> bool {
        self.any_step(0)
    }

    /// One of the steps that are possible is taken; false when there is none.
    fn any_step(&mut self, which: usize) -> bool {
        let open = |subtask: &SubtaskFacts| subtask.state.is_active() && !subtask.held;
        let possible: Vec<usize> =
            (0..self.snapshot.subtasks.len()).filter(|&index| open(&self.snapshot.subtasks[index])).collect();
        let Some(&index) = possible.get(which % possible.len().max(1)) else {
            return false;
        };
        let subtask = &self.snapshot.subtasks[index];
        if subtask.state == SubtaskState::Ready {
            self.now = subtask.not_before.map_or(self.now, |at| at.max(self.now));
            return self.try_claim(index);
        }
        let outcome = self.planned[index].pop_front().unwrap_or(Outcome::Succeeded);
        self.finish(index, &outcome)
    }

    /// `a successful · b failed · c pending`
    fn states(&self) -> String {
        show::states(&self.snapshot)
    }

    /// `FAILED/EXECUTE`
    fn task(&self) -> String {
        show::task(&self.snapshot)
    }

    /// `READY/RETRY 1/0`: state, operation, runs and tries; `held` behind it when nobody may claim it.
    fn subtask(&self, name: &str) -> String {
        show::subtask(&self.snapshot.subtasks[self.index(name)])
    }

    /// What began since the last look.
    fn began(&mut self) -> String {
        std::mem::take(&mut self.began).join(" ")
    }
}
