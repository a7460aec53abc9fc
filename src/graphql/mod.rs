//! The graph's door: types over the resolvers, the transports that carry them, the limits that come first.

pub mod attempt;
pub mod audit;
mod change;
pub mod context;
pub mod definition;
pub mod error;
pub mod event;
pub mod gate;
pub mod id;
pub mod limits;
pub mod loader;
pub mod log;
pub mod node;
pub mod now;
pub mod order;
pub mod page;
pub mod preview;
pub mod result;
pub mod row;
pub mod scalar;
pub mod schema;
pub mod secret;
pub mod session;
pub mod source;
pub mod state;
pub mod subtask;
pub mod task;
pub mod tenant;
pub mod token;
pub mod transport;
pub mod user;
pub mod vcenter;
pub mod vsphere;
pub mod waiting;
pub mod worker;

pub use schema::{Schema, build};
