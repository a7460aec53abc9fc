//! What a server does when something below it fails: the machine freezes it, the database goes away, a file is locked,
//! a disk is full. Real servers, real failures.

mod freeze;
