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
    /// A line for each change of state; holds the state that was last told.
    Lines(HashMap<String, String>),
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
                let before = told.insert(subtask.id.clone(), subtask.state.clone());
                let is_news = before.map_or(subtask.state != "PENDING", |state| state != subtask.state);
                if is_news { output::line(&format!("{} {}", subtask.name, lower(&subtask.state))) } else { Ok(()) }
            }),
        }
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
