//! What a person sees of a running task: a bar for each subtask in a terminal, a line for each change elsewhere.

use std::collections::HashMap;
use std::io;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::client::document::{Subtask, Task};
use super::output;

/// Steps of a bar.
const LENGTH: u64 = 1000;

/// A view of one task.
#[derive(Debug)]
pub(super) enum View {
    /// Bars that move.
    Bars(MultiProgress, HashMap<String, ProgressBar>),
    /// A line for each change of state; holds what was last told.
    Lines(HashMap<String, Told>),
    /// Nothing.
    Silent,
}

impl View {
    /// Bars in a terminal, lines in a file or a pipe.
    pub(super) fn new(terminal: bool) -> Self {
        match terminal {
            true => Self::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stdout()), HashMap::new()),
            false => Self::Lines(HashMap::new()),
        }
    }

    /// Shows the task as it stands.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn update(&mut self, task: &Task) -> io::Result<()> {
        match self {
            Self::Silent => Ok(()),
            Self::Bars(screen, bars) => {
                let width = task.subtasks.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).min(40);
                for subtask in &task.subtasks {
                    let bar = bars.entry(subtask.id.clone()).or_insert_with(|| screen.add(bar(&subtask.name, width)));
                    show(bar, subtask);
                }
                Ok(())
            }
            Self::Lines(told) => task.subtasks.iter().try_for_each(|subtask| {
                let lines = told.entry(subtask.id.clone()).or_default().news(subtask);
                lines.iter().try_for_each(|state| output::line(&format!("{} {}", subtask.name, lower(state))))
            }),
        }
    }
}

/// What was last told of a subtask.
#[derive(Debug)]
pub(super) struct Told {
    state: String,
    runs: u32,
}

impl Default for Told {
    fn default() -> Self {
        Self { state: "PENDING".to_owned(), runs: 0 }
    }
}

impl Told {
    /// The states to tell now. That it ran is told even when its attempt ended between two looks; that it was ready
    /// for a moment is not, since who looks a moment later does not see it.
    fn news<'a>(&mut self, now: &'a Subtask) -> Vec<&'a str> {
        let ran_unseen = now.runs > self.runs && !matches!(now.state.as_str(), "RUNNING" | "CANCELING");
        let is_news = now.state != self.state && now.state != "READY";
        let lines = ran_unseen.then_some("RUNNING").into_iter().chain(is_news.then_some(now.state.as_str())).collect();
        *self = Self { state: now.state.clone(), runs: now.runs };
        lines
    }
}

fn bar(name: &str, width: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:32.cyan/dim} {percent:>3}% {msg}");
    let bar = ProgressBar::new(LENGTH).with_style(style.expect("invariant: the template is valid"));
    bar.with_prefix(format!("{name:<width$}"))
}

fn show(bar: &ProgressBar, subtask: &Subtask) {
    if bar.is_finished() && matches!(subtask.state.as_str(), "SUCCESSFUL" | "FAILED") {
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    bar.set_position((subtask.progress.clamp(0.0, 1.0) * LENGTH as f64) as u64);
    bar.set_message(lower(&subtask.state));
    match subtask.state.as_str() {
        "SUCCESSFUL" => bar.finish(),
        "FAILED" => bar.abandon(),
        _ => {}
    }
}

/// A state as a person would write it: `ROLLED_BACK` is `rolled back`.
pub(super) fn lower(state: &str) -> String {
    state.to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::{Subtask, Told};

    fn subtask(state: &str, runs: u32) -> Subtask {
        let (id, name, state) = ("x".to_owned(), "x".to_owned(), state.to_owned());
        Subtask { id, database_id: 1, name, state, runs, progress: 0.0, message: None }
    }

    fn told(looks: &[(&str, u32)]) -> String {
        let mut told = Told::default();
        let looks: Vec<Subtask> = looks.iter().map(|(state, runs)| subtask(state, *runs)).collect();
        looks.iter().flat_map(|look| told.news(look)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_run_is_told_however_short_it_was() {
        let long = [("PENDING", 0), ("READY", 0), ("RUNNING", 1), ("RUNNING", 1), ("SUCCESSFUL", 1)];
        assert_eq!(told(&long), "RUNNING SUCCESSFUL");
        assert_eq!(told(&[("SUCCESSFUL", 1)]), "RUNNING SUCCESSFUL");
        assert_eq!(told(&[("RUNNING", 1), ("READY", 1), ("FAILED", 2)]), "RUNNING RUNNING FAILED");
        assert_eq!(told(&[("RUNNING", 1), ("FAILED", 1), ("SUCCESSFUL", 1)]), "RUNNING FAILED SUCCESSFUL", "skipped");
    }
}
