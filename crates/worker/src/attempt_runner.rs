//! Runs one attempt: gets what it names, gives it to the executor, and has its end recorded.
//!
//! Three things go on at the same time while the program runs: the executor drives it, what it says is recorded, and
//! intents become orders. The executor ends first and drops its ends of both channels. So the recorder ends when it has
//! heard everything, and nobody follows intents any longer. Only then the end is recorded: it is never before a line.

use std::sync::Arc;

use taskloom_core::task::command::execute::Outcome;
use taskloom_executor::{self as executor, Finished, Host, LineClock, Order, StopReason, Work};
use taskloom_runtime::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::access::{AttemptAccess, UnreadableAccess};
use super::options::WorkerOptions;
use super::output_recorder::{OutputRecorder, ProgramOutput, resource_use};
use super::port::{Acceptance, Assignment, AttemptEnd, AttemptNeeds, AttemptRef, Intent, Port};
use super::{assignment, program};

/// Ends attempts for which nothing has to run.
pub(super) async fn finish_instantly(port: &dyn Port, assignments: Vec<Assignment>) {
    let succeeded = |assignment: Assignment| AttemptEnd::bare(assignment.attempt, Outcome::Succeeded, None);
    if let Err(error) = port.finish(assignments.into_iter().map(succeeded).collect()).await {
        tracing::warn!(error = ?error, "ends of attempts were not recorded: they will run again");
    }
}

/// Runs attempts, one with each call.
pub(super) struct AttemptRunner<'a> {
    pub(super) port: Arc<dyn Port>,
    pub(super) host: &'a Host,
    /// The time of log lines.
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: &'a WorkerOptions,
    /// Cancelled when the worker ends and waits no longer for a database that is away.
    pub(super) abandon: &'a CancellationToken,
}

impl AttemptRunner<'_> {
    /// Runs the attempt to its end. `ran` is called as soon as nothing of it runs any more, before its end is on disk:
    /// the slot is free then.
    pub(super) async fn run(&self, assignment: Assignment, intents: watch::Receiver<Intent>, ran: impl FnOnce()) {
        let attempt = assignment.attempt;
        let work = match self.abandon.run_until_cancelled(self.prepare(&assignment)).await {
            Some(Ok(work)) => work,
            Some(Err(end)) => return self.record(end).await,
            None => return,
        };
        let folder = work.folder.clone();
        let (orders, follow) = orders(intents);
        let (reports, inbox) = mpsc::channel(64);
        let recorder = OutputRecorder::new(self.port.clone(), &assignment, self.clock.clone(), self.options);
        // Given up, nobody listens to the program any more, and it ends as if it had said nothing.
        let recorded = self.abandon.run_until_cancelled(recorder.record(inbox));
        let clock = self.clock.clone();
        let clock = LineClock::new(move || clock.now());
        let ((), finished, said) = tokio::join!(follow, self.host.run(work, orders, reports, clock), recorded);
        ran();
        self.record(end(attempt, finished, said.unwrap_or_default())).await;
        // What it left in its folder stays for a while (`retention.attempt_folders`); most leave nothing.
        if let Ok(Err(error)) = tokio::task::spawn_blocking(move || executor::tidy(&folder)).await {
            tracing::debug!(attempt = %attempt.id, %error, "the folder of an attempt stays as it is");
        }
    }

    /// The work of an attempt with all that it is given; or its end, when there is nothing to give.
    async fn prepare(&self, assigned: &Assignment) -> Result<Work, AttemptEnd> {
        let attempt = assigned.attempt;
        let failed = |message: String| AttemptEnd::bare(attempt, Outcome::Failed, Some(message.into()));
        let (subtask, run) =
            assignment::read(assigned).map_err(|error| failed(format!("its definition cannot be read: {error}")))?;
        let needs = program::needs(&subtask, &run);
        let mut access = AttemptAccess::default();
        if needs != AttemptNeeds::default() {
            let equipment = self.port.equip(attempt, &needs).await.map_err(|error| {
                tracing::warn!(attempt = %attempt.id, error = ?error, "an attempt could not be given what it names");
                // A database that is away is no fault of the attempt: it runs again.
                let outcome = if error.is_database_away() { Outcome::Lost } else { Outcome::Failed };
                AttemptEnd::bare(attempt, outcome, Some(error.to_string().into()))
            })?;
            access = equipment.try_into().map_err(|error: UnreadableAccess| failed(error.to_string()))?;
        }
        let program = program::program(run, &assigned.parameters, &mut access).map_err(failed)?;
        let mut work = assignment::work(assigned, subtask, program, self.options);
        work.secrets = access.secrets;
        Ok(work)
    }

    async fn record(&self, end: AttemptEnd) {
        let attempt = end.attempt.id;
        match self.abandon.run_until_cancelled(self.port.finish(vec![end])).await {
            Some(Ok(taken)) if taken == [Acceptance::Refused] => {
                tracing::info!(%attempt, "the end of a lost attempt was refused");
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::warn!(%attempt, error = ?error, "the end of an attempt was not recorded: it will run again");
            }
            None => tracing::warn!(%attempt, "the end of an attempt was not recorded in time: it will run again"),
        }
    }
}

/// Turns intents into orders, until the work ends and drops its end.
fn orders(mut intents: watch::Receiver<Intent>) -> (watch::Receiver<Order>, impl Future<Output = ()>) {
    let (sender, orders) = watch::channel(order(*intents.borrow_and_update()));
    let follow = async move {
        loop {
            tokio::select! {
                () = sender.closed() => return,
                changed = intents.changed() => {
                    if changed.is_err() {
                        // Nobody has an intent any more. What was ordered last holds to the end of the work.
                        return sender.closed().await;
                    }
                    sender.send_replace(order(*intents.borrow_and_update()));
                }
            }
        }
    };
    (orders, follow)
}

const fn order(intent: Intent) -> Order {
    match intent {
        Intent::Run => Order::Run,
        Intent::Pause => Order::Pause,
        Intent::Cancel => Order::Stop(StopReason::Canceled),
        Intent::GiveBack => Order::Stop(StopReason::Shutdown),
        Intent::Drop => Order::Kill(StopReason::Shutdown),
    }
}

fn end(attempt: AttemptRef, finished: Result<Finished, executor::ExecutorError>, said: ProgramOutput) -> AttemptEnd {
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            tracing::error!(attempt = %attempt.id, error = %error, "an attempt could not be run");
            return AttemptEnd::bare(attempt, Outcome::Failed, Some(format!("could not be run: {error}").into()));
        }
    };
    let outcome = match finished.outcome {
        executor::Outcome::Succeeded => Outcome::Succeeded,
        executor::Outcome::Failed => Outcome::Failed,
        executor::Outcome::TimedOut => Outcome::TimedOut,
        executor::Outcome::Canceled => Outcome::Canceled,
        executor::Outcome::Lost => Outcome::Lost,
    };
    let (exit_code, used) = (finished.exit_code, resource_use(finished.usage));
    let message = finished.message.map(|reason| said.last_line.explain(&reason.into()));
    // What could not be kept is no success, whatever its exit status says.
    let (outcome, message) = match (outcome, said.fault) {
        (Outcome::Succeeded, Some(fault)) => (Outcome::Failed, Some(fault)),
        (outcome, _) => (outcome, message),
    };
    AttemptEnd { attempt, outcome, exit_code, message, outputs: said.outputs, used }
}
