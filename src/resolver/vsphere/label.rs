//! What an operation of a vCenter is called: by the vCenter's own catalogue, else by the one shipped here, else by its
//! method, else by its id.

use std::collections::{BTreeSet, HashMap, HashSet};

use taskloom_entity::{Role, VcenterId, vsphere_label, vsphere_task};

use super::super::Request;
use super::catalogue;
use crate::error::{Language, Result};
use crate::store;
use crate::store::vsphere::list::VsphereSearch;
use crate::text::folded;

/// The word for a language, as labels are kept under it.
#[must_use]
pub const fn locale(language: Language) -> &'static str {
    match language {
        Language::Zh => "zh_CN",
        Language::En => "en",
    }
}

/// The label of a task, of what its vCenter calls the operation.
#[must_use]
pub fn of(task: &vsphere_task::Model, own: &[vsphere_label::Model], language: Language) -> String {
    let id = task.description_id.as_str();
    let named = own.iter().find(|label| label.locale == locale(language)).map(|label| label.label.as_str());
    let method = task.name.as_deref().filter(|name| !name.is_empty());
    named.or_else(|| catalogue::find(id, language)).or(method).unwrap_or(id).to_owned()
}

/// The labels of these tasks, in their order.
///
/// # Errors
/// When the database does not answer.
pub async fn list(request: &Request, tasks: &[vsphere_task::Model], language: Language) -> Result<Vec<String>> {
    let scope = request.principal.require(Role::Viewer)?;
    let vcenters: HashSet<VcenterId> = tasks.iter().map(|task| task.vcenter_id).collect();
    let ids: HashSet<String> = tasks.iter().map(|task| task.description_id.clone()).collect();
    let mut own: HashMap<(VcenterId, String), Vec<vsphere_label::Model>> = HashMap::new();
    for row in store::vsphere::label::list(request.store.read(), scope, vcenters, ids).await? {
        own.entry((row.vcenter_id, row.description_id.clone())).or_default().push(row);
    }
    let own = |task: &vsphere_task::Model| own.get(&(task.vcenter_id, task.description_id.clone()));
    Ok(tasks.iter().map(|task| of(task, own(task).map_or(&[], Vec::as_slice), language)).collect())
}

/// A text to look for, with what it means among the words of a vCenter, or of all.
///
/// # Errors
/// When the database does not answer.
pub async fn search(
    request: &Request,
    vcenter: Option<VcenterId>,
    text: &str,
    language: Language,
) -> Result<VsphereSearch> {
    let own = store::vsphere::label::all(request.store.read(), vcenter, locale(language)).await?;
    let mut words: Vec<(String, String)> = own.into_iter().map(|row| (row.description_id, row.label)).collect();
    let named_there: HashSet<String> = words.iter().map(|(id, _)| id.clone()).collect();
    let shipped = catalogue::all(language).filter(|(id, _)| !named_there.contains(*id));
    words.extend(shipped.map(|(id, label)| (id.to_owned(), label.to_owned())));
    let wanted = folded(text);
    let named: BTreeSet<&String> =
        words.iter().filter(|(_, label)| folded(label).contains(&wanted)).map(|(id, _)| id).collect();
    let known: BTreeSet<&String> = words.iter().map(|(id, _)| id).collect();
    Ok(VsphereSearch {
        text: text.to_owned(),
        is_wide: true,
        named: named.into_iter().cloned().collect(),
        known: known.into_iter().cloned().collect(),
    })
}
