//! Where tasks stand by what their subtasks say: old clients have words for what the state of a task alone does not tell.

use sea_orm::sea_query::{Expr, ExprTrait, IntoCondition, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition};
use taskloom_entity::{AttemptState, SubtaskState, TaskState, attempt, subtask, task};

/// What one subtask at the least says of its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StandingSign {
    /// It may be taken by a worker.
    Ready,
    /// It waits for its next try.
    BacksOff,
    /// It failed at its time limit.
    TimedOut,
}

/// A place where tasks stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskStanding {
    /// In one of these states.
    pub states: &'static [TaskState],
    /// And with, or without, a subtask that says this.
    pub sign: Option<(StandingSign, bool)>,
}

/// The tasks that stand at one of these places.
pub(super) fn condition(standings: &[TaskStanding]) -> Condition {
    standings.iter().fold(Condition::any(), |any, standing| {
        let says = standing.sign.map(|(sign, is)| {
            let exists = Expr::exists(says(sign));
            if is { exists } else { exists.not() }
        });
        any.add(Condition::all().add(task::Column::State.is_in(standing.states.iter().copied())).add_option(says))
    })
}

fn says(sign: StandingSign) -> SelectStatement {
    let column = |column: subtask::Column| Expr::col((subtask::Entity, column));
    let is = |state: SubtaskState| column(subtask::Column::State).eq(state.name());
    let of_task = column(subtask::Column::TaskId).equals((task::Entity, task::Column::Id));
    let mut some = Query::select();
    some.expr(Expr::val(1)).from(subtask::Entity).and_where(of_task);
    let that = match sign {
        StandingSign::Ready => is(SubtaskState::Ready).into_condition(),
        StandingSign::BacksOff => {
            Condition::all().add(is(SubtaskState::Ready)).add(column(subtask::Column::NotBefore).is_not_null())
        }
        StandingSign::TimedOut => {
            let last = column(subtask::Column::AttemptId).equals((attempt::Entity, attempt::Column::Id));
            some.inner_join(attempt::Entity, last);
            let ended = Expr::col((attempt::Entity, attempt::Column::State)).eq(AttemptState::TimedOut.name());
            Condition::all().add(is(SubtaskState::Failed)).add(ended)
        }
    };
    some.cond_where(that);
    some
}
