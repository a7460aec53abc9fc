//! The one place where a principal's scope becomes a query's condition.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition};
use taskloom_core::principal::Scope;

/// Rows of `column`'s tenants that the scope covers.
pub fn condition(scope: &Scope, column: impl ColumnTrait) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Tenants(tenants) => Condition::all().add(column.is_in(tenants.iter().copied())),
    }
}

/// The same for rows that their keys have found, or those of their children: the sum keeps each plan from beginning with
/// everything that a tenant has.
pub fn of_found(scope: &Scope, column: impl ColumnTrait) -> Condition {
    match scope {
        Scope::All => Condition::all(),
        Scope::Tenants(tenants) => {
            Condition::all().add(column.into_expr().add(0).is_in(tenants.iter().map(|tenant| tenant.0)))
        }
    }
}
