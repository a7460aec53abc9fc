//! The query string of an old client: names and values as they were sent, in order. What is no text, or could not be
//! stored as one, is refused; an empty value counts as not given.

use percent_encoding::percent_decode_str;

use crate::error::Language;

/// A parameter that cannot be meant so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub name: String,
    /// As it was sent.
    pub value: String,
    /// What would be right.
    pub reason: Reason,
}

/// The same in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl<E: Into<String>, Z: Into<String>> From<(E, Z)> for Reason {
    fn from((en, zh): (E, Z)) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl Reason {
    /// In this language.
    #[must_use]
    pub fn text(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// Names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryString(Vec<(String, String)>);

impl QueryString {
    /// Reads the part behind `?`.
    ///
    /// # Errors
    /// When a name or value is no UTF-8 or has a NUL in it.
    pub fn parse(raw: Option<&str>) -> Result<Self, Wrong> {
        let pairs = raw.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, name)?, decode(name, value)?))
        };
        pairs.map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Every value of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(is, value)| is == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The one value of this name; none when it was not given.
    ///
    /// # Errors
    /// When two values contradict each other.
    pub fn one<'a>(&'a self, name: &'a str) -> Result<Option<&'a str>, Wrong> {
        let mut values = self.all(name);
        let first = values.next();
        match values.find(|other| Some(*other) != first) {
            None => Ok(first),
            Some(other) => {
                Err(wrong(name, other, ("it was given before with another value", "同一参数先后给出了不同的值")))
            }
        }
    }

    /// The same as a number.
    ///
    /// # Errors
    /// When it is no such number.
    pub fn number<N: std::str::FromStr>(&self, name: &str) -> Result<Option<N>, Wrong> {
        let Some(text) = self.one(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| wrong(name, text, ("a whole number is expected", "应为整数")))
    }
}

/// A parameter that is refused for this reason.
pub fn wrong(name: &str, value: &str, reason: impl Into<Reason>) -> Wrong {
    Wrong { name: name.to_owned(), value: value.to_owned(), reason: reason.into() }
}

fn decode(name: &str, text: &str) -> Result<String, Wrong> {
    let spaced = text.replace('+', " ");
    let refused = || wrong(name, text, ("it must be UTF-8 without NUL", "应为不含 NUL 字符的 UTF-8 文本"));
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| refused())?;
    if decoded.contains('\0') { Err(refused()) } else { Ok(decoded.into_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = QueryString::parse(Some("name=Prepare+host&status=RUNNING%2CFAILED&&status=X&page=&flag")).unwrap();
        assert_eq!(query.one("name").unwrap(), Some("Prepare host"));
        assert_eq!(query.all("status").collect::<Vec<_>>(), ["RUNNING,FAILED", "X"]);
        assert_eq!(query.one("page").unwrap(), None);
        assert_eq!(query.one("other").unwrap(), None);
        assert_eq!(QueryString::parse(None).unwrap(), QueryString::default());
    }

    #[test]
    fn what_is_no_text_or_contradicts_itself_is_refused() {
        assert_eq!(QueryString::parse(Some("name=%ff")).unwrap_err().name, "name");
        assert_eq!(QueryString::parse(Some("name=a%00")).unwrap_err().value, "a%00");
        let query = QueryString::parse(Some("page=1&page=2&size=3&size=3&id=0x10")).unwrap();
        assert_eq!(query.one("page").unwrap_err().value, "2");
        assert_eq!(query.number::<i64>("size").unwrap(), Some(3));
        assert_eq!(query.number::<i64>("id").unwrap_err().value, "0x10");
    }
}
