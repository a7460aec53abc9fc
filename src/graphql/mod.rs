//! The graph's door: types over the resolvers, the transports that carry them, the limits that come first.

pub mod audit;
pub mod error;
pub mod gate;
pub mod graphiql;
pub mod id;
pub mod limits;
pub mod page;
pub mod people;
pub mod request;
pub mod scalar;
pub mod session;
pub mod tenant;
pub mod token;
pub mod transport;
pub mod user;
