//! The forms in which a secret may be repeated: as it is, line by line, in base64 at any place of a longer text, with
//! percent signs, within JSON, in hexadecimal. What a program makes of it otherwise (backwards, encrypted) is its own.

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, PAD};

/// Shorter forms would be found by chance.
const SHORTEST: usize = 4;
/// A line of a longer secret that is worth to be looked for by itself.
const LINE: usize = 8;

/// Every form of `secret`.
pub(super) fn all(secret: &str) -> Vec<Vec<u8>> {
    let trimmed = secret.trim_matches(['\r', '\n']);
    let mut forms: Vec<Vec<u8>> = vec![secret.into(), trimmed.into()];
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LINE);
    forms.extend(lines.map(|line| line.as_bytes().to_vec()));
    for text in [secret, trimmed] {
        forms.extend(base64(text.as_bytes()));
        forms.extend(percent(text));
        forms.push(json(text));
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        forms.push(hex.to_uppercase().into());
        forms.push(hex.into());
    }
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// In both alphabets: whole, and as the middle of something longer, wherever that cuts it into threes.
fn base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let of = |alphabet: &Alphabet| {
        let whole = [PAD, NO_PAD].map(|form| GeneralPurpose::new(alphabet, form).encode(secret).into_bytes());
        let middles = (0..3).map(|before| {
            let shifted = [&[0; 3][..before], secret].concat();
            let text = GeneralPurpose::new(alphabet, NO_PAD).encode(&shifted);
            // Letters that carry bits of what stands before or behind differ each time.
            let (from, until) = ((before * 8).div_ceil(6), shifted.len() * 8 / 6);
            text.as_bytes()[from..until].to_vec()
        });
        whole.into_iter().chain(middles).collect::<Vec<_>>()
    };
    [&STANDARD, &URL_SAFE].into_iter().flat_map(of).collect()
}

/// As URLs and forms write it. Encoders differ in what they leave alone: the usual sets.
fn percent(secret: &str) -> Vec<Vec<u8>> {
    const LEFT_ALONE: [&str; 4] = ["-_.~", "-_.!~*'()", ";,/?:@&=+$-_.!~*'()#", "*-._"];
    let mut forms = vec![];
    for alone in LEFT_ALONE {
        for blank in ["%20", "+"] {
            for upper in [true, false] {
                let encode = |byte: u8| match byte {
                    b' ' => blank.to_owned(),
                    _ if byte.is_ascii_alphanumeric() || alone.as_bytes().contains(&byte) => {
                        char::from(byte).to_string()
                    }
                    _ if upper => format!("%{byte:02X}"),
                    _ => format!("%{byte:02x}"),
                };
                forms.push(secret.bytes().map(encode).collect::<String>().into_bytes());
            }
        }
    }
    forms
}

/// As a JSON text has it between its quotes.
fn json(secret: &str) -> Vec<u8> {
    let quoted = serde_json::Value::from(secret).to_string();
    quoted.as_bytes()[1..quoted.len() - 1].to_vec()
}
