//! What a task was submitted with. Apart from `task`, whose rows are written often and listed a lot.

use sea_orm::entity::prelude::*;

use crate::{JsonText, TaskId};

/// What a task was submitted with.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "task_input")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: TaskId,
    /// The definition as it was accepted.
    pub spec: JsonText,
    /// The parameters, defaults filled in.
    pub parameters: JsonText,
    /// The request of an old client, as it was sent.
    pub submission: Option<JsonText>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
