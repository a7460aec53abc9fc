//! What is to be done, in order: shown first, then sent, one call after the other. Of a plan that cannot be carried
//! out to its end it is said what was done and what was not.

use std::fmt;

use serde_json::Value;

use super::super::client::{ClientError, GraphqlClient};
use super::output;

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PlanAction {
    Add,
    Change,
    Remove,
    Keep,
}

/// A call to the graph. Not to be shown: passwords are among its variables.
pub(super) struct PlanCall {
    pub(super) document: &'static str,
    pub(super) variables: Value,
}

/// One thing, and what becomes of it.
pub(super) struct PlanStep {
    pub(super) mark: PlanAction,
    /// `vcenter lab`.
    pub(super) what: String,
    /// What of it changes; empty where that says nothing.
    pub(super) detail: String,
    /// None: nothing has to be done.
    pub(super) call: Option<PlanCall>,
}

/// `~ vcenter lab: address, password`.
impl fmt::Display for PlanStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.mark {
            PlanAction::Add => '+',
            PlanAction::Change => '~',
            PlanAction::Remove => '-',
            PlanAction::Keep => '=',
        };
        write!(f, "{sign} {}", self.what)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

/// Steps in the order in which they are done.
#[derive(Default)]
pub(super) struct Plan {
    steps: Vec<PlanStep>,
}

impl Plan {
    pub(super) fn push(&mut self, step: PlanStep) {
        self.steps.push(step);
    }

    /// Whether nothing has to be done.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.call.is_none())
    }

    /// A line for each thing that becomes another, and a line for all of them.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn show(&self, verbose: bool) -> std::io::Result<()> {
        for step in self.steps.iter().filter(|step| verbose || step.mark != PlanAction::Keep) {
            output::line(&step.to_string())?;
        }
        let [added, changed, removed, kept] = self.counts();
        output::line(&match self.is_empty() {
            true => format!("nothing to do: {kept} as they are to be"),
            false => format!("{added} to add, {changed} to change, {removed} to remove, {kept} as they are to be"),
        })
    }

    /// Does it, step by step; what was done in all.
    ///
    /// # Errors
    /// The first step that fails, with what was done before it and what was not done.
    pub(super) async fn carry_out(&self, client: &GraphqlClient) -> anyhow::Result<String> {
        for (at, step) in self.steps.iter().enumerate() {
            let Some(call) = &step.call else { continue };
            if let Err(error) = client.ask::<Value>(call.document, &call.variables).await {
                return Err(self.stopped(at, &error));
            }
        }
        let [added, changed, removed, _] = self.counts();
        Ok(format!("done: {added} added, {changed} changed, {removed} removed"))
    }

    fn counts(&self) -> [usize; 4] {
        [PlanAction::Add, PlanAction::Change, PlanAction::Remove, PlanAction::Keep]
            .map(|mark| self.steps.iter().filter(|step| step.mark == mark).count())
    }

    fn stopped(&self, at: usize, error: &ClientError) -> anyhow::Error {
        let mut text = format!("stopped at {}: {error}", self.steps[at].what);
        for (index, step) in self.steps.iter().enumerate().filter(|(_, step)| step.call.is_some()) {
            let became = match index.cmp(&at) {
                std::cmp::Ordering::Less => "done",
                std::cmp::Ordering::Equal if error.leaves_open() => "unknown",
                std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => "not done",
            };
            text.push_str(&format!("\n  {became}: {step}"));
        }
        text.push_str("\napply the file again when it is mended: what is done stays, the rest follows");
        anyhow::anyhow!(text)
    }
}
