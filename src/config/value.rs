//! What a value may look like, and how it is shown. Text from the environment or a flag is read by the same rules as
//! a file's, except that there a number or a list is text as well.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

use crate::error::Language;

/// A value before its meaning is known.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// A string of a file.
    Text(String),
    /// A number of a file.
    Integer(i64),
    /// A truth value of a file.
    Boolean(bool),
    /// A list of strings of a file.
    List(Vec<String>),
    /// Something else of a file, by what it is.
    Other(&'static str),
    /// Anything of the environment or a flag.
    Words(String),
}

impl Raw {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Words(text) => Some(text),
            Self::Integer(_) | Self::Boolean(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Words(text) => text.trim().parse().ok(),
            Self::Text(_) | Self::Boolean(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// The value as it was given; what may hold a password is not repeated.
    pub(super) fn masked(&self) -> String {
        match self {
            Self::Text(text) | Self::Words(text) => quoted(&mask(text)),
            Self::Integer(number) => number.to_string(),
            Self::Boolean(value) => value.to_string(),
            Self::List(items) => items.show(),
            Self::Other(what) => (*what).into(),
        }
    }
}

/// A type that a setting can have.
pub(super) trait Setting: Sized {
    /// What it looks like, for the one who wrote something else.
    const EXPECTED: &'static str;

    /// The value, if that is one.
    fn read(raw: &Raw) -> Option<Self>;

    /// The value as TOML, secrets masked.
    fn show(&self) -> String;
}

/// The language of foreign texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locale(pub Language);

impl Setting for Locale {
    const EXPECTED: &'static str = "\"zh_CN\" or \"en\"";

    fn read(raw: &Raw) -> Option<Self> {
        match raw.text()?.trim() {
            "zh_CN" => Some(Self(Language::Zh)),
            "en" => Some(Self(Language::En)),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(match self.0 {
            Language::Zh => "zh_CN",
            Language::En => "en",
        })
    }
}

/// What somebody without credentials may do, in the dialects' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnonymousRole {
    /// Nothing.
    None,
    /// Reads.
    Viewer,
    /// Steers, too.
    Manager,
}

impl Setting for AnonymousRole {
    const EXPECTED: &'static str = "\"\", \"TASK_VIEWER\" or \"TASK_MANAGER\"";

    fn read(raw: &Raw) -> Option<Self> {
        match raw.text()?.trim() {
            "" => Some(Self::None),
            "TASK_VIEWER" => Some(Self::Viewer),
            "TASK_MANAGER" => Some(Self::Manager),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(match self {
            Self::None => "",
            Self::Viewer => "TASK_VIEWER",
            Self::Manager => "TASK_MANAGER",
        })
    }
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number from 1";

    fn read(raw: &Raw) -> Option<Self> {
        Self::try_from(raw.integer()?).ok().filter(|number| *number > 0)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Boolean(value) => Some(*value),
            Raw::Words(text) => text.trim().parse().ok(),
            Raw::Text(_) | Raw::Integer(_) | Raw::List(_) | Raw::Other(_) => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str = "a list of texts, such as [\"one\", \"two\"]";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::List(items) => Some(items.clone()),
            Raw::Words(text) => {
                Some(text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(Into::into).collect())
            }
            Raw::Text(_) | Raw::Integer(_) | Raw::Boolean(_) | Raw::Other(_) => None,
        }
    }

    fn show(&self) -> String {
        format!("[{}]", self.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
    }
}

impl Setting for Option<PathBuf> {
    const EXPECTED: &'static str = "the whole path of a folder, or nothing";

    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?.trim();
        if text.is_empty() {
            return Some(None);
        }
        let path = PathBuf::from(text);
        path.is_absolute().then_some(Some(path))
    }

    fn show(&self) -> String {
        quoted(&self.as_ref().map(|path| path.display().to_string()).unwrap_or_default())
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration above zero, such as 500ms, 30s, 10m, 2h or 7d";

    fn read(raw: &Raw) -> Option<Self> {
        humantime::parse_duration(raw.text()?).ok().filter(|duration| !duration.is_zero())
    }

    fn show(&self) -> String {
        quoted(&humantime::format_duration(*self).to_string())
    }
}

/// A duration that may be nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Setting for Patience {
    const EXPECTED: &'static str = "a duration such as 0s, 500ms, 30s or 10m";

    fn read(raw: &Raw) -> Option<Self> {
        humantime::parse_duration(raw.text()?).ok().map(Self)
    }

    fn show(&self) -> String {
        self.0.show()
    }
}

impl Setting for Option<Duration> {
    const EXPECTED: &'static str = "a duration above zero, such as 12h or 7d, or \"never\"";

    fn read(raw: &Raw) -> Option<Self> {
        if raw.text()? == "never" { Some(None) } else { Duration::read(raw).map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| quoted("never"), |duration| duration.show())
    }
}

/// A size in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const UNITS: [(&str, u64); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

impl Bytes {
    /// As a length in memory.
    #[must_use]
    pub fn len(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Never: a size of nothing cannot be set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Setting for Bytes {
    const EXPECTED: &'static str = "a size above zero, such as 64KiB, 2MiB or 1GiB";

    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?.trim();
        let (unit, factor) = UNITS.iter().find(|(unit, _)| text.ends_with(unit))?;
        let number: u64 = text.strip_suffix(unit)?.trim().parse().ok()?;
        number.checked_mul(*factor).filter(|bytes| *bytes > 0).map(Self)
    }

    fn show(&self) -> String {
        let (unit, factor) =
            UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)).expect("invariant: 1 divides all");
        quoted(&format!("{}{unit}", self.0 / factor))
    }
}

impl Setting for Option<Bytes> {
    const EXPECTED: &'static str = "a size such as 64MiB, or 0 for nothing";

    fn read(raw: &Raw) -> Option<Self> {
        if raw.integer() == Some(0) { Some(None) } else { Bytes::read(raw).map(Some) }
    }

    fn show(&self) -> String {
        self.map_or_else(|| "0".to_owned(), |bytes| bytes.show())
    }
}

/// A user of this machine, by name; none: the server's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemAccount(pub Option<String>);

impl Setting for SystemAccount {
    const EXPECTED: &'static str = "the name of a user, or nothing";

    fn read(raw: &Raw) -> Option<Self> {
        let name = raw.text()?.trim();
        Some(Self((!name.is_empty()).then(|| name.to_owned())))
    }

    fn show(&self) -> String {
        quoted(self.0.as_deref().unwrap_or_default())
    }
}

/// Where PostgreSQL is. The password is never shown, not even in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address with its password, for the driver alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&mask(&self.0))
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for Option<DatabaseUrl> {
    const EXPECTED: &'static str = "an address such as postgres://user:password@host/name, or nothing for SQLite";

    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?.trim();
        if text.is_empty() {
            return Some(None);
        }
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"))?;
        (!rest.is_empty()).then(|| Some(DatabaseUrl(text.into())))
    }

    fn show(&self) -> String {
        quoted(&self.as_ref().map(ToString::to_string).unwrap_or_default())
    }
}

/// The address of a database as it may be shown: what stands between a user's name and the host is hidden, and passwords
/// among the options.
#[must_use]
pub fn mask(url: &str) -> String {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let mut shown = match address.split_once("://").map(|(scheme, rest)| (scheme, rest.rsplit_once('@'))) {
        Some((scheme, Some((who, host)))) => match who.split_once(':') {
            Some((name, _)) => format!("{scheme}://{name}:***@{host}"),
            None => address.to_owned(),
        },
        _ => address.to_owned(),
    };
    if let Some(options) = options {
        let hide = |option: &str| match option.split_once('=') {
            Some((name, _)) if name.contains("password") => format!("{name}=***"),
            _ => option.to_owned(),
        };
        shown.push('?');
        shown.push_str(&options.split('&').map(hide).collect::<Vec<_>>().join("&"));
    }
    shown
}

/// How many subtasks run at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots(pub u32);

impl Setting for Slots {
    const EXPECTED: &'static str = "a whole number, or 0 for twice the processors";

    fn read(raw: &Raw) -> Option<Self> {
        let number = u32::try_from(raw.integer()?).ok()?;
        let processors = || std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Some(Self(if number == 0 { u32::try_from(processors() * 2).unwrap_or(4).max(4) } else { number }))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// The name of a worker: the host's unless it is given another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerName(pub String);

impl Setting for WorkerName {
    const EXPECTED: &'static str = "a text, or nothing for the host's name";

    fn read(raw: &Raw) -> Option<Self> {
        let given = raw.text()?.trim();
        let host = || std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_else(|_| "localhost".into());
        Some(Self(if given.is_empty() { host().trim().to_owned() } else { given.to_owned() }))
    }

    fn show(&self) -> String {
        quoted(&self.0)
    }
}

/// Which log lines are written; valid by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(pub String);

impl Setting for Filter {
    const EXPECTED: &'static str = "error, warn, info, debug, trace, or filters such as info,taskloom::engine=debug";

    fn read(raw: &Raw) -> Option<Self> {
        let text = raw.text()?.trim();
        let valid = !text.is_empty() && EnvFilter::try_new(text).is_ok();
        valid.then(|| Self(text.into()))
    }

    fn show(&self) -> String {
        quoted(&self.0)
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $Name:ident, $expected:literal { $($(#[$about:meta])* $Variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $Name { $($(#[$about])* $Variant),+ }

        impl Setting for $Name {
            const EXPECTED: &'static str = $expected;

            fn read(raw: &Raw) -> Option<Self> {
                match raw.text()? { $($word => Some(Self::$Variant),)+ _ => Option::None }
            }

            fn show(&self) -> String {
                quoted(match self { $(Self::$Variant => $word),+ })
            }
        }
    )+};
}

choices! {
    /// How process trees are held together.
    ProcessTree, "auto, cgroup or subreaper" {
        /// The best that the host offers.
        Auto = "auto",
        /// A control group for each attempt; an error where the host has none.
        Cgroup = "cgroup",
        /// A walk over adopted children.
        Subreaper = "subreaper",
    }
    /// How steps are held apart from the server and from each other.
    Isolation, "auto, user, none or strict" {
        /// By what the host offers.
        Auto = "auto",
        /// As another user as well.
        User = "user",
        /// Not at all.
        None = "none",
        /// They reach nothing but what is named.
        Strict = "strict",
    }
    /// The form of log lines.
    Format, "pretty or json" {
        /// For people.
        Pretty = "pretty",
        /// For machines.
        Json = "json",
    }
}
