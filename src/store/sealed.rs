//! Everything that lies sealed, whichever table it is in: what a change of the key goes through.
//!
//! A table with a sealed value has the columns `id`, `sealed` and `key_id`, and a line in [`TABLES`].

use sea_orm::{ConnectionTrait, FromQueryResult, Statement};

use super::{Changed, Tx};
use crate::error::Result;
use crate::vault::{Place, Sealed};

/// A table, and what its column is called where it is sealed.
const TABLES: &[(&str, &str)] = &[
    ("secret", "secret.sealed"),
    ("data_source", "data_source.sealed"),
    ("api_token", "api_token.sealed"),
    ("vcenter", "vcenter.sealed"),
];

/// A sealed value.
#[derive(Clone, Debug)]
pub struct SealedRow {
    table: &'static str,
    /// Where it lies.
    pub place: Place,
    /// As the vault made it.
    pub sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct SealedValueRow {
    id: i64,
    sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct Name {
    key_id: String,
}

/// Some values behind `after` that are not sealed with this key; where to go on, or none: there are no more.
///
/// # Errors
/// When the database does not answer.
pub async fn under_others(conn: &impl ConnectionTrait, key: &str, after: Option<Place>) -> Result<Vec<SealedRow>> {
    let first = after.map_or(0, |after| TABLES.iter().position(|(_, column)| *column == after.column).unwrap_or(0));
    for (at, &(table, column)) in TABLES.iter().enumerate().skip(first) {
        let behind = after.filter(|_| at == first).map_or(0, |after| after.row);
        let sql = format!(
            "SELECT id, sealed FROM {table} WHERE key_id <> $1 AND id > $2 AND sealed IS NOT NULL ORDER BY id LIMIT 100"
        );
        let statement = Statement::from_sql_and_values(conn.get_database_backend(), sql, [key.into(), behind.into()]);
        let found = SealedValueRow::find_by_statement(statement).all(conn).await?;
        if !found.is_empty() {
            let row = |found: SealedValueRow| {
                let place = Place { column, row: found.id };
                SealedRow { table, place, sealed: found.sealed }
            };
            return Ok(found.into_iter().map(row).collect());
        }
    }
    Ok(vec![])
}

/// Puts the newly sealed value into its row, unless somebody has given it another meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn replace(tx: &Tx, row: &SealedRow, sealed: Sealed) -> Result<Changed> {
    let sql = format!("UPDATE {} SET sealed = $1, key_id = $2 WHERE id = $3 AND sealed = $4", row.table);
    let values = [sealed.bytes.into(), sealed.key.to_string().into(), row.place.row.into(), row.sealed.clone().into()];
    let done = tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    Ok(Changed::of(done.rows_affected()))
}

/// The ids of the keys under which anything is sealed.
///
/// # Errors
/// When the database does not answer.
pub async fn keys(conn: &impl ConnectionTrait) -> Result<Vec<String>> {
    let mut keys = vec![];
    for (table, _) in TABLES {
        let sql = format!("SELECT DISTINCT key_id FROM {table} WHERE key_id IS NOT NULL");
        let statement = Statement::from_string(conn.get_database_backend(), sql);
        keys.extend(Name::find_by_statement(statement).all(conn).await?.into_iter().map(|row| row.key_id));
    }
    keys.sort();
    keys.dedup();
    Ok(keys)
}
