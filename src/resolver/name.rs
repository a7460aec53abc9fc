//! Names of users and tenants: one word that a person can type and a log line can carry.

use crate::error::{Error, Result, code};

const LONGEST: usize = 64;

/// Refuses what is no name: letters and digits of any script, and `. _ - @` between them. A colon would end the name
/// in Basic credentials.
///
/// # Errors
/// `INVALID_INPUT` with the rule.
pub fn check(what: &'static str, name: &str) -> Result<()> {
    let inner = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | '@');
    let edges = [name.chars().next(), name.chars().next_back()];
    if !edges.iter().all(|edge| edge.is_some_and(char::is_alphanumeric)) {
        return refuse(what, "it begins and ends with a letter or digit");
    }
    if !name.chars().all(inner) {
        return refuse(what, "it consists of letters, digits and . _ - @");
    }
    if name.chars().count() > LONGEST {
        return refuse(what, &format!("it has at most {LONGEST} characters"));
    }
    Ok(())
}

/// Refuses a text for people that is empty, long or cannot be shown in one line.
///
/// # Errors
/// `INVALID_INPUT` with the rule.
pub fn check_title(what: &'static str, title: &str) -> Result<()> {
    let length = title.chars().count();
    if title.trim().is_empty() || length > LONGEST || title.chars().any(char::is_control) {
        return refuse(what, &format!("it is one line of 1 to {LONGEST} characters"));
    }
    Ok(())
}

fn refuse(what: &'static str, reason: &str) -> Result<()> {
    Err(Error::new(&code::INVALID_INPUT).with("what", what).with("reason", reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        for name in ["ann", "a", "ann.lee-2@example.org", "张伟", "Ünal"] {
            check("name", name).unwrap();
        }
        for name in ["", " ", "ann lee", "a:b", "-ann", "ann.", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
            assert_eq!(check("name", name).unwrap_err().code(), &code::INVALID_INPUT, "{name:?}");
        }
    }

    #[test]
    fn titles_are_lines() {
        check_title("name", "deploy from CI").unwrap();
        for title in ["", "  ", "a\nb", &"x".repeat(65)] {
            check_title("name", title).unwrap_err();
        }
    }
}
