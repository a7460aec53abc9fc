//! Makes what a [`Follow`] needs on the vCenter: a collector of our own, its filters, a list, a history.
//!
//! The invariant: what was made is given back where the rest cannot be made. It may be tried again in this session,
//! which would fill with what nobody uses.

use super::error::Error;
use super::follow::{Feed, Follow, INFO};
use super::history::{Filter, LARGEST_READ};
use super::known::LATEST_PAGE;
use super::property::{Properties, Start, specify};
use super::reference::Reference;
use super::session::Session;
use super::soap;
use super::xml::Writer;

const PAGE: Properties = Properties { kind: "TaskHistoryCollector", paths: &[LATEST_PAGE] };

impl Session {
    /// Begins to follow the tasks. The first [`Follow::wait`] tells how the latest ones stand.
    ///
    /// `page` is how many tasks the latest page holds, 10 to 1,000. A vCenter begins with 10, which a burst of tasks
    /// outruns between two updates; each update sends the whole page, a kilobyte a task before compression.
    ///
    /// # Errors
    /// [`Error::TooManyCollectors`], and those of any call.
    pub async fn follow(&self, page: i32) -> Result<Follow, Error> {
        let content = self.content();
        let view = self.make(Writer::call("CreateListView", &content.view_manager)).await?;
        let collector = match self.make(Writer::call("CreatePropertyCollector", &content.property_collector)).await {
            Ok(collector) => collector,
            Err(error) => {
                self.destroy_made("DestroyView", &view).await?;
                return Err(error);
            }
        };
        let mut follow = Follow::new(self, collector, view);
        match follow.subscribe(page).await {
            Ok(()) => Ok(follow),
            Err(error) => {
                follow.close().await;
                Err(error)
            }
        }
    }
}

impl Follow {
    async fn subscribe(&mut self, page: i32) -> Result<(), Error> {
        self.list = Some(self.create_filter(INFO, &Start::Along(&self.view, "view")).await?);
        match self.feed_history(page).await {
            Err(error) if error.is_unsupported() => {
                tracing::debug!(%error, "the server has no histories to follow");
                self.feed_recent().await
            }
            fed => fed,
        }
    }

    async fn feed_history(&mut self, page: i32) -> Result<(), Error> {
        let history = self.session.history(&Filter::default()).await?;
        let collector = history.collector().clone();
        self.history = Some(history);
        let mut call = Writer::call("SetCollectorPageSize", &collector);
        call.number("maxCount", i64::from(page).clamp(10, LARGEST_READ.into()));
        match self.session.call(call, soap::none).await {
            // A smaller page does, too.
            Err(error) if !error.is_passing() => {
                tracing::debug!(%error, "the latest page stays small");
            }
            sized => sized?,
        }
        self.create_filter(PAGE, &Start::Object(&collector)).await.map(drop)
    }

    /// Learns of tasks from `recentTask` instead.
    pub(super) async fn feed_recent(&mut self) -> Result<(), Error> {
        let start = Start::Along(&self.session.content().task_manager, "recentTask");
        self.create_filter(INFO, &start).await?;
        self.feed = Feed::RecentTasks;
        if let Some(history) = self.history.take() {
            history.close().await;
        }
        Ok(())
    }

    async fn create_filter(&self, properties: Properties, start: &Start<'_>) -> Result<Reference, Error> {
        let mut call = Writer::call("CreateFilter", &self.collector);
        specify(&mut call, "spec", &[properties], start);
        call.flag("partialUpdates", false);
        self.session.make(call).await
    }
}
