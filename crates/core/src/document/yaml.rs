//! YAML text (JSON is YAML) to a tree with lines. One pass over the parser's events with a stack of our own, so no
//! nesting can overflow the thread's; aliases are written out at a price. Scalars as in the core schema of YAML 1.2
//! (<https://yaml.org/spec/1.2.2/#103-core-schema>): `yes` and `on` are text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;

use serde::de::IgnoredAny;
use serde_json::Number;
use serde_saphyr::granit_parser::{self, ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};

use super::tree::{Budget, Content, DEPTH, Entry, Node, too_deep, too_large};
use super::word;
use crate::error::Fault;

/// The longest document, in bytes.
const LENGTH: usize = 4 << 20;

/// The tree of the one document in `text`; `wanted` says what to write where there is none.
///
/// # Errors
/// Where it is no YAML, no single document, too long, too deep or too large.
pub fn parse(text: &str, wanted: &str) -> Result<Node, Fault> {
    if text.len() > LENGTH {
        return Err(at(None, "the document is longer than 4 MiB: keep long scripts and data in files"));
    }
    if let Some(index) = text.find('\0') {
        let line = line(text[..index].matches('\n').count() + 1);
        return Err(at(line, "contains a NUL byte: remove it"));
    }
    let text = &printable(text);
    // Comments are no part of the tree; the limit of nesting is one more than ours, so that ours speaks first.
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH + 1,
        block_nesting_limit: DEPTH + 1,
    };
    let mut builder = Builder::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| broken(&error))?;
        builder.step(event, &span)?;
    }
    builder.root.ok_or_else(|| at(None, format!("the document is empty: {wanted}")))
}

/// Characters that JSON allows in its texts as they are and the YAML parser does not, or may take for line ends.
fn is_awkward(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The same document with awkward characters escaped, if it is JSON: there they stand in texts only.
fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_awkward) || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        if is_awkward(character) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

fn at(line: Option<u32>, message: impl Into<String>) -> Fault {
    Fault { path: String::new(), line, message: message.into() }
}

fn broken(error: &ScanError) -> Fault {
    let line = line(error.marker().line());
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => at(line, too_deep()),
        _ => at(line, format!("not valid YAML or JSON: {}", error.info())),
    }
}

fn line(number: usize) -> Option<u32> {
    u32::try_from(number).ok()
}

/// A list or mapping that has begun.
struct Open {
    line: Option<u32>,
    anchor: usize,
    content: Content,
    /// The key whose value comes next.
    key: Option<(String, Option<u32>)>,
}

/// What an anchor names, with what a copy of it costs.
struct Anchored {
    node: Node,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
    height: usize,
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Anchored>,
    budget: Budget,
    documents: usize,
}

impl Builder {
    fn new() -> Self {
        Self { open: vec![], root: None, anchors: HashMap::new(), budget: Budget::DOCUMENT, documents: 0 }
    }

    fn step(&mut self, event: Event<'_>, span: &Span) -> Result<(), Fault> {
        let line = line(span.start.line());
        if let Some(tag) = event.tag() {
            let tag = word::quote(&tag.to_string());
            return Err(at(line, format!("tags are not read here: remove {tag}, and put text in quotes")));
        }
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(at(line, "a second document begins here: send one document at a time"));
                }
                Ok(())
            }
            Event::Scalar(text, style, anchor, _) if self.awaits_key() => {
                self.forbid_anchor(anchor, line)?;
                self.key(text.into_owned(), style, line)
            }
            Event::Scalar(text, style, anchor, _) => {
                let node = Node { line, content: scalar(text.into_owned(), style) };
                self.charge(1, text_len(&node), line)?;
                self.put(node, anchor)
            }
            Event::SequenceStart(_, anchor, _) => self.begin(Content::List(vec![]), anchor, line),
            Event::MappingStart(_, anchor, _) => self.begin(Content::Map(vec![]), anchor, line),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(id) => self.repeat(id, line),
            // Presentation only, and what the options above switch off.
            _ => Ok(()),
        }
    }

    fn awaits_key(&self) -> bool {
        self.open.last().is_some_and(|open| matches!(open.content, Content::Map(_)) && open.key.is_none())
    }

    fn charge(&mut self, values: usize, bytes: usize, line: Option<u32>) -> Result<(), Fault> {
        if self.budget.take(values, bytes) { Ok(()) } else { Err(at(line, too_large())) }
    }

    fn forbid_anchor(&self, anchor: usize, line: Option<u32>) -> Result<(), Fault> {
        if anchor == 0 { Ok(()) } else { Err(at(line, "a key may not have an anchor: put it on the value")) }
    }

    fn key(&mut self, text: String, style: ScalarStyle, line: Option<u32>) -> Result<(), Fault> {
        if style == ScalarStyle::Plain && text == "<<" {
            return Err(at(
                line,
                "merge keys (`<<`) are not read here: write the keys out, or repeat a whole value by an alias",
            ));
        }
        self.charge(0, text.len(), line)?;
        if let Some(open) = self.open.last_mut() {
            open.key = Some((text, line));
        }
        Ok(())
    }

    fn begin(&mut self, content: Content, anchor: usize, line: Option<u32>) -> Result<(), Fault> {
        if self.awaits_key() {
            return Err(at(line, "a key must be text, not a list or mapping"));
        }
        if self.open.len() == DEPTH {
            return Err(at(line, too_deep()));
        }
        self.charge(1, 0, line)?;
        self.open.push(Open { line, anchor, content, key: None });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let open = self.open.pop().expect("invariant: the parser closes only what it opened");
        self.put(Node { line: open.line, content: open.content }, open.anchor)
    }

    /// Puts a finished value where it belongs, and keeps a copy where an anchor names it.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Fault> {
        if anchor != 0 {
            let size = measure(&node);
            self.charge(size.values, size.bytes, node.line)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(open) => match &mut open.content {
                Content::List(items) => items.push(node),
                Content::Map(entries) => {
                    let (key, line) = open.key.take().expect("invariant: a value in a mapping follows its key");
                    entries.push(Entry { key, line, node });
                }
                Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => {}
            },
        }
        Ok(())
    }

    /// Writes an alias out. Its values stand on the alias's line.
    fn repeat(&mut self, id: usize, line: Option<u32>) -> Result<(), Fault> {
        if self.awaits_key() {
            return Err(at(line, "a key must be text, not an alias"));
        }
        let Some(Anchored { node, size }) = self.anchors.get(&id) else {
            return Err(at(line, "an alias stands inside the value that it repeats: that would never end"));
        };
        if self.open.len() + size.height > DEPTH {
            return Err(at(line, too_deep()));
        }
        // Paid before it is copied.
        if !self.budget.take(size.values, size.bytes) {
            return Err(at(line, too_large()));
        }
        let copy = node.clone();
        self.put(copy, 0)
    }
}

fn text_len(node: &Node) -> usize {
    if let Content::Text(text) = &node.content { text.len() } else { 0 }
}

fn measure(node: &Node) -> Size {
    let mut size = Size { values: 1, bytes: text_len(node), height: 0 };
    let mut add = |child: &Node, key: usize| {
        let below = measure(child);
        size.values += below.values;
        size.bytes += below.bytes + key;
        size.height = size.height.max(below.height);
    };
    match &node.content {
        Content::List(items) => items.iter().for_each(|item| add(item, 0)),
        Content::Map(entries) => entries.iter().for_each(|entry| add(&entry.node, entry.key.len())),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => return size,
    }
    size.height += 1;
    size
}

fn scalar(text: String, style: ScalarStyle) -> Content {
    if style != ScalarStyle::Plain {
        return Content::Text(text);
    }
    match text.as_str() {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        plain => number(plain).map_or(Content::Text(text), Content::Number),
    }
}

/// Infinities, and what no JSON number can hold, stay text.
fn number(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            let clean = digits.chars().all(|digit| digit.is_digit(radix));
            return u64::from_str_radix(digits, radix).ok().filter(|_| clean).map(Number::from);
        }
    }
    if !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
        return None;
    }
    let whole = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    whole.ok().or_else(|| text.parse().ok().and_then(Number::from_f64))
}
