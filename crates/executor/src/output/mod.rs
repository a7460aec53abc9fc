//! What a program writes: whole lines for the log, and the lines that speak to us ([`directive`]).

mod directive;
mod lines;
mod pump;

pub(super) use lines::system;
pub(super) use pump::OutputPump;
