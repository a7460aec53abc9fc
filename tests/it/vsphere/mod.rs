//! vCenters: the client that speaks to them, and what is made of what they tell. Both meet a simulated vCenter, which
//! `.ci/vcsim` builds.

mod alone;
mod client;
mod clock;
mod follow;
mod hostile;
mod kept;
mod lab;
mod lease;
mod lost;
mod migration;
mod plans;
mod precision;
mod proxy;
mod retention;
pub(crate) mod rows;
pub(crate) mod simulator;
mod standing;
mod takeover;
mod trouble;
mod unreadable;
