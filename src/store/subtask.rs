//! Subtasks, found and listed. Their states are written by [`super::change`] alone.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationDef};
use taskloom_entity::{SubtaskId, subtask, task};

use super::scope;
use crate::auth::Scope;
use crate::error::Result;

/// A subtask whose task is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn find(conn: &impl ConnectionTrait, scope: &Scope, id: SubtaskId) -> Result<Option<subtask::Model>> {
    let query = subtask::Entity::find_by_id(id).join(JoinType::InnerJoin, its_task());
    Ok(query.filter(scope::condition(scope, task::Column::TenantId)).one(conn).await?)
}

fn its_task() -> RelationDef {
    subtask::Entity::belongs_to(task::Entity).from(subtask::Column::TaskId).to(task::Column::Id).into()
}

/// The subtasks with these ids, whoever asks: for readers that have checked the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list_by_id(conn: &impl ConnectionTrait, ids: &[SubtaskId]) -> Result<Vec<subtask::Model>> {
    Ok(subtask::Entity::find().filter(subtask::Column::Id.is_in(ids.iter().copied())).all(conn).await?)
}
