//! A look at a server before anything is trusted.
//!
//! The invariant: the connection of a probe accepts any certificate, so no user name and no password ever goes there.

use std::sync::{Arc, OnceLock};

use chrono::{DateTime, Utc};

use super::address::Address;
use super::certificate;
use super::client::{Client, aside};
use super::content::About;
use super::error::Error;
use super::http::Http;
use super::limits::Limits;
use super::thumbprint::Thumbprint;
use super::trust::Distrust;

/// What can be seen of a vCenter before it is trusted.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Of the certificate that it shows; none with plain `http`.
    pub thumbprint: Option<Thumbprint>,
    /// Whether this system's authorities vouch for the certificate.
    pub trusted: bool,
    /// Why they do not.
    pub distrust: Option<Distrust>,
    /// The end of the certificate's time.
    pub not_after: Option<DateTime<Utc>>,
    /// The common name in the certificate.
    pub subject: Option<String>,
    /// What it says it is.
    pub about: About,
}

/// Looks at a server: its certificate, and what it says it is. No user name and no password is sent.
///
/// # Errors
/// [`Error::NotVcenter`] where something else answers, and those of the way there.
pub async fn probe(address: &Address, limits: &Limits) -> Result<Probe, Error> {
    let witnessed = Arc::new(OnceLock::new());
    let tls = aside({
        let witnessed = Arc::clone(&witnessed);
        move || Ok(certificate::witness(witnessed))
    });
    let client = Client::over(Http::new(address.url().clone(), tls.await?, *limits)?, address).await?;
    let seen = witnessed.get();
    let distrust = seen.and_then(|seen| seen.distrust);
    Ok(Probe {
        thumbprint: seen.map(|seen| seen.thumbprint),
        trusted: seen.is_some() && distrust.is_none(),
        distrust,
        not_after: seen.and_then(|seen| seen.facts.not_after),
        subject: seen.and_then(|seen| seen.facts.subject.clone()),
        about: client.about().clone(),
    })
}
