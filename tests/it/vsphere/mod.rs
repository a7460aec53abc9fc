//! vCenters: the client that speaks to them, and what is made of what they tell. Both meet a simulated vCenter, which
//! `.ci/vcsim` builds.

mod client;
mod simulator;
