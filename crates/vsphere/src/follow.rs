//! Follows the tasks of a vCenter as they change, without polling.
//!
//! One property collector of our own has two filters. The *feed* tells which tasks are made and how they end: the
//! latest page of an unfiltered history, whose changes a vCenter promises, unlike those of `recentTask`. The *list*
//! tells the progress of the tasks that [`Follow::watch`] put on it. What was told already is not told again.
//!
//! One task owns a `Follow` and loops over [`Follow::wait`]; the API forbids two waits at a time. A wait that is
//! dropped or fails has lost nothing that the next one does not tell. When the session is lost, so is the `Follow`:
//! the owner signs in, makes another, and fills the gap from the history.

use std::collections::HashSet;
use std::time::Duration;

use super::error::Error;
use super::history::History;
use super::known::{Known, LATEST_PAGE, Source};
use super::property::{Properties, check};
use super::reference::Reference;
use super::session::Session;
use super::soap;
use super::task::TaskInfo;
use super::update::{FilterUpdate, UpdateSet};
use super::xml::Writer;

/// How many parts of one set of updates are fetched before they are told.
const PARTS: usize = 64;
/// The longest wait: a connection that says nothing for longer is cut by what is between.
const LONGEST: Duration = Duration::from_secs(600);

pub(super) const INFO: Properties = Properties { kind: "Task", paths: &["info"] };

/// What became of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// How it stands now, whole.
    Task(Box<TaskInfo>),
    /// A watched task that the vCenter does not know any more, and of which no end was told.
    Gone(Reference),
}

/// Where a [`Follow`] learns of new tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// From the history's latest page.
    LatestPage,
    /// From the recent tasks: of a server without histories, and not promised to be told.
    RecentTasks,
}

/// A subscription to a vCenter's tasks.
#[derive(Debug)]
pub struct Follow {
    pub(super) session: Session,
    pub(super) collector: Reference,
    pub(super) view: Reference,
    /// The filter of the list; all else is told by the feed's.
    pub(super) list: Option<Reference>,
    pub(super) feed: Feed,
    /// What the latest page is of.
    pub(super) history: Option<History>,
    /// What the collector told last; empty: everything is told anew.
    version: String,
    known: Known,
}

impl Follow {
    pub(super) fn new(session: &Session, collector: Reference, view: Reference) -> Self {
        Self {
            session: session.clone(),
            collector,
            view,
            list: None,
            feed: Feed::LatestPage,
            history: None,
            version: String::new(),
            known: Known::default(),
        }
    }

    /// Where new tasks are learned from.
    #[must_use]
    pub fn feed(&self) -> Feed {
        self.feed
    }

    /// Puts tasks on the list whose progress is told, and takes others off it. Answers those that the vCenter does
    /// not know (any more), which are not watched. (ListView.ModifyListView.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn watch(&mut self, add: &[Reference], remove: &[Reference]) -> Result<Vec<Reference>, Error> {
        if add.is_empty() && remove.is_empty() {
            return Ok(Vec::new());
        }
        // Before the call: a task that is taken off leaves the list, and has not gone.
        self.known.unwatch(remove);
        let mut call = Writer::call("ModifyListView", &self.view);
        add.iter().for_each(|task| call.reference("add", task));
        remove.iter().for_each(|task| call.reference("remove", task));
        let unresolved = self.session.call(call, |xml| soap::each(xml, Reference::read)).await?;
        let strangers = unresolved.iter().collect::<HashSet<_>>();
        self.known.watch(add.iter().filter(|task| !strangers.contains(task)));
        Ok(unresolved)
    }

    /// Waits until something is told, at most this long (whole seconds, ten minutes), and returns all that is new.
    /// Nothing new is an empty list, which may come before the time is over. (PropertyCollector.WaitForUpdatesEx.)
    ///
    /// # Errors
    /// [`Error::NotAuthenticated`] and [`Error::ManagedObjectNotFound`] end this `Follow`; after another that
    /// [`Error::is_passing`] it can go on, though one that is [`Error::TooSlow`] may never answer again: another `Follow` of
    /// the session may; and those of any call.
    pub async fn wait(&mut self, max_wait: Duration) -> Result<Vec<Update>, Error> {
        let mut longest = max_wait.min(LONGEST);
        for _ in 0..PARTS {
            let Some(set) = self.next(longest).await? else { break };
            check(set.missing())?;
            let truncated = set.truncated;
            self.learn(set)?;
            if self.feed == Feed::RecentTasks && self.history.is_some() {
                self.feed_recent().await?;
            }
            if !truncated {
                break;
            }
            longest = Duration::ZERO;
        }
        self.read_unread().await?;
        Ok(self.known.tell())
    }

    /// Gives everything back to the vCenter; the end of the session does the same.
    pub async fn close(self) {
        for (method, made) in [("DestroyPropertyCollector", &self.collector), ("DestroyView", &self.view)] {
            if let Err(error) = self.session.destroy_made(method, made).await {
                tracing::debug!(%error, method, "a subscription stays until its session ends");
            }
        }
        if let Some(history) = self.history {
            history.close().await;
        }
    }

    async fn next(&mut self, longest: Duration) -> Result<Option<UpdateSet>, Error> {
        match self.next_from(longest).await {
            // Too much happened, or the server began anew: everything is told again, and known to be so.
            Err(Error::InvalidCollectorVersion) if !self.version.is_empty() => {
                self.version.clear();
                self.next_from(longest).await
            }
            set => set,
        }
    }

    async fn next_from(&self, longest: Duration) -> Result<Option<UpdateSet>, Error> {
        let mut call = Writer::call("WaitForUpdatesEx", &self.collector);
        call.text("version", &self.version);
        call.within("options", |call| call.number("maxWaitSeconds", longest.as_secs() as u32));
        self.session.wait(call, longest, UpdateSet::read).await
    }

    fn learn(&mut self, set: UpdateSet) -> Result<(), Error> {
        self.version = set.version;
        for FilterUpdate { filter, objects, missing } in set.filters {
            let source = if self.list.as_ref() == Some(&filter) { Source::List } else { Source::Feed };
            for update in objects {
                if update.missing.iter().any(|missing| missing.path == LATEST_PAGE) {
                    self.feed = Feed::RecentTasks;
                }
                if update.leaves && update.object.kind != INFO.kind {
                    return Err(Error::ManagedObjectNotFound { reference: update.object });
                }
                self.known.learn(source, update);
            }
            for (object, missing) in missing {
                match missing.fault.kind.as_str() {
                    _ if object.kind == INFO.kind => self.known.lose(object),
                    "ManagedObjectNotFound" => return Err(Error::ManagedObjectNotFound { reference: object }),
                    _ => return Err(missing.fault.into()),
                }
            }
        }
        Ok(())
    }

    /// Reads the tasks of which only a part was told, and nothing known that it is a part of.
    async fn read_unread(&mut self) -> Result<(), Error> {
        while let Some(task) = self.known.unread() {
            match self.session.task(&task).await {
                Ok(info) => self.known.keep(Source::List, info),
                Err(Error::ManagedObjectNotFound { .. }) => self.known.lose(task),
                // It is there, and noted: it is told again when it changes.
                Err(Error::Malformed(_)) => {}
                Err(error) => return Err(error),
            }
            self.known.was_read();
        }
        Ok(())
    }
}
