//! The rows of one statement on their way to the collector, and the columns that they tell of.
//!
//! A computed column of SQLite has no type of its own: it has that of its values. So the first rows are held back until
//! every column is known, or there are enough of them.

use taskloom_core::rows::{self, Row};
use taskloom_core::{ColumnType, ResultKind};

use super::cell::{Cells, Columns};
use super::failure::StatementError;
use crate::result_sets::ResultCollector;

/// Rows that are held back at the most, and their bytes.
const HELD: (usize, usize) = (1_000, 128 << 10);

pub(super) struct StatementRows {
    columns: Option<Columns>,
    /// What the values held back say of the columns that say nothing themselves.
    told: Vec<Option<ColumnType>>,
    held: Vec<Row>,
    bytes: usize,
    has_begun: bool,
    /// The most bytes of one row.
    most: u64,
    pub(super) rows: u64,
}

impl StatementRows {
    /// Rows of so many bytes at the most.
    pub(super) fn new(most: u64) -> Self {
        Self { columns: None, told: vec![], held: vec![], bytes: 0, has_begun: false, most, rows: 0 }
    }

    /// Whether anything has told of columns.
    pub(super) fn has_columns(&self) -> bool {
        self.columns.is_some()
    }

    /// These are the columns, of a statement that gives no rows.
    pub(super) fn name(&mut self, columns: Columns) {
        self.columns = Some(columns);
    }

    pub(super) async fn push<DB: Cells>(
        &mut self,
        row: &DB::Row,
        collector: &mut ResultCollector,
    ) -> Result<(), StatementError> {
        self.rows += 1;
        let columns = self.columns.get_or_insert_with(|| DB::columns(row));
        self.told.resize(columns.len(), None);
        let (mut cells, mut bytes) = (Vec::with_capacity(columns.len()), 0);
        for (at, (_, kind)) in columns.iter().enumerate() {
            let cell = DB::cell(row, at, kind.unwrap_or(ColumnType::String))?;
            bytes += cell.as_ref().map_or(0, String::len);
            if bytes as u64 > self.most {
                return Err(StatementError::TooLarge);
            }
            cells.push(cell);
            if kind.is_none() && !self.has_begun {
                self.told[at] = common(self.told[at], DB::told(row, at)?);
            }
        }
        if self.has_begun {
            collector.push(cells).await;
            return Ok(());
        }
        self.bytes += bytes;
        self.held.push(cells);
        let all_known = columns.iter().all(|(_, kind)| kind.is_some());
        if all_known || self.held.len() >= HELD.0 || self.bytes >= HELD.1 {
            self.settle(collector).await;
        }
        Ok(())
    }

    /// Lets go what is held back: no more comes, or enough has come. How many rows are kept; none: it gave no table.
    pub(super) async fn settle(&mut self, collector: &mut ResultCollector) -> Option<u64> {
        let columns = self.columns.as_ref()?;
        if !self.has_begun {
            self.has_begun = true;
            let told = self.told.iter().copied().chain(std::iter::repeat(None));
            let column = |((name, kind), told): (&(String, Option<ColumnType>), Option<ColumnType>)| {
                rows::Column::new(name, kind.or(told).unwrap_or(ColumnType::String))
            };
            collector.begin(ResultKind::Table, columns.iter().zip(told).map(column).collect()).await;
            for row in std::mem::take(&mut self.held) {
                collector.push(row).await;
            }
        }
        Some(collector.taken())
    }
}

/// The type of values of both types: numbers are numbers, anything else is text.
fn common(one: Option<ColumnType>, other: Option<ColumnType>) -> Option<ColumnType> {
    use ColumnType::{Bigint, Double, String};
    match (one, other) {
        (known, None) | (None, known) => known,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(Bigint | Double), Some(Bigint | Double)) => Some(Double),
        (Some(_), Some(_)) => Some(String),
    }
}
