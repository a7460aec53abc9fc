//! The one place where a principal's scope becomes a query's condition.

use sea_orm::{ColumnTrait, Condition};
use taskloom_core::principal::Scope;

/// Rows of `column`'s tenants that the scope covers.
pub fn condition(scope: &Scope, column: impl ColumnTrait) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Tenants(tenants) => Condition::all().add(column.is_in(tenants.iter().copied())),
    }
}
