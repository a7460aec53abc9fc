//! The one integration binary: a module per area.

mod doors;
