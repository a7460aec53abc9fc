//! vCenters, how their collection stands, and their tasks with the log of what happened to them.

use sea_orm_migration::prelude::*;

use crate::table::{belongs, index, table};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const TABLES: [&str; 7] = [
    "vcenter",
    "vcenter_collection",
    "vsphere_instance",
    "vsphere_object",
    "vsphere_label",
    "vsphere_task",
    "vsphere_event",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for name in TABLES.into_iter().rev() {
            manager.drop_table(Table::drop().table(name).to_owned()).await?;
        }
        Ok(())
    }
}

fn tables() -> Vec<TableCreateStatement> {
    vec![vcenter(), collection(), instance(), object(), label(), task(), event()]
}

fn vcenter() -> TableCreateStatement {
    table(
        "vcenter",
        &[
            ("id", "serial"),
            ("uuid", "text"),
            ("tenant_id", "big"),
            ("name", "text"),
            ("address", "text"),
            ("username", "text"),
            ("trust", "text"),
            ("trusted", "text?"),
            ("collect", "bool"),
            ("keep_days", "int?"),
            ("sealed", "bytes?"),
            ("key_id", "text?"),
            ("revision", "big"),
            ("creator", "text"),
            ("created_at", "big"),
            ("updated_at", "big"),
        ],
    )
    .foreign_key(&mut belongs("tenant_id", "tenant"))
    .to_owned()
}

fn collection() -> TableCreateStatement {
    table(
        "vcenter_collection",
        &[
            ("vcenter_id", "big"),
            ("state", "text"),
            ("since", "big"),
            ("reason", "text?"),
            ("message", "text?"),
            ("instance_id", "big?"),
            ("product", "text?"),
            ("seen_at", "big?"),
            ("clock_offset", "big?"),
            ("lag", "big?"),
            ("read_at", "big?"),
            ("completed_to", "big?"),
            ("owner", "text?"),
            ("epoch", "big"),
            ("until", "big"),
        ],
    )
    .primary_key(Index::create().col("vcenter_id"))
    .foreign_key(&mut belongs("vcenter_id", "vcenter"))
    .to_owned()
}

fn instance() -> TableCreateStatement {
    table("vsphere_instance", &[("id", "serial"), ("vcenter_id", "big"), ("uuid", "text")])
        .foreign_key(&mut belongs("vcenter_id", "vcenter"))
        .to_owned()
}

fn object() -> TableCreateStatement {
    table(
        "vsphere_object",
        &[
            ("id", "serial"),
            ("vcenter_id", "big"),
            ("reference", "text"),
            ("name", "text"),
            ("parent", "text?"),
            ("host", "text?"),
            ("seen_at", "big"),
        ],
    )
    .foreign_key(&mut belongs("vcenter_id", "vcenter"))
    .to_owned()
}

fn label() -> TableCreateStatement {
    table("vsphere_label", &[("vcenter_id", "big"), ("locale", "text"), ("description_id", "text"), ("label", "text")])
        .primary_key(Index::create().col("vcenter_id").col("locale").col("description_id"))
        .foreign_key(&mut belongs("vcenter_id", "vcenter"))
        .to_owned()
}

/// Without foreign keys, as its events: a row a change, on the hottest path. It goes with its vCenter by the one
/// function that deletes vCenters.
fn task() -> TableCreateStatement {
    table(
        "vsphere_task",
        &[
            ("id", "serial"),
            ("tenant_id", "big"),
            ("vcenter_id", "big"),
            ("instance_id", "big"),
            ("key", "text"),
            ("state", "text"),
            ("is_lost", "bool"),
            ("cancelled", "bool"),
            ("cancelable", "bool"),
            ("progress", "int?"),
            ("name", "text?"),
            ("description_id", "text"),
            ("entity", "text?"),
            ("entity_name", "text?"),
            ("reason", "text"),
            ("username", "text?"),
            ("fault", "text?"),
            ("message", "text?"),
            ("detail", "text?"),
            ("event_chain_id", "int"),
            ("parent_key", "text?"),
            ("root_key", "text?"),
            ("rest", "text?"),
            ("queued_at", "big"),
            ("started_at", "big?"),
            ("completed_at", "big?"),
            ("seen_at", "big"),
            ("changed_at", "big"),
        ],
    )
}

fn event() -> TableCreateStatement {
    table(
        "vsphere_event",
        &[
            ("id", "serial"),
            ("at", "big"),
            ("tenant_id", "big"),
            ("vcenter_id", "big"),
            ("task_id", "big"),
            ("state", "text"),
            ("progress", "int?"),
        ],
    )
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("vcenter", &["uuid"], true),
        index("vcenter", &["tenant_id", "name"], true),
        index("vcenter", &["key_id"], false),
        index("vsphere_instance", &["vcenter_id", "uuid"], true),
        index("vsphere_object", &["vcenter_id", "reference"], true),
        index("vsphere_object", &["vcenter_id", "parent"], false),
        index("vsphere_object", &["vcenter_id", "host"], false),
        index("vsphere_task", &["instance_id", "key", "queued_at"], true),
        // The orders of lists: of everything, of one vCenter, of one object, by end.
        index("vsphere_task", &["queued_at", "id"], false),
        index("vsphere_task", &["vcenter_id", "queued_at", "id"], false),
        index("vsphere_task", &["vcenter_id", "entity", "queued_at", "id"], false),
        index("vsphere_task", &["completed_at", "id"], false),
        index("vsphere_task", &["vcenter_id", "completed_at", "id"], false),
        unfinished(),
        lost(),
    ]
}

/// What still goes on: a handful of rows, whatever the length of the history.
fn unfinished() -> IndexCreateStatement {
    Index::create()
        .name("vsphere_task_unfinished")
        .table("vsphere_task")
        .col("vcenter_id")
        .and_where(Expr::col("state").is_in(["QUEUED", "RUNNING"]))
        .to_owned()
}

/// What has no end to be removed by.
fn lost() -> IndexCreateStatement {
    Index::create()
        .name("vsphere_task_lost")
        .table("vsphere_task")
        .col("vcenter_id")
        .col("changed_at")
        .and_where(Expr::col("is_lost").eq(true))
        .to_owned()
}
