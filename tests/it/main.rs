//! The one integration binary: a module per area.

mod doors;
mod executor;
mod harness;
mod house;
