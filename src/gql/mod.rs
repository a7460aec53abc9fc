//! GraphQL for any schema: the transports that carry operations, the limits that come first, and what fields are made of
//! (ids, scalars, pages, lists that are charged by their lengths, the envelope of errors).
//!
//! It knows no field and no resource. What it must know of a server is given to it: who calls and who pays by the gate
//! ([`transport::TransportGate`], [`limits::Payer`]), the schema's own names by [`limits::OperationLimits`].

pub mod error;
pub mod id;
pub mod limits;
pub mod many;
pub mod order;
pub mod page;
pub mod row;
pub mod scalar;
pub mod transport;
