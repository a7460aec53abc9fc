//! Many rows in one statement: a `VALUES` list joined by name, the same text on both databases.
//!
//! The number of rows is rounded up to a power of two with rows of NULL, which match nothing: a handful of prepared
//! statements serves every size of batch.

use sea_orm::{DbBackend, Statement, Value};

/// Rows to be joined as `v`, whose columns are `column1`, `column2`, ….
#[derive(Debug)]
pub struct Rows {
    types: &'static [&'static str],
    values: Vec<Value>,
}

/// The most rows of one statement: PostgreSQL takes 65,535 values, SQLite 32,766.
pub const MOST: usize = 1024;

impl Rows {
    /// No rows yet, of these SQL types.
    #[must_use]
    pub fn of(types: &'static [&'static str]) -> Self {
        Self { types, values: vec![] }
    }

    /// Adds a row; as many values as there are types.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.types.len(), "a row has a value for each type");
        self.values.extend(row);
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len() / self.types.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The statements that put `v` into `before {v} after`, [`MOST`] rows at a time.
    #[must_use]
    pub fn statements(self, backend: DbBackend, before: &str, after: &str) -> Vec<Statement> {
        let width = self.types.len();
        let most = (MOST * 8 / width).next_power_of_two().clamp(64, MOST);
        let mut values = self.values;
        let mut statements = vec![];
        while !values.is_empty() {
            let rest = values.split_off(values.len().min(most * width));
            statements.push(statement(backend, self.types, values, (before, after)));
            values = rest;
        }
        statements
    }
}

fn statement(backend: DbBackend, types: &[&str], mut values: Vec<Value>, (before, after): (&str, &str)) -> Statement {
    let width = types.len();
    let given = values.len() / width;
    let rows = given.next_power_of_two();
    for _ in given..rows {
        values.extend((0..width).map(|column| empty(types[column])));
    }
    let mut sql = String::with_capacity(before.len() + after.len() + rows * width * 7 + 16);
    sql.push_str(before);
    sql.push_str("(VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for (column, kind) in types.iter().enumerate() {
            if column > 0 {
                sql.push(',');
            }
            let number = row * width + column + 1;
            if row == 0 {
                sql.push_str(&format!("CAST(${number} AS {kind})"));
            } else {
                sql.push_str(&format!("${number}"));
            }
        }
        sql.push(')');
    }
    sql.push_str(") AS v ");
    sql.push_str(after);
    Statement::from_sql_and_values(backend, sql, values)
}

fn empty(kind: &str) -> Value {
    match kind {
        "bigint" => Value::BigInt(None),
        "integer" => Value::Int(None),
        "double precision" => Value::Double(None),
        "boolean" => Value::Bool(None),
        _ => Value::String(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_rounded_up_and_padded_with_nothing() {
        let mut rows = Rows::of(&["bigint", "text"]);
        for n in 0..3_i64 {
            rows.push([n.into(), "x".into()]);
        }
        let statements = rows.statements(DbBackend::Sqlite, "SELECT * FROM ", "");
        assert_eq!(statements.len(), 1);
        assert_eq!(
            statements[0].sql,
            "SELECT * FROM (VALUES (CAST($1 AS bigint),CAST($2 AS text)),($3,$4),($5,$6),($7,$8)) AS v "
        );
        assert_eq!(statements[0].values.as_ref().map(|v| v.0.len()), Some(8));
    }
}
