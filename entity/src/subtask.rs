//! A subtask: a node of its task's graph.

use sea_orm::entity::prelude::*;

use crate::{AttemptId, ExecutorKind, JsonText, OnLost, Operation, SubtaskId, SubtaskState, TaskId, Timestamp};

/// A subtask: a node of its task's graph.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "subtask")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: SubtaskId,
    pub task_id: TaskId,
    /// From 0 in topological order.
    pub seq: i32,
    pub name: String,
    pub description: String,
    pub executor: ExecutorKind,
    /// Run, undo and limits, for the worker.
    pub spec: JsonText,
    /// The `seq` of its upstreams.
    pub needs: JsonText,
    /// Labels a worker must have, sorted, joined by commas; empty: any.
    pub requires: String,
    /// The task's.
    pub priority: i16,
    pub state: SubtaskState,
    pub operation: Operation,
    /// Its task is paused: nobody may claim it, what runs is frozen.
    pub held: bool,
    /// 0 to 1.
    pub progress: f64,
    pub weight: f64,
    /// Attempts begun, ever.
    pub runs: i32,
    /// Attempts begun in this operation: what automatic retry counts.
    pub tries: i32,
    pub max_tries: i32,
    /// Before the second try; doubles with each further.
    pub backoff_ms: i64,
    pub on_lost: OnLost,
    pub prohibit_rollback: bool,
    /// Grows with each claim and each loss: the fence of its attempts.
    pub epoch: i64,
    /// The running attempt, else the last one.
    pub attempt_id: Option<AttemptId>,
    /// Back-off.
    pub not_before: Option<Timestamp>,
    pub outputs: JsonText,
    pub message: Option<String>,
    pub log_lines: i64,
    pub log_bytes: i64,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
}

/// Relations are joined by name in the store: there is nothing to declare.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
