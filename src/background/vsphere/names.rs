//! What a round learns of names: what the vCenter calls its operations, and its inventory.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::Instant;

use super::round::VsphereRound;
use super::trouble::VsphereRoundEnd;
use crate::error::Language;
use crate::resolver::vcenter::VcenterConnector;
use crate::resolver::vsphere::collect::{self, Object};
use crate::resolver::vsphere::label;
use crate::vsphere::{Catalogue, Entity, Error, Reference, TaskInfo};

/// How many objects are looked up by themselves, and how many looks that may take.
const MANY: usize = 20;
const LOOKS: usize = 60;
/// How old an inventory has to be to be read anew for those that it lacks.
const YOUNG: Duration = Duration::from_secs(60);
/// How many references are remembered, so that each is looked for once.
const REMEMBERED: usize = 50_000;

impl VsphereRound<'_> {
    /// What the vCenter calls its operations, in both languages.
    pub(super) async fn words(&self, entrance: &VcenterConnector) -> Result<(), VsphereRoundEnd> {
        let own = label::locale(self.of.request.language);
        match self.session.catalogue().await {
            Ok(catalogue) => self.name(own, &catalogue).await?,
            Err(error @ Error::Malformed(_)) => {
                tracing::warn!(vcenter = self.of.vcenter.name, %error, "operations have the names that are known here");
            }
            Err(error) => return Err(error.into()),
        }
        let other = match self.of.request.language {
            Language::Zh => label::locale(Language::En),
            Language::En => label::locale(Language::Zh),
        };
        // A second session, since a session speaks one language. Without it the collection goes on all the same.
        let read = async {
            let session = entrance.sign_in_as(other).await?;
            let catalogue = session.catalogue().await;
            session.sign_out().await?;
            catalogue
        };
        match read.await {
            Ok(catalogue) => self.name(other, &catalogue).await,
            Err(error) => {
                tracing::warn!(vcenter = self.of.vcenter.name, %error, "operations are named in one language only");
                Ok(())
            }
        }
    }

    pub(super) async fn name(&self, locale: &str, catalogue: &Catalogue) -> Result<(), VsphereRoundEnd> {
        // Some labels only repeat the id: the catalogue shipped here may know better.
        let named = catalogue.iter().filter(|(id, label)| !label.label.is_empty() && label.label != *id);
        let labels = named.map(|(id, label)| (id.to_owned(), label.label.clone())).collect();
        Ok(collect::labels(&self.of.request, &self.of.lease, locale, labels).await?)
    }

    pub(super) async fn inventory(&mut self) -> Result<(), VsphereRoundEnd> {
        let entities = self.session.inventory().await?;
        let objects: Vec<Object> = entities.into_iter().map(object).collect();
        collect::objects(&self.of.request, &self.of.lease, &objects).await?;
        self.inventoried = Instant::now();
        self.of.read.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(self.inventoried);
        Ok(())
    }

    /// The objects that tasks name and that were not met in this round.
    pub(super) fn unmet_objects(&mut self, infos: &[TaskInfo]) -> Vec<String> {
        let named = infos.iter().filter_map(|info| info.entity.as_ref()).map(Reference::to_string);
        self.unmet(named.collect())
    }

    fn unmet(&mut self, named: Vec<String>) -> Vec<String> {
        if self.objects.len() > REMEMBERED {
            self.objects.clear();
        }
        named.into_iter().filter(|reference| self.objects.insert(reference.clone())).collect()
    }

    /// Looks up the objects that are younger than the inventory, with what they lie in, so that tasks on them are found
    /// there. Where they are many the inventory is read anew.
    pub(super) async fn meet_objects(&mut self, named: Vec<String>) -> Result<(), VsphereRoundEnd> {
        if named.is_empty() {
            return Ok(());
        }
        let of = self.of;
        let (request, lease) = (&of.request, &of.lease);
        let mut wanted = collect::strangers(request, lease, named).await?;
        if wanted.len() > MANY {
            // What even a young one lacks has gone.
            return if self.inventoried.elapsed() > YOUNG { self.inventory().await } else { Ok(()) };
        }
        let mut found = vec![];
        for _ in 0..LOOKS {
            let Some(text) = wanted.pop() else { break };
            let Ok(reference) = Reference::parse(&text) else { continue };
            match self.session.find_entity(&reference).await {
                Ok(Some(entity)) => {
                    let object = object(entity);
                    let above = self.unmet(object.parent.iter().chain(&object.host).cloned().collect());
                    wanted.extend(collect::strangers(request, lease, above).await?);
                    found.push(object);
                }
                Ok(None) => {}
                Err(error) if error.is_session_lost() => return Err(error.into()),
                // It has a name in the task: that is enough to go on.
                Err(error) => tracing::debug!(vcenter = self.of.vcenter.name, text, %error, "an object is not found"),
            }
        }
        if !found.is_empty() {
            collect::objects(request, lease, &found).await?;
        }
        Ok(())
    }
}

fn object(entity: Entity) -> Object {
    let text = |reference: Option<Reference>| reference.map(|reference| reference.to_string());
    Object {
        reference: entity.reference.to_string(),
        name: entity.name,
        parent: text(entity.parent),
        host: text(entity.host),
    }
}
