//! Why a server is believed to be the vCenter. Nothing is trusted silently.

use std::fmt;

use super::certificate;
use super::error::Error;
use super::thumbprint::Thumbprint;

/// How the server's certificate is judged.
#[derive(Clone, PartialEq, Eq)]
pub enum Trust {
    /// By the authorities this system trusts.
    SystemRoots,
    /// By these authorities, and no others: one or more certificates in PEM.
    Ca(String),
    /// It must be this one certificate, whatever is in it: expired, for another name, signed by nobody.
    Thumbprint(Thumbprint),
}

impl Trust {
    /// Whether it can be used at all: authorities are certificates in PEM.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] when they are not.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Ca(pem) => certificate::parse(pem).map(drop),
            Self::SystemRoots | Self::Thumbprint(_) => Ok(()),
        }
    }
}

/// A certificate in PEM fills a page and says nothing to people.
impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SystemRoots => f.write_str("SystemRoots"),
            Self::Ca(_) => f.write_str("Ca(..)"),
            Self::Thumbprint(thumbprint) => f.debug_tuple("Thumbprint").field(thumbprint).finish(),
        }
    }
}

/// Why a certificate is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Distrust {
    /// Signed by nobody who is trusted, or by itself.
    #[error("no trusted authority has signed it")]
    UnknownIssuer,
    /// Good, but for other names than the one that was called.
    #[error("it is for another host name")]
    OtherName,
    /// Its time is over.
    #[error("it has expired")]
    Expired,
    /// Its time has not come, or a clock is wrong.
    #[error("it is not valid yet, or a clock is wrong")]
    NotYetValid,
    /// Not the one that was pinned.
    #[error("it is not the one that was trusted by its thumbprint")]
    OtherThumbprint,
    /// Not of a form that can be judged, such as an authority's own certificate.
    #[error("no authority can vouch for a certificate of this form, only its thumbprint can")]
    Unusable,
}
