//! A text of statements cut at its semicolons, where these stand in no text, name, comment, pair of parentheses or
//! block. It only cuts: what a statement says is for the database.
//!
//! PostgreSQL's are cut as `psql` does it (`psqlscan.l`), SQLite's triggers as `sqlite3_complete` does. Not understood:
//! `DELIMITER` of the MySQL client, and so bodies of MySQL's programs.

use taskloom_core::DataSourceKind;

use super::token::{Token, Tokens};

/// The statements, without their semicolons; those that are empty or comments alone are left out.
pub(super) fn statements(text: &str, kind: DataSourceKind) -> Vec<&str> {
    // What editors of some systems write in front of everything.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = vec![];
    let (mut from, mut open) = (0, Open::of(kind));
    for (token, place) in Tokens::of(text, kind) {
        if token == Token::Semicolon && open.ends() {
            if open.says {
                found.push(text[from..place.start].trim());
            }
            (from, open) = (place.end, Open::of(kind));
        } else {
            open.take(token, &text[place]);
        }
    }
    if open.says {
        found.push(text[from..].trim());
    }
    found
}

/// How many words of a statement's beginning say what it makes: `EXPLAIN QUERY PLAN CREATE TEMP TRIGGER`.
const HEAD: usize = 6;

/// A statement that has not ended.
struct Open {
    kind: DataSourceKind,
    /// Whether there is anything but blanks and comments.
    says: bool,
    /// Its first words, in upper case.
    head: Vec<String>,
    parentheses: u32,
    /// Of a body that stands outside of quotes.
    blocks: u32,
    /// Whether the last token was a semicolon within, or `END` right behind one.
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Semicolon,
    EndBehindOne,
    Other,
}

impl Open {
    fn of(kind: DataSourceKind) -> Self {
        Self { kind, says: false, head: vec![], parentheses: 0, blocks: 0, last: Last::Other }
    }

    /// Whether a semicolon here ends it.
    fn ends(&self) -> bool {
        match self.kind {
            DataSourceKind::Postgresql => self.parentheses == 0 && self.blocks == 0,
            DataSourceKind::Sqlite => !self.is_trigger() || self.last == Last::EndBehindOne,
            DataSourceKind::Mysql => true,
        }
    }

    fn take(&mut self, token: Token, text: &str) {
        self.says |= !matches!(token, Token::Blank | Token::Semicolon);
        self.last = match token {
            Token::Blank => self.last,
            Token::Semicolon => Last::Semicolon,
            Token::Word if self.last == Last::Semicolon && text.eq_ignore_ascii_case("END") => Last::EndBehindOne,
            Token::Word | Token::Opens | Token::Closes | Token::Other => Last::Other,
        };
        match token {
            Token::Opens => self.parentheses += 1,
            Token::Closes => self.parentheses = self.parentheses.saturating_sub(1),
            Token::Word => {
                if self.head.len() < HEAD {
                    self.head.push(text.to_ascii_uppercase());
                }
                if self.parentheses == 0 && self.is_routine() {
                    self.block(text);
                }
            }
            Token::Blank | Token::Semicolon | Token::Other => {}
        }
    }

    /// `CASE` ends with `END` as `BEGIN` does, and counts within one alone: elsewhere it is an expression's.
    fn block(&mut self, word: &str) {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("BEGIN") || (is("CASE") && self.blocks > 0) {
            self.blocks += 1;
        } else if is("END") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }

    fn word(&self, at: usize) -> &str {
        self.head.get(at).map_or("", String::as_str)
    }

    /// A function or procedure of PostgreSQL: its body may be `BEGIN ATOMIC … END`.
    fn is_routine(&self) -> bool {
        let at = if self.word(1) == "OR" && self.word(2) == "REPLACE" { 3 } else { 1 };
        self.kind == DataSourceKind::Postgresql
            && self.word(0) == "CREATE"
            && matches!(self.word(at), "FUNCTION" | "PROCEDURE")
    }

    /// A trigger of SQLite, which has statements within.
    fn is_trigger(&self) -> bool {
        let at = match (self.word(0), self.word(1), self.word(2)) {
            ("EXPLAIN", "QUERY", "PLAN") => 3,
            ("EXPLAIN", ..) => 1,
            _ => 0,
        };
        let kind = if matches!(self.word(at + 1), "TEMP" | "TEMPORARY") { at + 2 } else { at + 1 };
        self.word(at) == "CREATE" && self.word(kind) == "TRIGGER"
    }
}

/// Why a statement cannot work from here, whatever the database would say of it; none: it may.
pub(super) fn impossible(statement: &str, kind: DataSourceKind) -> Option<&'static str> {
    if kind != DataSourceKind::Postgresql {
        return None;
    }
    let (mut words, mut depth) = (vec![], 0_u32);
    for (token, place) in Tokens::of(statement, kind) {
        match token {
            Token::Opens => depth += 1,
            Token::Closes => depth = depth.saturating_sub(1),
            Token::Word if depth == 0 => words.push(statement[place].to_ascii_uppercase()),
            // What stands between two words parts them.
            Token::Other if depth == 0 => words.push(String::new()),
            Token::Blank | Token::Semicolon | Token::Word | Token::Other => {}
        }
    }
    let is = |at: usize, word: &str| words.get(at).is_some_and(|is| is == word);
    let streams =
        |pair: &[String]| matches!(pair[0].as_str(), "FROM" | "TO") && matches!(pair[1].as_str(), "STDIN" | "STDOUT");
    if is(0, "LISTEN") {
        return Some(
            "LISTEN is not possible: nobody hears what is told on the connection of a task, which ends with it",
        );
    }
    if is(0, "COPY") && words.windows(2).any(streams) {
        return Some(
            "COPY from STDIN or to STDOUT is not possible: a task's connection has neither; use INSERT and SELECT, or \
             psql in a shell step",
        );
    }
    None
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
        assert_eq!(statements("\u{feff}select 1; select 2", Sqlite), ["select 1", "select 2"]);
        assert_eq!(statements("\u{feff}", Postgresql), [""; 0]);
    }

    #[test]
    fn each_database_has_its_quotes() {
        let body = "create function f() returns int as $x$ begin; return 1; end $x$ language sql";
        assert_eq!(statements(&format!("{body}; select f($1)"), Postgresql), [body, "select f($1)"]);
        assert_eq!(statements("select $$;$$; select a$b; select 2", Postgresql).len(), 3);
        assert_eq!(statements(r"select E'\';'; select '\'; select 3", Postgresql).len(), 3);
        assert_eq!(
            statements("select e'a'\n  '\\';'; select 2", Postgresql).len(),
            2,
            "a text goes on in the next line"
        );
        assert_eq!(statements("select a$e'\\'; select 2", Postgresql).len(), 2, "that is a name, not `E'`");
        assert_eq!(statements(r#"select '\';', "\";", `;` # ;"#, Mysql).len(), 1);
        assert_eq!(
            statements("select 1--1; select 2 -- ;\n", Mysql).len(),
            2,
            "two minus signs are no comment of MySQL"
        );
        assert_eq!(statements("select [a;b], `c;d`; select 2", Sqlite).len(), 2);
        assert_eq!(statements("/*! set x = 1 */; select 1", Mysql).len(), 2);
        assert_eq!(statements("select 1 --;\r; select 2", Postgresql), ["select 1 --;", "select 2"]);
    }

    #[test]
    fn triggers_of_sqlite_go_to_their_end() {
        for trigger in [
            "create temp trigger a after insert on t begin delete from u; delete from v; end",
            "CREATE TRIGGER a UPDATE ON t BEGIN UPDATE u SET n = CASE WHEN n > 1 THEN 2 ELSE 3 END; END",
            "create trigger if not exists a after insert on t begin select case when 1 then 2 end; select 1; -- end;\nend",
            "create temporary trigger a instead of update on v begin insert into t values ((select case 1 when 1 then ';' end)); end",
            "explain query plan create trigger a delete on t begin select 1; end",
        ] {
            assert_eq!(statements(&format!("{trigger}; select 1"), Sqlite), [trigger, "select 1"]);
        }
        assert_eq!(
            statements("create table trigger_log (n); select case when 1 then 2 end; select 3", Sqlite).len(),
            3
        );
    }

    #[test]
    fn bodies_and_parentheses_hold_their_semicolons() {
        for whole in [
            "create rule r as on insert to t do also (insert into a values (1); insert into b values (2))",
            "create function f() returns int begin atomic select 1; select case when true then 2 end; end",
            "create or replace procedure p() language sql begin atomic insert into t values (1); insert into t values (2); end",
            "CREATE FUNCTION f(a int DEFAULT (CASE WHEN true THEN 1 END)) RETURNS int BEGIN ATOMIC SELECT 1; END",
            "create function f() returns int as 'begin; return 1; end' language plpgsql",
        ] {
            assert_eq!(statements(&format!("{whole}; select 1"), Postgresql), [whole, "select 1"]);
        }
        assert_eq!(statements("begin; select case when true then 1 end; commit", Postgresql).len(), 3);
        assert_eq!(statements("select (1; select 2", Postgresql).len(), 1, "psql waits for the other one, too");
        assert_eq!(statements("select 1); select 2", Postgresql).len(), 2);
        assert_eq!(statements("select (1; select 2", Sqlite).len(), 2);
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
    fn what_cannot_work_is_known_by_its_words() {
        for text in [
            "listen done",
            "/* x */ LISTEN \"done\"",
            "copy t from stdin",
            "COPY t (a, b) FROM /* here */ STDIN WITH (FORMAT csv)",
            "copy (select 1) to stdout",
            "copy public.t to stdout csv header",
        ] {
            assert!(impossible(text, Postgresql).is_some(), "{text}");
        }
        for text in [
            "notify done",
            "unlisten *",
            "copy t from '/tmp/x'",
            "copy t to program 'cat'",
            "copy (select 'to stdout' from stdin) to '/tmp/x'",
            "select listen from copy",
            "insert into t values ('copy t from stdin')",
        ] {
            assert_eq!(impossible(text, Postgresql), None, "{text}");
        }
        assert_eq!(impossible("listen", Sqlite), None);
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
        fn no_text_is_too_odd(text in "[ab;'\"$/*\\-\\\\#`\\[\\]()eE\n\r é]{0,40}") {
            for kind in [Postgresql, Mysql, Sqlite] {
                let found = statements(&text, kind);
                proptest::prop_assert!(found.iter().all(|one| !one.is_empty() && text.contains(one)));
            }
        }
    }
}
