//! What one file says, as far as the graph wants to know: its imports, its paths, its modules and its items. Read from
//! tokens, since most of what a macro is given is code as well; what is compiled for tests alone is left out.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path as it is written: `crate::store::Store`, or `"super::task::Entity"` in an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The modules of this file in which it stands.
    pub within: Vec<String>,
    pub names: Vec<String>,
}

/// One name that an import brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub path: Path,
    /// As what it is known from here on; `*` for all that there is.
    pub name: String,
    /// It is given on to others.
    pub is_public: bool,
}

/// One file.
#[derive(Clone, Debug, Default)]
pub struct Source {
    pub imports: Vec<Import>,
    pub paths: Vec<Path>,
    /// What stands in code for tests alone.
    pub of_tests: Vec<Path>,
    /// `mod name;`
    pub modules: BTreeSet<String>,
    pub items: BTreeSet<String>,
    /// Of these, the types; not those that a trait leaves open.
    pub types: Vec<String>,
    /// Every name that stands outside of imports.
    pub words: BTreeSet<String>,
}

/// What a name follows that names an item.
const TYPES: [&str; 4] = ["struct", "enum", "union", "trait"];
const ITEMS: [&str; 8] = ["struct", "enum", "union", "fn", "const", "static", "trait", "type"];

impl Source {
    /// # Errors
    /// When the text is not Rust.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens: TokenStream = text.parse().map_err(|error| format!("{error}"))?;
        let mut source = Self::default();
        source.walk(tokens, &[]);
        Ok(source)
    }

    fn walk(&mut self, tokens: TokenStream, within: &[String]) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(mark) if mark.as_char() == '#' && is_for_tests(tokens.get(at + 1)) => {
                    let end = after_item(&tokens, at + 2);
                    self.tests(&tokens[at + 2..end], within);
                    end
                }
                TokenTree::Ident(word) if word == "use" => self.import(&tokens, at, within),
                TokenTree::Ident(word) if word == "mod" => self.module(&tokens, at, within),
                TokenTree::Ident(_) => self.path(&tokens, at, within),
                TokenTree::Group(group) => {
                    self.walk(group.stream(), within);
                    at + 1
                }
                TokenTree::Literal(text) => {
                    self.quoted(&text.to_string(), within);
                    at + 1
                }
                TokenTree::Punct(_) => at + 1,
            };
        }
    }

    fn tests(&mut self, tokens: &[TokenTree], within: &[String]) {
        let mut tests = Self::default();
        tests.walk(tokens.iter().cloned().collect(), within);
        self.of_tests.extend(tests.imports.into_iter().map(|import| import.path).chain(tests.paths));
        self.of_tests.extend(tests.of_tests);
    }

    /// `use …;`, which begins here; what follows it.
    fn import(&mut self, tokens: &[TokenTree], at: usize, within: &[String]) -> usize {
        let end = (at..tokens.len()).find(|&end| is_mark(tokens.get(end), ';')).unwrap_or(tokens.len());
        let is_public = match &tokens[..at] {
            [.., TokenTree::Ident(word)] => word == "pub",
            [.., TokenTree::Ident(word), TokenTree::Group(_)] => word == "pub",
            _ => false,
        };
        for (names, name) in leaves(&tokens[at + 1..end], &[]) {
            let path = Path { within: within.to_vec(), names };
            self.imports.push(Import { path, name, is_public });
        }
        end + 1
    }

    /// `mod name;` or `mod name { … }`.
    fn module(&mut self, tokens: &[TokenTree], at: usize, within: &[String]) -> usize {
        let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { return at + 1 };
        match tokens.get(at + 2) {
            Some(TokenTree::Group(body)) if body.delimiter() == Delimiter::Brace => {
                let within: Vec<String> = within.iter().cloned().chain([name.to_string()]).collect();
                self.walk(body.stream(), &within);
            }
            _ => {
                self.modules.insert(name.to_string());
            }
        }
        at + 3
    }

    /// A name, or several with `::` between them.
    fn path(&mut self, tokens: &[TokenTree], at: usize, within: &[String]) -> usize {
        let (names, end) = names(tokens, at);
        let item_of =
            |word: &TokenTree| matches!(word, TokenTree::Ident(word) if ITEMS.iter().any(|item| word == item));
        let is_macro = at >= 2
            && is_mark(tokens.get(at - 1), '!')
            && matches!(&tokens[at - 2], TokenTree::Ident(word) if word == "macro_rules");
        if names.len() == 1
            && within.is_empty()
            && (is_macro || at.checked_sub(1).is_some_and(|last| item_of(&tokens[last])))
        {
            let is_type =
                |word: &TokenTree| matches!(word, TokenTree::Ident(word) if TYPES.iter().any(|it| word == it));
            if at.checked_sub(1).is_some_and(|last| is_type(&tokens[last])) {
                self.types.extend(names.iter().cloned());
            }
            self.items.extend(names);
            return end;
        }
        self.words.extend(names.iter().cloned());
        if names.len() > 1 {
            self.paths.push(Path { within: within.to_vec(), names });
        }
        end
    }

    /// A path in the text of an attribute.
    fn quoted(&mut self, text: &str, within: &[String]) {
        let text = text.trim_matches('"');
        if ["crate::", "super::"].iter().any(|head| text.starts_with(head)) {
            let names = text.split("::").map(str::to_owned).collect();
            self.paths.push(Path { within: within.to_vec(), names });
        }
    }
}

/// The names from here on that `::` joins, and what follows them.
fn names(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut names = vec![];
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        names.push(name.to_string());
        if !is_joint(tokens, at + 1) || !matches!(tokens.get(at + 3), Some(TokenTree::Ident(_))) {
            return (names, at + 1);
        }
        at += 3;
    }
    (names, at)
}

/// What the tree of an import brings: each path with the name that it gets.
fn leaves(tokens: &[TokenTree], before: &[String]) -> Vec<(Vec<String>, String)> {
    // `::name` is another's crate, of that name.
    let at = if is_joint(tokens, 0) { 2 } else { 0 };
    let (named, end) = names(tokens, at);
    let path: Vec<String> = before.iter().cloned().chain(named).collect();
    let end = if is_joint(tokens, end) { end + 2 } else { end };
    match tokens.get(end) {
        Some(TokenTree::Group(group)) => branches(group).iter().flat_map(|branch| leaves(branch, &path)).collect(),
        Some(TokenTree::Punct(mark)) if mark.as_char() == '*' => vec![(path, "*".to_owned())],
        other => {
            // `{self}` is what the braces follow.
            let path = if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
                path[..path.len() - 1].to_vec()
            } else {
                path
            };
            let is_renamed = matches!(other, Some(TokenTree::Ident(word)) if word == "as");
            let name = match tokens.get(end + 1) {
                Some(TokenTree::Ident(name)) if is_renamed => Some(name.to_string()),
                _ => path.last().cloned(),
            };
            name.map(|name| (path, name)).into_iter().collect()
        }
    }
}

/// What commas separate.
fn branches(group: &Group) -> Vec<Vec<TokenTree>> {
    let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
    tokens.split(|token| is_mark(Some(token), ',')).filter(|branch| !branch.is_empty()).map(<[_]>::to_vec).collect()
}

fn is_mark(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(mark)) if mark.as_char() == wanted)
}

/// Whether `::` is here.
fn is_joint(tokens: &[TokenTree], at: usize) -> bool {
    is_mark(tokens.get(at), ':') && is_mark(tokens.get(at + 1), ':')
}

/// `[cfg(test)]`
fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    attribute.is_some_and(|attribute| attribute.to_string().replace(' ', "") == "[cfg(test)]")
}

/// Behind the item that begins here: its body, or its semicolon.
fn after_item(tokens: &[TokenTree], at: usize) -> usize {
    let is_end = |token: &TokenTree| {
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace) || is_mark(Some(token), ';')
    };
    tokens[at..].iter().position(is_end).map_or(tokens.len(), |end| at + end + 1)
}
