//! Columns as both databases have them: 64-bit numbers, text, doubles, booleans, bytes.

use sea_orm_migration::prelude::*;

/// The key that the database counts up and never gives out twice.
pub(crate) fn serial() -> ColumnDef {
    let mut column = ColumnDef::new("id");
    column.big_integer().not_null().auto_increment().primary_key();
    column
}

/// `kind` and whether it may be missing, by the first letter of the kind: `text`, `big`, `int`, `small`, `real`,
/// `bool`, `bytes`; a trailing `?` allows NULL.
pub(crate) fn column(name: &'static str, kind: &str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match kind.trim_end_matches('?') {
        "text" => column.text(),
        "big" => column.big_integer(),
        "int" => column.integer(),
        "small" => column.small_integer(),
        "real" => column.double(),
        "bool" => column.boolean(),
        "bytes" => column.blob(),
        other => unreachable!("no column kind {other}"),
    };
    if kind.ends_with('?') {
        column.null()
    } else {
        column.not_null()
    };
    column
}

/// A table of these columns.
pub(crate) fn table(name: &'static str, columns: &[(&'static str, &str)]) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for &(column_name, kind) in columns {
        if kind == "serial" {
            table.col(serial())
        } else {
            table.col(column(column_name, kind))
        };
    }
    table.to_owned()
}

/// An index named after its table and columns.
pub(crate) fn index(table: &'static str, columns: &[&'static str], unique: bool) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}", columns.join("_"))).table(table);
    for &column in columns {
        index.col(column);
    }
    if unique {
        index.unique();
    }
    index.to_owned()
}

/// A foreign key to `parent.id` that goes with its parent.
pub(crate) fn belongs(column: &'static str, parent: &'static str) -> ForeignKeyCreateStatement {
    let mut key = ForeignKey::create();
    key.from_col(column).to_tbl(parent).to_col("id").on_delete(ForeignKeyAction::Cascade);
    key.to_owned()
}
