//! The licences of what the binary carries: its own, and those of the crates and of the packages of its pages.
//!
//! `make licenses` writes `notices.txt` from the lock files; a test fails when a crate or a package is missing from it.

/// Under what Taskloom itself may be used, and what it owes to others.
pub const NOTICES: &str = concat!(
    "Taskloom is licensed as follows. What it carries of others comes behind that.\n\n",
    include_str!("../../LICENSE"),
    "\n",
    include_str!("notices.txt"),
);
