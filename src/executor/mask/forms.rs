//! The forms in which a secret may be repeated: as it is, line by line, in base64 at any place of a longer text, with
//! percent signs, within JSON, in hexadecimal. What a program makes of it otherwise (backwards, encrypted) is its own.
//!
//! A form is written only when it is needed: a value of 64 KiB has more than a megabyte of them.

use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};

/// Shorter forms would be found by chance.
const SHORTEST: usize = 4;
/// A line of a longer secret that is worth to be looked for by itself.
const LINE: usize = 8;
/// What encoders of URLs and forms leave alone beside letters and digits. They differ: the usual sets.
const LEFT_ALONE: [&str; 4] = ["-_.~", "-_.!~*'()", ";,/?:@&=+$-_.!~*'()#", "*-._"];

/// A part of a secret in one form.
#[derive(Clone, Debug)]
pub(super) struct Form {
    of: Range<usize>,
    how: How,
}

#[derive(Clone, Copy, Debug)]
enum How {
    Plain,
    Base64 {
        alphabet: &'static Alphabet,
        part: Part,
    },
    Percent {
        alone: &'static str,
        blank: &'static str,
        upper: bool,
    },
    Json,
    /// All in ASCII.
    NarrowJson {
        upper: bool,
    },
    Hex {
        upper: bool,
    },
}

/// Of a text in base64.
#[derive(Clone, Copy, Debug)]
enum Part {
    Padded,
    Whole,
    /// The letters that are the same whatever stands around, behind so many bytes modulo 3.
    Middle(usize),
}

impl Form {
    /// All of it.
    pub(super) fn whole(&self, secret: &str) -> Vec<u8> {
        self.how.write(&secret[self.of.clone()])
    }

    /// Its first `most` bytes, or all of it when it has no more.
    pub(super) fn beginning(&self, secret: &str, most: usize) -> Vec<u8> {
        let text = &secret[self.of.clone()];
        // Every form has more bytes than a third of its text, and what begins it does not depend on what follows.
        let mut bytes = self.how.write(&text[..text.floor_char_boundary(3 * most)]);
        bytes.truncate(most);
        bytes
    }
}

impl How {
    fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Plain => text.into(),
            Self::Base64 { alphabet, part } => base64(text.as_bytes(), alphabet, part),
            Self::Percent { alone, blank, upper } => percent(text, (alone, blank, upper)),
            Self::Json => json(text).into(),
            Self::NarrowJson { upper } => narrow(&json(text), upper).into(),
            Self::Hex { upper } => {
                let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
                text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| digits[usize::from(half)]).collect()
            }
        }
    }
}

/// Every form of `secret`.
pub(super) fn all(secret: &str) -> Vec<Form> {
    let place = |part: &str| {
        let from = part.as_ptr() as usize - secret.as_ptr() as usize;
        from..from + part.len()
    };
    let trimmed = secret.trim_matches(['\r', '\n']);
    let wholes = if trimmed == secret { vec![secret] } else { vec![secret, trimmed] };
    let mut forms = vec![];
    for text in &wholes {
        let hows = [How::Plain].into_iter().chain(encodings(text));
        forms.extend(hows.map(|how| Form { of: place(text), how }));
    }
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LINE && !wholes.contains(line));
    forms.extend(lines.map(|line| Form { of: place(line), how: How::Plain }));
    forms.retain(|form| form.beginning(secret, SHORTEST).len() == SHORTEST);
    forms
}

/// The ways to encode `text` that make something else of it, each once.
fn encodings(text: &str) -> Vec<How> {
    let parts = [Part::Padded, Part::Whole, Part::Middle(0), Part::Middle(1), Part::Middle(2)];
    let base64 = |alphabet| parts.map(|part| How::Base64 { alphabet, part });
    let mut hows: Vec<How> = [&STANDARD, &URL_SAFE].into_iter().flat_map(base64).collect();
    hows.extend([true, false].map(|upper| How::Hex { upper }));
    if text.bytes().any(|byte| byte < b' ' || matches!(byte, b'"' | b'\\' | 0x7f)) {
        hows.push(How::Json);
    }
    if !text.is_ascii() {
        hows.extend([true, false].map(|upper| How::NarrowJson { upper }));
    }
    hows.extend(percents(text));
    hows
}

/// Which encodings with percent signs differ, by the characters that the text has.
fn percents(text: &str) -> Vec<How> {
    let mut has = [false; 256];
    text.bytes().for_each(|byte| has[usize::from(byte)] = true);
    let bytes: Vec<u8> = (0..=255).filter(|byte| has[usize::from(*byte)]).collect();
    let sample = |way: Way| bytes.iter().flat_map(|byte| encoded(*byte, way)).collect::<Vec<u8>>();
    let (mut hows, mut seen) = (vec![], vec![bytes.clone()]);
    for alone in LEFT_ALONE {
        for blank in ["%20", "+"] {
            for upper in [true, false] {
                let sample = sample((alone, blank, upper));
                if !seen.contains(&sample) {
                    seen.push(sample);
                    hows.push(How::Percent { alone, blank, upper });
                }
            }
        }
    }
    hows
}

/// What is left alone, what stands for a blank, whether digits are in upper case.
type Way = (&'static str, &'static str, bool);

fn percent(text: &str, way: Way) -> Vec<u8> {
    let table: Vec<Vec<u8>> = (0..=255).map(|byte| encoded(byte, way)).collect();
    text.bytes().flat_map(|byte| table[usize::from(byte)].iter().copied()).collect()
}

fn encoded(byte: u8, (alone, blank, upper): Way) -> Vec<u8> {
    match byte {
        b' ' => blank.into(),
        _ if byte.is_ascii_alphanumeric() || alone.as_bytes().contains(&byte) => vec![byte],
        _ if upper => format!("%{byte:02X}").into(),
        _ => format!("%{byte:02x}").into(),
    }
}

fn base64(text: &[u8], alphabet: &Alphabet, part: Part) -> Vec<u8> {
    let encode = |padding, text: &[u8]| GeneralPurpose::new(alphabet, padding).encode(text).into_bytes();
    match part {
        Part::Padded => encode(PAD, text),
        Part::Whole => encode(NO_PAD, text),
        Part::Middle(before) => {
            let shifted = [&[0; 3][..before], text].concat();
            // Letters that carry bits of what stands before or behind differ each time.
            let (from, until) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            encode(NO_PAD, &shifted)[from..until].to_vec()
        }
    }
}

/// As a JSON text has it between its quotes.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// With what is no ASCII as `\u1234`: the usual way of Python and PHP.
fn narrow(json: &str, upper: bool) -> String {
    let mut text = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_ascii() {
            text.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            text += &if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
        }
    }
    text
}
