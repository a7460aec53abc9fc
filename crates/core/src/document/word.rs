//! Words in messages: quoted short and printable, and the nearest known one beside an unknown one.

/// Longer words are not compared: nobody mistypes them, and comparing costs the product of their lengths.
const COMPARED: usize = 40;

/// The text in back-quotes, fit for one line: cut after 60 characters, controls escaped.
pub fn quote(text: &str) -> String {
    format!("`{}`", short(text, 60))
}

/// The text cut after `length` characters, controls escaped.
pub fn short(text: &str, length: usize) -> String {
    let mut cut = String::new();
    for character in text.chars().take(length) {
        if character.is_control() { cut.extend(character.escape_default()) } else { cut.push(character) }
    }
    if text.chars().nth(length).is_some() {
        cut.push('…');
    }
    cut
}

/// `: did you mean …?` when one of `known` is near enough to `word`.
pub fn suggest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|near| format!(": did you mean {}?", quote(near)))
}

/// The nearest of `known`; upper case, `_` and `-` do not count as differences.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = fold(word)?;
    let most = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter_map(|candidate| Some((strsim::damerau_levenshtein(&word, &fold(candidate)?), candidate)))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> Option<String> {
    let fits = word.len() <= COMPARED * 4 && word.chars().count() <= COMPARED;
    fits.then(|| word.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect())
}

/// `a`, `b` and `c`.
pub fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => quote(only),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|word| quote(word)).collect();
            format!("{} and {}", first.join(", "), quote(last))
        }
    }
}
