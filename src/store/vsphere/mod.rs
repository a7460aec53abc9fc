//! What is kept of vCenters: how each one's collection stands, its objects, its words, its tasks and their events.

pub mod collection;
pub mod event;
pub mod label;
pub mod list;
pub mod object;
pub mod statistics;
pub mod task;
