//! A pull reader that walks elements as they nest.
//!
//! Whoever reads an element calls [`Reader::children`] or [`Reader::text`] on it, at most once; what nobody read is
//! skipped, whatever is in it. The invariant: when a closure given to `children` returns, the reader stands behind the
//! element that was handed to it, so one that reads too little can never shift what follows.

use std::borrow::Cow;

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{QName, ResolveResult};

use super::malformed::Malformed;
use super::{VIM, XSD, XSI};

/// The start of an element.
pub(in crate::vsphere) struct Element<'a>(BytesStart<'a>);

/// Which namespace a type is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vsphere) enum Space {
    /// The vSphere Web Services API.
    Vim,
    /// XML Schema's simple types.
    Xsd,
    /// Another API's, such as vSAN's.
    Other,
}

impl Element<'_> {
    /// The name without its prefix.
    pub(in crate::vsphere) fn name(&self) -> &str {
        self.0.local_name().into_inner()
    }

    /// The attribute without a namespace, such as the `type` of a reference.
    pub(in crate::vsphere) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        // Unchecked: looking for duplicates is quadratic in the number of attributes.
        let mut all = self.0.attributes();
        let found = all.with_checks(false).filter_map(Result::ok).find(|one| one.key.as_ref() == name)?;
        found.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|value| Cow::Owned(value.into_owned()))
    }
}

/// Reads one text.
pub(in crate::vsphere) struct Reader<'a> {
    quick: NsReader<&'a [u8]>,
    depth: usize,
    deepest: usize,
}

impl<'a> Reader<'a> {
    /// Reads this text, in which elements may nest to a depth.
    pub(in crate::vsphere) fn new(text: &'a str, deepest: usize) -> Self {
        let mut quick = NsReader::from_str(text.trim_start_matches('\u{feff}'));
        quick.config_mut().expand_empty_elements = true;
        Self { quick, depth: 0, deepest }
    }

    /// Hands each child of the current element to the closure, then stands behind the current element. At the
    /// beginning of a text its only child is the root.
    ///
    /// # Errors
    /// The closure's, and any fault of the text.
    pub(in crate::vsphere) fn children(
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
    pub(in crate::vsphere) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        self.content().map(|(text, _)| text)
    }

    /// The current element's own text as something else.
    ///
    /// # Errors
    /// As [`Reader::text`], and where it cannot be read as that.
    pub(in crate::vsphere) fn parse<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Malformed> {
        let text = self.text()?;
        read(&text).ok_or_else(|| self.malformed("has a value that it cannot have"))
    }

    /// The same as [`Reader::text`], but nothing of an element with others in it.
    ///
    /// # Errors
    /// As [`Reader::text`].
    pub(in crate::vsphere) fn plain(&mut self) -> Result<Option<Cow<'a, str>>, Malformed> {
        self.content().map(|(text, plain)| plain.then_some(text))
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
    pub(in crate::vsphere) fn kind<'e>(&self, element: &'e Element<'_>) -> Result<Option<(Space, &'e str)>, Malformed> {
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
    pub(in crate::vsphere) fn malformed(&self, why: &'static str) -> Malformed {
        Malformed::new(why, self.quick.buffer_position())
    }

    /// Says what the current element lacks.
    pub(in crate::vsphere) fn missing(&self, name: &str) -> Malformed {
        self.malformed("is missing").inside(name)
    }

    fn resolve<'e>(&self, name: &'e str) -> (Space, &'e str) {
        let (space, local) = self.quick.resolver().resolve(QName(name), true);
        let space = [(VIM, Space::Vim), (XSD, Space::Xsd)].into_iter().find(|(uri, _)| is(&space, uri));
        (space.map_or(Space::Other, |(_, space)| space), local.into_inner())
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
        let event = self.quick.read_event().map_err(|_| self.malformed(ILL))?;
        match &event {
            Event::Start(_) => self.depth += 1,
            Event::End(_) => self.depth = self.depth.saturating_sub(1),
            Event::DocType(_) => return Err(self.malformed("has a document type definition")),
            _ => {}
        }
        if self.depth > self.deepest {
            return Err(self.malformed("nests too deeply"));
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

/// What a reference stands for: a number, or one of the five names that XML defines.
fn character(entity: &BytesRef<'_>) -> Option<char> {
    match entity.as_ref() {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => entity.resolve_char_ref().ok().flatten(),
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
            found = xml.text()?.into_owned();
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
        assert_eq!(why(text("<r>&#xD800;</r>")), "has an entity of its own");
    }

    #[test]
    fn the_entities_of_xml_itself_are_read() {
        let all = "<r>&lt;&gt;&amp;&quot;&apos; &#20013;&#x1F600; <![CDATA[<&>]]> <i>not this</i></r>";
        assert_eq!(text(all).unwrap(), "<>&\"' 中😀 <&> ");
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
                found.push((kind.unwrap_or_default(), element.attribute("type").unwrap_or_default().into_owned()));
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
