//! What every process of ours has, a server or a worker: a clock, an end, somebody who notices the end of a loop, and a
//! limit of files and sockets. It knows nothing of what the process does.

pub mod clock;
pub mod descriptors;
pub mod lifecycle;
pub mod supervise;
