//! Writes the body of a call. Everything that is not a name of the API is escaped here and nowhere else.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use zeroize::Zeroizing;

use super::{ENVELOPE, VIM, XSD, XSI};
use crate::{Error, Reference};

/// More than any call but a long list needs: a text that has to grow leaves copies of a password behind.
const ROOM: usize = 4096;

/// An envelope on its way. Wiped when it was sent: it may hold a password.
pub(crate) struct Writer {
    text: Zeroizing<String>,
    method: &'static str,
    refused: Option<&'static str>,
}

impl Writer {
    /// Begins a call of a method on an object.
    pub(crate) fn call(method: &'static str, on: &Reference) -> Self {
        let mut writer = Self { text: Zeroizing::new(String::with_capacity(ROOM)), method, refused: None };
        writer.put(&[
            r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv=""#,
            ENVELOPE,
            r#"" xmlns:xsd=""#,
            XSD,
            r#"" xmlns:xsi=""#,
            XSI,
            r#""><soapenv:Body><"#,
            method,
            r#" xmlns=""#,
            VIM,
            r#"">"#,
        ]);
        writer.reference("_this", on);
        writer
    }

    /// The method's name.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// `<name>value</name>`
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        self.put(&["<", name, ">"]);
        self.escaped(name, value);
        self.put(&["</", name, ">"]);
    }

    /// The same, where there is a value.
    pub(crate) fn optional(&mut self, name: &'static str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// A flag.
    pub(crate) fn flag(&mut self, name: &'static str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &'static str, value: impl Into<i64>) {
        self.text(name, &value.into().to_string());
    }

    /// An instant, in UTC with its microseconds.
    pub(crate) fn instant(&mut self, name: &'static str, value: DateTime<Utc>) {
        self.text(name, &value.to_rfc3339_opts(SecondsFormat::Micros, true));
    }

    /// A reference to a managed object.
    pub(crate) fn reference(&mut self, name: &'static str, value: &Reference) {
        self.put(&["<", name, " type=\""]);
        self.escaped(name, &value.kind);
        self.put(&["\">"]);
        self.escaped(name, &value.value);
        self.put(&["</", name, ">"]);
    }

    /// An element with others in it.
    pub(crate) fn within(&mut self, name: &'static str, inside: impl FnOnce(&mut Self)) {
        self.put(&["<", name, ">"]);
        inside(self);
        self.put(&["</", name, ">"]);
    }

    /// The same, of a type that has to be named.
    pub(crate) fn typed(&mut self, name: &'static str, kind: &'static str, inside: impl FnOnce(&mut Self)) {
        self.put(&["<", name, " xsi:type=\"", kind, "\">"]);
        inside(self);
        self.put(&["</", name, ">"]);
    }

    /// The envelope's bytes, wiped when the last copy of them is dropped.
    ///
    /// # Errors
    /// [`Error::InvalidText`] where a value has a character that XML cannot carry, such as NUL.
    pub(crate) fn finish(mut self) -> Result<Bytes, Error> {
        if let Some(field) = self.refused {
            return Err(Error::InvalidText { field });
        }
        self.put(&["</", self.method, "></soapenv:Body></soapenv:Envelope>"]);
        let bytes = std::mem::take(&mut *self.text).into_bytes();
        Ok(Bytes::from_owner(Zeroizing::new(bytes)))
    }

    fn put(&mut self, pieces: &[&str]) {
        pieces.iter().for_each(|piece| self.text.push_str(piece));
    }

    fn escaped(&mut self, name: &'static str, value: &str) {
        for character in value.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&apos;"),
                // A reader would make a line feed of the one, and blanks of all three in an attribute.
                '\r' => self.text.push_str("&#13;"),
                '\n' => self.text.push_str("&#10;"),
                '\t' => self.text.push_str("&#9;"),
                '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => self.refused = Some(name),
                other => self.text.push(other),
            }
        }
    }
}
