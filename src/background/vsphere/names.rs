//! What a round learns of names: what the vCenter calls its operations, and its inventory.

use super::collector::End;
use super::round::Round;
use crate::error::Language;
use crate::resolver::vcenter::Entrance;
use crate::resolver::vsphere::collect::{self, Object};
use crate::resolver::vsphere::label;
use crate::vsphere::{Catalogue, Entity, Reference};

impl Round<'_> {
    /// What the vCenter calls its operations, in both languages.
    pub(super) async fn words(&self, entrance: &Entrance) -> Result<(), End> {
        let own = label::locale(self.of.request.language);
        self.name(own, &self.session.catalogue().await?).await?;
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

    pub(super) async fn name(&self, locale: &str, catalogue: &Catalogue) -> Result<(), End> {
        // Some labels only repeat the id: the catalogue shipped here may know better.
        let named = catalogue.iter().filter(|(id, label)| !label.label.is_empty() && label.label != *id);
        let labels = named.map(|(id, label)| (id.to_owned(), label.label.clone())).collect();
        Ok(collect::labels(&self.of.request, &self.of.lease, locale, labels).await?)
    }

    pub(super) async fn inventory(&self) -> Result<(), End> {
        let entities = self.session.inventory().await?;
        let objects: Vec<Object> = entities.into_iter().map(object).collect();
        Ok(collect::objects(&self.of.request, &self.of.lease, &objects).await?)
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
