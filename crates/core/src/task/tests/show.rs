//! Snapshots, moves and refusals as lines that a story compares.

use crate::Operation;
use crate::task::command::Verb;
use crate::task::preview::{Effect, Preview};
use crate::task::{Move, Plan, Refused, Snapshot, SubtaskFacts};

/// `a successful · b failed · c pending`
pub(super) fn states(snapshot: &Snapshot) -> String {
    let one = |s: &SubtaskFacts| format!("{} {}", s.name, s.state.name().to_lowercase());
    snapshot.subtasks.iter().map(one).collect::<Vec<_>>().join(" · ")
}

/// `FAILED/EXECUTE`
pub(super) fn task(snapshot: &Snapshot) -> String {
    format!("{}/{}", snapshot.task.state, snapshot.task.operation)
}

/// `READY/RETRY 1/0 held`
pub(super) fn subtask(subtask: &SubtaskFacts) -> String {
    let held = if subtask.held { " held" } else { "" };
    format!("{}/{} {}/{}{held}", subtask.state, subtask.operation, subtask.runs, subtask.tries)
}

/// An attempt that is running: `a`, or `-a` for its undo.
pub(super) fn attempt(snapshot: &Snapshot, index: usize) -> String {
    let subtask = &snapshot.subtasks[index];
    let sign = if subtask.operation == Operation::Rollback { "-" } else { "" };
    format!("{sign}{}", subtask.name)
}

/// What differs: `failed READY/RETRY 1/0 · task RUNNING/RETRY`, or `nothing`.
pub(super) fn difference(before: &Snapshot, after: &Snapshot) -> String {
    let pairs = before.subtasks.iter().zip(&after.subtasks);
    let mut parts: Vec<String> = pairs
        .filter(|(was, is)| subtask(was) != subtask(is))
        .map(|(_, is)| format!("{} {}", is.name, subtask(is)))
        .collect();
    if task(before) != task(after) {
        parts.push(format!("task {}", task(after)));
    }
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(" · ") }
}

/// `no: CANCEL PAUSE`, or `prohibited: …`.
pub(super) fn refusal(refused: &Refused) -> String {
    match refused {
        Refused::Task { available, .. } | Refused::Subtask { available, .. } => format!("no: {}", verbs(available)),
        Refused::RollbackProhibited { available, reason, .. } => {
            format!("prohibited, {reason}: {}", verbs(available))
        }
    }
}

/// `CANCEL PAUSE`
pub(super) fn verbs(verbs: &[Verb]) -> String {
    if verbs.is_empty() {
        return "-".to_owned();
    }
    verbs.iter().map(|verb| verb.name()).collect::<Vec<_>>().join(" ")
}

/// `b READY/RETRY, task RUNNING/RETRY`: the moves in order.
pub(super) fn moves(plan: &Plan) -> String {
    let one = |step: &Move| match step {
        Move::Subtask { index, state, operation, .. } => {
            format!("{} {state}/{operation}", plan.snapshot.subtasks[*index].name)
        }
        Move::Task { state, operation, .. } => format!("task {state}/{operation}"),
    };
    plan.moves.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// `0 stop a · 0 run b · 1 run c → SUCCESSFUL`
pub(super) fn preview(snapshot: &Snapshot, preview: &Preview) -> String {
    let word = |effect| match effect {
        Effect::Run => "run",
        Effect::Undo => "undo",
        Effect::Skip => "skip",
        Effect::Stop => "stop",
        Effect::Drop => "drop",
        Effect::Freeze => "freeze",
        Effect::Thaw => "thaw",
    };
    let steps =
        preview.steps.iter().map(|s| format!("{} {} {}", s.wave, word(s.effect), snapshot.subtasks[s.index].name));
    format!("{} → {}", steps.collect::<Vec<_>>().join(" · "), preview.ends)
}
