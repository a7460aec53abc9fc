//! Text that no database of ours could keep or look for (U+0000) is refused at the door, in variables and in the
//! document alike, so that no field has to think of it and both databases answer the same.

use async_graphql::parser::types::Field;
use async_graphql::{Value, Variables};

use crate::error::{Error, Result};
use crate::text;

/// Checks every text of the variables.
///
/// # Errors
/// `INVALID_INPUT` with the path.
pub(super) fn check_variables(variables: &Variables) -> Result<()> {
    variables.iter().try_for_each(|(name, value)| constant(value, &|| format!("${name}")))
}

/// Checks every text among a field's arguments.
///
/// # Errors
/// `INVALID_INPUT` with the argument's name.
pub(super) fn check_arguments(field: &Field) -> Result<()> {
    field.arguments.iter().try_for_each(|(name, value)| {
        let literal = value.node.clone().into_const_with::<Error>(|_| Ok(Value::Null))?;
        constant(&literal, &|| name.node.to_string())
    })
}

fn constant(value: &Value, path: &dyn Fn() -> String) -> Result<()> {
    match value {
        Value::String(text) => whole(text, path),
        Value::List(items) => {
            (0..).zip(items).try_for_each(|(at, item): (usize, _)| constant(item, &|| format!("{}[{at}]", path())))
        }
        Value::Object(members) => members.iter().try_for_each(|(name, member)| {
            let inner = || format!("{}.{name}", path());
            whole(name, &inner)?;
            constant(member, &inner)
        }),
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => Ok(()),
    }
}

fn whole(text: &str, path: &dyn Fn() -> String) -> Result<()> {
    if text::is_storable(text) {
        return Ok(());
    }
    // A name may be where the character is.
    let path = text::Text::cut(&path(), 200);
    Err(Error::invalid(path, text::UNSTORABLE))
}
