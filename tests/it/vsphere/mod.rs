//! vCenters: the client that speaks to them, and what is made of what they tell. Both meet a simulated vCenter, which
//! `.ci/vcsim` builds.

mod client;
mod follow;
mod hostile;
mod lab;
mod lease;
mod lost;
mod plans;
mod proxy;
mod retention;
pub(crate) mod simulator;
mod takeover;
mod trouble;
