//! The operator's own way in: whoever may write the data folder, or knows the database's password, administers it.
//! Commands work beside a running server; what they do is audited as `system:cli`.

use std::sync::Arc;

use crate::auth::Principal;
use crate::clock::{Clock, SystemClock};
use crate::config::Settings;
use crate::error::Language;
use crate::resolver::{App, Request};
use crate::store::open::{DatabasePlace, Pools, beside, open};
use crate::store::{Store, migrate};
use crate::telemetry::RequestId;
use crate::vault::Vault;

/// A request of the operator, on the database of these settings.
///
/// # Errors
/// When there is no database, or its schema is of another version.
pub(super) async fn request(settings: &Settings) -> anyhow::Result<Request> {
    let store = beside(&place(settings), pools(settings)).await?;
    migrate::check(&store).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // Most commands need no key, and none may make one: that is for the server.
    let vault = crate::server::find_vault(settings)?.unwrap_or_else(|| Vault::absent(&settings.data_dir));
    let proofs = crate::server::proofs(settings);
    Ok(Request {
        app: Arc::new(App::open(store, clock, vault, proofs).await?),
        principal: Principal::system("cli"),
        language: Language::En,
        id: RequestId::random().to_string().into(),
        address: None,
    })
}

/// The database alone, taken: its schema may be changed. Refused while a server runs on the same folder.
///
/// # Errors
/// When it cannot be opened.
pub(super) async fn store(settings: &Settings) -> anyhow::Result<(Store, crate::store::open::FolderGuard)> {
    Ok(open(&place(settings), pools(settings)).await?)
}

fn place(settings: &Settings) -> DatabasePlace {
    match &settings.database.url {
        Some(url) => DatabasePlace::Postgres(url.expose().into()),
        None => DatabasePlace::Folder(settings.data_dir.clone()),
    }
}

/// One command needs no more, whatever a server has.
fn pools(settings: &Settings) -> Pools {
    Pools { connections: 2, acquire: settings.database.acquire_timeout, statement: settings.server.request_timeout }
}
