//! The key of what lies sealed: changed while servers run.

use serde_json::json;
use taskloom_entity::Role;

use super::Request;
use super::audit::{self, Act};
use super::secret::refused;
use crate::error::Result;
use crate::store::{self, Changed};
use crate::vault::KeyId;

/// What a change of the key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key from now on.
    pub key: KeyId,
    /// Values that were sealed anew.
    pub values: u64,
    /// Values that could not be opened, and stay as they are: their key is lost, or they are damaged.
    pub lost: u64,
    /// Old keys that left the key file.
    pub forgotten: usize,
}

/// Makes a new key, and seals everything with it. Keys of the environment are not made here: everything comes under
/// the first of them. Others may write meanwhile; tried again, it goes on where it was.
///
/// The key of before stays in the file until the next change: a server that was just sealing may still have used it.
///
/// # Errors
/// `KEY_NOT_USABLE`, `FORBIDDEN` for all but administrators.
#[tracing::instrument(name = "key.rotate", skip_all)]
pub async fn rotate(request: &Request) -> Result<Rotated> {
    let act = Act::new("key.rotate", "key");
    audit::permit(request, Role::Admin, &act).await?;
    let before = request.vault.current();
    let key = request.vault.renew().map_err(refused)?;
    let (mut values, mut lost, mut after) = (0, 0, None);
    loop {
        let rows = store::sealed::under_others(request.store.write(), &key.to_string(), after).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.place);
        let tx = request.store.begin().await?;
        for row in &rows {
            let Ok(text) = request.vault.open(row.place, &row.sealed) else {
                lost += 1;
                continue;
            };
            let sealed = request.vault.seal(row.place, &text).map_err(refused)?;
            match store::sealed::replace(&tx, row, sealed).await? {
                Changed::Yes => values += 1,
                // Somebody gave it another value meanwhile, which came under the new key.
                Changed::Stale => {}
            }
        }
        store::commit(tx).await?;
    }
    let mut used: Vec<KeyId> = before.into_iter().collect();
    used.extend(store::sealed::keys(request.store.write()).await?.iter().filter_map(|id| KeyId::parse(id)));
    let forgotten = request.vault.forget(&used).map_err(refused)?;
    let rotated = Rotated { key, values, lost, forgotten };
    let detail = json!({"key": key.to_string(), "values": values, "lost": lost, "forgotten": forgotten});
    audit::change(request, act.with(&detail), async |_, act| {
        act.on(format_args!("key:{key}"));
        Ok(rotated)
    })
    .await
}
