//! What a person sees of a running task: a bar for each step in a terminal that can move its cursor, a line for each
//! change elsewhere, and between them what the steps put out.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::client::document::{WatchedSubtask, WatchedTask};
use crate::cli::output;
use crate::telemetry;

/// Steps of a bar.
const LENGTH: u64 = 1000;

/// A reason that passes by itself as a rule is told when it has stood for so long.
const STANDS: Duration = Duration::from_secs(1);

/// The names that a line about several steps has.
const NAMES: usize = 3;

/// A view of one task.
#[derive(Debug)]
pub(in crate::cli) struct View {
    look: ViewMode,
    /// What was last told of each step, by its id.
    told: HashMap<String, ShownStep>,
}

#[derive(Debug)]
enum ViewMode {
    /// Bars that move, under the output.
    Bars(MultiProgress, HashMap<String, ProgressBar>),
    /// A line for each change.
    Lines,
    /// Nothing.
    Silent,
}

impl View {
    /// Bars in a terminal that can move its cursor, lines everywhere else.
    pub(in crate::cli) fn new() -> Self {
        let out = io::stdout();
        console::set_colors_enabled(telemetry::is_colourful(&out));
        let look = if out.is_terminal() && telemetry::is_capable() {
            ViewMode::Bars(MultiProgress::with_draw_target(ProgressDrawTarget::stdout()), HashMap::new())
        } else {
            ViewMode::Lines
        };
        Self { look, told: HashMap::new() }
    }

    /// Shows nothing.
    pub(in crate::cli) fn silent() -> Self {
        Self { look: ViewMode::Silent, told: HashMap::new() }
    }

    /// Whether somebody wants to see what steps put out.
    pub(super) fn shows_output(&self) -> bool {
        !matches!(self.look, ViewMode::Silent)
    }

    /// Tells that a step has begun, before what it puts out.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn begins(&mut self, subtask: &WatchedSubtask) -> io::Result<()> {
        self.tell(subtask, ShownStep::begins)
    }

    /// Tells where a step stands, after what it has put out.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn stands(&mut self, subtask: &WatchedSubtask) -> io::Result<()> {
        self.tell(subtask, ShownStep::stands)
    }

    fn tell(
        &mut self,
        subtask: &WatchedSubtask,
        news: fn(&mut ShownStep, &WatchedSubtask) -> Option<String>,
    ) -> io::Result<()> {
        if !matches!(self.look, ViewMode::Lines) {
            return Ok(());
        }
        let news = news(self.told.entry(subtask.id.clone()).or_default(), subtask);
        news.map_or(Ok(()), |text| output::line(&format!("{} {text}", subtask.name)))
    }

    /// Tells why steps do not go on.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn waits(&mut self, task: &WatchedTask) -> io::Result<()> {
        if !matches!(self.look, ViewMode::Lines) {
            return Ok(());
        }
        self.reasons(task, Instant::now()).iter().try_for_each(|line| output::line(line))
    }

    /// Shows lines that a step has put out.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn output(&mut self, step: &str, lines: &[&str]) -> io::Result<()> {
        let shown = |line: &&str| format!("{step} | {}", output::shown(line));
        match &self.look {
            ViewMode::Silent => Ok(()),
            ViewMode::Bars(..) if lines.is_empty() => Ok(()),
            // Together: the bars are drawn anew under them.
            ViewMode::Bars(screen, _) => screen.println(lines.iter().map(shown).collect::<Vec<_>>().join("\n")),
            ViewMode::Lines => lines.iter().try_for_each(|line| output::line(&shown(line))),
        }
    }

    /// Moves the bars, if this view has any.
    pub(super) fn draw(&mut self, task: &WatchedTask) {
        let ViewMode::Bars(screen, bars) = &mut self.look else { return };
        let width = task.subtasks.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).min(40);
        for subtask in &task.subtasks {
            let bar = bars.entry(subtask.id.clone()).or_insert_with(|| screen.add(bar(&subtask.name, width)));
            show(bar, subtask);
        }
    }

    /// A line for each new reason for which steps wait.
    fn reasons(&mut self, task: &WatchedTask, now: Instant) -> Vec<String> {
        let is_idle = !task.subtasks.iter().any(|subtask| matches!(subtask.state.as_str(), "RUNNING" | "CANCELING"));
        let mut lines: Vec<(&str, Vec<&str>)> = vec![];
        for subtask in &task.subtasks {
            let told = self.told.entry(subtask.id.clone()).or_default();
            let Some(message) = told.waits(subtask, is_idle, now) else { continue };
            match lines.iter_mut().find(|(known, _)| *known == message) {
                Some((_, names)) => names.push(&subtask.name),
                None => lines.push((message, vec![&subtask.name])),
            }
        }
        lines.into_iter().map(|(message, names)| format!("{} waiting: {message}", some(&names))).collect()
    }
}

/// The first names, and how many more there are.
fn some(names: &[&str]) -> String {
    match names.get(NAMES..) {
        Some(rest) if !rest.is_empty() => format!("{} and {} more", names[..NAMES].join(", "), rest.len()),
        _ => names.join(", "),
    }
}

/// What was last told of a step.
#[derive(Debug)]
struct ShownStep {
    state: String,
    runs: u32,
    wait: Option<StepWait>,
}

/// A reason for which a step waits.
#[derive(Debug)]
struct StepWait {
    message: String,
    since: Instant,
    is_told: bool,
}

impl Default for ShownStep {
    fn default() -> Self {
        Self { state: "PENDING".to_owned(), runs: 0, wait: None }
    }
}

impl ShownStep {
    /// That it runs, even when its attempt ended between two looks.
    fn begins(&mut self, now: &WatchedSubtask) -> Option<String> {
        if now.runs <= self.runs {
            return None;
        }
        (self.state, self.runs) = ("RUNNING".to_owned(), now.runs);
        Some(again("running", now.runs))
    }

    /// Its new state. That it was ready for a moment is not told, since who looks a moment later does not see it.
    fn stands(&mut self, now: &WatchedSubtask) -> Option<String> {
        let is_news = now.state != self.state && now.state != "READY";
        now.state.clone_into(&mut self.state);
        is_news.then(|| lower(&now.state))
    }

    /// The reason for which it waits, if that is worth a line now: one for which somebody can do something, or that
    /// has stood for a while.
    fn waits<'a>(&mut self, subtask: &'a WatchedSubtask, is_idle: bool, now: Instant) -> Option<&'a str> {
        let Some(nearest) = subtask.waiting_for.first() else {
            self.wait = None;
            return None;
        };
        let (is_shown, passes) = match nearest.reason.as_str() {
            "UPSTREAMS" | "DOWNSTREAMS" | "ENDED" => (false, false),
            "QUEUED" | "NO_SLOT" => (is_idle, true),
            "NO_WORKER" | "LOST_WORKER" => (true, true),
            _ => (true, false),
        };
        if !is_shown {
            return None;
        }
        if self.wait.as_ref().is_none_or(|wait| wait.message != nearest.message) {
            self.wait = Some(StepWait { message: nearest.message.clone(), since: now, is_told: false });
        }
        let wait = self.wait.as_mut()?;
        if wait.is_told || (passes && now.duration_since(wait.since) < STANDS) {
            return None;
        }
        wait.is_told = true;
        Some(&nearest.message)
    }
}

/// A word with the number of the try, from the second on.
fn again(word: &str, runs: u32) -> String {
    if runs > 1 { format!("{word}, try {runs}") } else { word.to_owned() }
}

fn bar(name: &str, width: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {bar:32.cyan/dim} {percent:>3}% {wide_msg}");
    let bar = ProgressBar::new(LENGTH).with_style(style.expect("invariant: the template is valid"));
    bar.with_prefix(format!("{name:<width$}"))
}

fn show(bar: &ProgressBar, subtask: &WatchedSubtask) {
    if bar.is_finished() && matches!(subtask.state.as_str(), "SUCCESSFUL" | "FAILED") {
        return;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    bar.set_position((subtask.progress.clamp(0.0, 1.0) * LENGTH as f64) as u64);
    let mut text = again(&lower(&subtask.state), subtask.runs);
    if let Some(nearest) = subtask.waiting_for.first() {
        text.push_str(&format!(": {}", nearest.message));
    }
    bar.set_message(text);
    match subtask.state.as_str() {
        "SUCCESSFUL" => bar.finish(),
        "FAILED" => bar.abandon(),
        _ => {}
    }
}

/// A state as a person would write it: `ROLLED_BACK` is `rolled back`.
pub(in crate::cli) fn lower(state: &str) -> String {
    state.to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{STANDS, ShownStep, View, ViewMode, WatchedSubtask, WatchedTask, some};
    use crate::cli::client::document::SubtaskWaiting;

    fn subtask(state: &str, runs: u32) -> WatchedSubtask {
        let (id, name, state) = ("x".to_owned(), "x".to_owned(), state.to_owned());
        let waiting_for = vec![];
        WatchedSubtask {
            id,
            database_id: 1,
            name,
            state,
            runs,
            progress: 0.0,
            message: None,
            log_lines: 0,
            waiting_for,
        }
    }

    fn told(looks: &[(&str, u32)]) -> String {
        let mut told = ShownStep::default();
        let looks = looks.iter().map(|(state, runs)| subtask(state, *runs));
        let news = looks.flat_map(|look| [told.begins(&look), told.stands(&look)]);
        news.flatten().collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_run_is_told_however_short_it_was() {
        let long = [("PENDING", 0), ("READY", 0), ("RUNNING", 1), ("RUNNING", 1), ("SUCCESSFUL", 1)];
        assert_eq!(told(&long), "running; successful");
        assert_eq!(told(&[("SUCCESSFUL", 1)]), "running; successful");
        assert_eq!(told(&[("RUNNING", 1), ("READY", 1), ("FAILED", 2)]), "running; running, try 2; failed");
        assert_eq!(told(&[("RUNNING", 1), ("FAILED", 1), ("SUCCESSFUL", 1)]), "running; failed; successful", "skipped");
    }

    fn waiting(name: &str, reason: &str) -> WatchedSubtask {
        let waiting_for = vec![SubtaskWaiting { reason: reason.to_owned(), message: format!("it is {reason}") }];
        WatchedSubtask { id: name.to_owned(), name: name.to_owned(), waiting_for, ..subtask("READY", 0) }
    }

    fn task(subtasks: Vec<WatchedSubtask>) -> WatchedTask {
        WatchedTask { name: "t".to_owned(), state: "RUNNING".to_owned(), message: None, subtasks }
    }

    fn view() -> View {
        View { look: ViewMode::Lines, told: std::collections::HashMap::new() }
    }

    #[test]
    fn why_nothing_happens_is_told_once_for_all_whom_it_keeps() {
        let (mut view, begun) = (view(), Instant::now());
        let names = ["a", "b", "c", "d", "e"];
        let held = task(names.iter().map(|name| waiting(name, "PAUSED")).collect());
        assert_eq!(view.reasons(&held, begun), ["a, b, c and 2 more waiting: it is PAUSED"]);
        assert_eq!(view.reasons(&held, begun + STANDS), Vec::<String>::new());
        assert_eq!(some(&["a", "b", "c"]), "a, b, c");
    }

    #[test]
    fn what_passes_by_itself_is_told_when_it_does_not() {
        let (mut view, begun) = (view(), Instant::now());
        let alone = task(vec![waiting("a", "NO_WORKER"), waiting("b", "UPSTREAMS")]);
        assert_eq!(view.reasons(&alone, begun), Vec::<String>::new());
        assert_eq!(view.reasons(&alone, begun + STANDS), ["a waiting: it is NO_WORKER"]);
        let busy = task(vec![waiting("a", "NO_SLOT"), subtask("RUNNING", 1)]);
        assert_eq!(view.reasons(&busy, begun + STANDS * 3), Vec::<String>::new(), "something does happen");
        let idle = task(vec![waiting("a", "NO_SLOT")]);
        assert_eq!(view.reasons(&idle, begun + STANDS * 3), Vec::<String>::new());
        assert_eq!(view.reasons(&idle, begun + STANDS * 4), ["a waiting: it is NO_SLOT"]);
    }
}
