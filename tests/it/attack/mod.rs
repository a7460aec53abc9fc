//! Attacks on a server, each with the figure that it must keep: how long, how much memory, what others notice of it. All
//! on the loopback, bounded in number and time. `docs/security.md` has the table that a run of them writes.

mod back;
mod bench;
mod bodies;
mod clock;
mod connections;
mod disk;
mod figure;
mod given_up;
mod guesses;
mod lists;
mod loops;
mod masks;
mod mute;
mod pages;
mod places;
mod run_as;
mod statements;
mod step;
mod strangers;
mod wall_clock;
