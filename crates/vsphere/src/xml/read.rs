//! A pull reader that walks elements as they nest.
//!
//! Whoever reads an element calls [`Reader::children`] or [`Reader::text`] on it, at most once; what nobody read is
//! skipped, whatever is in it. The invariant: when a closure given to `children` returns, the reader stands behind the
//! element that was handed to it, so one that reads too little can never shift what follows.
//!
//! This is where text of a vCenter enters: it comes out as [`Text`], cleaned and bounded. What cannot be read is told
//! from a document that is broken: the one can be left out ([`Reader::attempt`]), behind the other nothing can be read.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};
use taskloom_core::text::{REPLACEMENT, Text};

use super::malformed::Malformed;
use super::{VIM, XSD, XSI};
use crate::left_out::{LeftOut, Unreadable};

/// The longest name of an element, an attribute's value, or a type, in bytes.
const NAME: usize = 256;

/// The start of an element.
pub(crate) struct Element<'a>(BytesStart<'a>);

/// Which namespace a type is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// The vSphere Web Services API.
    Vim,
    /// XML Schema's simple types.
    Xsd,
    /// Another API's, such as vSAN's.
    Other,
}

impl Element<'_> {
    /// The name without its prefix.
    pub(crate) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The same, to be kept.
    pub(crate) fn label(&self) -> Text {
        Text::cut(self.name(), NAME)
    }

    /// The attribute without a namespace, such as the `type` of a reference.
    pub(crate) fn attribute(&self, name: &str) -> Option<Text> {
        // Unchecked: looking for duplicates is quadratic in the number of attributes.
        let mut all = self.0.attributes();
        let found = all.with_checks(false).filter_map(Result::ok).find(|one| one.key.as_ref() == name)?;
        found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|value| Text::cut(&value, NAME))
    }
}

/// Reads one text.
pub(crate) struct Reader<'a> {
    quick: NsReader<&'a [u8]>,
    depth: usize,
    deepest: usize,
    /// Why nothing behind this place can be read.
    broken: Option<&'static str>,
    left_out: LeftOut,
}

impl<'a> Reader<'a> {
    /// Reads this text, in which elements may nest to a depth.
    pub(crate) fn new(text: &'a str, deepest: usize) -> Self {
        let mut quick = NsReader::from_str(text.trim_start_matches('\u{feff}'));
        let config = quick.config_mut();
        config.expand_empty_elements = true;
        // Some server forgot to escape it: that is no reason to lose what stands around it.
        config.allow_dangling_amp = true;
        Self { quick, depth: 0, deepest, broken: None, left_out: LeftOut::default() }
    }

    /// Reads what may be unreadable, then stands behind the current element, whatever was wrong in it.
    ///
    /// # Errors
    /// Where the document is broken. What only could not be read is the inner error.
    pub(crate) fn attempt<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Result<T, Malformed>, Malformed> {
        let inside = self.depth;
        let read = read(self);
        if read.is_err() {
            // It may nest deeper than anybody would read.
            while self.depth >= inside {
                if let Event::Eof = self.step()? {
                    return Err(self.malformed(SHORT));
                }
            }
        }
        Ok(read)
    }

    /// Notes a task that is left out of what is read.
    pub(crate) fn leave_out(&mut self, task: Unreadable) {
        self.left_out.add(task);
    }

    /// What was left out until now.
    pub(crate) fn into_left_out(self) -> LeftOut {
        self.left_out
    }

    /// Hands each child of the current element to the closure, then stands behind the current element. At the
    /// beginning of a text its only child is the root.
    ///
    /// # Errors
    /// The closure's, and any fault of the text.
    pub(crate) fn children(
        &mut self,
        mut each: impl FnMut(&mut Self, &Element<'a>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        while let Some(element) = self.next_child()? {
            let inside = self.depth;
            each(self, &element).map_err(|error| error.inside(element.name()))?;
            while self.depth >= inside {
                self.skip_piece().map_err(|error| error.inside(element.name()))?;
            }
        }
        Ok(())
    }

    /// The current element's own text, then stands behind the element. Elements in it are skipped.
    ///
    /// # Errors
    /// A fault of the text, or an entity that XML does not define itself.
    pub(crate) fn text(&mut self) -> Result<Text, Malformed> {
        self.content().map(|(text, _)| Text::message(&text))
    }

    /// The current element's own text as something else.
    ///
    /// # Errors
    /// As [`Reader::text`], and where it cannot be read as that.
    pub(crate) fn parse<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Malformed> {
        let (text, _) = self.content()?;
        read(&text).ok_or_else(|| self.malformed("has a value that it cannot have"))
    }

    /// The same as [`Reader::text`], but nothing of an element with others in it.
    ///
    /// # Errors
    /// As [`Reader::text`].
    pub(crate) fn plain(&mut self) -> Result<Option<Text>, Malformed> {
        self.content().map(|(text, plain)| plain.then(|| Text::message(&text)))
    }

    fn content(&mut self) -> Result<(Cow<'a, str>, bool), Malformed> {
        let own = self.depth;
        let (mut text, mut plain) = (Cow::Borrowed(""), true);
        loop {
            match self.event()? {
                Event::End(_) if self.depth < own => return Ok((text, plain)),
                Event::Eof => return Err(self.malformed(SHORT)),
                _ if self.depth > own => plain = false,
                Event::Text(piece) => push(&mut text, piece.xml10_content()),
                Event::CData(piece) => push(&mut text, piece.xml10_content()),
                Event::GeneralRef(entity) => {
                    let character = character(&entity).ok_or_else(|| self.malformed("has an entity of its own"))?;
                    text.to_mut().push(character);
                }
                _ => {}
            }
        }
    }

    /// The type that `xsi:type` names, as far as the element is not read yet.
    ///
    /// # Errors
    /// Attributes that cannot be read.
    pub(crate) fn kind(&self, element: &Element<'_>) -> Result<Option<(Space, Text)>, Malformed> {
        for attribute in element.0.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| self.malformed(ILL))?;
            let (space, name) = self.quick.resolver().resolve_attribute(attribute.key);
            if name.as_ref() == "type" && is(&space, XSI) {
                let Cow::Borrowed(value) = attribute.value else { return Err(self.malformed(ILL)) };
                return Ok(Some(self.resolve(value.trim())));
            }
        }
        Ok(None)
    }

    /// Says what is wrong at this place.
    pub(crate) fn malformed(&self, why: &'static str) -> Malformed {
        Malformed::new(why, self.quick.buffer_position())
    }

    /// Says what the current element lacks.
    pub(crate) fn missing(&self, name: &str) -> Malformed {
        self.malformed("is missing").inside(name)
    }

    fn resolve(&self, name: &str) -> (Space, Text) {
        let (space, local) = self.quick.resolver().resolve(QName(name), true);
        let space = [(VIM, Space::Vim), (XSD, Space::Xsd)].into_iter().find(|(uri, _)| is(&space, uri));
        (space.map_or(Space::Other, |(_, space)| space), Text::cut(local.into_inner(), NAME))
    }

    fn next_child(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Some(Element(start))),
                Event::End(_) => return Ok(None),
                Event::Eof if self.depth == 0 => return Ok(None),
                Event::Eof => return Err(self.malformed(SHORT)),
                _ => {}
            }
        }
    }

    fn skip_piece(&mut self) -> Result<(), Malformed> {
        match self.event()? {
            Event::Eof => Err(self.malformed(SHORT)),
            _ => Ok(()),
        }
    }

    fn event(&mut self) -> Result<Event<'a>, Malformed> {
        let event = self.step()?;
        if self.depth > self.deepest {
            return Err(self.malformed("nests too deeply"));
        }
        Ok(event)
    }

    /// The next event, however deep.
    fn step(&mut self) -> Result<Event<'a>, Malformed> {
        if let Some(why) = self.broken {
            return Err(self.malformed(why));
        }
        let read = self.quick.read_event();
        self.broken = match &read {
            Ok(Event::DocType(_)) => Some("has a document type definition"),
            Ok(_) => None,
            Err(_) => Some(ILL),
        };
        let event = match (read, self.broken) {
            (Ok(event), None) => event,
            (_, why) => return Err(self.malformed(why.unwrap_or(ILL))),
        };
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        Ok(event)
    }
}

const ILL: &str = "is not well-formed XML";
const SHORT: &str = "ends too soon";

fn is(space: &ResolveResult<'_>, uri: &str) -> bool {
    matches!(space, ResolveResult::Bound(found) if found.as_ref() == uri)
}

fn push<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

/// What a reference stands for: a number, or one of the five names that XML defines. A number of no character, or of one
/// that XML forbids, stands for what cannot be kept.
fn character(entity: &BytesRef<'_>) -> Option<char> {
    match entity.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        number if number.starts_with('#') => Some(entity.resolve_char_ref().ok().flatten().unwrap_or(REPLACEMENT)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Skips through a whole text, which may nest 8 deep.
    fn skip(text: &str) -> Result<(), Malformed> {
        Reader::new(text, 8).children(|_, _| Ok(()))
    }

    /// The text of the root.
    fn text(text: &str) -> Result<String, Malformed> {
        let mut found = String::new();
        Reader::new(text, 8).children(|xml, _| {
            found = xml.text()?.into_string();
            Ok(())
        })?;
        Ok(found)
    }

    fn why<T: std::fmt::Debug>(read: Result<T, Malformed>) -> &'static str {
        read.unwrap_err().why
    }

    #[test]
    fn entities_are_refused_before_they_grow() {
        let bomb = r#"<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>"#;
        assert_eq!(why(text(bomb)), "has a document type definition");
        assert_eq!(why(skip(r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#)), "has a document type definition");
        assert_eq!(why(text("<r>&b;</r>")), "has an entity of its own");
    }

    #[test]
    fn the_entities_of_xml_itself_are_read() {
        let all = "<r>&lt;&gt;&amp;&quot;&apos; &#20013;&#x1F600; <![CDATA[<&>]]> <i>not this</i></r>";
        assert_eq!(text(all).unwrap(), "<>&\"' 中😀 <&> ");
    }

    #[test]
    fn what_no_document_may_hold_is_replaced_and_the_rest_is_read() {
        for (written, is) in [
            ("a&#0;b", "a\u{fffd}b"),
            ("a&#xD800;b&#x110000;c", "a\u{fffd}b\u{fffd}c"),
            ("a\0b\u{1}c", "a\u{fffd}b\u{fffd}c"),
            ("R & D & more", "R & D & more"),
            ("a&", "a&"),
        ] {
            assert_eq!(text(&format!("<r>{written}</r>")).as_deref(), Ok(is), "{written}");
        }
        let long = text(&format!("<r>{}</r>", "升".repeat(100_000))).unwrap();
        assert!(long.len() <= taskloom_core::text::MESSAGE && long.ends_with('…'), "{}", long.len());
    }

    #[test]
    fn what_cannot_be_read_is_left_and_what_follows_is_read() {
        let deep = format!("<a>{}{}</a>", "<x>".repeat(100), "</x>".repeat(100));
        for unreadable in ["<a>&b;<c/></a>", "<a><b><c>no number</c></b></a>", "<a/>", &deep] {
            let mut read = vec![];
            let document = format!("<r><n>1</n>{unreadable}<n>2</n></r>");
            let all = Reader::new(&document, 8).children(|xml, _| {
                xml.children(|xml, _| {
                    read.push(xml.attempt(|xml| xml.parse(|text| text.parse::<u8>().ok()))?.ok());
                    Ok(())
                })
            });
            assert_eq!((all, read), (Ok(()), vec![Some(1), None, Some(2)]), "{unreadable}");
        }
        let broken = Reader::new("<r><a><b></a></b></r>", 8)
            .children(|xml, _| xml.children(|xml, _| xml.attempt(|xml| xml.children(|_, _| Ok(()))).map(drop)));
        assert_eq!(why(broken), ILL);
    }

    #[test]
    fn nesting_ends_at_its_limit() {
        assert_eq!(why(skip(&"<a>".repeat(1_000_000))), "nests too deeply");
        assert_eq!(why(skip(&"<a>".repeat(8))), "ends too soon");
        assert!(skip(&format!("{}{}", "<a>".repeat(8), "</a>".repeat(8))).is_ok());
    }

    #[test]
    fn what_is_crossed_or_cut_is_malformed() {
        assert_eq!(why(skip("<a><b></a></b>")), "is not well-formed XML");
        assert_eq!(why(skip("<a><b>")), "ends too soon");
        assert_eq!(why(text("<a>b")), "ends too soon");
    }

    #[test]
    fn types_are_found_by_their_namespace() {
        let text = r#"<r xmlns:x="http://www.w3.org/2001/XMLSchema-instance" xmlns="urn:vim25" xmlns:s="http://www.w3.org/2001/XMLSchema">
            <a type="B" x:type="C"/><a x:type="s:int"/><a x:type="o:D" xmlns:o="urn:o"/><a type="B"/></r>"#;
        let mut found = Vec::new();
        let all = Reader::new(text, 8).children(|xml, _| {
            xml.children(|xml, element| {
                let kind = xml.kind(element)?.map(|(space, name)| format!("{space:?} {name}"));
                found.push((kind.unwrap_or_default(), element.attribute("type").unwrap_or_default().into_string()));
                Ok(())
            })
        });
        assert_eq!(all, Ok(()));
        let expected = [("Vim C", "B"), ("Xsd int", ""), ("Other D", ""), ("", "B")];
        assert_eq!(found, expected.map(|(kind, plain)| (kind.to_owned(), plain.to_owned())));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let read = Reader::new("<a><b/><c><d>x</d></c></a>", 8).children(|xml, _| {
            xml.children(|xml, _| xml.children(|xml, _| xml.parse(|text| text.parse::<u8>().ok()).map(drop)))
        });
        assert_eq!(read.unwrap_err().to_string(), "a/c/d has a value that it cannot have (byte 18)");
    }
}
