//! The forms in which a secret may be repeated: as it is, line by line, in base64 at any place of a longer text and in
//! hexadecimal, both in lines as tools cut them, and letter by letter as `letters` has it: with percent signs, within
//! JSON, HTML, a shell's words, a program's text. What a program makes of it otherwise (backwards, encrypted) is its own.
//!
//! A form is written only when it is needed: a value of 64 KiB has more than a megabyte of them.

use std::collections::BTreeSet;
use std::ops::Range;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};

use super::letters::{self, Letters};

/// Shorter forms would be found by chance.
const SHORTEST: usize = 4;
/// A line of a longer secret that is worth to be looked for by itself.
const LINE: usize = 8;
/// Of longer ones only the most usual ways to write letters are looked for: what is in question takes memory.
const LONG: usize = 4 << 10;
/// Where tools begin a new line: `base64` and MIME; PEM.
const BASE64_LINES: [usize; 2] = [76, 64];
/// The same of `xxd -p`.
const HEX_LINE: usize = 60;

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
    Hex {
        upper: bool,
        in_lines: bool,
    },
    /// Each letter by itself.
    Letters(Letters),
}

/// Of a text in base64.
#[derive(Clone, Copy, Debug)]
enum Part {
    Padded,
    Whole,
    /// The letters that are the same whatever stands around, behind so many bytes modulo 3.
    Middle(usize),
    /// The letters that are the same whatever follows, in lines of so many.
    Lines(usize),
}

impl Form {
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
            Self::Hex { upper, in_lines } => {
                let digits = if upper { hex::encode_upper(text) } else { hex::encode(text) };
                if in_lines { lines(digits.as_bytes(), HEX_LINE) } else { digits.into() }
            }
            Self::Letters(letters) => letters.write(text).into(),
        }
    }
}

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
    let in_lines = BASE64_LINES.into_iter().filter(|width| text.len() * 4 / 3 > *width).map(Part::Lines);
    let parts: Vec<Part> = parts.into_iter().chain(in_lines).collect();
    let base64 = |alphabet| parts.iter().map(move |part| How::Base64 { alphabet, part: *part });
    let mut hows: Vec<How> = [&STANDARD, &URL_SAFE].into_iter().flat_map(base64).collect();
    let is_long = text.len() * 2 > HEX_LINE;
    for in_lines in [false, true].into_iter().filter(|in_lines| is_long || !in_lines) {
        hows.extend([true, false].map(|upper| How::Hex { upper, in_lines }));
    }
    hows.extend(letter_by_letter(text).into_iter().map(How::Letters));
    hows
}

/// Which ways differ, by the letters that the text has.
fn letter_by_letter(text: &str) -> Vec<Letters> {
    let each: BTreeSet<char> = text.chars().map(alike).collect();
    // Some ways write the first letter otherwise.
    let sample: String = text.chars().take(1).map(alike).chain(each).collect();
    let mut seen = BTreeSet::from([sample.clone()]);
    let mut differs = |letters: &Letters| seen.insert(letters.write(&sample));
    if text.len() > LONG {
        return letters::usual().filter(|letters| differs(letters)).collect();
    }
    letters::all().filter(|letters| differs(letters)).collect()
}

/// A letter that is written in every way as this one is: in texts of other scripts there are thousands. Their numbers have
/// hexadecimal digits of both cases.
fn alike(letter: char) -> char {
    match letter {
        '\0'..='\u{7f}' | '\u{2028}' | '\u{2029}' => letter,
        '\u{80}'..='\u{ff}' => 'ö',
        _ if letter.len_utf8() < 4 => '密',
        _ => '😀',
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
        Part::Lines(width) => lines(&base64(text, alphabet, Part::Middle(0)), width),
    }
}

/// In lines of so many bytes.
fn lines(text: &[u8], width: usize) -> Vec<u8> {
    text.chunks(width).collect::<Vec<_>>().join(&b'\n')
}
