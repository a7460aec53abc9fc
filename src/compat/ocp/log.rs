//! A subtask's log as OCP shows it: one text, in which each run opens with its operation and its start.

use taskloom_entity::attempt;

use super::super::Zone;
use super::time::Time;
use crate::resolver::log::LogTailLines;

#[must_use]
pub fn text(tail: &LogTailLines, attempts: &[attempt::Model], zone: Zone) -> String {
    let mut text = String::with_capacity(tail.lines.iter().map(|line| line.text.len() + 1).sum::<usize>() + 100);
    let mut runs = attempts.iter().peekable();
    if tail.left_out > 0 {
        text.push_str(&format!("... the first {} bytes of this log are left out\n", tail.left_out));
        let first = tail.lines.first().map_or(i64::MAX, |line| line.number);
        while runs.next_if(|run| run.first_line < first).is_some() {}
    }
    for line in &tail.lines {
        while let Some(run) = runs.next_if(|run| run.first_line <= line.number) {
            open(&mut text, run, zone);
        }
        text.push_str(&line.text);
        text.push('\n');
    }
    // Those that have said nothing yet.
    runs.for_each(|run| open(&mut text, run, zone));
    text.truncate(text.trim_end_matches('\n').len().max(text.len().saturating_sub(1)));
    text
}

fn open(text: &mut String, run: &attempt::Model, zone: Zone) {
    let bar = "############";
    text.push_str(&format!("{bar}{{{}}}{{{}}}{bar}\n", run.operation.name(), Time(zone.at(run.started_at))));
}

#[cfg(test)]
mod tests {
    use taskloom_entity::{AttemptId, AttemptState, Operation, SubtaskId, TaskId, Timestamp};

    use super::*;
    use crate::log::chunk::{Level, Line, Source};

    fn line(number: i64, text: &str) -> Line {
        Line { number, at: Timestamp(0), source: Source::Stdout, level: Level::Info, text: text.to_owned() }
    }

    fn run(number: i32, operation: Operation, first_line: i64) -> attempt::Model {
        attempt::Model {
            id: AttemptId(number.into()),
            subtask_id: SubtaskId(1),
            task_id: TaskId(1),
            number,
            operation,
            worker_id: String::new(),
            epoch: 1,
            state: AttemptState::Failed,
            started_at: Timestamp(i64::from(number) * 1_000_000),
            finished_at: None,
            exit_code: None,
            message: None,
            first_line,
            cpu_seconds: None,
            memory_bytes: None,
            peak_memory_bytes: None,
            processes: None,
        }
    }

    /// The text with the instants taken out: they are written in the zone of this machine.
    fn shown(tail: &LogTailLines, runs: &[attempt::Model]) -> Vec<String> {
        let plain = |line: &str| match line.split_once("}{") {
            Some((head, _)) => format!("{head}}}"),
            None => line.to_owned(),
        };
        text(tail, runs, Zone::default()).split('\n').map(plain).collect()
    }

    #[test]
    fn each_run_opens_with_its_operation() {
        let runs = [run(1, Operation::Execute, 1), run(2, Operation::Retry, 3), run(3, Operation::Retry, 3)];
        let tail = LogTailLines { left_out: 0, lines: vec![line(1, "a"), line(2, ""), line(3, "b")] };
        let bar = "############";
        assert_eq!(
            shown(&tail, &runs),
            [&format!("{bar}{{EXECUTE}}"), "a", "", &format!("{bar}{{RETRY}}"), &format!("{bar}{{RETRY}}"), "b"]
        );
        assert_eq!(text(&LogTailLines::default(), &[], Zone::default()), "");
        assert_eq!(shown(&LogTailLines::default(), &runs[..1]), [format!("{bar}{{EXECUTE}}")]);
    }

    #[test]
    fn what_is_left_out_is_said_first() {
        let runs = [run(1, Operation::Execute, 1), run(2, Operation::Retry, 9)];
        let tail = LogTailLines { left_out: 77, lines: vec![line(8, "h"), line(9, "i")] };
        let shown = shown(&tail, &runs);
        assert_eq!(shown[0], "... the first 77 bytes of this log are left out");
        assert_eq!(shown[1..], ["h", "############{RETRY}", "i"]);
    }
}
