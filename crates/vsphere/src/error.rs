//! How a call to a vCenter can fail, told apart by what one can do about it.
//!
//! Each message names the remedy. None holds a password, an answer's body or an address; a fault's message is the
//! vCenter's own, in the session's language, cut and without control characters.

use super::fault::Fault;
use super::reference::Reference;
use super::thumbprint::Thumbprint;
use super::trust::Distrust;
use super::value::Value;
use super::xml::Malformed;

/// Longest message of a fault that is kept, in characters.
const MESSAGE: usize = 500;

/// What went wrong underneath, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing answers, or the connection broke.
    #[error("the vCenter cannot be reached: {0}")]
    Unreachable(Obstacle, #[source] Option<Cause>),
    /// The server's certificate is not trusted. Nothing secret was sent.
    #[error(
        "the certificate {thumbprint} is not trusted: {why}; give its authority, or compare the thumbprint with the \
         vCenter's own and pin it"
    )]
    Untrusted {
        /// Of the certificate that the server showed.
        thumbprint: Thumbprint,
        /// Why not.
        why: Distrust,
    },
    /// The server shows another certificate than the pinned one. Nothing secret was sent.
    #[error(
        "the certificate is {found}, and {expected} is pinned; if the vCenter's certificate was renewed, compare and \
         pin the new one"
    )]
    WrongThumbprint {
        /// The pinned one.
        expected: Thumbprint,
        /// Of the certificate that the server showed.
        found: Thumbprint,
    },
    /// The server's certificate has expired, whoever signed it. Nothing secret was sent.
    #[error("the vCenter's certificate has expired; renew it, or pin its thumbprint until then")]
    CertificateExpired,
    /// Something answers, and it is no vCenter.
    #[error("the server is not a vCenter: {0}; check the address")]
    NotVcenter(&'static str),
    /// The user name or the password is wrong, or the account is locked: a vCenter does not tell which.
    #[error("the user name or the password is wrong, or the account is locked; check them on the vCenter")]
    InvalidLogin,
    /// The password was right and has expired. (PasswordExpired, since 8.0.)
    #[error("the password has expired; change it on the vCenter and here")]
    PasswordExpired,
    /// The user may not do this.
    #[error("the privilege {privilege} is missing; give the user a role that has it")]
    NoPermission {
        /// Its id, such as `VirtualMachine.Interact.PowerOff`; empty where the vCenter does not tell.
        privilege: String,
    },
    /// The session has ended, or never began.
    #[error("the session has ended; sign in again")]
    NotAuthenticated,
    /// The object does not exist any more, or never did.
    #[error("the vCenter does not know {reference} (any more)")]
    ManagedObjectNotFound {
        /// Which one.
        reference: Reference,
    },
    /// The property collector does not know the version it was asked to continue from.
    #[error("the vCenter has forgotten what it told last; begin to follow anew")]
    InvalidCollectorVersion,
    /// Someone ended the call while it was waiting.
    #[error("the call was ended by another; make it again")]
    RequestCanceled,
    /// The session has as many histories open as it may.
    #[error("too many histories are open on the vCenter; close some, or wait until other sessions end")]
    TooManyCollectors,
    /// Any other fault of the API.
    #[error("{kind}: {message}")]
    Fault {
        /// Its type, such as `InvalidPowerState`.
        kind: String,
        /// The vCenter's text.
        message: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer is larger than is accepted; ask for less, or check what answers at this address")]
    TooLarge,
    /// The answer did not come, or did not end, in time.
    #[error("the vCenter did not answer in time; check its load and the network")]
    TooSlow,
    /// The answer is not what the API defines.
    #[error("the answer is not what the API defines: {0}; check what is between here and the vCenter")]
    Malformed(#[from] Malformed),
    /// An HTTP status that no answer of the API has.
    #[error("HTTP status {0}; check the vCenter's services and what is before them")]
    Http(u16),
    /// A name that more than one object has.
    #[error("{count} objects have this name; give the reference")]
    Ambiguous {
        /// How many.
        count: usize,
    },
    /// A text given to a call has a character that XML cannot carry. Nothing was sent.
    #[error("{field} has a character that XML cannot carry; leave it out")]
    InvalidText {
        /// The element's name in the API.
        field: &'static str,
    },
    /// A setting of ours that no vCenter could mend, such as an authority's certificate that is none.
    #[error("{0}")]
    InvalidSetting(&'static str),
}

/// Why a server cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The name does not resolve.
    #[error("its name does not resolve; check the address")]
    Name,
    /// Nothing listens at the port.
    #[error("the connection is refused; check the port and whether the vCenter runs")]
    Refused,
    /// No way to its network.
    #[error("there is no route to it; check the network")]
    Route,
    /// No answer to the attempt to connect.
    #[error("no connection in time; check the address and firewalls")]
    Timeout,
    /// It does not speak TLS, or none that we speak.
    #[error("no TLS connection could be made; check the port")]
    Tls,
    /// The connection broke.
    #[error("the connection broke; check the network")]
    Broken,
}

impl Error {
    /// Whether the same call may succeed a while later, with nothing changed here.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(..) | Self::TooSlow | Self::NotAuthenticated | Self::RequestCanceled => true,
            Self::InvalidCollectorVersion | Self::TooManyCollectors => true,
            Self::Http(status) => matches!(status, 408 | 429 | 500 | 502..=504),
            Self::Fault { kind, .. } => PASSING.contains(&kind.as_str()),
            Self::Untrusted { .. } | Self::WrongThumbprint { .. } | Self::CertificateExpired => false,
            Self::NotVcenter(_) | Self::InvalidLogin | Self::PasswordExpired | Self::NoPermission { .. } => false,
            Self::ManagedObjectNotFound { .. } | Self::Ambiguous { .. } | Self::InvalidText { .. } => false,
            Self::TooLarge | Self::Malformed(_) | Self::InvalidSetting(_) => false,
        }
    }

    /// Whether everything made in the session is gone with it: collectors, filters, views.
    #[must_use]
    pub fn is_session_lost(&self) -> bool {
        matches!(self, Self::NotAuthenticated)
    }

    /// Whether the server does not know the method or property that was asked for.
    pub(super) fn is_unsupported(&self) -> bool {
        matches!(self, Self::Fault { kind, .. } if UNSUPPORTED.contains(&kind.as_str()))
    }

    /// What a fault of this kind means where a history is opened. (TaskManager.CreateCollectorForTasks.)
    pub(super) fn of_collector(self) -> Self {
        match self {
            Self::Fault { kind, .. } if kind == "InvalidState" => Self::TooManyCollectors,
            error => error,
        }
    }
}

/// Faults of a vCenter that is busy or just starting.
const PASSING: [&str; 5] = ["HostCommunication", "HostNotReachable", "SystemError", "TaskInProgress", "Timedout"];
/// Faults of a server that lacks something. (vSphere Web Services API, RuntimeFault and its children.)
const UNSUPPORTED: [&str; 6] =
    ["InvalidProperty", "InvalidRequest", "InvalidType", "MethodNotFound", "NotImplemented", "NotSupported"];

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match (fault.kind.as_str(), fault.detail("privilegeId"), fault.detail("obj")) {
            ("InvalidLogin" | "InvalidClientCertificate", ..) => Self::InvalidLogin,
            ("PasswordExpired", ..) => Self::PasswordExpired,
            ("NotAuthenticated", ..) => Self::NotAuthenticated,
            ("NoPermission", Some(Value::Text(privilege)), _) => Self::NoPermission { privilege: tidy(privilege) },
            ("NoPermission", ..) => Self::NoPermission { privilege: String::new() },
            ("ManagedObjectNotFound", _, Some(Value::Reference(reference))) => {
                Self::ManagedObjectNotFound { reference: reference.clone() }
            }
            ("RequestCanceled", ..) => Self::RequestCanceled,
            ("InvalidCollectorVersion", ..) => Self::InvalidCollectorVersion,
            _ => Self::Fault { message: tidy(fault.message()), kind: tidy(&fault.kind) },
        }
    }
}

/// Cuts a foreign text and takes out what could disturb a log.
pub(super) fn tidy(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).take(MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: &str) -> Error {
        Fault { kind: kind.into(), ..Fault::default() }.into()
    }

    #[test]
    fn tells_what_may_pass() {
        let unreachable = Error::Unreachable(Obstacle::Refused, None);
        let passing = [unreachable, fault("NotAuthenticated"), fault("HostCommunication"), Error::Http(503)];
        assert!(passing.iter().all(Error::is_passing));
        let lasting = [fault("InvalidLogin"), fault("InvalidPowerState"), Error::Http(404)];
        assert!(!lasting.iter().any(Error::is_passing));
        assert!(fault("NotAuthenticated").is_session_lost() && !fault("NoPermission").is_session_lost());
        assert!(matches!(fault("InvalidState").of_collector(), Error::TooManyCollectors));
    }

    #[test]
    fn cuts_foreign_texts() {
        let text = Some("a\nb".repeat(1000));
        let long = Fault { kind: "X".into(), localized_message: text, ..Fault::default() };
        let text = Error::from(long).to_string();
        assert!(text.starts_with("X: a ba b") && text.len() == MESSAGE + 3, "{text}");
    }
}
