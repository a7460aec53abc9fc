//! The one integration binary: a module per area.

mod executor;
mod harness;
mod house;
