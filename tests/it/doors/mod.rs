//! The doors of `/graphql` and `/graphiql`, each asked by a real client over a real socket, in front of a small schema
//! that has one field for each thing that a door must handle.

mod clients;
mod cursors;
mod graphiql;
mod http;
mod limits;
mod server;
mod sse;
mod ws;
