//! A text of statements cut at its semicolons, where these stand in no text, name, comment or block. It only cuts:
//! what a statement says is for the database.
//!
//! Not understood: `DELIMITER` of the MySQL client, and bodies of functions that stand outside of quotes
//! (`BEGIN ATOMIC`). A trigger of SQLite goes to its `END`.

use taskloom_entity::DataSourceKind;

/// The statements, without their semicolons; those that are empty or comments alone are left out.
pub(super) fn statements(text: &str, kind: DataSourceKind) -> Vec<&str> {
    let mut found = vec![];
    let mut cut = Cut { text: text.as_bytes(), kind, at: 0 };
    let (mut from, mut says, mut words) = (0, false, vec![]);
    while cut.at < text.len() {
        let at = cut.at;
        match cut.step() {
            Token::Blank => {}
            Token::Semicolon if in_trigger(kind, &words) => {}
            Token::Semicolon => {
                if std::mem::take(&mut says) {
                    found.push(text[from..at].trim());
                }
                from = cut.at;
                words.clear();
            }
            Token::Word => {
                says = true;
                words.push(text[at..cut.at].to_ascii_uppercase());
            }
            Token::Other => says = true,
        }
    }
    if says {
        found.push(text[from..].trim());
    }
    found
}

/// Whether these words are a trigger of SQLite that has not come to its end.
fn in_trigger(kind: DataSourceKind, words: &[String]) -> bool {
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let trigger =
        word(0) == "CREATE" && (word(1) == "TRIGGER" || (word(1).starts_with("TEMP") && word(2) == "TRIGGER"));
    kind == DataSourceKind::Sqlite && trigger && words.last().is_none_or(|last| last != "END")
}

/// The words of SQLite that reach other files than the data source's. Looked for in the whole text, in comments and
/// texts as well: a word too many is refused rather than one overlooked.
pub(super) fn reaches_out(text: &str) -> bool {
    let words: Vec<String> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    let vacuum = words.iter().position(|word| word == "VACUUM");
    words.iter().any(|word| word == "ATTACH") || vacuum.is_some_and(|at| words[at..].iter().any(|word| word == "INTO"))
}

enum Token {
    Blank,
    Semicolon,
    Word,
    Other,
}

struct Cut<'t> {
    text: &'t [u8],
    kind: DataSourceKind,
    at: usize,
}

impl Cut<'_> {
    /// Goes over the next token.
    fn step(&mut self) -> Token {
        let (here, next) = (self.text[self.at], self.text.get(self.at + 1).copied());
        let mysql = self.kind == DataSourceKind::Mysql;
        match here {
            b';' => {
                self.at += 1;
                Token::Semicolon
            }
            b'-' if next == Some(b'-') => self.line(),
            b'#' if mysql => self.line(),
            b'/' if next == Some(b'*') => self.comment(),
            b'\'' | b'"' => self.quoted(here, mysql || (here == b'\'' && self.is_escaped())),
            b'`' if self.kind != DataSourceKind::Postgresql => self.quoted(b'`', false),
            b'[' if self.kind == DataSourceKind::Sqlite => self.until(b"]"),
            b'$' if self.kind == DataSourceKind::Postgresql => self.dollar(),
            _ if here.is_ascii_whitespace() => {
                self.at += 1;
                Token::Blank
            }
            _ if is_letter(here) => {
                let rest = &self.text[self.at..];
                // A dollar within a name begins no text.
                let is_part = |byte: &u8| is_letter(*byte) || byte.is_ascii_digit() || *byte == b'$';
                self.at += rest.iter().take_while(|byte| is_part(byte)).count();
                Token::Word
            }
            _ => {
                self.at += 1;
                Token::Other
            }
        }
    }

    fn line(&mut self) -> Token {
        let rest = &self.text[self.at..];
        self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        Token::Blank
    }

    /// PostgreSQL's comments stand within each other.
    fn comment(&mut self) -> Token {
        let nests = self.kind == DataSourceKind::Postgresql;
        // What MySQL runs though it looks like a comment.
        let says = self.kind == DataSourceKind::Mysql && self.text[self.at..].starts_with(b"/*!");
        let mut depth = 0;
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            if rest.starts_with(b"/*") && (nests || depth == 0) {
                (self.at, depth) = (self.at + 2, depth + 1);
            } else if rest.starts_with(b"*/") {
                (self.at, depth) = (self.at + 2, depth - 1);
                if depth == 0 {
                    break;
                }
            } else {
                self.at += 1;
            }
        }
        if says { Token::Other } else { Token::Blank }
    }

    /// `E'…'` of PostgreSQL knows backslashes.
    fn is_escaped(&self) -> bool {
        let before = |back: usize| self.at.checked_sub(back).map(|at| self.text[at]);
        self.kind == DataSourceKind::Postgresql
            && matches!(before(1), Some(b'e' | b'E'))
            && !before(2).is_some_and(|byte| is_letter(byte) || byte.is_ascii_digit())
    }

    /// A doubled quote is one that is meant: it ends one text and begins the next, which comes to the same.
    fn quoted(&mut self, quote: u8, backslashes: bool) -> Token {
        self.at += 1;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            if byte == b'\\' && backslashes {
                self.at += 1;
            } else if byte == quote {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
        Token::Other
    }

    fn until(&mut self, end: &[u8]) -> Token {
        let found = memchr::memmem::find(&self.text[self.at..], end);
        self.at = found.map_or(self.text.len(), |found| self.at + found + end.len());
        Token::Other
    }

    /// `$tag$ … $tag$`, or only a dollar.
    fn dollar(&mut self) -> Token {
        let rest = &self.text[self.at + 1..];
        let name = rest.iter().take_while(|byte| is_letter(**byte) || byte.is_ascii_digit()).count();
        let is_tag = rest.get(name) == Some(&b'$') && !rest.first().is_some_and(u8::is_ascii_digit);
        if !is_tag {
            self.at += 1;
            return Token::Other;
        }
        let tag = self.text[self.at..self.at + name + 2].to_vec();
        self.at += tag.len();
        self.until(&tag)
    }
}

/// Bytes beyond ASCII are parts of names.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataSourceKind::{Mysql, Postgresql, Sqlite};

    #[test]
    fn semicolons_cut_where_they_are_meant() {
        let text =
            "select ';' as \"a;b\"; -- one; two\n\n/* ; /* ; */ ; */ insert into t values ('it''s;');;\n -- end;\n";
        assert_eq!(
            statements(text, Postgresql),
            ["select ';' as \"a;b\"", "-- one; two\n\n/* ; /* ; */ ; */ insert into t values ('it''s;')"]
        );
        assert_eq!(statements("select 1", Sqlite), ["select 1"]);
        assert_eq!(statements(" ;; -- nothing\n /* ; */ ", Mysql), [""; 0]);
        assert_eq!(statements("select '名;字'; select 2", Postgresql), ["select '名;字'", "select 2"]);
    }

    #[test]
    fn each_database_has_its_quotes() {
        let body = "create function f() returns int as $x$ begin; return 1; end $x$ language sql";
        assert_eq!(statements(&format!("{body}; select f($1)"), Postgresql), [body, "select f($1)"]);
        assert_eq!(statements("select $$;$$; select a$b; select 2", Postgresql).len(), 3);
        assert_eq!(statements(r"select E'\';'; select '\'; select 3", Postgresql).len(), 3);
        assert_eq!(statements(r#"select '\';', "\";", `;` # ;"#, Mysql).len(), 1);
        assert_eq!(statements("select [a;b], `c;d`; select 2", Sqlite).len(), 2);
        assert_eq!(statements("/*! set x = 1 */; select 1", Mysql).len(), 2);
        let trigger = "create temp trigger a after insert on t begin delete from u; delete from v; end";
        assert_eq!(statements(&format!("{trigger}; select 1"), Sqlite), [trigger, "select 1"]);
    }

    #[test]
    fn what_has_no_end_ends_with_the_text() {
        for text in ["select 'a;b", "select /* ;", "select $x$ ;", "select [;", "select '\\"] {
            for kind in [Postgresql, Mysql, Sqlite] {
                assert!(!statements(text, kind).is_empty());
            }
        }
    }

    #[test]
    fn other_files_are_out_of_reach() {
        for text in ["ATTACH 'x' AS y", "select 1; attach\n'x'", "vacuum main into '/tmp/x'", "[a;attach 'b'"] {
            assert!(reaches_out(text), "{text}");
        }
        for text in ["select attached from t", "vacuum", "insert into t values (1); vacuum"] {
            assert!(!reaches_out(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[ab;'\"$/*\\-\\\\#`\\[\\]\n é]{0,40}") {
            for kind in [Postgresql, Mysql, Sqlite] {
                let found = statements(&text, kind);
                proptest::prop_assert!(found.iter().all(|one| !one.is_empty() && text.contains(one)));
            }
        }
    }
}
