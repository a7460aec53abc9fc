//! The one application error. Its public text comes from one table of codes ([`code`]); its private source is
//! logged once, where it is handled, and never shown.

pub mod code;
#[cfg(feature = "database")]
mod database;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub use code::Code;
#[cfg(feature = "database")]
pub use database::{is_damaged, take_lack_of_room};

/// What went wrong, by what a caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No such thing, or it belongs to somebody else.
    NotFound,
    /// The present state forbids it.
    Conflict,
    /// The request cannot be meant so.
    Invalid,
    /// Nobody signed in.
    Unauthenticated,
    /// Signed in, but not allowed.
    Forbidden,
    /// Too much.
    Limit,
    /// Not now: try again.
    Unavailable,
    /// Our own fault.
    Internal,
}

/// The languages of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// One place of an input that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where: `subtasks[2].needs[0]`.
    pub path: String,
    /// The line in the document as sent, from 1, where there is a document.
    pub line: Option<u32>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// An error that leaves through a door.
pub struct Error(Box<Inner>);

struct Inner {
    code: &'static Code,
    values: Vec<(&'static str, String)>,
    faults: Vec<Fault>,
    available: Option<Vec<String>>,
    retry_after: Option<Duration>,
    judged: Option<Judged>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// What an error of the database means for who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same request may be answered later.
    Passing,
    /// What was to be written or looked for cannot be kept: the same request is refused always, others are not.
    Refused,
    /// A row that is there cannot be read.
    Damaged,
    /// None of these: our own fault, or the installation's.
    Fault,
}

/// An error of the database, as far as others need to know it.
struct Judged {
    verdict: Verdict,
    /// What keeps the database from writing, where that can be told.
    obstacle: Option<&'static str>,
}

/// The result of everything that doors call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with this code.
    #[must_use]
    pub fn new(code: &'static Code) -> Self {
        Self(Box::new(Inner {
            code,
            values: vec![],
            faults: vec![],
            available: None,
            retry_after: None,
            judged: None,
            source: None,
        }))
    }

    /// Fills `{name}` of the code's message.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.0.values.push((name, value.to_string()));
        self
    }

    /// Names the wrong places of the input.
    #[must_use]
    pub fn faults(mut self, faults: Vec<Fault>) -> Self {
        self.0.faults = faults;
        self
    }

    /// Says which operations are possible instead.
    #[must_use]
    pub fn available(mut self, operations: Vec<String>) -> Self {
        self.0.available = Some(operations);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// Says what the database's error means, and what keeps the database from writing where that can be told.
    #[must_use]
    pub fn judged(mut self, verdict: Verdict, obstacle: Option<&'static str>) -> Self {
        self.0.judged = Some(Judged { verdict, obstacle });
        self
    }

    /// Keeps the private cause, for the log.
    #[must_use]
    pub fn source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Our own fault, with its cause.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(&code::INTERNAL).source(source)
    }

    /// A field of the input that cannot be meant so.
    pub fn invalid(what: impl fmt::Display, reason: impl fmt::Display) -> Self {
        Self::new(&code::INVALID_INPUT).with("what", what).with("reason", reason)
    }

    /// Whether this is about one record, and not about the database or our use of it: what one of many wants written
    /// is refused, or what it is made from cannot be read. The others can go on without it.
    #[must_use]
    pub fn is_about_one_record(&self) -> bool {
        match &self.0.judged {
            Some(judged) => matches!(judged.verdict, Verdict::Refused | Verdict::Damaged),
            None => self.0.code.kind != Kind::Unavailable,
        }
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// The wrong places of the input.
    #[must_use]
    pub fn list_faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// What is possible instead, where that is known.
    #[must_use]
    pub fn list_available(&self) -> Option<&[String]> {
        self.0.available.as_deref()
    }

    /// When to try again, where that makes sense.
    #[must_use]
    pub fn pause(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.0.code.remedy,
            Language::Zh => self.0.code.remedy_zh,
        }
    }

    /// The public text.
    #[must_use]
    pub fn message(&self, language: Language) -> String {
        let template = match language {
            Language::En => self.0.code.en,
            Language::Zh => self.0.code.zh,
        };
        let mut text = template.to_owned();
        for (name, value) in &self.0.values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// What `{name}` of the message is, or another value that was kept beside it.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.values.iter().find(|(is, _)| *is == name).map(|(_, value)| value.as_str())
    }

    /// What keeps the database from writing, where that can be told; else the public text.
    #[must_use]
    pub fn obstacle(&self) -> String {
        let obstacle = self.0.judged.as_ref().and_then(|judged| judged.obstacle);
        obstacle.map_or_else(|| self.to_string(), str::to_owned)
    }

    /// The private cause and its causes, for the log; empty when there is none.
    #[must_use]
    pub fn chain(&self) -> String {
        self.0.source.as_deref().map_or_else(String::new, |cause| causes(cause))
    }
}

/// An error and its causes, each once: libraries repeat theirs in their own words.
#[must_use]
pub fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut said = String::new();
    for cause in std::iter::successors(Some(error), |&cause| cause.source()).map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(Language::En))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {self} ({})", self.0.code.name, self.chain())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
