//! One test for each cell of the tables: a verb, a task's state, and what is asked for it — the task or one of its
//! subtasks, which is named by its own state. The line says what changes (state, operation, runs/tries), or what is
//! possible instead. The scenes are those of [`super::scene`].

mod cancel;
mod delete;
mod pause;
mod resume;
mod retry;
mod rollback;
mod skip;

use super::{Story, show};
use crate::SubtaskState;
use crate::task::command::{Target, Verb};

/// Asks one story after the other, and compares what changed. The preview agrees with each decision.
fn compare(scene: fn() -> Story, verb: Verb, cells: &[(&str, &str)]) {
    for (target, effect) in cells {
        assert_eq!(asked(scene(), verb, target), *effect, "{} of {target}", verb.name());
    }
    let left = scene().snapshot.subtasks.into_iter().map(|s| s.name).find(|s| !cells.iter().any(|(cell, _)| cell == s));
    let of_subtasks = matches!(verb, Verb::Retry | Verb::Skip | Verb::Cancel);
    assert!(!of_subtasks || left.is_none(), "no cell of {left:?}");
}

fn asked(mut story: Story, verb: Verb, target: &str) -> String {
    let before = story.snapshot.clone();
    let previewed = story.preview(verb, target);
    let target = story.target(target);
    match story.try_ask(verb, target) {
        Ok(()) => {
            assert!(previewed.is_ok());
            show::difference(&before, &story.snapshot)
        }
        Err(refused) => {
            assert_eq!(story.snapshot, before, "a refusal changes nothing");
            assert_eq!(previewed, Err(refused.clone()));
            show::refusal(&refused)
        }
    }
}

/// `verb: scene { target => effect, … }` becomes the test `scene`.
macro_rules! cells {
    ($verb:ident: $($scene:ident { $($target:ident => $effect:literal,)+ })+) => {$(
        #[test]
        fn $scene() {
            let cells = [$((stringify!($target), $effect)),+];
            super::compare(crate::task::tests::scene::$scene, crate::task::command::Verb::$verb, &cells);
        }
    )+};
}
use cells;

/// What no subtask, and no whole task, is ever asked.
#[test]
fn some_verbs_are_for_tasks_and_skip_is_for_subtasks() {
    for verb in [Verb::Rollback, Verb::Pause, Verb::Resume, Verb::Delete] {
        assert_eq!(asked(super::scene::running(), verb, "failed"), "no: RETRY SKIP");
        assert_eq!(asked(super::scene::failed(), verb, "failed"), "no: RETRY SKIP");
    }
    assert_eq!(asked(super::scene::failed(), Verb::Skip, "task"), "no: RETRY ROLLBACK DELETE");
}

/// The scenes have what their names say.
#[test]
fn the_subtasks_are_named_by_their_states() {
    for scene in [super::scene::running, super::scene::undoing] {
        let story = scene();
        for state in SubtaskState::all() {
            assert!(story.snapshot.subtasks.iter().any(|s| s.state == state), "{state} in {}", story.states());
        }
        for (name, state) in [("done", "SUCCESSFUL"), ("runs", "RUNNING"), ("failed", "FAILED"), ("stops", "CANCELING")]
        {
            assert!(story.subtask(name).starts_with(state), "{}", story.states());
        }
        assert_ne!(story.target("done"), Target::Task);
    }
}
