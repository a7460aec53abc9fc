//! Reads a vCenter's task history, oldest first.
//!
//! (vSphere Web Services API, TaskHistoryCollector.) A vCenter allows 32 of these at a time, so each is to be closed
//! after use; all go with the session.

use chrono::{DateTime, Utc};

use super::error::Error;
use super::reference::Reference;
use super::session::Session;
use super::soap;
use super::task::{TaskInfo, TaskState};
use super::xml::{Malformed, Reader, Writer};

/// The most tasks that one read may ask for.
pub const LARGEST_READ: u32 = 1000;

/// Which tasks of the history. The default is all; every condition narrows. (TaskFilterSpec.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only tasks in one of these states; none given: in any.
    pub states: Vec<TaskState>,
    /// Only tasks that ended then or later.
    pub completed_since: Option<DateTime<Utc>>,
    /// Only the tasks of these event chains. There is no filter by key: this finds lost tasks.
    pub event_chain_ids: Vec<i32>,
}

/// A place in the history.
#[derive(Debug)]
pub struct History {
    session: Session,
    collector: Reference,
}

impl Session {
    /// Opens the history before the oldest task that fits. (TaskManager.CreateCollectorForTasks.)
    ///
    /// # Errors
    /// [`Error::TooManyCollectors`], and those of any call.
    pub async fn history(&self, filter: &Filter) -> Result<History, Error> {
        let mut call = Writer::call("CreateCollectorForTasks", &self.content().task_manager);
        call.within("filter", |call| filter.write(call));
        let collector = self.make(call).await.map_err(Error::of_collector)?;
        Ok(History { session: self.clone(), collector })
    }
}

impl History {
    /// The next tasks in the order they were made, 1 to [`LARGEST_READ`] at most; none when the history is read. Those
    /// that cannot be read are left out: see [`Session::left_out`].
    /// (TaskHistoryCollector.ReadNextTasks.)
    ///
    /// # Errors
    /// Those of any call. The place is lost with the session; whether a page that broke off was read is not known.
    pub async fn next(&mut self, max: u32) -> Result<Vec<TaskInfo>, Error> {
        loop {
            let mut call = Writer::call("ReadNextTasks", &self.collector);
            call.number("maxCount", max.clamp(1, LARGEST_READ));
            let page = self.session.call(call, read_tasks).await?;
            let is_end = page.is_empty();
            let tasks: Vec<TaskInfo> = page.into_iter().flatten().collect();
            // A page of nothing but unreadable ones is not the end.
            if is_end || !tasks.is_empty() {
                return Ok(tasks);
            }
        }
    }

    /// Gives it back. One that cannot be given back ends with the session. (HistoryCollector.DestroyCollector.)
    pub async fn close(self) {
        if let Err(error) = self.session.destroy_made("DestroyCollector", &self.collector).await {
            tracing::debug!(%error, "a history stays open until its session ends");
        }
    }

    pub(super) fn collector(&self) -> &Reference {
        &self.collector
    }
}

impl Filter {
    /// Writes the elements in the definition's order, which counts.
    fn write(&self, call: &mut Writer) {
        if let Some(begin) = self.completed_since {
            call.within("time", |call| {
                call.text("timeType", "completedTime");
                call.instant("beginTime", begin);
            });
        }
        self.states.iter().for_each(|state| call.text("state", state.word()));
        self.event_chain_ids.iter().for_each(|id| call.number("eventChainId", *id));
    }
}

fn read_tasks(xml: &mut Reader<'_>) -> Result<Vec<Option<TaskInfo>>, Malformed> {
    soap::each(xml, |xml, _| TaskInfo::read(xml))
}
