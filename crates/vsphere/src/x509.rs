//! Two facts of a certificate that people want to see before they pin it: whose it is, and until when.
//!
//! Trusts nothing and decides nothing: a certificate that cannot be read here shows less. Reads the few elements on
//! the way to them. (RFC 5280, section 4.1; X.690, section 8.)

use chrono::{DateTime, NaiveDateTime, Utc};

use super::error::tidy;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// UTF8String, PrintableString, IA5String.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];
/// The object id of `commonName`: 2.5.4.3.
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// What is shown of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The end of its time.
    pub(super) not_after: Option<DateTime<Utc>>,
    /// The subject's common name.
    pub(super) subject: Option<String>,
}

/// An element: its tag, what is in it, and what follows.
struct Part<'a> {
    tag: u8,
    inside: &'a [u8],
    rest: &'a [u8],
}

/// Reads a certificate in DER.
pub(super) fn facts(der: &[u8]) -> Facts {
    read(der).unwrap_or_default()
}

fn read(der: &[u8]) -> Option<Facts> {
    let certificate = sequence(der)?;
    let mut signed = sequence(certificate.inside)?.inside;
    if part(signed)?.tag == VERSION {
        signed = part(signed)?.rest;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        signed = part(signed)?.rest;
    }
    let validity = sequence(signed)?;
    let not_after = part(part(validity.inside)?.rest).and_then(|end| time(&end));
    let subject = sequence(validity.rest).and_then(|subject| common_name(subject.inside));
    Some(Facts { not_after, subject })
}

fn part(der: &[u8]) -> Option<Part<'_>> {
    let (&[tag, length], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (inside, rest) = rest.split_at_checked(length)?;
    Some(Part { tag, inside, rest })
}

fn sequence(der: &[u8]) -> Option<Part<'_>> {
    part(der).filter(|part| part.tag == SEQUENCE)
}

fn time(part: &Part<'_>) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(part.inside).ok()?;
    let whole = match part.tag {
        // Two digits mean 1950 to 2049. (RFC 5280, section 4.1.2.5.1.)
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&whole, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

/// Finds the last common name, the most specific one.
fn common_name(mut names: &[u8]) -> Option<String> {
    let mut found = None;
    while let Some(set) = part(names).filter(|set| set.tag == SET) {
        names = set.rest;
        let Some(pair) = sequence(set.inside) else { continue };
        let id = part(pair.inside).filter(|id| id.tag == OBJECT_ID && id.inside == COMMON_NAME);
        let text = id.and_then(|id| part(id.rest)).filter(|text| TEXTS.contains(&text.tag));
        found = text.and_then(|text| std::str::from_utf8(text.inside).ok()).map(tidy).or(found);
    }
    found
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut parameters = CertificateParams::new(vec!["vc.example".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(year, 3, 2);
        parameters.distinguished_name.push(DnType::OrganizationName, "Example");
        parameters.distinguished_name.push(DnType::CommonName, "vc 中心");
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn reads_either_form_of_time() {
        for (year, end) in [(2030, "2030-03-02T00:00:00Z"), (2100, "2100-03-02T00:00:00Z")] {
            let facts = facts(&certificate(year));
            assert_eq!(facts.not_after, end.parse().ok());
            assert_eq!(facts.subject.as_deref(), Some("vc 中心"));
        }
    }

    #[test]
    fn shows_less_of_what_is_broken() {
        let whole = certificate(2030);
        for end in 0..whole.len() {
            assert_eq!(facts(&whole[..end]), Facts::default(), "{end}");
        }
        for place in 0..whole.len().min(300) {
            let mut broken = whole.clone();
            broken[place] ^= 0xff;
            let _ = facts(&broken);
        }
    }
}
