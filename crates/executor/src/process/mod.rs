//! Holds a whole process tree: starts its first process, freezes, stops and counts all of them, sees the last one gone.
//!
//! Two ways, the better one chosen at start: control groups ([`cgroup`]), else the sub-reaper ([`subreaper`], [`subreaper_tree`]).
//! [`ProcessTree`] is one work in either. [`guardian`] and [`sweep`] see to it that a tree does not outlive this server.

mod capabilities;
mod cell;
mod cgroup;
mod cgroup_mount;
mod cgroup_root;
mod child;
mod domain;
mod exit;
mod guardian;
mod isolation;
mod launcher;
mod meter;
mod process_table;
mod rlimit_tag;
mod server_run;
mod spawn;
mod subreaper;
mod subreaper_tree;
mod sweep;
mod tree;
mod user_namespace;

pub use capabilities::{Capabilities, Enforcement, TreeChoice, TreeKind};
pub(super) use cell::{Cell, TEMPORARY};
pub(super) use child::Child;
pub(super) use exit::Exit;
pub use isolation::{Apart, Isolation, IsolationError, Wanted};
pub(super) use launcher::{ProcessLauncher, ProcessStart, StartedProcess, reap_orphans};
pub(super) use meter::UsageMeter;
pub(super) use server_run::MARK;
pub(super) use spawn::Command;
pub(super) use tree::ProcessTree;
