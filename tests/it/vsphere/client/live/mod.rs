//! The client and a simulated vCenter, each in its own process.

mod follow;
mod history;
mod lost;
mod operations;
mod session;
