//! Documents that a row has and no list reads: of any length up to megabytes, found by length first and then by text, so
//! that whoever wants many knows what they cost before they are read.

use sea_orm::sea_query::{Expr, ExprTrait, Func};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, Select};
use taskloom_core::principal::Scope;
use taskloom_entity::{JsonText, definition, subtask, task, task_input};

use super::{bulk, scope};
use crate::error::Result;

/// A column of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The definition of a task, as it was accepted.
    TaskSpec,
    /// Its parameters.
    TaskParameters,
    /// The request of an old client.
    TaskSubmission,
    /// The definition of a subtask.
    SubtaskSpec,
    /// What it has put out.
    SubtaskOutputs,
    /// A kept definition.
    DefinitionSpec,
}

/// How many bytes these documents have, by the numbers of their rows; one that is NULL, or out of the scope, is left out.
///
/// # Errors
/// When the database does not answer.
pub async fn lengths(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    of: Document,
    ids: &[i64],
) -> Result<Vec<(i64, usize)>> {
    let found: Vec<(i64, i64)> = read(conn, scope, (of, DocumentPart::Length), ids).await?;
    Ok(found.into_iter().map(|(id, length)| (id, usize::try_from(length).unwrap_or_default())).collect())
}

/// These documents, by the numbers of their rows; one that is NULL, or out of the scope, is left out.
///
/// # Errors
/// When the database does not answer.
pub async fn texts(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    of: Document,
    ids: &[i64],
) -> Result<Vec<(i64, JsonText)>> {
    read(conn, scope, (of, DocumentPart::Text), ids).await
}

#[derive(Clone, Copy)]
enum DocumentPart {
    Length,
    Text,
}

async fn read<T>(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    (of, part): (Document, DocumentPart),
    ids: &[i64],
) -> Result<Vec<(i64, T)>>
where
    (i64, T): sea_orm::TryGetableMany,
    T: Send,
{
    macro_rules! column {
        ($within:path, $entity:ident.$id:ident, $column:ident) => {{
            let these = bulk::among(conn.get_database_backend(), $entity::Column::$id, ids.iter().copied());
            let query = $entity::Entity::find().filter(these).filter($entity::Column::$column.is_not_null());
            let query = $within(query, scope);
            select(query, $entity::Column::$id, $entity::Column::$column, part).into_tuple().all(conn).await?
        }};
    }
    Ok(match of {
        Document::TaskSpec => column!(inputs, task_input.TaskId, Spec),
        Document::TaskParameters => column!(inputs, task_input.TaskId, Parameters),
        Document::TaskSubmission => column!(inputs, task_input.TaskId, Submission),
        Document::SubtaskSpec => column!(super::subtask::within, subtask.Id, Spec),
        Document::SubtaskOutputs => column!(super::subtask::within, subtask.Id, Outputs),
        Document::DefinitionSpec => column!(definitions, definition.Id, Spec),
    })
}

/// Those whose task is in the scope.
fn inputs(found: Select<task_input::Entity>, scope: &Scope) -> Select<task_input::Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_task = task_input::Entity::belongs_to(task::Entity).from(task_input::Column::TaskId).to(task::Column::Id);
    found.join(JoinType::InnerJoin, its_task.into()).filter(scope::of_found(scope, task::Column::TenantId))
}

fn definitions(found: Select<definition::Entity>, scope: &Scope) -> Select<definition::Entity> {
    found.filter(scope::of_found(scope, definition::Column::TenantId))
}

fn select<E: EntityTrait>(query: Select<E>, id: E::Column, column: E::Column, part: DocumentPart) -> Select<E> {
    let query = query.select_only().column(id);
    match part {
        // Either database knows it without reading the text.
        DocumentPart::Length => {
            query.expr(Expr::from(Func::cust("OCTET_LENGTH").arg(column.into_expr())).cast_as("bigint"))
        }
        DocumentPart::Text => query.column(column),
    }
}
