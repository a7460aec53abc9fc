//! Nothing of a secret leaves, however the stream is cut and whichever form it has.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;

fn mask(secrets: &[&str]) -> Mask {
    let secrets: Vec<Hidden> = secrets.iter().map(|secret| Hidden::new((*secret).to_owned())).collect();
    Mask::of(&secrets)
}

fn stream(mask: &Mask, parts: &[&[u8]]) -> String {
    let mut stream = mask.stream().unwrap();
    let mut left: Vec<u8> = vec![];
    let mut taken = 0;
    for part in parts {
        taken += part.len();
        left.extend(stream.pass(part));
        assert!(left.len() <= taken);
    }
    left.extend(stream.finish());
    String::from_utf8(left).unwrap()
}

#[test]
fn a_secret_is_found_wherever_it_is_cut() {
    let mask = mask(&["swordfish", "fishermen"]);
    for text in ["a swordfish b", "swordfishermen!", "swordswordfish fishermenfishermen", "swordfis", "x\nswordfish\ny"]
    {
        let whole = mask.text(text).into_owned();
        assert_eq!(whole, stream(&mask, &[text.as_bytes()]));
        for cut in 0..=text.len() {
            let (one, other) = text.as_bytes().split_at(cut);
            assert_eq!(stream(&mask, &[one, other]), whole, "{text} cut at {cut}");
        }
        let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
        assert_eq!(stream(&mask, &bytes), whole);
    }
    assert_eq!(mask.text("swordfishermen!"), "***!", "what overlaps is one");
    assert_eq!(mask.text("swordfis"), "swordfis");
}

#[test]
fn a_line_leaves_at_once() {
    let mut stream = mask(&["swordfish"]).stream().unwrap();
    assert_eq!(stream.pass(b"some words\n"), b"some words\n");
    assert_eq!(stream.pass(b"a sword"), b"a ");
    assert_eq!(stream.pass(b" of iron"), b"sword of iron");
    assert_eq!(stream.finish(), b"");
}

#[test]
fn a_secret_without_end_holds_nothing_up() {
    let mask = mask(&["aaaa"]);
    let mut stream = mask.stream().unwrap();
    let mut left = vec![];
    for _ in 0..1000 {
        left.extend(stream.pass(b"aaaaaaa"));
        assert!(stream.held.len() < 64, "{}", stream.held.len());
    }
    left.extend(stream.pass(b"b"));
    left.extend(stream.finish());
    assert_eq!(left, b"***b");
}

#[test]
fn every_form_is_found() {
    let secret = "s3cr=t/ö w+rd\"x";
    let mask = mask(&[secret]);
    let around: Vec<String> = (0..4).map(|n| format!("{}{secret}{}", "u".repeat(n), ":tail")).collect();
    let mut forms: Vec<String> = around.iter().map(|text| STANDARD.encode(text)).collect();
    forms.extend(around.iter().map(|text| URL_SAFE_NO_PAD.encode(text)));
    forms.extend([STANDARD.encode(secret), URL_SAFE_NO_PAD.encode(secret)]);
    forms.push("s3cr%3Dt%2F%C3%B6%20w%2Brd%22x".into());
    forms.push("s3cr%3dt%2f%c3%b6+w%2brd%22x".into());
    forms.push("s3cr=t/%C3%B6%20w+rd%22x".into());
    forms.push(serde_json::json!({"p": secret}).to_string());
    forms.push(r#"{"p": "s3cr=t/\u00f6 w+rd\"x"}"#.into());
    forms.push(r#"{"p": "s3cr=t/\u00F6 w+rd\"x"}"#.into());
    forms.push(hex::encode(secret));
    for form in forms {
        let shown = mask.text(&form);
        assert!(shown.contains("***"), "{form} shows as {shown}");
        let left = shown.replace("***", "");
        assert!(left.len() < 24, "{form} shows as {shown}");
    }
}

#[test]
fn the_usual_encoders_are_known() {
    let secret = "p\"a'ss/w=rd &<ö升😀>\u{1b}$\\";
    let mask = mask(&[secret]);
    for (encoder, form) in [
        ("quote of Python", "p%22a%27ss/w%3Drd%20%26%3C%C3%B6%E5%8D%87%F0%9F%98%80%3E%1B%24%5C"),
        ("quote_plus", "p%22a%27ss%2Fw%3Drd+%26%3C%C3%B6%E5%8D%87%F0%9F%98%80%3E%1B%24%5C"),
        ("encodeURIComponent", "p%22a'ss%2Fw%3Drd%20%26%3C%C3%B6%E5%8D%87%F0%9F%98%80%3E%1B%24%5C"),
        ("encodeURI", "p%22a'ss/w=rd%20&%3C%C3%B6%E5%8D%87%F0%9F%98%80%3E%1B$%5C"),
        ("a path of Go", "p%22a%27ss%2Fw=rd%20&%3C%C3%B6%E5%8D%87%F0%9F%98%80%3E%1B$%5C"),
        ("json.dumps", r#"p\"a'ss/w=rd &<\u00f6\u5347\ud83d\ude00>\u001b$\\"#),
        ("json.dumps in upper case", r#"p\"a'ss/w=rd &<\u00F6\u5347\uD83D\uDE00>\u001B$\\"#),
        ("json.dumps without ASCII", "p\\\"a'ss/w=rd &<ö升😀>\\u001b$\\\\"),
        ("json_encode of PHP", r#"p\"a'ss\/w=rd &<\u00f6\u5347\ud83d\ude00>\u001b$\\"#),
        ("JSON of Go", "p\\\"a'ss/w=rd \\u0026\\u003cö升😀\\u003e\\u001b$\\\\"),
        ("JSON in JSON", r#"p\\\"a'ss/w=rd &<\\u00f6\\u5347\\ud83d\\ude00>\\u001b$\\\\"#),
        ("html.escape", "p&quot;a&#x27;ss/w=rd &amp;&lt;ö升😀&gt;\u{1b}$\\"),
        ("htmlspecialchars", "p&quot;a&#039;ss/w=rd &amp;&lt;ö升😀&gt;\u{1b}$\\"),
        ("xmlcharrefreplace", "p\"a'ss/w=rd &<&#246;&#21319;&#128512;>\u{1b}$\\"),
        ("shlex.quote", "p\"a'\"'\"'ss/w=rd &<ö升😀>\u{1b}$\\"),
        ("apostrophes of a shell", "p\"a'\\''ss/w=rd &<ö升😀>\u{1b}$\\"),
        ("quotes of a shell", "p\\\"a'ss/w=rd &<ö升😀>\u{1b}\\$\\\\"),
        ("%q of bash", r#"p"a\'ss/w=rd &<ö升😀>\E$\\"#),
        ("%q of bash in C", r#"p"a\'ss/w=rd &<\303\266\345\215\207\360\237\230\200>\E$\\"#),
        ("ascii of Python", r#"p"a\'ss/w=rd &<\xf6\u5347\U0001f600>\x1b$\\"#),
        ("bytes of Python", r#"p"a\'ss/w=rd &<\xc3\xb6\xe5\x8d\x87\xf0\x9f\x98\x80>\x1b$\\"#),
        ("Debug of Rust", r#"p\"a'ss/w=rd &<ö升😀>\u{1b}$\\"#),
    ] {
        assert_eq!(mask.text(form), "***", "{encoder}: {form}");
    }
    assert_eq!(self::mask(&["it's"]).text(r"it'\''s"), "***");
    assert_eq!(self::mask(&["#a b~"]).text(r"\#a\ b~"), "***");
}

#[test]
fn what_tools_cut_into_lines_is_found() {
    let secret = "a secret that is longer than a line of base64, twice over: 0123456789 0123456789 0123456789";
    let mask = mask(&[secret]);
    let wrapped = |text: &str, width: usize| {
        let lines: Vec<&str> = text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
        lines.join("\n")
    };
    let hex = hex::encode(secret);
    for form in [wrapped(&STANDARD.encode(secret), 76), wrapped(&STANDARD.encode(secret), 64), wrapped(&hex, 60)] {
        let left = mask.text(&form).replace("***", "");
        assert!(left.len() <= 4, "{form} shows as {left}");
    }
}

#[test]
fn each_line_of_a_long_secret_is_one() {
    let key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n";
    let mask = mask(&[key]);
    assert_eq!(mask.text("  kqhkiG9w0BAQEF  "), "  ***  ");
    assert_eq!(stream(&mask, &[key.as_bytes(), b"after"]), "***after");
    assert_eq!(mask.text(key.trim()), "***", "without its last line end");
    assert!(Mask::of([]).stream().is_none());
}

#[test]
fn long_secrets_are_found_in_every_form_and_cost_little() {
    // Of the largest size, and alike at their beginnings, so that all of them are in question.
    let secrets: Vec<String> = (0..8).map(|n| format!("{}升 {n}/+\"", "a long beginning ".repeat(3_854))).collect();
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let mask = mask(&secrets);
    let last = secrets[7];
    for form in [last.to_owned(), STANDARD.encode(format!("x{last}"))] {
        let text = format!("before {form} after");
        let parts: Vec<&[u8]> = text.as_bytes().chunks(4_096).collect();
        let left = stream(&mask, &parts).replace("***", "");
        assert!(left.len() < 24, "{} bytes are left", left.len());
    }
    let near = &last[..last.len() - 1];
    assert_eq!(stream(&mask, &[near.as_bytes(), b"!"]), format!("{near}!"), "almost is not it");
}

#[test]
fn a_secret_that_repeats_itself_is_looked_at_once() {
    let secret = "ab".repeat(32 * 1024);
    let mask = mask(&[&secret]);
    // Each place may begin it, and does not, but for one: quadratic work would be minutes.
    let text = format!("{}{}c{secret}c{}", &secret[2..], &secret[4..], &secret[1..]);
    let shown = format!("***c***c{}", &secret[1..]);
    for size in [1_000, text.len()] {
        let parts: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        assert_eq!(stream(&mask, &parts), shown);
    }
}

#[test]
fn the_beginning_of_a_text_does_not_end_in_half_a_secret() {
    let mask = mask(&["sword升fish"]);
    assert_eq!(mask.beginning("a sword升fi"), "a ");
    assert_eq!(mask.text("a sword升fi"), "a sword升fi");
    assert_eq!(mask.beginning("a sword升fish, a word"), "a ***, a word");
    assert_eq!(mask.beginning("nothing of it"), "nothing of it");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    #[test]
    fn cuts_change_nothing(
        parts in proptest::collection::vec("[ab c升]{0,30}", 0..8),
        secrets in proptest::collection::vec("[abc升]{4,7}|[ab]{14,24}|(ab){8,12}升?", 1..4),
    ) {
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let mask = mask(&secrets);
        let whole: String = parts.concat();
        let parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
        let left = stream(&mask, &parts);
        proptest::prop_assert_eq!(&left, &*mask.text(&whole));
        proptest::prop_assert_eq!(&left, &naive(&secrets, &whole));
        for secret in secrets {
            proptest::prop_assert!(!left.contains(secret));
        }
    }
}

/// The same, by looking everywhere for everything. For secrets whose other forms do not occur.
fn naive(secrets: &[&str], text: &str) -> String {
    let mut hidden = vec![false; text.len()];
    let mut joined = vec![false; text.len() + 1];
    for secret in secrets {
        let found = (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(secret.as_bytes()));
        for at in found {
            hidden[at..at + secret.len()].fill(true);
            joined[at + 1..at + secret.len()].fill(true);
        }
    }
    let mut shown = String::new();
    for (at, letter) in text.char_indices() {
        match (hidden[at], joined[at]) {
            (false, _) => shown.push(letter),
            (true, false) => shown += "***",
            (true, true) => {}
        }
    }
    shown
}
