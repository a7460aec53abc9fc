//! Every node of every shape: fail at it, lose it, skip it, fail its undo, stop before and in it. It always comes to
//! the right end.

use super::{Outcome, Story, Verb};
use crate::{OnLost, SubtaskState};

const SHAPES: [&str; 7] = [
    "a",
    "a -> b -> c -> d",
    "a -> b, c -> d",
    "a -> b, c, d, e",
    "a, b, c, d -> e",
    "a -> b -> c; d -> e",
    "a -> b, c -> d -> e, f; b -> f; g, a -> h -> d",
];

/// Each shape with each of its nodes.
fn each(mut tell: impl FnMut(Story, &str)) {
    for shape in SHAPES {
        let story = Story::of(shape);
        for name in names(&story) {
            tell(story.clone(), &name);
        }
    }
}

fn names(story: &Story) -> Vec<String> {
    story.snapshot.subtasks.iter().map(|s| s.name.clone()).collect()
}

/// The names that began, sorted.
fn sorted(began: &str) -> Vec<&str> {
    let mut names: Vec<&str> = began.split_whitespace().collect();
    names.sort_unstable();
    names
}

fn undos(ran: &str) -> String {
    ran.split_whitespace().map(|name| format!("-{name} ")).collect()
}

#[test]
fn fail_at_it() {
    each(|mut t, node| {
        t.will(node, Outcome::Failed).idle();
        assert_eq!(t.task(), "FAILED/EXECUTE");
        let at = t.index(node);
        for index in 0..t.snapshot.subtasks.len() {
            let below = t.snapshot.ancestors(index).contains(&at);
            let expected = match index {
                _ if index == at => SubtaskState::Failed,
                _ if below => SubtaskState::Pending,
                _ => SubtaskState::Successful,
            };
            assert_eq!(t.snapshot.subtasks[index].state, expected, "{}", t.states());
        }
    });
}

#[test]
fn fail_at_it_and_roll_back() {
    each(|mut t, node| {
        t.will(node, Outcome::Failed).idle();
        let ran = undos(&t.began());
        t.ask(Verb::Rollback, "task").idle();
        assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
        assert_eq!(sorted(&t.began()), sorted(&ran), "what ran is undone, once");
    });
}

#[test]
fn fail_at_it_and_retry() {
    for target in [None, Some("task")] {
        each(|mut t, node| {
            t.will(node, Outcome::Failed).idle();
            let before = t.began();
            t.ask(Verb::Retry, target.unwrap_or(node)).idle();
            assert_eq!(t.task(), "SUCCESSFUL/RETRY");
            let all = names(&t).join(" ") + " " + node;
            assert_eq!(sorted(&(before + " " + &t.began())), sorted(&all), "it alone ran twice");
        });
    }
}

#[test]
fn fail_at_it_and_skip() {
    each(|mut t, node| {
        t.will(node, Outcome::Failed).idle().ask(Verb::Skip, node).idle();
        assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
        assert_eq!(sorted(&t.began()), sorted(&names(&t).join(" ")), "each ran once");
    });
}

#[test]
fn lose_it_and_it_runs_twice() {
    each(|mut t, node| {
        t.will(node, Outcome::Lost).idle();
        assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
        assert_eq!(sorted(&t.began()), sorted(&(names(&t).join(" ") + " " + node)));
    });
}

#[test]
fn lose_what_may_not_run_twice() {
    each(|mut t, node| {
        t.snapshot.subtasks.iter_mut().for_each(|subtask| subtask.on_lost = OnLost::Fail);
        t.will(node, Outcome::Lost).idle();
        assert_eq!(t.task(), "FAILED/EXECUTE");
        t.ask(Verb::Retry, "task").idle();
        assert_eq!(t.task(), "SUCCESSFUL/RETRY");
    });
}

/// Each undo fails once, after a failure at each node.
#[test]
fn fail_its_undo() {
    each(|mut t, node| {
        t.will(node, Outcome::Failed).idle();
        let ran = t.began();
        t.ask(Verb::Rollback, "task");
        for undo in ran.split_whitespace() {
            let mut t = t.clone();
            t.will(undo, Outcome::Failed).idle();
            assert_eq!(t.task(), "FAILED/ROLLBACK");
            t.ask(Verb::Rollback, "task").idle();
            assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
            assert_eq!(sorted(&t.began()), sorted(&undos(&format!("{ran} {undo}"))), "it alone is undone twice");
        }
    });
}

#[test]
fn lose_its_undo() {
    each(|mut t, node| {
        t.will(node, Outcome::Failed).idle().ask(Verb::Rollback, "task");
        for undo in names(&t) {
            let mut t = t.clone();
            t.will(&undo, Outcome::Lost).idle();
            assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
        }
    });
}

/// Cancelled while it runs, the task can be finished, and it can be taken back.
#[test]
fn cancel_the_task_in_it() {
    each(|mut t, node| {
        while !t.snapshot.is_releasable(t.index(node)) {
            assert!(t.step());
        }
        if t.subtask(node).starts_with("READY") {
            t.claim(node);
        }
        t.ask(Verb::Cancel, "task").idle();
        assert_eq!(t.task(), "CANCELED/CANCEL");
        let mut finished = t.clone();
        finished.ask(Verb::Retry, "task").idle();
        assert_eq!(finished.task(), "SUCCESSFUL/RETRY");
        t.ask(Verb::Rollback, "task").idle();
        assert_eq!(t.task(), "ROLLED_BACK/ROLLBACK");
    });
}

/// Paused and resumed after every single step, it runs as if nobody had.
#[test]
fn pause_before_and_in_each() {
    for shape in SHAPES {
        let mut t = Story::of(shape);
        loop {
            if t.snapshot.task.state.is_final() {
                break;
            }
            t.ask(Verb::Pause, "task");
            assert!(!t.step(), "nothing moves: {}", t.states());
            t.ask(Verb::Resume, "task");
            t.step();
        }
        assert_eq!(t.task(), "SUCCESSFUL/EXECUTE");
        assert_eq!(sorted(&t.began()), sorted(&names(&t).join(" ")));
    }
}
