//! What is written for people, held against what is so: pages that the code writes, commands that are shown and run,
//! documents that are shown and checked, names of settings and metrics, and the translations.
//!
//! `CONTRIBUTING.md` says how blocks are marked.

mod block;
mod deploy;
mod licenses;
mod named;
mod page;
mod shell;
mod translated;
mod written;
