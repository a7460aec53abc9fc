//! Texts with places to be filled in: `${param.name}`, `${secret.name}`; `$${` stands for `${` itself. Who fills them
//! in knows where the text goes, and writes the values so that they cannot become more than values there.

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'t> {
    /// As it is.
    Text(&'t str),
    /// The value of this parameter.
    Parameter(&'t str),
    /// The value of this secret.
    Secret(&'t str),
}

/// The parts of a template, in order.
///
/// # Errors
/// What is wrong with a place, and what would be right.
pub fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest) = (vec![], text);
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            pieces.extend([Piece::Text(&rest[..at - 1]), Piece::Text("${")]);
            rest = &rest[at + 2..];
            continue;
        }
        pieces.push(Piece::Text(&rest[..at]));
        let inner = &rest[at + 2..];
        let end = inner.find('}').ok_or("has a `${` without its `}`: write `$${` for the text itself")?;
        pieces.push(place(&inner[..end])?);
        rest = &inner[end + 1..];
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    Ok(pieces)
}

fn place(inner: &str) -> Result<Piece<'_>, String> {
    match inner.trim().split_once('.') {
        Some(("param", name)) if !name.is_empty() => Ok(Piece::Parameter(name)),
        Some(("secret", name)) if !name.is_empty() => Ok(Piece::Secret(name)),
        _ => {
            let inner = crate::document::word::short(inner, 40);
            Err(format!(
                "`${{{inner}}}` is unknown: write `${{param.name}}`, `${{secret.name}}`, or `$${{` for the text"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_text() {
        let found = pieces("a${param.x}$${y}${ secret.z }$").unwrap();
        let text = Piece::Text;
        assert_eq!(found, [text("a"), Piece::Parameter("x"), text("${"), text("y}"), Piece::Secret("z"), text("$")]);
        assert_eq!(pieces("plain $x {y}").unwrap(), [text("plain $x {y}")]);
        for wrong in ["${x}", "${param.x", "${param.}", "${}", "${env.HOME}"] {
            pieces(wrong).unwrap_err();
        }
    }
}
