//! The vSphere client against recorded answers, answers written after the API's definition, servers that misbehave, and
//! a simulated vCenter.
//!
//! `fixtures/recorded` was seen on the wire of a simulator; `fixtures/definition` was written by hand after the API's
//! definition, for what the simulator never sends. Their servers run in this process, on threads of their own; `live`
//! starts the simulator, which `.ci/vcsim` builds.

mod calls;
mod certificates;
mod faults;
mod feed;
mod follow;
mod hostile;
mod live;
mod machines;
mod replay;
pub(in crate::vsphere) mod server;
mod tasks;
mod updates;
mod vcenter;

/// A fixture's text.
macro_rules! fixture {
    ($name:expr) => {
        include_str!(concat!("fixtures/", $name, ".xml"))
    };
}
use fixture;
