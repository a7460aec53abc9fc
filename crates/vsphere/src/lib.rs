//! A client of vCenters: their tasks, histories, inventories, and work on virtual machines.
//!
//! Speaks the vSphere Web Services API (SOAP 1.1 over HTTPS) of vCenter 6.7 to 9. It begins with [`Client::connect`]
//! and [`Client::sign_in`], which gives a [`Session`]; [`probe()`] only looks. It knows no tables, decides nothing, tries
//! nothing again and keeps nothing but what a session needs: that is for who calls it.
//!
//! The invariant: no certificate is trusted, and so no password is sent, unless a [`Trust`] says why.

mod address;
mod catalogue;
mod certificate;
mod client;
mod content;
mod error;
mod fault;
mod find;
mod follow;
mod history;
mod http;
mod instant;
mod inventory;
mod known;
mod left_out;
mod limits;
mod merge;
mod message;
mod operation;
mod probe;
mod property;
mod reason;
mod reference;
mod retrieve;
mod session;
mod snapshot;
mod soap;
mod subscribe;
mod task;
mod task_read;
mod thumbprint;
mod trust;
mod typed;
mod update;
mod value;
mod version;
mod x509;
mod xml;

pub use address::{Address, AddressError};
pub use catalogue::{Catalogue, Label};
pub use client::Client;
pub use content::About;
pub use error::{Cause, Error, Obstacle};
pub use fault::Fault;
pub use follow::{Feed, Follow, Update};
pub use history::{Filter, History, LARGEST_READ};
pub use instant::APART;
pub use inventory::Entity;
pub use left_out::{LeftOut, Unreadable};
pub use limits::Limits;
pub use message::LocalizableMessage;
pub use operation::{CloneTo, Reconfigure};
pub use probe::{Probe, probe};
pub use reason::Reason;
pub use reference::{Reference, ReferenceError};
pub use session::{Session, SignedIn};
pub use snapshot::Snapshot;
pub use task::{TaskInfo, TaskState};
pub use thumbprint::{Thumbprint, ThumbprintError};
pub use trust::{Distrust, Trust};
pub use value::Value;
pub use xml::Malformed;
