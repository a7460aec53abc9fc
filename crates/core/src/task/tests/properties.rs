//! What holds of every graph, whatever is asked of it and however its attempts end. [`check`](super::check) holds each
//! single change against the table and each rest against the rules.

use proptest::prelude::*;

use super::random::{Happening, happenings, task};
use super::{Draft, Snapshot, Story, Target, Verb, command};
use crate::task::Move;
use crate::task::preview::{self, Effect, Step};
use crate::task::waiting::{Workers, reasons};
use crate::{SubtaskState, TaskState};

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// When nobody asks for anything any more and every attempt succeeds, the task ends.
    #[test]
    fn it_always_ends(task in task(), happenings in happenings()) {
        let mut story = lived(task, &happenings);
        story.idle();
        if story.snapshot.task.state == TaskState::Paused {
            story.ask(Verb::Resume, "task").idle();
        }
        prop_assert!(story.snapshot.task.state.is_final(), "{} {}", story.task(), story.states());
    }

    /// And from a bad end there always is a way to a good one: forward, or back where that was begun.
    #[test]
    fn a_bad_end_can_be_made_good(task in task(), happenings in happenings()) {
        let mut story = lived(task, &happenings);
        if !story.snapshot.task.state.is_final() {
            story.ask_if(Verb::Resume).ask_if(Verb::Cancel).idle();
        }
        let backward = story.snapshot.task.backward;
        match story.snapshot.task.state {
            TaskState::Failed | TaskState::Canceled if backward => story.ask(Verb::Rollback, "task").idle(),
            TaskState::Failed | TaskState::Canceled => story.ask(Verb::Retry, "task").idle(),
            _ => &mut story,
        };
        let good = if backward { TaskState::RolledBack } else { TaskState::Successful };
        prop_assert_eq!(story.snapshot.task.state, good);
    }

    /// What is offered is what is accepted, for every verb and target at every moment; a refusal says the same, and
    /// changes nothing.
    #[test]
    fn what_is_offered_is_what_is_accepted(task in task(), happenings in happenings()) {
        let mut story = Story::submit(task);
        for happening in &happenings {
            story.happen(happening);
            for target in story.targets() {
                agree(&story, target)?;
            }
        }
    }

    /// Every preview is what then happens, in whatever order the attempts end.
    #[test]
    fn a_preview_comes_true(task in task(), happenings in happenings(), order in any::<usize>()) {
        let story = lived(task, &happenings);
        for (verb, target) in story.offered() {
            foretold(&story, (verb, target), order)?;
        }
    }

    /// Whoever may still run and does not, can say why; whoever runs or is over has nothing to say.
    #[test]
    fn whoever_waits_can_say_why(task in task(), happenings in happenings()) {
        let story = lived(task, &happenings);
        let workers = Workers { alive: &[], runner: None, silent_after: std::time::Duration::ZERO };
        for (index, subtask) in story.snapshot.subtasks.iter().enumerate() {
            let why = reasons(&story.snapshot, index, &workers, story.now);
            let waits = match subtask.state {
                SubtaskState::Ready => true,
                SubtaskState::Pending => !story.snapshot.task.backward,
                SubtaskState::Running => subtask.held,
                SubtaskState::Failed | SubtaskState::Successful => story.snapshot.awaits_undo(index),
                SubtaskState::Canceling => false,
            };
            prop_assert_eq!(!why.is_empty(), waits, "{} {:?}", &subtask.name, why);
        }
    }
}

fn lived(task: Snapshot, happenings: &[Happening]) -> Story {
    let mut story = Story::submit(task);
    happenings.iter().for_each(|happening| story.happen(happening));
    story
}

impl Story {
    fn ask_if(&mut self, verb: Verb) -> &mut Self {
        if self.may("task").contains(&verb) { self.ask(verb, "task") } else { self }
    }
}

fn agree(story: &Story, target: Target) -> Result<(), TestCaseError> {
    let available = command::available(&story.snapshot, target);
    for verb in Verb::ALL {
        let mut draft = Draft::new(story.snapshot.clone(), story.now);
        let decided = command::decide(&mut draft, verb, target);
        prop_assert_eq!(decided.is_ok(), available.contains(&verb), "{:?} of {:?}", verb, target);
        if let Err(refused) = decided {
            let plan = draft.into_plan();
            prop_assert!(plan.touched.is_empty() && plan.task_touched.is_none() && plan.moves.is_empty());
            prop_assert_eq!(&plan.snapshot, &story.snapshot);
            let previewed = preview::operation(&story.snapshot, verb, target, story.now);
            prop_assert_eq!(previewed, Err(refused));
        }
    }
    Ok(())
}

/// Does it, and lets everything succeed in an order of its own.
fn foretold(story: &Story, (verb, target): (Verb, Target), order: usize) -> Result<(), TestCaseError> {
    let told = preview::operation(&story.snapshot, verb, target, story.now).unwrap();
    let mut story = story.clone();
    let (before, (plan, _)) = (story.snapshot.clone(), story.plan(|draft| command::decide(draft, verb, target)));
    let mut happened: Vec<(usize, Effect)> = vec![];
    for step in &plan.moves {
        let Move::Subtask { index, state, operation, .. } = step else { continue };
        match (state, operation) {
            (SubtaskState::Canceling, _) => happened.push((*index, Effect::Stop)),
            (SubtaskState::Failed, _) => happened.push((*index, Effect::Drop)),
            (_, crate::Operation::Skip) => happened.push((*index, Effect::Skip)),
            _ => {}
        }
    }
    let runs = before.subtasks.iter().zip(&plan.snapshot.subtasks).enumerate();
    for (index, (was, is)) in runs.filter(|(_, (_, is))| is.state == SubtaskState::Running) {
        match (was.held, is.held) {
            (false, true) => happened.push((index, Effect::Freeze)),
            (true, false) => happened.push((index, Effect::Thaw)),
            _ => {}
        }
    }
    prop_assert_eq!(story.try_ask(verb, target), Ok(()));
    if verb != Verb::Pause && verb != Verb::Delete {
        happened.extend(play(&mut story, order));
    }
    prop_assert_eq!(told.ends, story.snapshot.task.state);
    ordered(&story.snapshot, &told.steps)?;
    let mut told: Vec<(usize, Effect)> = told.steps.iter().map(|step| (step.index, step.effect)).collect();
    told.sort_by_key(|(index, effect)| (*index, *effect as u8));
    happened.sort_by_key(|(index, effect)| (*index, *effect as u8));
    prop_assert_eq!(told, happened);
    Ok(())
}

fn play(story: &mut Story, order: usize) -> Vec<(usize, Effect)> {
    story.began.clear();
    let (mut order, mut bound) = (order, 0);
    while story.any_step(order) {
        order = order.rotate_right(7).wrapping_add(11);
        bound += 1;
        assert!(bound < 100, "it never ends: {}", story.states());
    }
    let effect = |name: &str| match name.strip_prefix('-') {
        Some(name) => (story.index(name), Effect::Undo),
        None => (story.index(name), Effect::Run),
    };
    story.began.iter().map(|name| effect(name)).collect()
}

/// What depends on another comes in a later wave: downstreams of what runs, upstreams of what is undone.
fn ordered(snapshot: &Snapshot, steps: &[Step]) -> Result<(), TestCaseError> {
    let wave = |index, effect| steps.iter().find(|s| s.index == index && s.effect == effect).map(|s| s.wave);
    prop_assert!(steps.is_sorted_by_key(|step| step.wave));
    for step in steps {
        for &up in &snapshot.subtasks[step.index].needs {
            let (mine, its) = match step.effect {
                Effect::Run => (Some(step.wave), wave(up, Effect::Run)),
                Effect::Undo => (wave(up, Effect::Undo), Some(step.wave)),
                _ => continue,
            };
            prop_assert!(mine.is_none() || its.is_none() || its < mine, "{:?}", steps);
        }
    }
    Ok(())
}
