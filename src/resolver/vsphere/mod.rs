//! The tasks of vCenters: how they are collected, found, named and cancelled. The vCenters themselves are in
//! [`super::vcenter`].

pub mod catalogue;
pub mod collect;
pub mod info;
pub mod label;
mod merge;
pub mod task;
pub mod trouble;
pub mod unreadable;
