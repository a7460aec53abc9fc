//! The tasks of a vCenter that could not be read as they were told, or that the database did not keep: which, and how many
//! there were. Kept with how the collection stands, so that a person can see them.

use std::collections::{HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use taskloom_entity::JsonText;

/// How many are named.
const NAMED: usize = 100;
/// How many of them a sentence names.
const SAID: usize = 5;
/// How many are remembered, so that one that is told again and again counts once.
const REMEMBERED: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnreadableTask {
    /// Its key; empty where it has none.
    pub key: String,
    /// What is wrong with it.
    pub why: String,
    /// Whether it is kept without what could not be read.
    pub is_kept: bool,
}

/// Those of a vCenter.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Unreadable {
    count: u64,
    tasks: VecDeque<UnreadableTask>,
    #[serde(skip)]
    met: HashSet<UnreadableTask>,
}

impl Unreadable {
    /// As they were kept.
    #[must_use]
    pub fn of(kept: Option<&JsonText>) -> Self {
        let mut read: Self = kept.and_then(|kept| kept.parse().ok()).unwrap_or_default();
        read.met = read.tasks.iter().cloned().collect();
        read
    }

    /// To be kept.
    #[must_use]
    pub fn json(&self) -> JsonText {
        JsonText::of(self)
    }

    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those that still cannot be read, the newest last.
    pub fn into_tasks(self) -> impl Iterator<Item = UnreadableTask> {
        self.tasks.into_iter()
    }

    /// Takes one in; whether that is news.
    pub fn note(&mut self, task: UnreadableTask) -> bool {
        if self.met.contains(&task) {
            return false;
        }
        if self.met.len() >= REMEMBERED {
            self.met.clear();
        }
        self.met.insert(task.clone());
        self.count += 1;
        self.forget(&task.key);
        self.tasks.push_back(task);
        if self.tasks.len() > NAMED {
            self.tasks.pop_front();
        }
        true
    }

    /// Takes in how many there were that nobody named.
    pub fn add(&mut self, more: u64) {
        self.count += more;
    }

    /// Takes in that one can be read; whether that is news.
    pub fn mend(&mut self, key: &str) -> bool {
        let before = self.tasks.len();
        self.forget(key);
        self.met.retain(|task| task.key != key);
        self.tasks.len() < before
    }

    /// Whether any is named that has this key.
    #[must_use]
    pub fn names(&self, key: &str) -> bool {
        self.tasks.iter().any(|task| task.key == key)
    }

    /// What is to be said of them, for people.
    #[must_use]
    pub fn sentence(&self) -> Option<String> {
        let named: Vec<String> = self.tasks.iter().rev().take(SAID).map(UnreadableTask::words).collect();
        let more = self.tasks.len().saturating_sub(SAID);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!named.is_empty()).then(|| format!("tasks that could not be read in full: {}{more}", named.join("; ")))
    }

    fn forget(&mut self, key: &str) {
        self.tasks.retain(|task| task.key != key);
    }
}

impl UnreadableTask {
    fn words(&self) -> String {
        let key = if self.key.is_empty() { "one without a key" } else { &self.key };
        format!("{key}{} ({})", if self.is_kept { "" } else { ", left out" }, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(key: &str, is_kept: bool) -> UnreadableTask {
        UnreadableTask { key: key.into(), why: "state is missing".into(), is_kept }
    }

    #[test]
    fn each_counts_once_and_goes_when_it_can_be_read() {
        let mut all = Unreadable::default();
        assert!(all.note(task("task-1", true)) && all.note(task("", false)));
        assert!(!all.note(task("task-1", true)), "told again");
        assert_eq!(
            all.sentence().as_deref(),
            Some(
                "tasks that could not be read in full: one without a key, left out (state is missing); task-1 (state is missing)"
            )
        );
        let mut all = Unreadable::of(Some(&all.json()));
        assert!(!all.note(task("task-1", true)), "also after a restart");
        assert!(all.mend("task-1") && !all.mend("task-1") && !all.names("task-1"));
        assert!(all.note(task("task-1", true)), "it is worse again");
        assert_eq!((all.count(), all.clone().into_tasks().count()), (3, 2));
    }

    #[test]
    fn thousands_are_counted_and_some_named() {
        let mut all = Unreadable::default();
        for number in 0..5000 {
            all.note(task(&format!("task-{number}"), false));
        }
        all.add(7);
        assert_eq!((all.count(), all.clone().into_tasks().count()), (5007, NAMED));
        assert!(all.sentence().unwrap().contains("task-4999, left out") && all.sentence().unwrap().len() < 400);
        assert!(all.json().as_str().len() < 10_000);
    }
}
