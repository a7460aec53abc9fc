//! What a host can hold, in words that people read.

use std::fmt;

/// How process trees are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeKind {
    /// A control group (cgroup v2) for each work.
    Cgroup,
    /// This process adopts orphans and walks `/proc`.
    Subreaper,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeChoice {
    #[default]
    Best,
    Only(TreeKind),
}

/// How a limit is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// For the work as a whole, by the kernel.
    Whole,
    /// For each of its processes alone.
    EachProcess,
    No,
}

/// What is used on this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    pub way: TreeKind,
    /// `limits.memory_bytes`.
    pub memory: Enforcement,
    /// `limits.cpu`.
    pub cpu: Enforcement,
    /// `limits.processes`.
    pub processes: Enforcement,
}

impl fmt::Display for Enforcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whole => "enforced",
            Self::EachProcess => "for each process alone",
            Self::No => "not enforced",
        })
    }
}

impl fmt::Display for Capabilities {
    /// The limits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limits: memory {}, cpu {}, processes {}", self.memory, self.cpu, self.processes)
    }
}
