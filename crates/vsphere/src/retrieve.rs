//! Reads properties once, however many answers it takes. (PropertyCollector.RetrievePropertiesEx.)

use super::catalogue::Catalogue;
use super::error::Error;
use super::property::{Found, Page, Properties, Start, specify};
use super::reference::Reference;
use super::session::Session;
use super::task::TaskInfo;
use super::typed::Typed;
use super::xml::{Malformed, Writer};

/// More pages than any answer has: a server that always has one more is stopped.
const PAGES: usize = 10_000;

const INFO: Properties = Properties { kind: "Task", paths: &["info"] };

impl Session {
    /// The labels of tasks, in the session's language: some 1,600, of 350 KB. (TaskManager.description.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn catalogue(&self) -> Result<Catalogue, Error> {
        let properties = Properties { kind: "TaskManager", paths: &["description"] };
        match self.property(properties, &self.content().task_manager).await? {
            Some(Typed::Catalogue(catalogue)) => Ok(catalogue),
            _ => Ok(Catalogue::default()),
        }
    }

    /// The tasks that are unfinished or ended within the last ten minutes, at most 200 ended ones, of those that the
    /// user may see; without those that cannot be read. One call. (TaskManager.recentTask.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn recent_tasks(&self) -> Result<Vec<TaskInfo>, Error> {
        let found = self.along(&[INFO], &self.content().task_manager, "recentTask").await?;
        Ok(found.into_iter().filter_map(|mut found| task(found.take("info"))).collect())
    }

    /// A task by its reference. (Task.info.)
    ///
    /// # Errors
    /// [`Error::ManagedObjectNotFound`] when the vCenter does not know it any more, [`Error::Malformed`] when it is there
    /// and cannot be read, [`Error::NoPermission`], and those of any call.
    pub async fn task(&self, task: &Reference) -> Result<TaskInfo, Error> {
        let gone = || Error::ManagedObjectNotFound { reference: task.clone() };
        self::task(self.property(INFO, task).await?).ok_or_else(gone)
    }

    /// Whether the session still is one. Keeps it alive, and needs no privilege. (SessionManager.currentSession.)
    ///
    /// # Errors
    /// Those of any call, but not [`Error::NotAuthenticated`].
    pub async fn alive(&self) -> Result<bool, Error> {
        let properties = Properties { kind: "SessionManager", paths: &["currentSession"] };
        match self.property(properties, &self.content().session_manager).await {
            Ok(session) => Ok(session.is_some()),
            Err(Error::NotAuthenticated) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Reads properties of the objects that a property of this one leads to.
    ///
    /// A session that was lost sees none of them, and the answer says nothing of it: where the first object is
    /// skipped, nothing is left that could be missing. So that there is none is believed of a living session only.
    pub(super) async fn along(
        &self,
        properties: &[Properties],
        from: &Reference,
        path: &'static str,
    ) -> Result<Vec<Found>, Error> {
        let found = self.retrieve(properties, &Start::Along(from, path)).await?;
        if found.is_empty() && !self.alive().await? {
            return Err(Error::NotAuthenticated);
        }
        Ok(found)
    }

    pub(super) async fn retrieve(&self, properties: &[Properties], start: &Start<'_>) -> Result<Vec<Found>, Error> {
        let collector = &self.content().property_collector;
        let mut call = Writer::call("RetrievePropertiesEx", collector);
        specify(&mut call, "specSet", properties, start);
        call.within("options", |_| {});
        let read = match start {
            Start::Object(_) => Page::read,
            Start::Along(..) => Page::read_many,
        };
        let mut page = self.call(call, read).await?.checked()?;
        let mut all = page.found;
        for _ in 1..PAGES {
            let Some(token) = page.token else { return Ok(all) };
            let mut call = Writer::call("ContinueRetrievePropertiesEx", collector);
            call.text("token", &token);
            page = self.call(call, read).await?.checked()?;
            all.append(&mut page.found);
        }
        Err(Error::TooLarge)
    }

    /// Reads the one property that is asked for, of one object. Unset is nothing; one that may not or cannot be read is
    /// an error.
    pub(super) async fn property(&self, property: Properties, object: &Reference) -> Result<Option<Typed>, Error> {
        let Some(mut found) = self.retrieve(&[property], &Start::Object(object)).await?.pop() else { return Ok(None) };
        match (found.properties.pop(), found.missing.pop()) {
            (Some((path, Typed::Unreadable)), _) => Err(Malformed::new("cannot be read", 0).inside(&path).into()),
            (Some((_, value)), _) => Ok(Some(value)),
            (None, Some(missing)) => Err(missing.fault.into()),
            (None, None) => Ok(None),
        }
    }
}

fn task(value: Option<Typed>) -> Option<TaskInfo> {
    match value {
        Some(Typed::Task(info)) => Some(*info),
        _ => None,
    }
}
