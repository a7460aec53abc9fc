//! The dialects, as old clients see them: transcripts byte for byte, and each route beside the GraphQL document that
//! does the same, on both databases.

mod bench;
mod description;
mod equal;
mod generated;
mod linkis;
mod ocp;
mod pages;
mod refused;
mod role;
mod seed;
mod seed_vsphere;
mod session;
mod transcript;
mod vsphere;
