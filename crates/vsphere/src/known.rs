//! What a [`Follow`](super::Follow) knows of tasks, and what of it is to be told.
//!
//! Pure: updates go in, tasks come out, each state of a task once. The invariant: a task that ended never runs again,
//! unless it is another one that was given the key. The feed and the list are looked at one after the other, and may
//! disagree: of progress the feed tells nothing when it changes, so that what it shows is old.

use std::collections::{HashMap, HashSet};

use super::follow::Update;
use super::merge;
use super::reference::Reference;
use super::task::TaskInfo;
use super::typed::Typed;
use super::update::{Change, ObjectUpdate};

/// The property of a history collector that tells the newest tasks.
pub(super) const LATEST_PAGE: &str = "latestPage";

/// Which filter an update is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The one that tells which tasks there are.
    Feed,
    /// The one of the watched tasks.
    List,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    /// Those on the list.
    watched: HashSet<Reference>,
    /// Those the feed holds.
    fed: HashSet<Reference>,
    /// The newest of all of these.
    tasks: HashMap<Reference, TaskInfo>,
    /// Tasks with a change that only makes sense with a whole that is not known.
    unread: Vec<Reference>,
    /// Learned, and not told yet.
    news: Vec<Update>,
}

impl Known {
    pub(super) fn watch<'a>(&mut self, tasks: impl Iterator<Item = &'a Reference>) {
        self.watched.extend(tasks.cloned());
    }

    pub(super) fn unwatch(&mut self, tasks: &[Reference]) {
        tasks.iter().for_each(|task| _ = self.watched.remove(task));
    }

    /// Takes in an update.
    pub(super) fn learn(&mut self, source: Source, update: ObjectUpdate) {
        let ObjectUpdate { leaves, object, changes, .. } = update;
        if object.kind != "Task" {
            return changes.into_iter().for_each(|change| self.turn_page(change));
        }
        match (source, leaves) {
            (Source::List, true) => self.lose(object),
            (Source::Feed, true) => _ = self.fed.remove(&object),
            (Source::List, false) => self.change(source, object, changes),
            (Source::Feed, false) => {
                self.fed.insert(object.clone());
                self.change(source, object, changes);
            }
        }
    }

    /// Takes in how a task stands.
    pub(super) fn keep(&mut self, source: Source, mut info: TaskInfo) {
        let old = self.tasks.get(&info.task);
        if let Some(old) = old.filter(|old| old.is_of(info.queue_time)) {
            if ended(old) && !ended(&info) {
                return;
            }
            if source == Source::Feed && !ended(&info) {
                info.progress = info.progress.max(old.progress);
            }
        }
        if old != Some(&info) {
            // The key's former task is told, and is not what is known by it.
            if old.is_none_or(|old| old.queue_time <= info.queue_time || old.is_of(info.queue_time)) {
                self.tasks.insert(info.task.clone(), info.clone());
            }
            self.news.push(Update::Task(Box::new(info)));
        }
    }

    /// Takes in that the vCenter does not know a task any more.
    pub(super) fn lose(&mut self, task: Reference) {
        if self.watched.remove(&task) && !self.tasks.get(&task).is_some_and(ended) {
            self.news.push(Update::Gone(task));
        }
    }

    /// A task that has to be read.
    pub(super) fn unread(&self) -> Option<Reference> {
        self.unread.last().cloned()
    }

    /// The task that had to be read was.
    pub(super) fn was_read(&mut self) {
        self.unread.pop();
    }

    /// What is new, once; and forgets what nobody asks for any more.
    pub(super) fn tell(&mut self) -> Vec<Update> {
        // The list may lose a task before the feed tells, in the same answer, how it ended.
        let (news, tasks) = (&mut self.news, &self.tasks);
        news.retain(|update| !matches!(update, Update::Gone(task) if tasks.get(task).is_some_and(ended)));
        self.tasks.retain(|task, _| self.watched.contains(task) || self.fed.contains(task));
        std::mem::take(&mut self.news)
    }

    fn change(&mut self, source: Source, task: Reference, changes: Vec<Change>) {
        let mut info = self.tasks.get(&task).cloned();
        for Change { path, value, .. } in changes {
            info = match (path.as_str(), value) {
                ("info", Some(Typed::Task(whole))) => Some(*whole),
                // Noted where it was read; what is known stays.
                ("info", Some(Typed::Unreadable)) => return,
                (path, value) => info.and_then(|info| merge::apply(info, path, value)),
            };
            if info.is_none() {
                return self.unread.push(task);
            }
        }
        if let Some(info) = info {
            self.keep(source, info);
        }
    }

    fn turn_page(&mut self, change: Change) {
        match change.value {
            Some(Typed::Tasks(page)) if change.path == LATEST_PAGE => {
                self.fed = page.iter().map(|info| info.task.clone()).collect();
                page.into_iter().for_each(|info| self.keep(Source::Feed, info));
            }
            // One of the page alone: `latestPage["task-3251"]`.
            Some(Typed::Task(info)) if change.path.starts_with(LATEST_PAGE) => {
                self.fed.insert(info.task.clone());
                self.keep(Source::Feed, *info);
            }
            _ => {}
        }
    }
}

fn ended(info: &TaskInfo) -> bool {
    info.state.is_final()
}
