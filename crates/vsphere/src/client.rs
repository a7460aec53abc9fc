//! The way to a session: connect, agree on a version, sign in.

use std::sync::Arc;

use rustls::ClientConfig;

use super::address::Address;
use super::certificate;
use super::content::{About, ServiceContent};
use super::error::Error;
use super::http::Http;
use super::limits::Limits;
use super::session::{Session, SignedIn};
use super::soap::{Caller, Wire};
use super::trust::Trust;
use super::version;
use super::xml::Writer;

/// A vCenter that answered, and to which nobody signed in yet.
#[derive(Clone, Debug)]
pub struct Client {
    wire: Wire,
    content: Arc<ServiceContent>,
    version: String,
}

impl Client {
    /// Connects, and agrees on a version of the API. Sends nothing secret.
    ///
    /// # Errors
    /// [`Error::NotVcenter`] where something else answers, and those of the way there.
    pub async fn connect(address: &Address, trust: &Trust, limits: Limits) -> Result<Self, Error> {
        let trust = trust.clone();
        let tls = aside(move || certificate::settings(&trust)).await?;
        Self::over(Http::new(address.url().clone(), tls, limits)?, address).await
    }

    /// What the server is.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.content.about
    }

    /// The version of the API that is spoken, such as `6.7`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Begins a session. Its texts are in the language of `locale`, such as `zh_CN`, or in the vCenter's own where it
    /// does not have that language: [`Session::signed_in`] tells. (vSphere Web Services API, SessionManager.Login.)
    ///
    /// # Errors
    /// [`Error::InvalidLogin`], [`Error::PasswordExpired`], [`Error::NoPermission`] for a user who may do nothing, and
    /// those of any call.
    pub async fn sign_in(&self, user: &str, password: &str, locale: &str) -> Result<Session, Error> {
        match self.login(user, password, Some(locale)).await {
            Err(Error::Fault { kind, .. }) if kind == "InvalidLocale" => {
                tracing::debug!(locale, "the vCenter does not have this language");
                self.login(user, password, None).await
            }
            session => session,
        }
    }

    async fn login(&self, user: &str, password: &str, locale: Option<&str>) -> Result<Session, Error> {
        let mut call = Writer::call("Login", &self.content.session_manager);
        call.text("userName", user);
        call.text("password", password);
        call.optional("locale", locale);
        // Without a cookie: a session that is signed in already is refused as a wrong password is.
        let heard = self.wire.call(call, Caller::default(), SignedIn::read).await?;
        let cookie = heard.cookie.ok_or(Error::NotVcenter("it signs in without a session"))?;
        Ok(Session::new(self.wire.clone(), Arc::clone(&self.content), cookie, heard.value))
    }

    pub(super) async fn over(http: Http, address: &Address) -> Result<Self, Error> {
        let versions = http.get(address.versions()).await.map_err(stranger)?;
        if versions.status != 200 {
            return Err(stranger(Error::Http(versions.status)));
        }
        let version = version::choose(&versions.body, http.limits().depth)?;
        let wire = Wire::new(http, &version)?;
        let content =
            wire.call(ServiceContent::call(), Caller::default(), ServiceContent::read).await.map_err(stranger)?;
        Ok(Self { wire, content: Arc::new(content.value.of_vcenter()?), version })
    }
}

/// What an answer means that no vCenter gives before anyone signed in.
fn stranger(error: Error) -> Error {
    match error {
        Error::Malformed(_) => Error::NotVcenter("it does not answer as the API defines"),
        Error::Http(_) if !error.is_passing() => Error::NotVcenter("it serves no vSphere API"),
        error => error,
    }
}

/// Makes TLS settings on a thread of their own: the system's authorities are read from files.
pub(super) async fn aside(
    settings: impl FnOnce() -> Result<ClientConfig, Error> + Send + 'static,
) -> Result<ClientConfig, Error> {
    let failed = |_| Err(Error::InvalidSetting("no TLS settings can be made"));
    tokio::task::spawn_blocking(settings).await.unwrap_or_else(failed)
}
