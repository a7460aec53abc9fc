//! The tokens of a text of statements, as far as it takes to know where one ends: words, parentheses, semicolons, and
//! what hides them. Each database has its own quotes and comments.

use std::ops::Range;

use taskloom_core::DataSourceKind;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Blank,
    /// `;`
    Semicolon,
    /// A word that is not quoted.
    Word,
    /// `(`
    Opens,
    /// `)`
    Closes,
    Other,
}

/// The tokens of a text with their places, one behind the other.
pub(super) struct Tokens<'t> {
    text: &'t [u8],
    kind: DataSourceKind,
    at: usize,
}

impl Iterator for Tokens<'_> {
    type Item = (Token, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let from = self.at;
        let token = (from < self.text.len()).then(|| self.step())?;
        Some((token, from..self.at))
    }
}

impl<'t> Tokens<'t> {
    pub(super) fn of(text: &'t str, kind: DataSourceKind) -> Self {
        Self { text: text.as_bytes(), kind, at: 0 }
    }

    /// Goes over the next token.
    fn step(&mut self) -> Token {
        let (here, next) = (self.text[self.at], self.text.get(self.at + 1).copied());
        let mysql = self.kind == DataSourceKind::Mysql;
        match here {
            b';' => self.one(Token::Semicolon),
            b'(' => self.one(Token::Opens),
            b')' => self.one(Token::Closes),
            b'-' if next == Some(b'-') && self.is_comment() => self.line(),
            b'#' if mysql => self.line(),
            b'/' if next == Some(b'*') => self.comment(),
            b'\'' | b'"' => self.quoted(here, mysql || (here == b'\'' && self.is_escaped())),
            b'`' if self.kind != DataSourceKind::Postgresql => self.quoted(b'`', false),
            b'[' if self.kind == DataSourceKind::Sqlite => self.until(b"]"),
            b'$' if self.kind == DataSourceKind::Postgresql => self.dollar(),
            _ if here.is_ascii_whitespace() => self.one(Token::Blank),
            _ if is_letter(here) => {
                let rest = &self.text[self.at..];
                // A dollar within a name begins no text.
                let is_part = |byte: &u8| is_letter(*byte) || byte.is_ascii_digit() || *byte == b'$';
                self.at += rest.iter().take_while(|byte| is_part(byte)).count();
                Token::Word
            }
            _ => self.one(Token::Other),
        }
    }

    fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    /// MySQL takes `--` for a comment only where a blank follows: else it is two signs.
    fn is_comment(&self) -> bool {
        let behind = self.text.get(self.at + 2);
        self.kind != DataSourceKind::Mysql
            || behind.is_none_or(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
    }

    fn line(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let is_end = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && self.kind == DataSourceKind::Postgresql);
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
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
            && !before(2).is_some_and(|byte| is_letter(byte) || byte.is_ascii_digit() || byte == b'$')
    }

    /// A doubled quote is one that is meant: it ends one text and begins the next, which comes to the same.
    fn quoted(&mut self, quote: u8, backslashes: bool) -> Token {
        loop {
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
            match self.goes_on(quote) {
                Some(at) if backslashes => self.at = at,
                _ => return Token::Other,
            }
        }
    }

    /// Where a text goes on with another quote: doubled at once, or in PostgreSQL also in a line below.
    fn goes_on(&self, quote: u8) -> Option<usize> {
        let rest = &self.text[self.at..];
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let below = self.kind == DataSourceKind::Postgresql && rest[..blanks].iter().any(|byte| b"\n\r".contains(byte));
        (rest.get(blanks) == Some(&quote) && (blanks == 0 || below)).then_some(self.at + blanks)
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
            return self.one(Token::Other);
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
