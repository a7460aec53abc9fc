//! The words of vCenters: what each one calls its operations, by language.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use taskloom_entity::VcenterId;
use taskloom_entity::vsphere_label::{Column, Entity, Model};

use super::super::Tx;
use super::super::bulk::Rows;
use super::super::change::run_all;
use crate::error::Result;

/// Keeps a catalogue's words: the operation's id, and what it is called.
///
/// # Errors
/// When the database does not answer.
pub async fn put(tx: &Tx, vcenter: VcenterId, locale: &str, labels: &[(String, String)]) -> Result<()> {
    let mut rows = Rows::default();
    for (id, label) in labels {
        rows.push([vcenter.0.into(), locale.into(), id.as_str().into(), label.as_str().into()]);
    }
    let sql = "INSERT INTO vsphere_label (vcenter_id, locale, description_id, label) SELECT v.column1, v.column2, v.column3, \
               v.column4 FROM ";
    let same = "WHERE v.column1 IS NOT NULL ON CONFLICT (vcenter_id, locale, description_id) DO UPDATE SET label = \
                excluded.label";
    run_all(tx, rows.statements(tx.get_database_backend(), sql, same)).await
}

/// What vCenters call these operations, in every language.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    conn: &impl ConnectionTrait,
    vcenters: impl IntoIterator<Item = VcenterId>,
    ids: impl IntoIterator<Item = String>,
) -> Result<Vec<Model>> {
    let of = Entity::find().filter(Column::VcenterId.is_in(vcenters));
    Ok(of.filter(Column::DescriptionId.is_in(ids)).all(conn).await?)
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
