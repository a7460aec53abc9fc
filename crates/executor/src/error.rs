//! Our own faults: the host could not do what every work needs. What the work itself does wrong is an outcome.

use std::io;
use std::path::PathBuf;

/// Why a work could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The name would not be a safe name of a folder.
    #[error("{0:?} cannot name a work: use letters, digits, '-', '_' and '.'")]
    Name(String),
    /// A work of this name runs already.
    #[error("a work named {0:?} runs already on this host")]
    Taken(String),
    /// The working folder or a file in it could not be written.
    #[error("the working folder {} could not be prepared", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// No control group could be made for it.
    #[error("the control group {} could not be made", path.display())]
    Group { path: PathBuf, source: io::Error },
    /// The host has no process or pipe left to give.
    #[error("the host could not start a process")]
    Spawn(#[source] io::Error),
    /// The end of the main process could not be learned.
    #[error("the process could not be waited for")]
    Wait(#[source] io::Error),
    /// The way that the configuration asks for does not work here.
    #[error("process trees by control groups are asked for, but this host does not offer them: {0}")]
    NoGroups(String),
    /// `/proc` or another thing that every Linux host has is missing.
    #[error("this host lacks what process trees need: {what}")]
    Host { what: &'static str, source: io::Error },
    /// The work's own task ended without an answer: a defect.
    #[error("the work's supervision ended without an answer")]
    Vanished(#[source] tokio::task::JoinError),
}

/// Why a work was not started.
#[derive(Debug)]
pub(super) enum StartError {
    Host(ExecutorError),
    /// The program cannot run on this host: the work's own failure, with the message for its owner.
    Program(String),
}

impl From<ExecutorError> for StartError {
    fn from(error: ExecutorError) -> Self {
        Self::Host(error)
    }
}
