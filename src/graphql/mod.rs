//! The graph's door: types over the resolvers, the transports that carry them, the limits that come first.

pub mod attempt;
pub mod context;
pub mod definition;
pub mod error;
pub mod event;
pub mod graphiql;
pub mod id;
pub mod limits;
pub mod loader;
pub mod log;
pub mod node;
pub mod page;
pub mod preview;
pub mod scalar;
pub mod schema;
pub mod state;
pub mod subtask;
pub mod task;
pub mod transport;
pub mod waiting;
pub mod worker;

pub use schema::{Schema, build};
