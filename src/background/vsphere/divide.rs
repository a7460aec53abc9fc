//! Writes what collectors bring in, in one transaction where that can be. What the database refuses for what is in it is
//! divided until the culprit is alone: one task that cannot be kept stops neither its vCenter nor another.

use std::ops::Range;
use std::sync::Arc;

use crate::error::Error;
use crate::resolver::Request;
use crate::resolver::vsphere::collect::{self, Report};
use crate::resolver::vsphere::unreadable::UnreadableTask;
use crate::text::Text;

/// How many tasks of a report may be refused until it is the report that is.
const MOST: usize = 50;
/// The longest key that is told, in bytes.
const KEY: usize = 100;
/// What is said of one. What the database says of it is for the log.
const WHY: &str = "the database does not keep it as it is: the server's log says why";

/// What became of a report.
pub(super) type ReportOutcome = Result<Written, Arc<Error>>;

/// A report that is on disk.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Whether its lease held; else nothing of it is.
    pub(super) is_held: bool,
    /// The tasks of it that the database refused.
    pub(super) refused: Vec<UnreadableTask>,
}

/// Some tasks of a report: its place, and theirs.
type Piece = (usize, Range<usize>);

/// Writes these reports; what became of each.
pub(super) async fn record(request: &Request, reports: &[Report]) -> Vec<ReportOutcome> {
    let failed = match collect::record(request, reports).await {
        Ok(held) => return held.into_iter().map(|is_held| Ok(Written { is_held, refused: vec![] })).collect(),
        Err(error) => error,
    };
    if !failed.is_about_one_record() {
        let failed = Arc::new(failed);
        return reports.iter().map(|_| Err(Arc::clone(&failed))).collect();
    }
    tracing::warn!(error = ?failed, "what vCenters tell cannot be written as a whole: its parts are");
    let mut division = Division::of(request, reports);
    division.run(failed).await;
    division.answers
}

struct Division<'r> {
    request: &'r Request,
    reports: &'r [Report],
    answers: Vec<ReportOutcome>,
}

impl<'r> Division<'r> {
    fn of(request: &'r Request, reports: &'r [Report]) -> Self {
        let good = |_| Ok(Written { is_held: true, refused: vec![] });
        Self { request, reports, answers: reports.iter().map(good).collect() }
    }

    /// In order: what is told of a task later is written later.
    async fn run(&mut self, failed: Error) {
        let whole: Vec<Piece> = self.reports.iter().map(|report| 0..report.tasks.len()).enumerate().collect();
        let mut open = halves(whole, failed, self);
        while let Some(part) = open.pop() {
            let part: Vec<Piece> = part.into_iter().filter(|(at, _)| self.answers[*at].is_ok()).collect();
            if part.is_empty() {
                continue;
            }
            match self.write(&part).await {
                Ok(()) => {}
                Err(error) if error.is_about_one_record() => open.extend(halves(part, error, self)),
                Err(error) => self.fail(&part, &Arc::new(error)),
            }
        }
    }

    async fn write(&mut self, part: &[Piece]) -> Result<(), Error> {
        let cut = |(at, range): &Piece| {
            let Report { lease, instance, source, tasks } = &self.reports[*at];
            Report { lease: lease.clone(), instance: *instance, source: *source, tasks: tasks[range.clone()].to_vec() }
        };
        let reports: Vec<Report> = part.iter().map(cut).collect();
        let held = collect::record(self.request, &reports).await?;
        for ((at, _), held) in part.iter().zip(held) {
            if let Ok(written) = &mut self.answers[*at] {
                written.is_held &= held;
            }
        }
        Ok(())
    }

    fn fail(&mut self, part: &[Piece], error: &Arc<Error>) {
        for (at, _) in part {
            self.answers[*at] = Err(Arc::clone(error));
        }
    }

    /// The culprit is left out; a report that has too many is refused itself.
    fn refuse(&mut self, (at, place): (usize, usize), error: Error) {
        let report = &self.reports[at];
        let (vcenter, key) = (report.lease.vcenter_id, Text::cut(&report.tasks[place].key, KEY));
        tracing::error!(%vcenter, %key, error = ?error, "the database refuses a task of a vCenter: it is left out");
        let Ok(written) = &mut self.answers[at] else { return };
        written.refused.push(UnreadableTask { key: key.into_string(), why: WHY.to_owned(), is_kept: false });
        if written.refused.len() > MOST {
            self.answers[at] = Err(Arc::new(error));
        }
    }
}

/// Two halves to be tried, the first one on top; a task that is alone is the culprit.
fn halves(mut part: Vec<Piece>, error: Error, of: &mut Division<'_>) -> Vec<Vec<Piece>> {
    if part.len() > 1 {
        let second = part.split_off(part.len() / 2);
        return vec![second, part];
    }
    let Some((at, range)) = part.pop() else { return vec![] };
    if range.len() < 2 {
        of.refuse((at, range.start), error);
        return vec![];
    }
    let middle = range.start + range.len() / 2;
    vec![vec![(at, middle..range.end)], vec![(at, range.start..middle)]]
}
