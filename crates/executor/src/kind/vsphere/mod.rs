//! The kind `vsphere`: begins a vCenter's task and follows it to its end, which becomes the work's own.
//!
//! The invariant: the call that begins the task is made once. What breaks after it (the connection, the session) is
//! mended and the same task followed on; when nobody can say whether it was begun, the work fails and says so. A
//! stop, and the end of the time limit, are passed on to the vCenter where the task can be cancelled.

mod begin;
mod find;
mod follow;
mod login;

use std::pin::Pin;
use std::time::Duration;

use taskloom_vsphere::Error;
use tokio::sync::watch;

use crate::context::WorkContext;
use crate::drive::{Driven, Turn, drive};
use crate::orders::Orders;
use crate::program::VsphereJob;
use crate::work::{Finished, Outcome};
use find::NotBegun;
use follow::{FollowError, RunningTask};
use login::sign_in;

/// How whoever stops the work and the work itself know of each other.
struct Link {
    /// Falls when the work is stopped: nothing may be begun any more.
    may_begin: watch::Receiver<bool>,
    /// What runs at the vCenter, once something does.
    tell: watch::Sender<Option<RunningTask>>,
}

/// The work under way. A vCenter's task cannot be paused: it goes on, and is followed.
struct Following<'f> {
    steps: Pin<Box<dyn Future<Output = Result<(), FollowError>> + Send + 'f>>,
}

impl Driven for Following<'_> {
    type End = Result<(), FollowError>;

    async fn end(&mut self) -> Self::End {
        (&mut self.steps).await
    }
}

/// Runs a job to its end.
pub(super) async fn run(job: &VsphereJob, with: WorkContext, mut orders: Orders) -> Finished {
    let (go, may_begin) = watch::channel(true);
    let (tell, told) = watch::channel(None);
    let mut work = Following { steps: Box::pin(execute(job, &with, Link { may_begin, tell })) };
    let stop = match drive(&mut work, &mut orders, with.limit).await {
        Turn::Ended(Ok(())) => return Finished::bare(Outcome::Succeeded, None),
        Turn::Ended(Err(error)) => return with.failed(&error.said),
        Turn::Stop(stop) => stop,
    };
    go.send_replace(false);
    let stopped = stop.cause.finished();
    let said = tokio::select! {
        said = cancel(&mut work, told.clone(), &with, patience(stop.grace)) => said,
        // Who kills what is being stopped waits no longer than who kills at once.
        said = async {
            orders.kill().await;
            tokio::time::sleep(patience(Duration::ZERO)).await;
            still_there(&told, &with)
        } => said,
    };
    let message = [stopped.message, said].into_iter().flatten().collect::<Vec<_>>().join("; ");
    let message = (!message.is_empty()).then(|| with.mask.text(&message).into_owned());
    Finished { message, ..stopped }
}

/// How long the end of the vCenter's task is waited for.
fn patience(grace: Duration) -> Duration {
    grace.clamp(Duration::from_secs(1), Duration::from_secs(10))
}

/// Asks the vCenter to end its task, and gives it time for that; what has to be said of the task.
async fn cancel(
    work: &mut Following<'_>,
    mut told: watch::Receiver<Option<RunningTask>>,
    with: &WorkContext,
    patience: Duration,
) -> Option<String> {
    let known = told.clone();
    let cancel = async {
        // It may be that the task is just being begun.
        let running = match told.wait_for(Option::is_some).await {
            Ok(running) => running.clone()?,
            Err(_) => return None,
        };
        let task = running.task.value.clone();
        if !running.cancelable {
            return Some(format!("the vCenter's task {task} cannot be cancelled and goes on there"));
        }
        with.note_now(&format!("{task} is being cancelled"));
        let refused = running.session.cancel(&running.task).await.err()?;
        Some(format!("the vCenter's task {task} was not cancelled and goes on there: {refused}"))
    };
    let ended = async {
        tokio::pin!(cancel);
        tokio::select! {
            done = work.end() => Cancelled::Ended(done),
            // A cancel that was taken says nothing: then the end is waited for.
            Some(said) = &mut cancel => Cancelled::Refused(said),
        }
    };
    match tokio::time::timeout(patience, ended).await {
        Ok(Cancelled::Ended(Ok(()))) => Some("the vCenter's task had ended well before".to_owned()),
        Ok(Cancelled::Ended(Err(error))) => error.goes_on.then_some(error.said),
        Ok(Cancelled::Refused(said)) => {
            with.note_now(&said);
            Some(said)
        }
        Err(_) => still_there(&known, with),
    }
}

/// What is said of a task that has not ended in time.
fn still_there(told: &watch::Receiver<Option<RunningTask>>, with: &WorkContext) -> Option<String> {
    let task = told.borrow().as_ref().map(|running| running.task.value.clone());
    let said = match task {
        Some(task) => format!("the vCenter's task {task} has not ended yet and goes on there"),
        None => "whether a task of the vCenter was begun is not known: one that was goes on there".to_owned(),
    };
    with.note_now(&said);
    Some(said)
}

/// What a cancel came to.
enum Cancelled {
    Ended(Result<(), FollowError>),
    Refused(String),
}

async fn execute(job: &VsphereJob, with: &WorkContext, link: Link) -> Result<(), FollowError> {
    let VsphereJob { server, .. } = job;
    let cannot = |error: &Error| format!("vCenter {}: {error}", server.name);
    if !server.address.is_encrypted() && !with.policy.plain_vcenters {
        return Err(format!(
            "vCenter {}: it sends the password for everybody to read: see `vsphere.allow_http`",
            server.name
        )
        .into());
    }
    let mut session = sign_in(server, with.policy.locale).await.map_err(|error| cannot(&error))?;
    let mut begun = begin::begin(&session, job, &link.may_begin).await;
    if let Err(NotBegun::Call(Error::NotAuthenticated)) = begun {
        // Refused before anything was done: a session that has just begun may have been ended by another.
        session = sign_in(server, with.policy.locale).await.map_err(|error| cannot(&error))?;
        begun = begin::begin(&session, job, &link.may_begin).await;
    }
    let begun = match begun {
        Ok(begun) => begun,
        Err(missed) => {
            follow::good_bye(&session).await;
            return Err(match missed {
                NotBegun::Call(error) => cannot(&error),
                NotBegun::Said(text) => format!("vCenter {}: {text}", server.name),
            }
            .into());
        }
    };
    with.note(&format!("{} on {}: {} of {}", begun.title, server.name, begun.task.value, begun.machine)).await;
    follow::to_the_end(follow::FollowedTask { server, session, begun, with, tell: link.tell }).await
}
