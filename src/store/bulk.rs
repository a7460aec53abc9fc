//! Many rows in one statement, joined by name: on PostgreSQL an array for each column, on SQLite a `VALUES` list.
//!
//! On PostgreSQL the text is the same whatever the number of rows, so it is parsed and planned once. On SQLite that
//! number is rounded up to a power of two with rows of NULL, which match nothing: a handful of prepared statements
//! serves every size of batch. Its parameters have no numbers, since the library looks each number up by a walk over
//! all of them.

use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend, Statement, Value};
use serde::Serialize;

use crate::text;

/// Rows to be joined as `v`, whose columns are `column1`, `column2`, ….
#[derive(Debug)]
pub struct Rows {
    types: &'static [&'static str],
    values: Vec<Value>,
}

/// The most rows of one statement: SQLite takes 32,766 values.
pub const MOST: usize = 1024;

impl Rows {
    /// No rows yet, of these SQL types. A boolean is never NULL.
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
            let (list, bound) = match backend {
                DbBackend::Postgres => arrays(self.types, values),
                _ => list(self.types, values),
            };
            let sql = format!("{before}({list}) AS v {after}");
            statements.push(Statement::from_sql_and_values(backend, sql, bound));
            values = rest;
        }
        statements
    }
}

/// Whether a column is one of any number of numbers, in as few different statements as the database allows.
pub fn among(backend: DbBackend, column: impl ColumnTrait, numbers: impl Iterator<Item = i64>) -> SimpleExpr {
    let numbers: Vec<i64> = numbers.collect();
    match backend {
        DbBackend::Postgres => Expr::col(column.as_column_ref()).eq(PgFunc::any(numbers)),
        _ if numbers.len() <= MOST => column.is_in(numbers),
        _ => listed(column, &numbers),
    }
}

/// The same of texts.
pub fn among_texts(backend: DbBackend, column: impl ColumnTrait, texts: impl Iterator<Item = String>) -> SimpleExpr {
    let texts: Vec<String> = texts.collect();
    match backend {
        DbBackend::Postgres => Expr::col(column.as_column_ref()).eq(PgFunc::any(texts)),
        _ if texts.len() <= MOST => column.is_in(texts),
        _ => listed(column, &texts),
    }
}

/// Each value once: a list of a few words can be of any length.
pub fn distinct<T: Copy + PartialEq>(list: &[T]) -> Vec<T> {
    let mut kept = vec![];
    for value in list {
        if !kept.contains(value) {
            kept.push(*value);
        }
    }
    kept
}

/// Whether a column is in a list that is bound as one value: SQLite takes no more than so many of them.
fn listed<T: Serialize>(column: impl ColumnTrait, list: &[T]) -> SimpleExpr {
    let json = serde_json::to_string(list).expect("invariant: numbers and texts are JSON");
    Expr::cust_with_exprs("? IN (SELECT value FROM json_each(?))", [column.into_expr(), Expr::val(json)])
}

fn arrays(types: &[&str], values: Vec<Value>) -> (String, Vec<Value>) {
    let width = types.len();
    let mut columns: Vec<Vec<Value>> = types.iter().map(|_| Vec::with_capacity(values.len() / width)).collect();
    for (at, value) in values.into_iter().enumerate() {
        let kind = types[at % width];
        columns[at % width].push(match value {
            // What stands for NULL is no text that anybody says.
            Value::String(Some(text)) if text.as_str() == NOTHING => text::REPLACEMENT.to_string().into(),
            value if value.is_some() => value,
            _ => nothing(kind).0,
        });
    }
    let numbered = || types.iter().enumerate().map(|(at, kind)| (at + 1, *kind));
    let named: Vec<String> = numbered()
        .map(|(number, kind)| match nothing(kind).1 {
            Some(nothing) => format!("NULLIF(u.c{number}, {nothing}) AS column{number}"),
            None => format!("u.c{number} AS column{number}"),
        })
        .collect();
    let given: Vec<String> = numbered().map(|(number, kind)| format!("CAST(${number} AS {kind}[])")).collect();
    let names: Vec<String> = numbered().map(|(number, _)| format!("c{number}")).collect();
    let sql = format!("SELECT {} FROM unnest({}) AS u({})", named.join(", "), given.join(", "), names.join(", "));
    let bound = types.iter().zip(columns).map(|(kind, column)| Value::Array(array(kind), Some(Box::new(column))));
    (sql, bound.collect())
}

/// What stands for NULL among texts.
const NOTHING: &str = "\u{1}";

/// What stands for NULL in an array, since the library binds none there: a value that does not occur, and how SQL
/// writes it.
fn nothing(kind: &str) -> (Value, Option<&'static str>) {
    match kind {
        "bigint" => (i64::MIN.into(), Some("-9223372036854775808")),
        "integer" => (i32::MIN.into(), Some("-2147483648")),
        "double precision" => (f64::NAN.into(), Some("'NaN'")),
        "boolean" => (false.into(), None),
        _ => (NOTHING.into(), Some("chr(1)")),
    }
}

fn array(kind: &str) -> ArrayType {
    match kind {
        "bigint" => ArrayType::BigInt,
        "integer" => ArrayType::Int,
        "double precision" => ArrayType::Double,
        "boolean" => ArrayType::Bool,
        _ => ArrayType::String,
    }
}

fn list(types: &[&str], mut values: Vec<Value>) -> (String, Vec<Value>) {
    let width = types.len();
    let given = values.len() / width;
    let rows = given.next_power_of_two();
    for _ in given..rows {
        values.extend(types.iter().map(|kind| empty(kind)));
    }
    // The first row's types are the columns'.
    let first: Vec<String> = types.iter().map(|kind| format!("CAST(? AS {kind})")).collect();
    let other = format!(",({})", vec!["?"; width].join(","));
    // The limit tells SQLite how few they are. Without it, it may read the whole table and look each of its rows up here.
    (format!("SELECT * FROM (VALUES ({}){}) LIMIT {rows}", first.join(","), other.repeat(rows - 1)), values)
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

    fn three() -> Rows {
        let mut rows = Rows::of(&["bigint", "text"]);
        for n in 0..3_i64 {
            rows.push([n.into(), (n > 0).then_some("x").into()]);
        }
        rows
    }

    #[test]
    fn a_list_is_rounded_up_and_padded_with_nothing() {
        let statements = three().statements(DbBackend::Sqlite, "SELECT * FROM ", "");
        assert_eq!(statements.len(), 1);
        assert_eq!(
            statements[0].sql,
            "SELECT * FROM (SELECT * FROM (VALUES (CAST(? AS bigint),CAST(? AS text)),(?,?),(?,?),(?,?)) LIMIT 4) AS v "
        );
        assert_eq!(statements[0].values.as_ref().map(|v| v.0.len()), Some(8));
    }

    #[test]
    fn arrays_have_one_text_whatever_their_length_and_a_value_for_null() {
        let statements = three().statements(DbBackend::Postgres, "SELECT * FROM ", "");
        assert_eq!(
            statements[0].sql,
            "SELECT * FROM (SELECT NULLIF(u.c1, -9223372036854775808) AS column1, NULLIF(u.c2, chr(1)) AS column2 \
             FROM unnest(CAST($1 AS bigint[]), CAST($2 AS text[])) AS u(c1, c2)) AS v "
        );
        let texts = Value::Array(ArrayType::String, Some(Box::new(vec!["\u{1}".into(), "x".into(), "x".into()])));
        assert_eq!(statements[0].values.as_ref().map(|v| v.0[1].clone()), Some(texts));
    }
}
