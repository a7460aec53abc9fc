//! Values as text and columns by the ten types, for each database.
//!
//! The drivers are asked for texts (`raw_sql`): what a database has no type for here is still shown as it writes it.

use chrono::NaiveDateTime;
use sqlx::mysql::{MySql, MySqlRow, MySqlTypeInfo};
use sqlx::postgres::{PgRow, PgValueFormat, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Column as _, Database, Row as _, TypeInfo as _, ValueRef as _};
use taskloom_core::ColumnType;

/// The names of columns, with their types; none: its values tell.
pub(super) type Columns = Vec<(String, Option<ColumnType>)>;

/// How the values of a database are read.
pub(super) trait Cells: Database {
    /// The type of a column, by the database's name of its type.
    fn column(name: &str) -> ColumnType;

    /// Whether a column is text whatever its type is called.
    fn is_text(_: &Self::TypeInfo) -> bool {
        false
    }

    /// The type of a value; none: it is null, or the column has a type.
    fn told(_: &Self::Row, _: usize) -> sqlx::Result<Option<ColumnType>> {
        Ok(None)
    }

    /// A value as text.
    fn cell(row: &Self::Row, at: usize, kind: ColumnType) -> sqlx::Result<Option<String>>;

    /// The columns of a row.
    fn columns(row: &Self::Row) -> Columns {
        columns::<Self>(row.columns())
    }
}

pub(super) fn columns<DB: Cells>(columns: &[DB::Column]) -> Columns {
    let kind = |info: &DB::TypeInfo| match DB::column(info.name()) {
        // An expression of SQLite, or a bare NULL of MySQL.
        _ if info.is_null() => None,
        ColumnType::Binary if DB::is_text(info) => Some(ColumnType::String),
        kind => Some(kind),
    };
    columns.iter().map(|column| (column.name().to_owned(), kind(column.type_info()))).collect()
}

impl Cells for Postgres {
    fn column(name: &str) -> ColumnType {
        match name {
            "BOOL" => ColumnType::Boolean,
            "INT2" | "INT4" => ColumnType::Int,
            "INT8" | "OID" => ColumnType::Bigint,
            "FLOAT4" => ColumnType::Float,
            "FLOAT8" => ColumnType::Double,
            "NUMERIC" => ColumnType::Decimal,
            "DATE" => ColumnType::Date,
            "TIMESTAMP" | "TIMESTAMPTZ" => ColumnType::Timestamp,
            "BYTEA" => ColumnType::Binary,
            _ => ColumnType::String,
        }
    }

    fn cell(row: &PgRow, at: usize, kind: ColumnType) -> sqlx::Result<Option<String>> {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            return Ok(None);
        }
        debug_assert!(matches!(value.format(), PgValueFormat::Text), "asked without preparing");
        let text = value.as_str().map_err(sqlx::Error::Decode)?;
        Ok(Some(match (kind, text) {
            (ColumnType::Boolean, "t") => "true".to_owned(),
            (ColumnType::Boolean, "f") => "false".to_owned(),
            (ColumnType::Timestamp, text) => timestamp(text),
            (_, text) => text.to_owned(),
        }))
    }
}

impl Cells for MySql {
    fn column(name: &str) -> ColumnType {
        match name.trim_end_matches(" UNSIGNED") {
            "BOOLEAN" => ColumnType::Boolean,
            "TINYINT" | "SMALLINT" | "MEDIUMINT" | "YEAR" => ColumnType::Int,
            "INT" if name == "INT" => ColumnType::Int,
            "INT" | "BIGINT" => ColumnType::Bigint,
            "FLOAT" => ColumnType::Float,
            "DOUBLE" => ColumnType::Double,
            "DECIMAL" => ColumnType::Decimal,
            "DATE" => ColumnType::Date,
            "DATETIME" | "TIMESTAMP" => ColumnType::Timestamp,
            "BINARY" | "VARBINARY" | "TINYBLOB" | "BLOB" | "MEDIUMBLOB" | "LONGBLOB" | "BIT" | "GEOMETRY" => {
                ColumnType::Binary
            }
            _ => ColumnType::String,
        }
    }

    /// A text compared byte by byte (`utf8mb4_bin`) is called `VARBINARY` by the driver; so is MariaDB's JSON. The
    /// character set tells them from bytes.
    fn is_text(info: &MySqlTypeInfo) -> bool {
        <str as sqlx::Type<MySql>>::compatible(info)
    }

    fn cell(row: &MySqlRow, at: usize, kind: ColumnType) -> sqlx::Result<Option<String>> {
        if row.try_get_raw(at)?.is_null() {
            return Ok(None);
        }
        let bytes: Vec<u8> = row.try_get_unchecked(at)?;
        if kind == ColumnType::Binary {
            return Ok(Some(bytea(&bytes)));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(match (kind, text.as_str()) {
            (ColumnType::Boolean, "1") => "true".to_owned(),
            (ColumnType::Boolean, "0") => "false".to_owned(),
            (ColumnType::Timestamp, _) => timestamp(&text),
            _ => text,
        }))
    }
}

impl Cells for Sqlite {
    fn column(name: &str) -> ColumnType {
        match name {
            "BOOLEAN" => ColumnType::Boolean,
            "INTEGER" => ColumnType::Bigint,
            "REAL" => ColumnType::Double,
            "NUMERIC" => ColumnType::Decimal,
            "DATE" => ColumnType::Date,
            "DATETIME" => ColumnType::Timestamp,
            "BLOB" => ColumnType::Binary,
            _ => ColumnType::String,
        }
    }

    fn told(row: &SqliteRow, at: usize) -> sqlx::Result<Option<ColumnType>> {
        let value = row.try_get_raw(at)?;
        Ok((!value.is_null()).then(|| Self::column(value.type_info().name())))
    }

    /// A column of SQLite promises nothing: each value says itself what it is.
    fn cell(row: &SqliteRow, at: usize, kind: ColumnType) -> sqlx::Result<Option<String>> {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            return Ok(None);
        }
        let text = match (value.type_info().name(), kind) {
            ("INTEGER" | "BOOLEAN", ColumnType::Boolean) => {
                let number: i64 = row.try_get_unchecked(at)?;
                if number == 0 { "false".to_owned() } else { "true".to_owned() }
            }
            ("INTEGER" | "BOOLEAN", _) => row.try_get_unchecked::<i64, _>(at)?.to_string(),
            ("REAL", _) => row.try_get_unchecked::<f64, _>(at)?.to_string(),
            ("BLOB", _) => bytea(&row.try_get_unchecked::<Vec<u8>, _>(at)?),
            // A text of SQLite may be any bytes.
            (_, kind) => {
                let text = String::from_utf8_lossy(row.try_get_unchecked::<&[u8], _>(at)?);
                if kind == ColumnType::Timestamp { timestamp(&text) } else { text.into_owned() }
            }
        };
        Ok(Some(text))
    }
}

/// As PostgreSQL writes bytes (`bytea_output = 'hex'`).
fn bytea(bytes: &[u8]) -> String {
    format!("\\x{}", hex::encode(bytes))
}

/// `yyyy-MM-dd HH:mm:ss[.SSS]`: a zone is left out, since sessions are in UTC; what is none stays as it is.
fn timestamp(text: &str) -> String {
    let bare = text.trim_end_matches("+00").trim_end_matches("+00:00").trim_end_matches('Z').replacen('T', " ", 1);
    match NaiveDateTime::parse_from_str(&bare, "%Y-%m-%d %H:%M:%S%.f") {
        Ok(instant) if instant.and_utc().timestamp_subsec_millis() > 0 => {
            instant.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
        }
        Ok(instant) => instant.format("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_one_form() {
        for (given, shown) in [
            ("2024-02-29 01:02:03", "2024-02-29 01:02:03"),
            ("2024-02-29 01:02:03.4+00", "2024-02-29 01:02:03.400"),
            ("2024-02-29T01:02:03.456789Z", "2024-02-29 01:02:03.456"),
            ("2024-02-29 01:02:03.000000", "2024-02-29 01:02:03"),
            ("infinity", "infinity"),
            ("0044-03-15 12:00:00 BC", "0044-03-15 12:00:00 BC"),
        ] {
            assert_eq!(timestamp(given), shown);
        }
    }

    #[test]
    fn bytes_are_hexadecimal() {
        assert_eq!(bytea(b"\0az"), "\\x00617a");
    }

    #[test]
    fn types_are_told_by_their_names() {
        assert_eq!(MySql::column("BIGINT UNSIGNED"), ColumnType::Bigint);
        assert_eq!(MySql::column("INT UNSIGNED"), ColumnType::Bigint, "it is larger than 32 bits with a sign");
        assert_eq!((MySql::column("INT"), MySql::column("VARCHAR")), (ColumnType::Int, ColumnType::String));
        assert_eq!((Postgres::column("JSONB"), Sqlite::column("NULL")), (ColumnType::String, ColumnType::String));
    }
}
