//! What an attempt is given by name: values of its tenant's secrets, and a data source or a
//! vCenter with its password.
//!
//! The fence is that of every other write: under an epoch that is over, nothing is given out.

use taskloom_entity::{VcenterTrust, data_source, vcenter};

use crate::error::{Error, Result, code};
use crate::executor::program::{DataSource, VcenterLogin};
use crate::store::{self, Store};
use crate::vault::{Hidden, Place, Vault};
use crate::vsphere::{Address, Thumbprint, Trust};
use crate::worker::port::{AttemptEquipment, AttemptNeeds, AttemptRef};

/// Opens what an attempt names.
pub(super) async fn run(
    store: &Store,
    vault: &Vault,
    attempt: AttemptRef,
    needs: &AttemptNeeds,
) -> Result<AttemptEquipment> {
    let names = &needs.secrets;
    let (read, of) = (store.read(), (attempt.subtask_id, attempt.epoch));
    let mut equipment = AttemptEquipment::default();
    if !names.is_empty() {
        let rows = store::secret::of_subtask(read, of, names).await?;
        for name in names {
            let row = rows.iter().find(|row| row.name == *name);
            let row = row.ok_or_else(|| Error::new(&code::SECRET_NOT_FOUND).with("id", name))?;
            let value = open(vault, store::secret::place(row.id), &row.sealed)?;
            equipment.secrets.push((name.clone(), value.into()));
        }
    }
    if let Some(name) = &needs.source {
        let row = store::source::of_subtask(read, of, name).await?;
        let row = row.ok_or_else(|| Error::new(&code::DATA_SOURCE_NOT_FOUND).with("id", name))?;
        equipment.source = Some(self::source(vault, row)?.into());
    }
    if let Some(name) = &needs.vcenter {
        let row = store::vcenter::of_subtask(read, of, name).await?;
        let row = row.ok_or_else(|| Error::new(&code::VCENTER_NOT_FOUND).with("vcenter", name))?;
        equipment.vcenter = Some(vcenter(vault, row)?.into());
    }
    Ok(equipment)
}

/// A data source as an executor signs in there.
///
/// # Errors
/// `KEY_NOT_USABLE` when its password cannot be opened.
pub fn source(vault: &Vault, row: data_source::Model) -> Result<DataSource> {
    let sealed = row.sealed.as_deref();
    let password = sealed.map(|sealed| open(vault, store::source::place(row.id), sealed)).transpose()?;
    let options: serde_json::Map<String, serde_json::Value> = row.options.parse().map_err(Error::internal)?;
    let option = |(key, value): (String, serde_json::Value)| Some((key, value.as_str()?.to_owned()));
    Ok(DataSource {
        name: row.name,
        kind: row.kind,
        host: row.host,
        port: row.port.and_then(|port| u16::try_from(port).ok()),
        database: row.database,
        user: row.username,
        password,
        options: options.into_iter().filter_map(option).collect(),
    })
}

/// A vCenter as an executor signs in there.
pub fn vcenter(vault: &Vault, row: vcenter::Model) -> Result<VcenterLogin> {
    let sealed = row.sealed.as_deref();
    let password = sealed.map(|sealed| open(vault, store::vcenter::place(row.id), sealed)).transpose()?;
    let refused = |reason: &str| Error::new(&code::KEY_NOT_USABLE).with("reason", reason);
    let trust = match (row.trust, row.trusted) {
        (VcenterTrust::System, _) => Trust::SystemRoots,
        (VcenterTrust::Ca, trusted) => Trust::Ca(trusted.unwrap_or_default()),
        (VcenterTrust::Thumbprint, trusted) => {
            Trust::Thumbprint(Thumbprint::parse(&trusted.unwrap_or_default()).map_err(Error::internal)?)
        }
    };
    Ok(VcenterLogin {
        address: Address::parse(&row.address).map_err(Error::internal)?,
        trust,
        user: row.username,
        password: password.ok_or_else(|| refused("there is no password"))?,
        name: row.name,
    })
}

fn open(vault: &Vault, place: Place, sealed: &[u8]) -> Result<Hidden> {
    let refused = |reason: String| Error::new(&code::KEY_NOT_USABLE).with("reason", reason);
    let text = vault.open(place, sealed).map_err(|error| refused(error.to_string()))?;
    let text = std::str::from_utf8(&text).map_err(|_| refused("it is no text".to_owned()))?;
    Ok(Hidden::new(text.to_owned()))
}
