//! Holds a whole process tree: starts its first process, freezes, stops and counts all of them, sees the last one gone.
//!
//! Two ways, the better one chosen at start: control groups ([`group`]), else the sub-reaper ([`reaper`], [`clan`]).
//! [`Tree`] is one work in either. [`guard`] and [`sweep`] see to it that a tree does not outlive this server.

mod brand;
mod capabilities;
mod cell;
mod child;
mod clan;
mod domain;
mod group;
mod guard;
mod hierarchy;
mod isolation;
mod life;
mod mount;
mod reaper;
mod spawn;
mod sweep;
mod table;
mod tree;
mod trees;
mod users;

pub use capabilities::{Capabilities, Enforcement, Way, WayChoice};
pub(super) use cell::{Cell, TEMPORARY};
pub(super) use child::{Child, Exit};
pub use isolation::{Apart, Isolation, IsolationError, Wanted};
pub(super) use spawn::Command;
pub(super) use tree::{Meter, Tree};
pub(super) use trees::{Start, Started, Trees};
