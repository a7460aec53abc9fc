//! Text as it is compared where the case of its letters must not matter, in any script. What is kept of it lies in
//! columns: neither database knows more of case than it was built with, and SQLite knows ASCII's alone.

use icu_casemap::CaseMapper;
use icu_normalizer::ComposingNormalizerBorrowed;

/// The text with every difference of case taken out of it: composed (NFC), then folded in full (Unicode 3.13, D144).
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    CaseMapper::new().fold_string(&composed).into_owned()
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn a_name_is_one_in_any_case_of_any_script() {
        for (one, other) in [
            ("ÄRZTE", "ärzte"),
            ("Straße", "STRASSE"),
            ("ΌΣΟΣ", "όσος"),
            ("ПРОВЕРКА", "проверка"),
            ("A\u{308}RZTE", "ärzte"),
            ("ﬁle", "FILE"),
            ("ǅ", "ǆ"),
            ("Ꭰ", "ꭰ"),
            ("准备主机 A", "准备主机 a"),
            ("K", "k"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        for (one, other) in [("a", "ä"), ("ı", "i"), ("主", "王"), ("e\u{301}", "e")] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
