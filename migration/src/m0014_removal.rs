//! What is gone for everybody while some of it is still kept: it is removed in bites, by whoever comes to it.

use sea_orm_migration::prelude::*;

use crate::table::{index, table};

/// The step.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(table("removal", &[("id", "serial"), ("kind", "text"), ("key", "big")])).await?;
        manager.create_index(index("removal", &["kind", "key"], true)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // What is gone must not come back.
        for statement in REST {
            manager.get_connection().execute_unprepared(statement).await?;
        }
        manager.drop_table(Table::drop().table("removal").to_owned()).await
    }
}

const REST: [&str; 6] = [
    "DELETE FROM log_chunk WHERE subtask_id IN (SELECT a.subtask_id FROM attempt a JOIN removal r ON r.kind = 'TASK' AND \
     r.key = a.task_id)",
    "DELETE FROM result_chunk WHERE result_set_id IN (SELECT s.id FROM result_set s JOIN attempt a ON a.id = s.attempt_id \
     JOIN removal r ON r.kind = 'TASK' AND r.key = a.task_id)",
    "DELETE FROM result_set WHERE attempt_id IN (SELECT a.id FROM attempt a JOIN removal r ON r.kind = 'TASK' AND r.key = \
     a.task_id)",
    "DELETE FROM attempt WHERE task_id IN (SELECT key FROM removal WHERE kind = 'TASK')",
    "DELETE FROM vsphere_task WHERE vcenter_id IN (SELECT key FROM removal WHERE kind = 'VCENTER')",
    "DELETE FROM vcenter WHERE id IN (SELECT key FROM removal WHERE kind = 'VCENTER')",
];
