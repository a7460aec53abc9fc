//! What goes wrong at a vCenter, as collectors show it and try again.

use super::super::collect::{self, Again, Trouble};
use crate::resolver::vsphere::trouble;
use crate::vsphere::Error;

pub(super) type VsphereRoundEnd = collect::RoundEnd<Error>;

impl From<Error> for VsphereRoundEnd {
    fn from(error: Error) -> Self {
        Self::Theirs(error)
    }
}

impl Trouble for Error {
    fn word(&self) -> &'static str {
        trouble::code(self)
    }

    fn again(&self) -> Again {
        match self {
            Self::InvalidLogin | Self::PasswordExpired => Again::Carefully,
            error if error.is_session_lost() => Again::AtOnce,
            error if error.is_passing() => Again::Soon,
            _ => Again::Later,
        }
    }
}
