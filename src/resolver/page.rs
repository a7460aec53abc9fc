//! Pages as the doors ask for them: the store's own types under the name the doors may know.

pub use sea_orm::Value;

pub use crate::store::keyset::{Key, Kind, Part};
pub use crate::store::page::{Page, Slice};
