//! Sign-in, users, tenants, tokens and the audit log, through the graph over HTTP, on both databases.

mod audit;
mod bench;
mod credentials;
mod field;
mod first_start;
mod foreign;
mod matrix;
mod streams;
mod tenants;
mod turns;
mod users;
