//! Shell and Python: processes of this machine.

pub mod watch;
