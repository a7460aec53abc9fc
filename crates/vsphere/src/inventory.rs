//! What a vCenter manages: folders, datacenters, hosts, virtual machines, and what lies under what.

use std::borrow::Cow;

use super::error::Error;
use super::property::{Found, Properties, Start};
use super::reference::Reference;
use super::session::Session;
use super::typed::Typed;
use super::xml::Writer;

/// The types that are asked for, each with its subtypes. None is a subtype of another: an object would come with
/// either's properties. (vSphere Web Services API, ManagedEntity.)
const KINDS: [Properties; 9] = [
    Properties { kind: "Folder", paths: &["name", "parent"] },
    Properties { kind: "Datacenter", paths: &["name", "parent"] },
    Properties { kind: "ComputeResource", paths: &["name", "parent"] },
    Properties { kind: "HostSystem", paths: &["name", "parent"] },
    Properties { kind: "ResourcePool", paths: &["name", "parent"] },
    Properties { kind: "Datastore", paths: &["name", "parent"] },
    Properties { kind: "Network", paths: &["name", "parent"] },
    Properties { kind: "DistributedVirtualSwitch", paths: &["name", "parent"] },
    MACHINES,
];
const MACHINES: Properties = Properties { kind: "VirtualMachine", paths: &["name", "parent", "runtime.host"] };
/// Names of one object whose type is not known yet.
const ANY: Properties = Properties { kind: "ManagedEntity", paths: &["name", "parent"] };

/// A thing in the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The thing as an object.
    pub reference: Reference,
    /// Its name, for people; empty where the user may not see it.
    pub name: String,
    /// What it lies in; the root folder, and a machine of a vApp, lie in nothing.
    pub parent: Option<Reference>,
    /// Of a virtual machine: the host it is on.
    pub host: Option<Reference>,
}

impl Session {
    /// The whole inventory that the user may see, the root folder included, in no order. (ViewManager,
    /// ContainerView.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn inventory(&self) -> Result<Vec<Entity>, Error> {
        let root = &self.content().root_folder;
        let mut all = self.retrieve(&[ANY], &Start::Object(root)).await?;
        all.append(&mut self.contained(&KINDS).await?);
        Ok(all.into_iter().map(Entity::of).collect())
    }

    /// The virtual machines, in no order.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn machines(&self) -> Result<Vec<Entity>, Error> {
        Ok(self.contained(&[MACHINES]).await?.into_iter().map(Entity::of).collect())
    }

    /// A thing by its reference.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn find_entity(&self, reference: &Reference) -> Result<Option<Entity>, Error> {
        let properties = if reference.kind == MACHINES.kind { MACHINES } else { ANY };
        match self.retrieve(&[properties], &Start::Object(reference)).await {
            Ok(mut found) => Ok(found.pop().map(Entity::of)),
            Err(Error::ManagedObjectNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything under the root folder of these types.
    async fn contained(&self, kinds: &[Properties]) -> Result<Vec<Found>, Error> {
        let content = self.content();
        let mut call = Writer::call("CreateContainerView", &content.view_manager);
        call.reference("container", &content.root_folder);
        kinds.iter().for_each(|properties| call.text("type", properties.kind));
        call.flag("recursive", true);
        let view = self.make(call).await?;
        let found = self.along(kinds, &view, "view").await;
        // Found or not: the view costs the vCenter something as long as it is there.
        self.destroy_made("DestroyView", &view).await?;
        found
    }
}

impl Entity {
    fn of(mut found: Found) -> Self {
        let name = found.take("name").and_then(Typed::into_text).unwrap_or_default();
        Self {
            name: plain(&name).into_owned(),
            parent: found.take("parent").and_then(Typed::into_reference),
            host: found.take("runtime.host").and_then(Typed::into_reference),
            reference: found.object,
        }
    }
}

/// A name as people wrote it. The API has `%2f`, `%5c` and `%25` for three characters. (ManagedEntity.name.)
fn plain(name: &str) -> Cow<'_, str> {
    if !name.contains('%') {
        return Cow::Borrowed(name);
    }
    let mut name = name.to_owned();
    for (escape, character) in [("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\"), ("%25", "%")] {
        name = name.replace(escape, character);
    }
    Cow::Owned(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_people_wrote_them() {
        for (wire, is) in
            [("web-1", "web-1"), ("a%2fb", "a/b"), ("100%25", "100%"), ("%252f", "%2f"), ("a%5Cb", "a\\b")]
        {
            assert_eq!(plain(wire), is);
        }
    }
}
