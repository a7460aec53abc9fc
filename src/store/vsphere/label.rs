//! The words of vCenters: what each one calls its operations, by language.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, Select};
use taskloom_core::principal::Scope;
use taskloom_entity::vsphere_label::{Column, Entity, Model};
use taskloom_entity::{VcenterId, vcenter};

use super::super::bulk::BulkRows;
use super::super::change::run_all;
use super::super::{Tx, scope};
use crate::error::Result;

/// Keeps a catalogue's words: the operation's id, and what it is called.
///
/// # Errors
/// When the database does not answer.
pub async fn put(tx: &Tx, vcenter: VcenterId, locale: &str, labels: &[(String, String)]) -> Result<()> {
    let mut rows = BulkRows::default();
    for (id, label) in labels {
        rows.push([vcenter.0.into(), locale.into(), id.as_str().into(), label.as_str().into()]);
    }
    let sql = "INSERT INTO vsphere_label (vcenter_id, locale, description_id, label) SELECT v.column1, v.column2, v.column3, \
               v.column4 FROM ";
    let same = "WHERE v.column1 IS NOT NULL ON CONFLICT (vcenter_id, locale, description_id) DO UPDATE SET label = \
                excluded.label";
    run_all(tx, rows.statements(tx.get_database_backend(), sql, same)).await
}

/// What those of these vCenters that are in the scope call these operations, in every language.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    vcenters: impl IntoIterator<Item = VcenterId>,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<Model>> {
    let of = within(Entity::find().filter(Column::VcenterId.is_in(vcenters)), scope);
    Ok(of.filter(Column::DescriptionId.is_in(ids)).all(conn).await?)
}

/// Those whose vCenter is in the scope.
fn within(found: Select<Entity>, scope: &Scope) -> Select<Entity> {
    if *scope == Scope::All {
        return found;
    }
    let its_vcenter = Entity::belongs_to(vcenter::Entity).from(Column::VcenterId).to(vcenter::Column::Id);
    found.join(JoinType::InnerJoin, its_vcenter.into()).filter(scope::of_found(scope, vcenter::Column::TenantId))
}

/// Everything that a vCenter, or any, calls somehow in a language.
///
/// # Errors
/// When the database does not answer.
pub async fn all(conn: &impl ConnectionTrait, vcenter: Option<VcenterId>, locale: &str) -> Result<Vec<Model>> {
    let mut of = Entity::find().filter(Column::Locale.eq(locale));
    if let Some(vcenter) = vcenter {
        of = of.filter(Column::VcenterId.eq(vcenter));
    }
    Ok(of.all(conn).await?)
}
