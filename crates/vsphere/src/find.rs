//! Finds the virtual machine that a person means.

use super::error::Error;
use super::inventory::Entity;
use super::reference::Reference;
use super::session::Session;
use super::soap;
use super::xml::Writer;

impl Session {
    /// The virtual machine that a text means: `VirtualMachine:vm-119` or `vm-119`, a BIOS or instance UUID, or a name.
    /// A name costs a look at all machines.
    ///
    /// # Errors
    /// [`Error::Ambiguous`] where several have the name or the UUID, and those of any call.
    pub async fn find_vm(&self, name_or_reference: &str) -> Result<Option<Entity>, Error> {
        let text = name_or_reference;
        let key = text.strip_prefix("VirtualMachine:").or_else(|| text.starts_with("vm-").then_some(text));
        if let Some(key) = key
            && let Some(machine) = self.find_entity(&Reference::new("VirtualMachine", key)).await?
        {
            return Ok(Some(machine));
        }
        if is_uuid(text)
            && let Some(machine) = self.vm_by_uuid(text).await?
        {
            return Ok(Some(machine));
        }
        let mut named = self.machines().await?;
        named.retain(|machine| machine.name == text);
        single(named)
    }

    async fn vm_by_uuid(&self, uuid: &str) -> Result<Option<Entity>, Error> {
        for instance in [false, true] {
            let found = match self.search("FindAllByUuid", uuid, instance).await {
                // Of simulators; every vCenter has it. The other method hides that there are several.
                Err(error) if error.is_unsupported() => self.search("FindByUuid", uuid, instance).await?,
                found => found?,
            };
            if let Some(machine) = single(found)? {
                return self.find_entity(&machine).await;
            }
        }
        Ok(None)
    }

    /// Asks for machines by the UUID of their BIOS or of the vCenter's own. (SearchIndex.)
    async fn search(&self, method: &'static str, uuid: &str, instance: bool) -> Result<Vec<Reference>, Error> {
        let mut call = Writer::call(method, &self.content().search_index);
        call.text("uuid", uuid);
        call.flag("vmSearch", true);
        call.flag("instanceUuid", instance);
        self.call(call, |xml| soap::each(xml, Reference::read)).await
    }
}

fn single<T>(mut all: Vec<T>) -> Result<Option<T>, Error> {
    match all.len() {
        0 | 1 => Ok(all.pop()),
        count => Err(Error::Ambiguous { count }),
    }
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
