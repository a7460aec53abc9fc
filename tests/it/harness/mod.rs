//! What tests stand on: a private PostgreSQL, and whatever more than one area needs.

pub(crate) mod clients;
pub(crate) mod cut;
pub(crate) mod disk;
pub(crate) mod mariadb;
pub(crate) mod memory;
pub(crate) mod postgres;
pub(crate) mod runs;
pub(crate) mod server;
pub(crate) mod terminal;
pub(crate) mod wait;
pub(crate) mod wide;
