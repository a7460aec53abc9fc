//! Progress: the weighted mean, never backwards within an operation.

use super::{Outcome, Story, Verb};
use crate::task::progress;

fn weighted() -> Story {
    Story::with("a -> b; c", |s| s.subtasks[2].weight = 2.0)
}

fn of(story: &Story) -> f64 {
    story.snapshot.task.progress
}

#[test]
fn it_is_the_weighted_mean() {
    let mut t = Story::with("a; b", |s| s.subtasks[0].weight = 3.0);
    t.claim("a").advance("a", 0.5);
    assert_eq!(of(&t), 0.375);
    t.claim("b").advance("b", 0.5);
    assert_eq!(of(&t), 0.5);
    t.end("b", &Outcome::Succeeded);
    assert_eq!(of(&t), 0.625);
}

#[test]
fn a_subtasks_own_only_rises() {
    let mut t = Story::of("a");
    t.claim("a").advance("a", 0.5).advance("a", 0.25);
    assert_eq!(t.snapshot.subtasks[0].progress, 0.5);
    t.advance("a", f64::NAN).advance("a", f64::NEG_INFINITY);
    assert_eq!((t.snapshot.subtasks[0].progress, of(&t)), (0.5, 0.5));
    t.advance("a", 17.0);
    assert_eq!((t.snapshot.subtasks[0].progress, of(&t)), (1.0, 1.0));
}

#[test]
fn only_what_runs_reports_any() {
    let mut t = Story::of("a; b");
    t.advance("a", 0.5).claim("b").ask(Verb::Cancel, "b").advance("b", 0.5);
    assert_eq!(of(&t), 0.0);
}

#[test]
fn a_second_try_does_not_take_it_back() {
    let mut t = Story::with("a", |s| s.subtasks[0].max_tries = 2);
    t.claim("a").advance("a", 0.8).end("a", &Outcome::Failed);
    assert_eq!((t.snapshot.subtasks[0].progress, of(&t)), (0.0, 0.8));
    t.claim("a").advance("a", 0.4);
    assert_eq!(of(&t), 0.8);
    t.advance("a", 0.9);
    assert_eq!(of(&t), 0.9);
}

/// Whether the whole task is retried or its one failed subtask: both begin anew.
#[test]
fn a_new_operation_measures_anew() {
    for target in ["task", "b"] {
        let mut t = weighted();
        t.run("a").run("c").claim("b").advance("b", 0.5).end("b", &Outcome::Failed);
        assert_eq!(of(&t), 0.875);
        t.ask(Verb::Retry, target);
        assert_eq!(of(&t), 0.75);
    }
}

#[test]
fn an_undo_counts_what_is_undone_or_never_ran() {
    let mut t = weighted();
    t.run("c").fail("a").ask(Verb::Rollback, "task");
    assert_eq!(of(&t), 0.25);
    t.claim("c").advance("c", 0.5);
    assert_eq!(of(&t), 0.5);
    t.end("c", &Outcome::Succeeded);
    assert_eq!(of(&t), 0.75);
    t.run("a");
    assert_eq!((of(&t), t.task()), (1.0, "ROLLED_BACK/ROLLBACK".into()));
}

#[test]
fn a_skipped_subtask_counts_whole() {
    let mut t = weighted();
    t.fail("a").ask(Verb::Skip, "a");
    assert_eq!(of(&t), 0.25);
}

#[test]
fn without_any_weight_there_is_none() {
    let mut t = Story::with("a", |s| s.subtasks[0].weight = 0.0);
    assert_eq!(progress::of(&t.snapshot), 0.0);
    t.run("a");
    assert_eq!(of(&t), 1.0);
}
