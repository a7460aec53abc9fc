//! Why a vCenter cannot be used: a word for programs, a sentence for people.

use crate::vsphere::Error;

/// The word for an error, as `Vcenter.reason` shows it.
#[must_use]
pub fn code(error: &Error) -> &'static str {
    match error {
        Error::Unreachable(..) => "UNREACHABLE",
        Error::Untrusted { .. } => "UNTRUSTED",
        Error::WrongThumbprint { .. } => "WRONG_THUMBPRINT",
        Error::CertificateExpired => "CERTIFICATE_EXPIRED",
        Error::NotVcenter(_) => "NOT_A_VCENTER",
        Error::InvalidLogin => "INVALID_LOGIN",
        Error::PasswordExpired => "PASSWORD_EXPIRED",
        Error::NoPermission { .. } => "NO_PERMISSION",
        Error::NotAuthenticated => "SESSION_LOST",
        Error::ManagedObjectNotFound { .. } | Error::Ambiguous { .. } => "OBJECT_NOT_FOUND",
        Error::InvalidCollectorVersion | Error::RequestCanceled => "INTERRUPTED",
        Error::TooManyCollectors => "TOO_MANY_COLLECTORS",
        Error::Fault { .. } => "FAULT",
        Error::TooLarge => "ANSWER_TOO_LARGE",
        Error::TooSlow => "TOO_SLOW",
        Error::Malformed(_) => "MALFORMED",
        Error::Http(_) => "HTTP",
        Error::InvalidText { .. } | Error::InvalidSetting(_) => "INVALID_SETTING",
    }
}
