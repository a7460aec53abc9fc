//! The database of a server in a story, behind its back: what another program, or a fault of the disk, does to it.

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend};

use crate::engine::bench::Bench;

/// A connection beside the server's own.
pub(super) async fn beside(bench: &Bench) -> DatabaseConnection {
    let url = match &bench.settings.database.url {
        Some(url) => url.expose().to_owned(),
        None => format!("sqlite://{}?mode=rw", bench.settings.data_dir.join("taskloom.db").display()),
    };
    Database::connect(url).await.unwrap()
}

/// From now on the database refuses every row of `table` whose `column` has the word `poison` in it, as it refuses
/// what it cannot hold.
pub(super) async fn poison(bench: &Bench, table: &str, column: &str) {
    let database = beside(bench).await;
    let name = format!("poison_{table}_{column}");
    let statements = match database.get_database_backend() {
        DbBackend::Postgres => vec![format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NULL OR {column} NOT LIKE '%poison%')"
        )],
        _ => ["INSERT", "UPDATE"]
            .map(|verb| {
                format!(
                    "CREATE TRIGGER {name}_{verb} BEFORE {verb} ON {table} WHEN NEW.{column} LIKE '%poison%' \
                     BEGIN SELECT RAISE(ABORT, 'poison'); END"
                )
            })
            .to_vec(),
    };
    for statement in statements {
        database.execute_unprepared(&statement).await.unwrap();
    }
}

/// Runs a statement.
pub(super) async fn run(bench: &Bench, statement: &str) {
    beside(bench).await.execute_unprepared(statement).await.unwrap();
}
