//! The environment of one work: `NAME=value` strings that the kernel takes, and what it cannot have of what is given.
//!
//! Linux refuses to start a program with a string of 128 KiB, or with more than `ARG_MAX` of arguments and environment
//! together. A program starts others, with arguments of its own: so only a quarter of that is filled. What does not fit
//! is left out and named, and never fails the work: it is in its file. First come, first served.

use std::env;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::unistd::{SysconfVar, sysconf};
use taskloom_core::text::Text;

/// The longest value, in bytes; a longer one is in its file only.
const VALUE: usize = 64 * 1024;
/// The kernel's longest string with its end (`MAX_ARG_STRLEN`, execve(2)).
const STRING: usize = 128 * 1024;
/// What POSIX promises on Linux, and the most that the kernel allows whatever the stack's limit is (fs/exec.c).
const ARG_MAX: (usize, usize) = (128 * 1024, 6 * 1024 * 1024);
/// Whose names are told in a line each; of more, many in a line.
const TOLD: usize = 100;
/// Names in a line, in bytes.
const NAMES: usize = 4 * 1024;
/// Where programs are looked for when nobody says otherwise.
pub(super) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a value is to its owner, and with that where else it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A variable of the work; it has no file.
    Variable,
    Secret,
    Parameter,
}

pub(super) struct Environment {
    list: Vec<CString>,
    path: OsString,
    /// Bytes that may still be used.
    room: usize,
    left_out: Vec<LeftOut>,
}

struct LeftOut {
    name: String,
    given: Given,
    why: Why,
}

#[derive(Clone, Copy)]
enum Why {
    Name,
    Nul,
    TooLarge,
    NoRoom,
}

/// A quarter of what this host allows.
pub(super) fn room() -> usize {
    let most = sysconf(SysconfVar::ARG_MAX).ok().flatten().and_then(|most| usize::try_from(most).ok());
    most.unwrap_or_default().clamp(ARG_MAX.0, ARG_MAX.1) / 4
}

impl Environment {
    /// What every work has; `mark` comes first, since it is looked for in the first bytes of `/proc/<pid>/environ`.
    pub(super) fn new((mark, value): (&str, &str), folder: &Path) -> Self {
        let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let home = env::var_os("HOME").unwrap_or_else(|| folder.into());
        let lang = env::var_os("LANG").unwrap_or_else(|| "C.UTF-8".into());
        let mut environment = Self { list: Vec::with_capacity(16), path: path.clone(), room: room(), left_out: vec![] };
        environment.put(mark, value.as_bytes());
        environment.put("PATH", path.as_bytes());
        environment.put("HOME", home.as_bytes());
        environment.put("LANG", lang.as_bytes());
        environment.put("TMPDIR", folder.as_os_str().as_bytes());
        environment
    }

    /// Where programs are looked for.
    pub(super) fn path(&self) -> &OsStr {
        &self.path
    }

    /// A variable of our own, which is short.
    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        let _ = self.add(name, value);
    }

    /// A variable of the work, instead of another of its name.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let start = format!("{name}=");
        let old = self.list.iter().position(|pair| pair.as_bytes().starts_with(start.as_bytes()));
        let old = old.map(|at| self.list.remove(at));
        self.room += old.as_deref().map_or(0, cost);
        match self.add(name, value.as_bytes()) {
            Ok(()) if name == "PATH" => self.path = value.into(),
            Ok(()) => {}
            Err(why) => {
                self.left_out.push(LeftOut { name: name.to_owned(), given: Given::Variable, why });
                self.room -= old.as_deref().map_or(0, cost);
                self.list.extend(old);
            }
        }
    }

    /// A secret or a parameter of this name, under the name with `prefix`.
    pub(super) fn give(&mut self, given: Given, (prefix, name): (&str, &str), value: &str) {
        let added =
            if name.is_empty() { Err(Why::Name) } else { self.add(&format!("{prefix}{name}"), value.as_bytes()) };
        if let Err(why) = added {
            self.left_out.push(LeftOut { name: name.to_owned(), given, why });
        }
    }

    fn add(&mut self, name: &str, value: &[u8]) -> Result<(), Why> {
        let is_letter = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
        if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || !name.bytes().all(is_letter) {
            return Err(Why::Name);
        }
        let pair = CString::new([name.as_bytes(), b"=", value].concat()).map_err(|_| Why::Nul)?;
        if value.len() > VALUE || pair.count_bytes() >= STRING {
            return Err(Why::TooLarge);
        }
        self.room = self.room.checked_sub(cost(&pair)).ok_or(Why::NoRoom)?;
        self.list.push(pair);
        Ok(())
    }

    /// The strings, and for the log what was left out and where it is.
    pub(super) fn finish(self) -> (Vec<CString>, Vec<String>) {
        let (told, others) = self.left_out.split_at(self.left_out.len().min(TOLD));
        let mut notes: Vec<String> = told.iter().map(LeftOut::to_string).collect();
        let mut names = String::new();
        for (at, LeftOut { name, .. }) in others.iter().enumerate() {
            names += &format!("{}{}", if names.is_empty() { "" } else { ", " }, short(name));
            if names.len() >= NAMES || at + 1 == others.len() {
                let names = std::mem::take(&mut names);
                notes.push(format!(
                    "nor are these in the environment, for the same reasons, but in their file: {names}"
                ));
            }
        }
        (self.list, notes)
    }
}

/// What a string costs: its bytes, its end, and the pointer to it.
fn cost(pair: &CStr) -> usize {
    pair.count_bytes() + 1 + size_of::<usize>()
}

fn short(name: &str) -> Text {
    Text::cut(name, 200)
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.given {
            Given::Variable => "variable",
            Given::Secret => "secret",
            Given::Parameter => "parameter",
        };
        let why = match self.why {
            Why::Name => "has a name that no variable can have".to_owned(),
            Why::Nul => "has the character U+0000, which no variable can have".to_owned(),
            Why::TooLarge => format!("is too large for the environment, which takes values of {} KiB", VALUE >> 10),
            Why::NoRoom => format!("is too large for the environment, which takes {} KiB in all", room() >> 10),
        };
        write!(f, "{what} {} {why}; it is ", short(&self.name))?;
        match self.given {
            Given::Variable => f.write_str("left out"),
            Given::Secret => f.write_str("in its file below TASKLOOM_SECRETS_FOLDER only"),
            Given::Parameter => f.write_str("in parameters.json (TASKLOOM_PARAMETERS_FILE) only"),
        }
    }
}
