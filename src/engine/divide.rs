//! A batch that cannot be written for what is in it, cut in halves until the culprit is alone. So one bad record
//! fails its own attempt and never waits in front of others; what is only put off (a database that is away) is
//! tried again as a whole.

use std::ops::Range;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use taskloom_entity::Timestamp;

use super::cycle::{self, Claimant, CycleBatch, CycleOutcome};
use crate::error::{Error, Result};
use crate::store::Store;
use crate::task::command::execute::Outcome;
use crate::text::Text;
use crate::worker::port::{Acceptance, AttemptEnd};

/// Runs a cycle; when it cannot be written for what is in it, its parts.
///
/// # Errors
/// When the database does not take it now: nothing of it happened, and all of it may be tried again.
pub(super) async fn run(store: &Store, batch: &CycleBatch, now: Timestamp) -> Result<CycleOutcome> {
    match cycle(store, batch, now).await {
        Err(error) if error.is_about_one_record() => {
            tracing::warn!(error = ?error, "a batch cannot be recorded as a whole: its parts are");
            Ok(DividedBatch::of(store, batch, now).run(error).await)
        }
        answered => answered,
    }
}

/// A cycle whose panic is an error of its batch: a row that breaks an invariant of the core must not end the engine.
async fn cycle(store: &Store, batch: &CycleBatch, now: Timestamp) -> Result<CycleOutcome> {
    let run = AssertUnwindSafe(cycle::run(store, batch, now)).catch_unwind();
    run.await.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Error::internal(format!("the cycle panicked: {}", text.unwrap_or("without a text"))))
    })
}

/// A part of a batch: its places in the batch's lists, one behind the other.
type BatchPart = Range<usize>;

struct DividedBatch<'a> {
    store: &'a Store,
    batch: &'a CycleBatch,
    now: Timestamp,
    done: CycleOutcome,
}

impl<'a> DividedBatch<'a> {
    fn of(store: &'a Store, batch: &'a CycleBatch, now: Timestamp) -> Self {
        let (ends, heard) = (vec![None; batch.ends.len()], vec![false; batch.reports.len()]);
        Self { store, batch, now, done: CycleOutcome { ends, heard, ..CycleOutcome::default() } }
    }

    /// What was not answered when the database went away is asked again.
    async fn run(mut self, error: Error) -> CycleOutcome {
        let whole = 0..self.batch.ends.len() + self.batch.reports.len() + self.batch.offers.len();
        let mut open = halves(whole, error);
        while let Some((part, error)) = open.pop() {
            let tried = match error {
                Some(error) => self.alone(part.start, error).await,
                None => match self.cycle(&part).await {
                    Err(error) if error.is_about_one_record() => {
                        open.extend(halves(part, error));
                        Ok(())
                    }
                    tried => tried,
                },
            };
            if let Err(error) = tried {
                tracing::warn!(error = ?error, "a part of a batch cannot be recorded: trying again");
                self.done.passed_over = true;
                break;
            }
        }
        self.done
    }

    async fn cycle(&mut self, part: &BatchPart) -> Result<()> {
        let batch = self.cut(part);
        let done = cycle(self.store, &batch, self.now).await?;
        let (ends, reports) = (self.batch.ends.len(), self.batch.reports.len());
        let from = part.start.min(ends);
        self.done.ends[from..from + done.ends.len()].clone_from_slice(&done.ends);
        let from = part.start.clamp(ends, ends + reports) - ends;
        self.done.heard[from..from + done.heard.len()].clone_from_slice(&done.heard);
        self.done.assignments.extend(done.assignments);
        self.done.wrote |= done.wrote;
        self.done.passed_over |= done.passed_over;
        self.done.backoff = [self.done.backoff, done.backoff].into_iter().flatten().min();
        Ok(())
    }

    fn cut(&self, part: &BatchPart) -> CycleBatch {
        let all = self.batch;
        let (ends, reports) = (all.ends.len(), all.reports.len());
        let within = |from: usize, length: usize| {
            part.start.clamp(from, from + length) - from..part.end.clamp(from, from + length) - from
        };
        let claimants = all.claimants.iter().enumerate().map(|(at, claimant)| {
            let handed = self.done.assignments.iter().filter(|(to, _)| *to == at).count();
            Claimant { free: claimant.free.saturating_sub(handed), ..claimant.clone() }
        });
        CycleBatch {
            ends: all.ends[within(0, ends)].to_vec(),
            reports: all.reports[within(ends, reports)].to_vec(),
            offers: all.offers[within(ends + reports, all.offers.len())].to_vec(),
            // Each of them, so that offers name the same places.
            claimants: claimants.collect(),
        }
    }

    /// The culprit itself, or what it would set free.
    async fn alone(&mut self, at: usize, error: Error) -> Result<()> {
        let (ends, reports) = (self.batch.ends.len(), self.batch.reports.len());
        if at < ends {
            return self.end(at, error).await;
        }
        self.store.metrics().unfit_records.inc();
        if at < ends + reports {
            let (attempt, report) = &self.batch.reports[at - ends];
            tracing::error!(attempt = %attempt.id, ?report, error = ?error, "a report cannot be recorded: it is left out");
            self.done.heard[at - ends] = true;
        } else {
            let candidate = self.batch.offers[at - ends - reports].candidate;
            tracing::error!(subtask = %candidate.id, error = ?error, "a subtask cannot be handed out");
            self.done.unfit.push(candidate.id);
        }
        Ok(())
    }

    /// First without handing out what it sets free, then without what it says.
    async fn end(&mut self, at: usize, error: Error) -> Result<()> {
        let end = self.batch.ends[at].clone();
        let bare = bare(&end, &error);
        let mut last = error;
        for end in [end, bare] {
            let attempt = end.attempt.id;
            let batch = CycleBatch { ends: vec![end], ..CycleBatch::default() };
            match cycle(self.store, &batch, self.now).await {
                Ok(done) => {
                    self.done.ends[at] = done.ends[0];
                    self.done.wrote |= done.wrote;
                    return Ok(());
                }
                Err(error) if !error.is_about_one_record() => return Err(error),
                Err(error) => {
                    self.store.metrics().unfit_records.inc();
                    tracing::error!(attempt = %attempt, error = ?error, "the end of an attempt cannot be recorded as it is");
                    last = error;
                }
            }
        }
        tracing::error!(attempt = %self.batch.ends[at].attempt.id, error = ?last, "the end of an attempt is given up");
        self.done.ends[at] = Some(Acceptance::Refused);
        Ok(())
    }
}

/// Two halves to be tried, the first one on top; of a part that is alone the culprit.
fn halves(part: BatchPart, error: Error) -> Vec<(BatchPart, Option<Error>)> {
    match part.len() {
        0 => vec![],
        1 => vec![(part, Some(error))],
        length => {
            let middle = part.start + length / 2;
            vec![(middle..part.end, None), (part.start..middle, None)]
        }
    }
}

/// The same end without anything that the program said.
fn bare(end: &AttemptEnd, error: &Error) -> AttemptEnd {
    let outcome = match end.outcome {
        Outcome::Succeeded | Outcome::Failed => Outcome::Failed,
        Outcome::TimedOut => Outcome::TimedOut,
        Outcome::Canceled => Outcome::Canceled,
        Outcome::Lost => Outcome::Lost,
    };
    let message = Text::message(&format!("what it said at its end could not be recorded: {error}"));
    AttemptEnd::bare(end.attempt, outcome, Some(message))
}
