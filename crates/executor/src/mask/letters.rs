//! Encodings that write each letter of a text by itself, as the usual libraries do it: with percent signs, within JSON,
//! HTML, a shell's words, a program's text. Libraries differ in what they leave alone; the usual sets.

/// One way to write letters.
#[derive(Clone, Copy, Debug)]
pub(super) enum Letters {
    /// With percent signs.
    Percent {
        /// What is left alone beside letters and digits.
        alone: &'static str,
        blank: &'static str,
        upper: bool,
    },
    /// Between the quotes of a JSON text.
    Json(Json),
    /// The same once more: JSON as a text within JSON.
    JsonTwice(Json),
    /// As text or an attribute of HTML and XML.
    Html(Html),
    Shell(Shell),
    /// Between the quotes of a text in a program, or of what shows one.
    Escape(Escape),
}

/// Of JSON.
#[derive(Clone, Copy, Debug)]
pub(super) struct Json {
    /// `/` as `\/`.
    slash: bool,
    /// Further letters as `\u….`
    more: &'static str,
    /// All in ASCII.
    narrow: bool,
    upper: bool,
}

/// Of HTML.
#[derive(Clone, Copy, Debug)]
pub(super) struct Html {
    quote: &'static str,
    apostrophe: &'static str,
    /// What is more than ASCII.
    wide: Wide,
    marks: Marks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marks {
    /// Neither `&` nor `<` nor `>`: what is no ASCII alone.
    No,
    Usual,
    /// `/`, a grave accent and `=`, too.
    Careful,
}

#[derive(Clone, Copy, Debug)]
enum Wide {
    Plain,
    Decimal,
    Hex,
}

/// Of a shell's words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shell {
    /// In apostrophes, with this for one.
    Single(&'static str),
    /// In quotes.
    Double,
    /// Without, by bash's `%q`.
    Bare,
}

/// Of texts in programs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Escape {
    /// Quotes with a backslash before them.
    quotes: &'static str,
    /// What is no ASCII, and what cannot be seen without a short form of its own.
    unseen: Unseen,
    /// The letters behind a backslash for the bytes 7 to 13, and for 27; a blank: none.
    short: &'static [u8; 8],
}

#[derive(Clone, Copy, Debug)]
enum Unseen {
    /// As it is, but for the unseen in ASCII: `\x1b`.
    Ascii,
    /// `\x1b`, `\xf6`, `\u5347`, `\U0001f600`: Python's `ascii`.
    Points,
    /// `\xc3\xb6`: Python's bytes, C.
    Hex,
    /// `\303\266`: C, bash, git.
    Octal,
    /// As it is, but for `\u{1b}`: Rust, newer JavaScript.
    Braces,
    /// The same for all that is no ASCII.
    AllBraces,
}

/// What encoders of URLs and forms leave alone. In order: RFC 3986 and Python's `quote_plus`; Python's `quote`;
/// `encodeURIComponent`; `encodeURI`; forms; PHP's `urlencode`; Go's `PathEscape`; a path by RFC 3986; and the sets of
/// WHATWG for users, paths and queries, which leave `%` alone.
static ALONE: [&str; 11] = [
    "-_.~",
    "-_.~/",
    "-_.!~*'()",
    ";,/?:@&=+$-_.!~*'()#",
    "*-._",
    "-_.",
    "-_.~$&+=:@",
    "-_.~!$&'()*+,;=:@/",
    "!$%&'()*+,-._~",
    "!$%&'()*+,-./:;=@[\\]^_|~",
    "!$%&'()*+,-./:;=?@[\\]^_`{|}~",
];
/// Beyond what JSON asks for: nothing; Go, Rails; PHP's flags; Gson; Django's `escapejs`.
const MORE: [&str; 5] = ["", "<>&\u{2028}\u{2029}", "<>&'\"", "<>&'=\u{2028}\u{2029}", "\\'\"<>&=-;`\u{2028}\u{2029}"];
/// Quote and apostrophe: text alone; an attribute; Python; lodash, Ruby; PHP; Go, Jinja; XML.
const HTML_QUOTES: [(&str, &str); 7] = [
    ("\"", "'"),
    ("&quot;", "'"),
    ("&quot;", "&#x27;"),
    ("&quot;", "&#39;"),
    ("&quot;", "&#039;"),
    ("&#34;", "&#39;"),
    ("&quot;", "&apos;"),
];
/// What bash puts a backslash before.
const SPECIAL: &str = " !\"$&'()*,;<>?[\\]^`{|}";

/// The ways that texts of any length are looked for in: each costs as much as the text is long.
pub(super) fn usual() -> impl Iterator<Item = Letters> {
    let jsons = [(false, false), (true, true), (true, false)]
        .map(|(narrow, upper)| Letters::Json(Json { slash: false, more: "", narrow, upper }));
    percents(&ALONE[..5]).chain(jsons)
}

fn percents(sets: &'static [&'static str]) -> impl Iterator<Item = Letters> {
    sets.iter().flat_map(|&alone| {
        ["%20", "+"]
            .into_iter()
            .flat_map(move |blank| [true, false].map(|upper| Letters::Percent { alone, blank, upper }))
    })
}

pub(super) fn all() -> impl Iterator<Item = Letters> {
    let cases = [true, false];
    let jsons = MORE.into_iter().flat_map(move |more| {
        let ways = [(false, false), (false, true), (true, false), (true, true)];
        ways.into_iter()
            .flat_map(move |(slash, narrow)| cases.map(|upper| Json { slash, more, narrow, upper }))
            .map(Letters::Json)
    });
    let twice = [false, true].map(|narrow| Json { slash: false, more: "", narrow, upper: false });
    let htmls = HTML_QUOTES.into_iter().flat_map(|(quote, apostrophe)| {
        [Wide::Plain, Wide::Decimal, Wide::Hex].into_iter().flat_map(move |wide| {
            [Marks::No, Marks::Usual, Marks::Careful]
                .map(|marks| Letters::Html(Html { quote, apostrophe, wide, marks }))
        })
    });
    let shells = [Shell::Single("'\"'\"'"), Shell::Single("'\\''"), Shell::Double, Shell::Bare];
    percents(&ALONE)
        .chain(jsons)
        .chain(twice.into_iter().map(Letters::JsonTwice))
        .chain(htmls)
        .chain(shells.into_iter().map(Letters::Shell))
        .chain(escapes().map(Letters::Escape))
}

fn escapes() -> impl Iterator<Item = Escape> {
    let unseen = [Unseen::Ascii, Unseen::Points, Unseen::Hex, Unseen::Octal, Unseen::Braces, Unseen::AllBraces];
    // Python; C and git; bash's `$'…'`.
    let shorts: [&[u8; 8]; 3] = [b"  tn  r ", b"abtnvfr ", b"abtnvfrE"];
    unseen.into_iter().flat_map(move |unseen| {
        shorts.into_iter().flat_map(move |short| {
            ["", "'", "\"", "'\""].into_iter().map(move |quotes| Escape { quotes, unseen, short })
        })
    })
}

impl Letters {
    pub(super) fn write(self, text: &str) -> String {
        let mut written = String::with_capacity(text.len() + text.len() / 4);
        if let Self::JsonTwice(json) = self {
            let once = Self::Json(json).write(text);
            return Self::Json(json).write(&once);
        }
        for (at, letter) in text.char_indices() {
            match self {
                Self::Percent { alone, blank, upper } => percent(letter, (alone, blank, upper), &mut written),
                Self::Json(json) | Self::JsonTwice(json) => json.put(letter, &mut written),
                Self::Html(html) => html.put(letter, &mut written),
                Self::Shell(shell) => shell.put(letter, at == 0, &mut written),
                Self::Escape(escape) => escape.put(letter, &mut written),
            }
        }
        written
    }
}

fn percent(letter: char, (alone, blank, upper): (&str, &str, bool), to: &mut String) {
    match letter {
        ' ' => *to += blank,
        _ if letter.is_ascii_alphanumeric() || alone.contains(letter) => to.push(letter),
        _ => {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                *to += &if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
            }
        }
    }
}

impl Json {
    fn put(self, letter: char, to: &mut String) {
        let Self { slash, more, narrow, upper } = self;
        match letter {
            _ if more.contains(letter) => units(letter, upper, to),
            '"' => *to += "\\\"",
            '\\' => *to += "\\\\",
            '\n' => *to += "\\n",
            '\r' => *to += "\\r",
            '\t' => *to += "\\t",
            '\u{8}' => *to += "\\b",
            '\u{c}' => *to += "\\f",
            '/' if slash => *to += "\\/",
            '\0'..='\u{1f}' => units(letter, upper, to),
            '\u{7f}'.. if narrow => units(letter, upper, to),
            _ => to.push(letter),
        }
    }
}

/// As `\u1234`, twice where it takes two.
fn units(letter: char, upper: bool, to: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        *to += &if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
    }
}

impl Html {
    fn put(self, letter: char, to: &mut String) {
        match letter {
            '&' | '<' | '>' if self.marks == Marks::No => to.push(letter),
            '&' => *to += "&amp;",
            '<' => *to += "&lt;",
            '>' => *to += "&gt;",
            '"' => *to += self.quote,
            '\'' => *to += self.apostrophe,
            '/' if self.marks == Marks::Careful => *to += "&#x2F;",
            '`' if self.marks == Marks::Careful => *to += "&#x60;",
            '=' if self.marks == Marks::Careful => *to += "&#x3D;",
            _ if letter.is_ascii() => to.push(letter),
            _ => match self.wide {
                Wide::Plain => to.push(letter),
                Wide::Decimal => *to += &format!("&#{};", u32::from(letter)),
                Wide::Hex => *to += &format!("&#x{:x};", u32::from(letter)),
            },
        }
    }
}

impl Shell {
    fn put(self, letter: char, is_first: bool, to: &mut String) {
        match (self, letter) {
            (Self::Single(apostrophe), '\'') => *to += apostrophe,
            (Self::Double, '$' | '`' | '"' | '\\') => to.extend(['\\', letter]),
            (Self::Bare, _) if SPECIAL.contains(letter) || (is_first && matches!(letter, '#' | '~')) => {
                to.extend(['\\', letter]);
            }
            _ => to.push(letter),
        }
    }
}

impl Escape {
    fn put(self, letter: char, to: &mut String) {
        let place = match letter {
            '\u{7}'..='\r' => Some(letter as usize - 7),
            '\u{1b}' => Some(7),
            _ => None,
        };
        let short = place.map(|place| char::from(self.short[place])).filter(|short| *short != ' ');
        match (letter, short) {
            (_, Some(short)) => to.extend(['\\', short]),
            ('\\', _) => *to += "\\\\",
            _ if self.quotes.contains(letter) => to.extend(['\\', letter]),
            (' '..='~', _) => to.push(letter),
            _ => self.unseen.put(letter, to),
        }
    }
}

impl Unseen {
    fn put(self, letter: char, to: &mut String) {
        let point = u32::from(letter);
        let is_wide = !letter.is_ascii();
        let bytes = |to: &mut String, octal: bool| {
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                *to += &if octal { format!("\\{byte:03o}") } else { format!("\\x{byte:02x}") };
            }
        };
        match self {
            Self::Ascii | Self::Braces if is_wide => to.push(letter),
            Self::Braces | Self::AllBraces => *to += &format!("\\u{{{point:x}}}"),
            Self::Octal => bytes(to, true),
            Self::Ascii | Self::Hex => bytes(to, false),
            Self::Points if point < 0x100 => *to += &format!("\\x{point:02x}"),
            Self::Points if point < 0x1_0000 => *to += &format!("\\u{point:04x}"),
            Self::Points => *to += &format!("\\U{point:08x}"),
        }
    }
}
