//! Writes the result sets of one attempt: rows are packed into chunks and written as they come. While the database is
//! away it waits, and with it whoever finds the rows.

use std::sync::Arc;
use std::time::Duration;

use taskloom_core::rows::{PackedPart, Part, RowChunk};
use taskloom_core::text::Text;

use super::port::{Acceptance, AttemptRef, Port, PortErrorKind};

/// Pause before a part that was not taken is sent again.
const RETRY: Duration = Duration::from_millis(250);

pub(super) struct ResultWriter {
    port: Arc<dyn Port>,
    attempt: AttemptRef,
    /// Of the set that is being written.
    next_row: i64,
    refused: bool,
    fault: Option<Text>,
}

impl ResultWriter {
    pub(super) fn new(port: Arc<dyn Port>, attempt: AttemptRef) -> Self {
        Self { port, attempt, next_row: 0, refused: false, fault: None }
    }

    /// Why rows were not kept, when that was for what is in them.
    pub(super) fn fault(self) -> Option<Text> {
        self.fault
    }

    /// Writes the next part of a set.
    pub(super) async fn keep(&mut self, number: u32, part: Part) {
        if self.refused {
            return;
        }
        let packed = self.pack(number, part);
        loop {
            // The same part under the same numbers: what an unanswered try has written is recognized by them.
            match self.port.keep(self.attempt, vec![packed.clone()]).await {
                Ok(Acceptance::Accepted) => return,
                Ok(Acceptance::Refused) => {
                    self.refused = true;
                    return;
                }
                Err(error) if error.kind == PortErrorKind::Away => {
                    tracing::warn!(attempt = %self.attempt.id, error = ?error, "rows cannot be written: trying again");
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    tracing::error!(attempt = %self.attempt.id, error = ?error, "rows cannot be written");
                    self.refused = true;
                    self.fault = Some(format!("its rows could not be kept: {error}").into());
                    return;
                }
            }
        }
    }

    fn pack(&mut self, number: u32, part: Part) -> PackedPart {
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        match part {
            Part::Begin { kind, columns } => {
                self.next_row = 0;
                PackedPart::Begin { number, kind, columns: columns.to_vec() }
            }
            Part::Rows(rows) => {
                let (first_row, chunk) = (self.next_row, RowChunk::seal(&rows));
                self.next_row += i64::from(chunk.rows);
                PackedPart::Rows { number, first_row, chunk }
            }
            Part::End { truncated } => PackedPart::End { number, truncated },
        }
    }
}
