//! Two facts of a certificate that people want to see before they pin it: whose it is, and until when.
//!
//! Trusts nothing and decides nothing: a certificate that cannot be read here shows less.

use chrono::{DateTime, Utc};
use x509_cert::certificate::{CertificateInner, Raw};
use x509_cert::der::asn1::Any;
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode, Tag, Tagged};
use x509_cert::name::Name;
use x509_cert::time::Time;

use super::error::tidy;

/// What is shown of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// The end of its time.
    pub(super) not_after: Option<DateTime<Utc>>,
    /// The subject's common name.
    pub(super) subject: Option<String>,
}

/// Reads a certificate in DER.
pub(super) fn facts(der: &[u8]) -> Facts {
    // Raw: authorities of companies give out serial numbers and times that RFC 5280 forbids.
    let Ok(certificate) = CertificateInner::<Raw>::from_der(der) else { return Facts::default() };
    let signed = certificate.tbs_certificate();
    Facts { not_after: time(signed.validity().not_after), subject: common_name(signed.subject()) }
}

fn time(time: Time) -> Option<DateTime<Utc>> {
    let seconds = time.to_unix_duration().as_secs();
    DateTime::from_timestamp(seconds.try_into().ok()?, 0)
}

/// Finds the last common name, the most specific one.
fn common_name(subject: &Name) -> Option<String> {
    subject.iter().filter(|part| part.oid == COMMON_NAME).filter_map(|part| text(&part.value)).last()
}

/// Reads a text by its bytes: a `PrintableString` often has a `*` in it, which its type has no letter for.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => str::from_utf8(value.value()).ok().map(tidy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, DnValue, KeyPair, SerialNumber, date_time_ymd};

    use super::*;

    fn parameters(year: i32, name: impl Into<DnValue>) -> CertificateParams {
        let mut parameters = CertificateParams::new(vec!["vc.example".to_owned()]).unwrap();
        parameters.not_after = date_time_ymd(year, 3, 2);
        parameters.distinguished_name.push(DnType::OrganizationName, "Example");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters
    }

    fn signed(parameters: &CertificateParams) -> Vec<u8> {
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    fn certificate(year: i32) -> Vec<u8> {
        signed(&parameters(year, "vc 中心"))
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

    #[test]
    fn reads_what_authorities_should_not_write() {
        let mut parameters = parameters(2030, DnValue::PrintableString("wild.vc.example".try_into().unwrap()));
        parameters.serial_number = Some(SerialNumber::from(vec![0x7f; 30]));
        let mut der = signed(&parameters);
        let places: Vec<usize> = (0..der.len()).filter(|at| der[*at..].starts_with(b"wild.")).collect();
        assert_eq!(places.len(), 2, "the issuer and the subject");
        for place in places {
            der.splice(place..place + 4, *b"*.vc");
        }
        assert_eq!(facts(&der).subject.as_deref(), Some("*.vc.vc.example"));
    }

    #[test]
    fn a_name_of_several_is_the_last() {
        let mut parameters = parameters(2030, "one");
        parameters.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "two");
        assert_eq!(facts(&signed(&parameters)).subject.as_deref(), Some("two"));
    }
}
