//! A session: what a signed-in user can ask.
//!
//! Cheap to clone: all clones are one session. Calls may be made at the same time. A session ends on its own after
//! thirty idle minutes (a vCenter's default), with a restart, or when an administrator ends it; every call then fails
//! with [`Error::NotAuthenticated`], and all that was made in it is gone.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderValue;

use super::content::{About, ServiceContent, service_instance};
use super::error::Error;
use super::instant;
use super::left_out::LeftOut;
use super::reference::Reference;
use super::soap::{self, Caller, Heard, Read, Wire};
use super::xml::{Malformed, Reader, Writer};

/// A signed-in user.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    wire: Wire,
    content: Arc<ServiceContent>,
    cookie: HeaderValue,
    signed_in: SignedIn,
    left_out: Mutex<LeftOut>,
}

/// Who signed in. (vSphere Web Services API, UserSession.)
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedIn {
    /// As the vCenter writes it: `VSPHERE.LOCAL\Administrator`.
    pub user_name: String,
    /// The person's name, or the account's again.
    pub full_name: String,
    /// The language of the session's texts, such as `zh_CN`.
    pub locale: String,
}

impl Session {
    pub(super) fn new(wire: Wire, content: Arc<ServiceContent>, cookie: HeaderValue, signed_in: SignedIn) -> Self {
        Self(Arc::new(Inner { wire, content, cookie, signed_in, left_out: Mutex::default() }))
    }

    /// Who signed in, and in which language.
    #[must_use]
    pub fn signed_in(&self) -> &SignedIn {
        &self.0.signed_in
    }

    /// What the vCenter is.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.0.content.about
    }

    /// The vCenter's clock. Also keeps the session alive. (ServiceInstance.CurrentTime.)
    ///
    /// # Errors
    /// Those of any call.
    pub async fn server_clock(&self) -> Result<DateTime<Utc>, Error> {
        self.call(Writer::call("CurrentTime", &service_instance()), read_instant).await
    }

    /// Ends the session and all that was made in it. (SessionManager.Logout.)
    ///
    /// # Errors
    /// Those of any call; a session that was lost already is none.
    pub async fn sign_out(&self) -> Result<(), Error> {
        match self.call(Writer::call("Logout", &self.content().session_manager), soap::none).await {
            Err(Error::NotAuthenticated) => Ok(()),
            ended => ended,
        }
    }

    pub(super) fn content(&self) -> &ServiceContent {
        &self.0.content
    }

    /// Makes a call.
    pub(super) async fn call<T: Send + 'static>(&self, call: Writer, read: Read<T>) -> Result<T, Error> {
        self.ask(call, None, read).await
    }

    /// Makes a call that may wait on purpose.
    pub(super) async fn wait<T: Send + 'static>(
        &self,
        call: Writer,
        wait: Duration,
        read: Read<T>,
    ) -> Result<T, Error> {
        self.ask(call, Some(wait), read).await
    }

    async fn ask<T: Send + 'static>(&self, call: Writer, wait: Option<Duration>, read: Read<T>) -> Result<T, Error> {
        let caller = Caller { cookie: Some(&self.0.cookie), wait };
        let Heard { value, left_out, .. } = self.0.wire.call(call, caller, read).await?;
        if !left_out.is_empty() {
            self.0.left_out.lock().unwrap_or_else(PoisonError::into_inner).append(left_out);
        }
        Ok(value)
    }

    /// The tasks that could not be read in this session's answers, and were left out of them; each is told once.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        std::mem::take(&mut *self.0.left_out.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes a call that answers a reference: of what it made, or of the task that does it.
    pub(super) async fn make(&self, call: Writer) -> Result<Reference, Error> {
        self.call(call, |xml| soap::one(xml, Reference::read)).await
    }

    /// Destroys something of the session's; it may have gone already.
    pub(super) async fn destroy_made(&self, method: &'static str, object: &Reference) -> Result<(), Error> {
        match self.call(Writer::call(method, object), soap::none).await {
            Err(Error::ManagedObjectNotFound { .. } | Error::NotAuthenticated) => Ok(()),
            destroyed => destroyed,
        }
    }
}

/// Without the cookie, which is as good as the password.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("signed_in", &self.0.signed_in).finish_non_exhaustive()
    }
}

impl SignedIn {
    pub(super) fn read(xml: &mut Reader<'_>) -> Result<Self, Malformed> {
        soap::one(xml, |xml, _| {
            let (mut session, mut messages) = (Self::default(), String::new());
            xml.children(|xml, element| {
                let field = match element.name() {
                    "userName" => &mut session.user_name,
                    "fullName" => &mut session.full_name,
                    "locale" => &mut session.locale,
                    "messageLocale" => &mut messages,
                    _ => return Ok(()),
                };
                *field = xml.text()?.into_string();
                Ok(())
            })?;
            if !messages.is_empty() {
                session.locale = messages;
            }
            Ok(session)
        })
    }
}

fn read_instant(xml: &mut Reader<'_>) -> Result<DateTime<Utc>, Malformed> {
    soap::one(xml, |xml, _| xml.parse(instant::parse))
}
