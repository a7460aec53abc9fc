//! What nobody means well with: text, numbers, sizes and moments that could stop, exhaust or mislead the server. Each
//! runs on both databases, and a neighbour's tasks go on meanwhile.

mod doors;
mod flood;
mod pages;
mod record;
mod sql;
