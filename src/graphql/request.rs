//! What a field finds in its context: the [`Request`] that the gate put there.

use async_graphql::Context;

use crate::error::{Error, Result};
use crate::resolver::Request;

/// The request this field belongs to.
///
/// # Errors
/// `INTERNAL` when a door let somebody in without asking the gate.
pub fn of<'a>(ctx: &Context<'a>) -> Result<&'a Request> {
    ctx.data_opt::<Request>().ok_or_else(|| Error::internal("no gate let this request in"))
}
