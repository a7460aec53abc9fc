//! Opaque ids of the graph: the type's name and the row's number, in base64url. Whoever takes one apart finds out that
//! nothing is secret in it, and that the next release may write it differently.

use async_graphql::ID;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::scalar::BigInt;
use crate::error::{Error, Result, code};

/// The id of a row of this type.
#[must_use]
pub fn encode(kind: &str, id: impl std::fmt::Display) -> ID {
    ID(URL_SAFE_NO_PAD.encode(format!("{kind}:{id}")))
}

/// The number of a row of this type.
///
/// # Errors
/// `INVALID_ID` when it is not the id of such a row.
pub fn decode(kind: &'static str, id: &ID) -> Result<i64> {
    let refused = || Error::new(&code::INVALID_ID).with("id", id.as_str()).with("type", kind);
    let (found, number) = split(id).ok_or_else(refused)?;
    if found == kind { number.parse().map_err(|_| refused()) } else { Err(refused()) }
}

/// The number of a row that is named by exactly one of its id and its number.
///
/// # Errors
/// `INVALID_INPUT` for none or both, `INVALID_ID`.
pub fn pick(kind: &'static str, id: Option<ID>, database_id: Option<BigInt>) -> Result<i64> {
    match (id, database_id) {
        (Some(id), None) => decode(kind, &id),
        (None, Some(BigInt(number))) => Ok(number),
        (None, None) | (Some(_), Some(_)) => {
            let reason = "give exactly one of `id` and `databaseId`";
            Err(Error::new(&code::INVALID_INPUT).with("what", "`id`").with("reason", reason))
        }
    }
}

/// The type's name and the row's number or name, when it is an id at all.
#[must_use]
pub fn split(id: &ID) -> Option<(String, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (kind, number) = text.split_once(':')?;
    Some((kind.to_owned(), number.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_one_type() {
        let id = encode("Task", 12);
        assert_eq!(decode("Task", &id).unwrap(), 12);
        assert_eq!(decode("Subtask", &id).unwrap_err().code().name, "INVALID_ID");
        assert_eq!(decode("Task", &ID("12".into())).unwrap_err().code().name, "INVALID_ID");
    }
}
