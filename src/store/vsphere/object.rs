//! The objects of vCenters: names, and what lies under what. None is ever removed, since tasks on what is gone stay.

use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, JoinType, QueryFilter, QuerySelect, Select};
use taskloom_core::principal::Scope;
use taskloom_entity::vsphere_object::{Column, Entity, Model};
use taskloom_entity::{Timestamp, VcenterId, vcenter};

use super::super::bulk::BulkRows;
use super::super::change::run_all;
use super::super::{Tx, scope};
use crate::error::Result;

/// An object, as the vCenter shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedObject {
    /// `VirtualMachine:vm-119`.
    pub reference: String,
    /// Its name.
    pub name: String,
    /// What it lies in.
    pub parent: Option<String>,
    /// The host that it is on.
    pub host: Option<String>,
}

/// Keeps what was seen.
///
/// # Errors
/// When the database does not answer.
pub async fn put(tx: &Tx, vcenter: VcenterId, objects: &[&ObservedObject], now: Timestamp) -> Result<()> {
    let mut rows = BulkRows::default();
    for object in objects {
        rows.push([
            vcenter.0.into(),
            object.reference.as_str().into(),
            object.name.as_str().into(),
            object.parent.clone().into(),
            object.host.clone().into(),
            now.0.into(),
        ]);
    }
    let sql = "INSERT INTO vsphere_object (vcenter_id, reference, name, parent, host, seen_at) SELECT v.column1, v.column2, \
               v.column3, v.column4, v.column5, v.column6 FROM ";
    let same = "WHERE v.column1 IS NOT NULL ON CONFLICT (vcenter_id, reference) DO UPDATE SET name = excluded.name, \
                parent = excluded.parent, host = excluded.host, seen_at = excluded.seen_at";
    run_all(tx, rows.statements(tx.get_database_backend(), sql, same)).await
}

/// The objects of a vCenter with these references, where it is in the scope.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    vcenter: VcenterId,
    references: impl IntoIterator<Item = String>,
) -> Result<Vec<Model>> {
    let of = within(Entity::find().filter(Column::VcenterId.eq(vcenter)), scope);
    Ok(of.filter(Column::Reference.is_in(references)).all(conn).await?)
}

/// Those whose vCenter is in the scope.
fn within(found: Select<Entity>, scope: &Scope) -> Select<Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_vcenter = Entity::belongs_to(vcenter::Entity).from(Column::VcenterId).to(vcenter::Column::Id);
    found.join(JoinType::InnerJoin, its_vcenter.into()).filter(scope::of_found(scope, vcenter::Column::TenantId))
}

/// Whether `column` names the object or one that lies under it: in it, or on it where it is a host.
pub fn is_under(backend: DbBackend, column: impl ColumnTrait, vcenter: VcenterId, reference: &str) -> SimpleExpr {
    let (one, other) = if backend == DbBackend::Postgres { ("$1", "$2") } else { ("?", "?") };
    let sql = format!(
        "{one} IN (WITH RECURSIVE lower_object(reference) AS (SELECT CAST({other} AS text) UNION SELECT o.reference FROM \
         lower_object l JOIN vsphere_object o ON o.vcenter_id = {vcenter} AND (o.parent = l.reference OR o.host = \
         l.reference)) SELECT reference FROM lower_object)"
    );
    Expr::cust_with_exprs(sql, [column.into_expr(), Expr::val(reference)])
}
