//! Sign-in, users, tenants, tokens and the audit log, through the graph over HTTP, on both databases.

mod audit;
mod bench;
mod credentials;
mod first_start;
mod matrix;
mod streams;
mod tenants;
mod users;
