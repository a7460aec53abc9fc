//! What an attempt finds, on its way to the port: rows packed into chunks, written as they come. While the database
//! is away it waits, and with it what finds them.

use std::sync::Arc;
use std::time::Duration;

use super::port::{AttemptRef, Found, Port, Taken};
use crate::error::Kind;
use crate::rows::{Chunk, Part};
use crate::text::Text;

const RETRY: Duration = Duration::from_millis(250);

/// The result sets of one attempt.
pub(super) struct Findings {
    port: Arc<dyn Port>,
    attempt: AttemptRef,
    next_row: i64,
    refused: bool,
    fault: Option<Text>,
}

impl Findings {
    pub(super) fn of(port: Arc<dyn Port>, attempt: AttemptRef) -> Self {
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
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        let found = match part {
            Part::Begin { kind, columns } => {
                self.next_row = 0;
                Found::Begin { number, kind, columns: columns.to_vec() }
            }
            Part::Rows(rows) => {
                let (first_row, chunk) = (self.next_row, Chunk::seal(&rows));
                self.next_row += i64::from(chunk.rows);
                Found::Rows { number, first_row, chunk }
            }
            Part::End { truncated } => Found::End { number, truncated },
        };
        loop {
            match self.port.keep(self.attempt, vec![found.clone()]).await {
                Ok(Taken::Yes) => return,
                Ok(Taken::Refused) => {
                    self.refused = true;
                    return;
                }
                Err(error) if error.code().kind == Kind::Unavailable => {
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
}
