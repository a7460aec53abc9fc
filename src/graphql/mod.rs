//! The graph's door: a file per resource, types over the resolvers. What is true of any schema is `src/gql`.

pub mod attempt;
pub mod audit;
mod change;
pub mod context;
pub mod definition;
pub mod event;
pub mod gate;
pub mod limits;
pub mod list;
pub mod loader;
pub mod log;
pub mod node;
pub mod now;
pub mod preview;
pub mod result;
pub mod schema;
pub mod secret;
pub mod session;
pub mod source;
pub mod state;
pub mod subtask;
pub mod task;
pub mod tenant;
pub mod token;
pub mod user;
pub mod vcenter;
pub mod vsphere;
pub mod waiting;
pub mod worker;

pub use schema::{GraphqlSchema, build};
