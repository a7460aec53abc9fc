//! The graph's door: types over the resolvers, the transports that carry them, the limits that come first.

pub mod error;
pub mod graphiql;
pub mod id;
pub mod limits;
pub mod page;
pub mod scalar;
pub mod transport;
