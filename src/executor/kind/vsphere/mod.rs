//! The executor `vsphere`: begins a vCenter's task and follows it to its end, which becomes the work's own.
//!
//! The invariant: the call that begins the task is made once. What breaks after it (the connection, the session) is
//! mended and the same task followed on; when nobody can say whether it was begun, the work fails and says so. A
//! stop, and the end of the time limit, are passed on to the vCenter where the task can be cancelled.

mod begin;
mod find;
mod follow;

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::executor::kind::script::watch::late;
use super::fill::Values;
use crate::executor::orders::Orders;
use crate::executor::stopwatch::Stopwatch;
use crate::executor::context::{Surroundings, wait_for_go};
use crate::executor::work::{Finished, Order, Outcome};
use crate::task::spec::vsphere::Operation;
use crate::vault::Hidden;
use crate::vsphere::{Address, Client, Error, Limits, Reference, Session, Trust};
use begin::Missed;
use follow::Failure;

/// A vCenter, and how to sign in there.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name, for the log.
    pub name: String,
    /// Where it answers.
    pub address: Address,
    /// By what it is trusted.
    pub trust: Trust,
    /// Who signs in.
    pub user: String,
    /// With which password.
    pub password: Hidden,
}

/// An operation for a vCenter. Its texts are templates.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is done.
    pub operation: Operation,
    /// By whom.
    pub server: Server,
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        let of = |server: &Self| (server.name.clone(), server.address.to_string(), server.user.clone());
        of(self) == of(other) && self.trust == other.trust && self.password == other.password
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.operation == other.operation && self.server == other.server
    }
}

impl Server {
    /// Connects and signs in.
    async fn sign_in(&self, locale: &str) -> Result<Session, Error> {
        let client = Client::connect(&self.address, &self.trust, Limits::default()).await?;
        client.sign_in(&self.user, self.password.expose(), locale).await
    }
}

/// The vCenter's task while it runs: who stops the work asks for its end.
#[derive(Clone, Debug)]
struct Running {
    session: Session,
    task: Reference,
    cancelable: bool,
}

/// What the control of a work and the work itself share.
struct Strings {
    /// Falls when the work is stopped: nothing may be begun any more.
    may_begin: watch::Receiver<bool>,
    /// What runs at the vCenter, once something does.
    tell: watch::Sender<Option<Running>>,
}

/// The work itself, which goes on while it is waited for something else.
type Doing = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Runs a job to its end.
pub(super) async fn run(job: &Job, secrets: &[(String, Hidden)], with: Surroundings, mut orders: Orders) -> Finished {
    if let Some(reason) = wait_for_go(&mut orders).await {
        return Finished::bare(reason.outcome(), None);
    }
    let (go, may_begin) = watch::channel(true);
    let (tell, told) = watch::channel(None);
    let (owned, given, around) = (job.clone(), secrets.to_vec(), with.clone());
    let mut work: Doing = Box::pin(async move { execute(&owned, &given, &around, Strings { may_begin, tell }).await });
    let mut watch = Stopwatch::start(Instant::now());
    loop {
        let due = with.timeout.and_then(|limit| watch.due(limit));
        let (stopped, patience) = tokio::select! {
            done = &mut work => return match done {
                Ok(()) => Finished::bare(Outcome::Succeeded, None),
                Err(failure) => with.failed(&failure.said),
            },
            order = orders.next() => match order {
                // The vCenter's task cannot be paused: it goes on, and is followed.
                Order::Pause => {
                    watch.pause(Instant::now());
                    continue;
                }
                Order::Run => {
                    watch.resume(Instant::now());
                    continue;
                }
                Order::Stop(reason) => (Finished::bare(reason.outcome(), None), with.grace),
                Order::Kill(reason) => (Finished::bare(reason.outcome(), None), Duration::ZERO),
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                (Finished::bare(Outcome::TimedOut, Some(late(with.timeout.unwrap_or_default()))), with.grace)
            }
        };
        go.send_replace(false);
        let said = stop(work, told, &with, patience).await;
        let message = [stopped.message, said].into_iter().flatten().collect::<Vec<_>>().join("; ");
        let message = (!message.is_empty()).then(|| with.mask.text(&message).into_owned());
        return Finished { message, ..stopped };
    }
}

/// Asks the vCenter to end its task, and gives it time for that; what has to be said of the task.
async fn stop(
    mut work: Doing,
    mut told: watch::Receiver<Option<Running>>,
    with: &Surroundings,
    patience: Duration,
) -> Option<String> {
    let patience = patience.max(Duration::from_secs(1)).min(Duration::from_secs(10));
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
            done = &mut work => Ended::Work(done),
            // A cancel that was taken says nothing: then the end is waited for.
            Some(said) = &mut cancel => Ended::Refused(said),
        }
    };
    match tokio::time::timeout(patience, ended).await {
        Ok(Ended::Work(Ok(()))) => Some("the vCenter's task had ended well before".to_owned()),
        Ok(Ended::Work(Err(failure))) => failure.goes_on.then_some(failure.said),
        Ok(Ended::Refused(said)) => {
            with.note_now(&said);
            Some(said)
        }
        Err(_) => {
            let task = told.borrow().as_ref().map(|running| running.task.value.clone());
            let said = match task {
                Some(task) => format!("the vCenter's task {task} has not ended yet and goes on there"),
                None => "whether a task of the vCenter was begun is not known: one that was goes on there".to_owned(),
            };
            with.note_now(&said);
            Some(said)
        }
    }
}

/// What a stop came to.
enum Ended {
    Work(Result<(), Failure>),
    Refused(String),
}

async fn execute(
    job: &Job,
    secrets: &[(String, Hidden)],
    with: &Surroundings,
    strings: Strings,
) -> Result<(), Failure> {
    let Job { operation, server } = job;
    let cannot = |error: &Error| format!("vCenter {}: {error}", server.name);
    if !server.address.is_encrypted() && !with.reach.plain_vcenters {
        return Err(format!(
            "vCenter {}: it sends the password for everybody to read: see `vsphere.allow_http`",
            server.name
        )
        .into());
    }
    let values = Values { parameters: &with.parameters, secrets };
    let mut operation = operation.clone();
    for text in operation.texts() {
        *text = values.text(text)?;
    }
    let mut session = server.sign_in(with.reach.locale).await.map_err(|error| cannot(&error))?;
    let mut begun = begin::begin(&session, &operation, &strings.may_begin).await;
    if let Err(Missed::Call(Error::NotAuthenticated)) = begun {
        // Refused before anything was done: a session that has just begun may have been ended by another.
        session = server.sign_in(with.reach.locale).await.map_err(|error| cannot(&error))?;
        begun = begin::begin(&session, &operation, &strings.may_begin).await;
    }
    let begun = match begun {
        Ok(begun) => begun,
        Err(missed) => {
            follow::good_bye(&session).await;
            return Err(match missed {
                Missed::Call(error) => cannot(&error),
                Missed::Said(text) => format!("vCenter {}: {text}", server.name),
            }
            .into());
        }
    };
    with.note(&format!("{} on {}: {} of {}", begun.title, server.name, begun.task.value, begun.machine)).await;
    follow::to_the_end(follow::Following { server, session, begun, with, tell: strings.tell }).await
}
