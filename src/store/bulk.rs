//! Many rows in one statement, joined by name: on PostgreSQL an array for each column, on SQLite a `VALUES` list.
//!
//! On PostgreSQL the text is the same whatever the number of rows, so it is parsed and planned once. On SQLite that
//! number is rounded up to a power of two with rows of NULL, which match nothing: a handful of prepared statements
//! serves every size of batch. Its parameters have no numbers, since the library looks each number up by a walk over
//! all of them.

use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, DbBackend, Statement, Value};
use serde::Serialize;

/// Rows to be joined as `v`, whose columns are `column1`, `column2`, …. The first row's types are the columns'.
#[derive(Debug, Default)]
pub struct BulkRows {
    width: usize,
    values: Vec<Value>,
}

/// The most rows of one statement: SQLite takes 32,766 values.
pub const MOST: usize = 1024;

impl BulkRows {
    /// Adds a row; all have as many values, and of the same types.
    pub fn push(&mut self, row: impl IntoIterator<Item = Value>) {
        let before = self.values.len();
        self.values.extend(row);
        let width = self.values.len() - before;
        debug_assert!(before == 0 || width == self.width, "a row has a value for each column");
        self.width = width;
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The statements that put `v` into `before {v} after`, [`MOST`] rows at a time.
    #[must_use]
    pub fn statements(self, backend: DbBackend, before: &str, after: &str) -> Vec<Statement> {
        let Self { width, mut values } = self;
        let types: Vec<&str> = values.iter().take(width).map(sql_type).collect();
        let mut statements = vec![];
        while !values.is_empty() {
            let most = (MOST * 8 / width).next_power_of_two().clamp(64, MOST);
            let rest = values.split_off(values.len().min(most * width));
            let (list, bound) = match backend {
                DbBackend::Postgres => arrays(&types, &values),
                _ => list(&types, values),
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

/// The type of a column by a value of it, NULL or not.
fn sql_type(value: &Value) -> &'static str {
    match value {
        Value::BigInt(_) => "bigint",
        Value::Int(_) => "integer",
        Value::Double(_) => "double precision",
        Value::Bool(_) => "boolean",
        Value::String(_) => "text",
        other => unreachable!("invariant: no table has a column of {other:?}"),
    }
}

fn arrays(types: &[&str], values: &[Value]) -> (String, Vec<Value>) {
    let width = types.len();
    let given: Vec<String> = (1..).zip(types).map(|(number, kind)| format!("CAST(${number} AS {kind}[])")).collect();
    let names: Vec<String> = (1..=width).map(|number| format!("column{number}")).collect();
    let sql = format!("SELECT * FROM unnest({}) AS u({})", given.join(", "), names.join(", "));
    let bound = (0..width).map(|column| array(values.iter().skip(column).step_by(width)).into());
    (sql, bound.collect())
}

/// An array as PostgreSQL writes it: the one form that SeaORM binds with NULLs in it.
/// (PostgreSQL, Arrays, section "Array Input and Output Syntax"; sea-orm#2354.)
fn array<'v>(column: impl Iterator<Item = &'v Value>) -> String {
    let mut array = String::from("{");
    for value in column {
        match value {
            Value::BigInt(Some(number)) => array += &number.to_string(),
            Value::Int(Some(number)) => array += &number.to_string(),
            Value::Double(Some(number)) => array += &number.to_string(),
            Value::Bool(Some(is)) => array += if *is { "t" } else { "f" },
            Value::String(Some(text)) => quote(&mut array, text),
            _ => array += "NULL",
        }
        array.push(',');
    }
    // An array of nothing has no comma.
    if array.ends_with(',') {
        array.pop();
    }
    array.push('}');
    array
}

fn quote(array: &mut String, text: &str) {
    array.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            array.push('\\');
        }
        array.push(letter);
    }
    array.push('"');
}

fn list(types: &[&str], mut values: Vec<Value>) -> (String, Vec<Value>) {
    let width = types.len();
    let given = values.len() / width;
    let rows = given.next_power_of_two();
    let nothing: Vec<Value> = values.iter().take(width).map(Value::as_null).collect();
    for _ in given..rows {
        values.extend_from_slice(&nothing);
    }
    // The first row's types are the columns'.
    let first: Vec<String> = types.iter().map(|kind| format!("CAST(? AS {kind})")).collect();
    let other = format!(",({})", vec!["?"; width].join(","));
    // The limit tells SQLite how few they are. Without it, it may read the whole table and look each of its rows up here.
    (format!("SELECT * FROM (VALUES ({}){}) LIMIT {rows}", first.join(","), other.repeat(rows - 1)), values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> BulkRows {
        let mut rows = BulkRows::default();
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
        let bound = statements[0].values.as_ref().unwrap();
        assert_eq!(bound.0.len(), 8);
        assert_eq!(bound.0[6..], [Value::BigInt(None), Value::String(None)]);
    }

    #[test]
    fn arrays_have_one_text_whatever_their_length_and_nulls_in_them() {
        let statements = three().statements(DbBackend::Postgres, "SELECT * FROM ", "");
        assert_eq!(
            statements[0].sql,
            "SELECT * FROM (SELECT * FROM unnest(CAST($1 AS bigint[]), CAST($2 AS text[])) AS u(column1, column2)) AS v "
        );
        assert_eq!(statements[0].values.as_ref().unwrap().0, ["{0,1,2}".into(), "{NULL,\"x\",\"x\"}".into()]);
    }

    #[test]
    fn an_array_says_each_value_as_it_is() {
        let numbers = [i64::MIN.into(), Value::BigInt(None), 7_i64.into()];
        assert_eq!(array(numbers.iter()), "{-9223372036854775808,NULL,7}");
        let texts: [Value; 4] = ["NULL".into(), r#"a"b\c"#.into(), "{,}\u{1}".into(), "".into()];
        assert_eq!(array(texts.iter()), "{\"NULL\",\"a\\\"b\\\\c\",\"{,}\u{1}\",\"\"}");
        let others: [Value; 3] = [0.5.into(), true.into(), 3.into()];
        assert_eq!(array(others.iter()), "{0.5,t,3}");
        assert_eq!(array([].iter()), "{}");
    }

    #[test]
    fn no_rows_are_no_statement() {
        let none = BulkRows::default();
        assert_eq!((none.is_empty(), none.len()), (true, 0));
        assert!(none.statements(DbBackend::Sqlite, "", "").is_empty());
    }
}
