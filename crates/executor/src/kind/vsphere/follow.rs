//! Follows a vCenter's task to its end, over lost sessions, broken connections and restarts of the vCenter.
//!
//! It looks at the task, soon at first and every two seconds later. A task whose reference has ended is looked for in
//! the history, by the chain of events that it belongs to.

use std::time::Duration;

use chrono::{DateTime, Utc};
use taskloom_vsphere::{Error, Filter, LARGEST_READ, Reference, Session, TaskInfo, TaskState, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::begin::BegunTask;
use super::login::sign_in;
use crate::context::WorkContext;
use crate::program::VcenterLogin;
use crate::work::Report;

/// The pause before the second look, and the longest.
const LOOK: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));
/// The pause before a vCenter that does not answer is asked again: the first, and the longest.
const AGAIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long a vCenter may not answer before its task is given up.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How long saying good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(5);

/// A task that is followed.
pub(super) struct FollowedTask<'f> {
    pub(super) server: &'f VcenterLogin,
    pub(super) session: Session,
    pub(super) begun: BegunTask,
    pub(super) with: &'f WorkContext,
    /// Learns what runs, and in which session it can be asked to end.
    pub(super) tell: watch::Sender<Option<RunningTask>>,
}

/// The vCenter's task while it runs: who stops the work asks for its end.
#[derive(Clone, Debug)]
pub(super) struct RunningTask {
    pub(super) session: Session,
    pub(super) task: Reference,
    pub(super) cancelable: bool,
}

/// What is known of the task besides its key: a restarted vCenter may give the key to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TaskIdentity {
    queued_at: DateTime<Utc>,
    chain: i32,
}

/// Why a work did not end well.
#[derive(Debug)]
pub(super) struct FollowError {
    pub(super) said: String,
    /// The vCenter's task may go on: nobody knows how it ends.
    pub(super) goes_on: bool,
}

impl From<String> for FollowError {
    fn from(said: String) -> Self {
        Self { said, goes_on: false }
    }
}

/// Follows until the task has ended; its fault is the error.
pub(super) async fn to_the_end(mut of: FollowedTask<'_>) -> Result<(), FollowError> {
    let done = looks(&mut of).await;
    good_bye(&of.session).await;
    done
}

/// Ends a session. One that is left behind ends by itself, after a while.
pub(super) async fn good_bye(session: &Session) {
    if let Ok(Err(error)) = tokio::time::timeout(GOOD_BYE, session.sign_out()).await {
        tracing::debug!(%error, "the session ends by itself");
    }
}

async fn looks(of: &mut FollowedTask<'_>) -> Result<(), FollowError> {
    let begun_at = Instant::now();
    let mut pause = LOOK.0;
    let mut identity = None;
    let mut shown = None;
    // Not known yet: who asks in vain is told so.
    of.tell.send_replace(Some(of.running(true)));
    loop {
        let info = of.look(identity).await?;
        identity = Some(TaskIdentity { queued_at: info.queue_time, chain: info.event_chain_id });
        of.tell.send_replace(Some(of.running(info.cancelable)));
        let now = (info.state, info.progress);
        if shown.replace(now) != Some(now) {
            of.show(&info).await;
        }
        if info.state.is_final() {
            return Ok(of.finish(&info, begun_at.elapsed()).await?);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(LOOK.1);
    }
}

impl FollowedTask<'_> {
    fn running(&self, cancelable: bool) -> RunningTask {
        RunningTask { session: self.session.clone(), task: self.begun.task.clone(), cancelable }
    }

    fn key(&self) -> &str {
        &self.begun.task.value
    }

    /// How the task stands; asks until there is an answer.
    async fn look(&mut self, identity: Option<TaskIdentity>) -> Result<TaskInfo, FollowError> {
        let since = Instant::now();
        let mut pause = AGAIN.0;
        loop {
            let error = match self.once(identity).await {
                Ok(Some(info)) => return Ok(info),
                Ok(None) => {
                    return Err(format!(
                        "vCenter {}: it does not know the task {} any more: how it ended is not known",
                        self.server.name,
                        self.key()
                    )
                    .into());
                }
                Err(error) => error,
            };
            if !error.is_passing() || since.elapsed() > PATIENCE {
                let (name, key) = (&self.server.name, self.key());
                let said = format!("vCenter {name}: the task {key} may go on there and cannot be followed: {error}");
                return Err(FollowError { said, goes_on: true });
            }
            if pause == AGAIN.0 {
                self.with.note(&format!("{} is followed on as soon as that is possible: {error}", self.key())).await;
            }
            if error.is_session_lost() {
                match sign_in(self.server, self.with.policy.locale).await {
                    Ok(session) => {
                        self.session = session;
                        self.with.note(&format!("signed in again, to follow {}", self.key())).await;
                    }
                    Err(error) if error.is_passing() => {}
                    Err(error) => {
                        let (name, key) = (&self.server.name, self.key());
                        let said = format!("vCenter {name}: the task {key} may go on there: {error}");
                        return Err(FollowError { said, goes_on: true });
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(AGAIN.1);
        }
    }

    /// One look; nothing when the vCenter does not know the task (any more).
    async fn once(&self, identity: Option<TaskIdentity>) -> Result<Option<TaskInfo>, Error> {
        let is_it = |info: &TaskInfo| identity.is_none_or(|known| info.is_of(known.queued_at));
        match self.session.task(&self.begun.task).await {
            Ok(info) if is_it(&info) => return Ok(Some(info)),
            Ok(_) => {}
            Err(Error::ManagedObjectNotFound { .. }) => {
                // A session that was lost knows nothing at all.
                if !self.session.alive().await? {
                    return Err(Error::NotAuthenticated);
                }
            }
            Err(error) => return Err(error),
        }
        let Some(known) = identity else { return Ok(None) };
        let filter = Filter { event_chain_ids: vec![known.chain], ..Filter::default() };
        let mut history = self.session.history(&filter).await?;
        let mut found = None;
        while found.is_none() {
            let page = history.next(LARGEST_READ).await?;
            if page.is_empty() {
                break;
            }
            found = page.into_iter().find(|info| info.key == self.key() && is_it(info));
        }
        history.close().await;
        Ok(found)
    }

    /// Progress, and what it is doing.
    async fn show(&self, info: &TaskInfo) {
        let said = info.description.as_ref().and_then(|description| description.message.clone());
        let said = said.filter(|text| !text.is_empty()).or_else(|| info.name.clone());
        let doing = said.unwrap_or_else(|| self.begun.title.to_owned());
        let queued = if info.state == TaskState::Queued { " (queued)" } else { "" };
        let text = self.with.mask.text(&format!("{doing}{queued}")).into_owned();
        let fraction = f64::from(info.progress.unwrap_or_default().clamp(0, 100)) / 100.0;
        // Nobody listens any more: the end is what counts.
        let _ = self.with.reports.send(Report::Progress { fraction, text: Some(text) }).await;
    }

    /// What the end of the task means, with what it put out.
    async fn finish(&self, info: &TaskInfo, took: Duration) -> Result<(), String> {
        let key = self.key();
        self.put_out("task", key).await;
        if info.state == TaskState::Error {
            let fault = info.error.clone().unwrap_or_default();
            let (kind, text) = (fault.kind.as_str(), fault.message());
            return Err(match (kind, text) {
                ("", "") => format!("{key} failed, and the vCenter does not say why"),
                ("" | "RequestCanceled", _) if info.cancelled => format!("{key} was cancelled"),
                (kind, "") => format!("{kind} ({key})"),
                (kind, text) => format!("{kind}: {text} ({key})"),
            });
        }
        let result = match &info.result {
            Some(Value::Reference(reference)) => self.begun.gives.map(|name| (name, reference)),
            _ => None,
        };
        if let Some((name, reference)) = result {
            let free = self.begun.gave.filter(|name| !self.with.parameters.contains_key(*name));
            for name in [Some(name), free].into_iter().flatten() {
                self.put_out(name, &reference.to_string()).await;
            }
        }
        let took = humantime::format_duration(Duration::from_millis(took.as_millis() as u64));
        self.with.note(&format!("{key} has ended well, {took}")).await;
        Ok(())
    }

    async fn put_out(&self, key: &str, value: &str) {
        let (key, value) = (key.to_owned(), value.to_owned());
        // Nobody listens any more: nobody will read it.
        let _ = self.with.reports.send(Report::Output { key, value }).await;
    }
}
