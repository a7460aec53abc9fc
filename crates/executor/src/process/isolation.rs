//! How steps are held apart from the server and from each other: found once, at start, by trying it.
//!
//! A private mount namespace hides what is not theirs; where the host gives none, Landlock refuses it. Processes of one
//! user would still reach each other through `/proc`: a Landlock domain of each step's own closes that way, where the
//! step is not root's. What a host cannot give is said, never skipped silently.

use std::ffi::CString;
use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::unistd::{Gid, Uid, User, fchown, geteuid, getgrouplist};

use super::cell::{Account, Cell, Space, TEMPORARY};
use super::domain;
use super::exit::{self, Exit};
use super::spawn::{self, Command, SpawnError, Wiring};
use super::user_namespace;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Apart {
    /// What the host offers.
    #[default]
    Auto,
    /// As another user, and what the host offers.
    User,
    /// Nothing.
    None,
    /// Nothing is reached but what is named, or the server does not start.
    Strict,
}

/// What is to be held apart from what.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// How.
    pub apart: Apart,
    /// The user of steps.
    pub run_as: Option<String>,
    /// Users whom a step may name instead.
    pub users: Vec<String>,
    /// What strict steps reach, each with whether they may write there.
    pub paths: Vec<(PathBuf, bool)>,
    /// The data folder.
    pub data: PathBuf,
    /// A settings file that lies elsewhere.
    pub settings: Option<PathBuf>,
    /// Where the folders of attempts are.
    pub attempts: PathBuf,
}

/// Why steps cannot be held apart as it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum IsolationError {
    /// No such user.
    #[error("worker.run_as or worker.users: there is no user {0} on this machine")]
    NoUser(String),
    /// Only root may become somebody else.
    #[error("worker.run_as or worker.users: to run steps as {0} needs a server that runs as root")]
    NotRoot(String),
    /// `user` without a user.
    #[error("worker.isolation = \"user\" needs worker.run_as")]
    NoRunAs,
    /// Nothing can be tried.
    #[error("cannot try how steps are held apart: {path}: {source}")]
    Folder {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What is asked for, and the host cannot.
    #[error("worker.isolation = \"{wanted}\" cannot be held on this host: {why}; choose \"auto\" to go on with less")]
    Cannot {
        /// The setting.
        wanted: &'static str,
        /// What is missing.
        why: String,
    },
}

/// How steps are held apart here.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    tier: Tier,
    /// Whether this host can keep processes of one user from each other.
    can_be_alone: bool,
    /// Why it is not the best tier.
    lacking: String,
    user: Option<Arc<Account>>,
    /// Whom a step may name instead.
    others: Vec<Arc<Account>>,
    users: Option<Arc<OwnedFd>>,
    data: PathBuf,
    settings: Option<PathBuf>,
    attempts: PathBuf,
    paths: Vec<(PathBuf, bool)>,
}

/// What holds them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tier {
    #[default]
    None,
    Landlock,
    Namespace,
    Strict,
}

impl Isolation {
    /// Finds out what this host can do. Blocks: starts a process for each way that is tried.
    ///
    /// # Errors
    /// When what is asked for by name cannot be done.
    pub fn detect(wanted: &Wanted) -> Result<Self, IsolationError> {
        let user = wanted.run_as.as_deref().map(account).transpose()?.map(Arc::new);
        let others = wanted.users.iter().map(|name| account(name).map(Arc::new)).collect::<Result<_, _>>()?;
        if wanted.apart == Apart::User && user.is_none() {
            return Err(IsolationError::NoRunAs);
        }
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let base = Self {
            user,
            others,
            data: whole(&wanted.data),
            settings: wanted.settings.as_deref().map(whole),
            attempts: whole(&wanted.attempts),
            paths: wanted.paths.clone(),
            ..Self::default()
        };
        let name = match wanted.apart {
            Apart::None => "none",
            Apart::Auto => "auto",
            Apart::User => "user",
            Apart::Strict => "strict",
        };
        let cannot = |why| IsolationError::Cannot { wanted: name, why };
        let lacking = match wanted.apart {
            Apart::None => String::new(),
            Apart::Strict => return base.find(&[Tier::Strict])?.map_err(cannot),
            Apart::Auto | Apart::User => match base.find(&[Tier::Namespace, Tier::Landlock])? {
                Ok(found) => return Ok(found),
                Err(why) if wanted.apart == Apart::User => return Err(cannot(why)),
                Err(why) => why,
            },
        };
        if base.user.is_some() {
            // Each step would fail that cannot become this user.
            base.probe()?.map_err(cannot)?;
        }
        Ok(Self { lacking, ..base })
    }

    /// The first of these tiers that works, or why none does.
    fn find(&self, tiers: &[Tier]) -> Result<Result<Self, String>, IsolationError> {
        let mut lacking: Vec<String> = vec![];
        let can_be_alone = domain::can_be_alone();
        for &tier in tiers {
            let own = Self { tier, can_be_alone, ..self.clone() };
            match own.hides()? {
                Ok(()) => return Ok(Ok(Self { lacking: lacking.join(", "), ..own })),
                Err(why) => lacking.push(why),
            }
            // Root makes its namespaces in the host's user namespace, in which `sudo` goes on working.
            if tier == Tier::Landlock || geteuid().is_root() {
                continue;
            }
            let users = match user_namespace::own() {
                Ok(users) => Some(Arc::new(users)),
                Err(error) => {
                    lacking.push(format!("no user namespace ({error})"));
                    continue;
                }
            };
            let own = Self { users, ..own };
            match own.hides()? {
                Ok(()) => return Ok(Ok(Self { lacking: lacking.join(", "), ..own })),
                Err(why) => lacking.push(why),
            }
        }
        Ok(Err(lacking.join(", ")))
    }

    /// Whether what is to be hidden is hidden.
    fn hides(&self) -> Result<Result<(), String>, IsolationError> {
        let seen = "what is to be hidden is seen".to_owned();
        Ok(self.probe()?.and_then(|sees| if sees { Err(seen) } else { Ok(()) }))
    }

    /// Starts a process that looks for a file in the data folder: whether it sees it, or why it cannot even look.
    fn probe(&self) -> Result<Result<bool, String>, IsolationError> {
        let (seen, folder) = (self.data.join(".probe"), self.attempts.join(".probe"));
        let clear = || {
            let _ = fs::remove_file(&seen);
            let _ = fs::remove_dir_all(&folder);
        };
        clear();
        let made = fs::write(&seen, "").and_then(|()| fs::create_dir(&folder)).and_then(|()| self.give(&folder));
        let tried = made.map(|()| self.try_in(&folder, &seen));
        clear();
        tried.map_err(|source| IsolationError::Folder { path: folder, source })
    }

    fn try_in(&self, folder: &Path, seen: &Path) -> Result<bool, String> {
        let text = |error: io::Error| error.to_string();
        let null = fs::File::open("/dev/null").map_err(text)?;
        let script = c"echo >here || exit 3; cat \"$1\" && exit 4; exit 0";
        let command = Command {
            program: c"/bin/sh".to_owned(),
            arguments: vec![c"sh".into(), c"-c".into(), script.into(), c"probe".into(), c_string(seen).map_err(text)?],
            environment: vec![],
            folder: c_string(folder).map_err(text)?,
            address_space: None,
            file_size: None,
            tag: None,
            descriptors: None,
            cell: self.cell(folder).map_err(text)?,
        };
        let wiring = Wiring { stdin: null.as_fd(), stdout: null.as_fd(), stderr: null.as_fd() };
        let what = if self.tier == Tier::Landlock { "Landlock" } else { "mount namespace" };
        let spawned = spawn::spawn(&command, wiring, None).map_err(|error| match error {
            SpawnError::Host(error) => format!("no {what} ({error})"),
            SpawnError::Program(error) => format!("/bin/sh is not reached ({what}: {error})"),
        })?;
        match exit::reap(&spawned.handle).map_err(text)? {
            Exit::Code(0) => Ok(false),
            Exit::Code(4) => Ok(true),
            exit => Err(format!("a process cannot work in {} ({what}: {exit:?})", folder.display())),
        }
    }

    /// What the process of a work does to itself before its program begins.
    pub(crate) fn cell(&self, folder: &Path) -> io::Result<Cell> {
        let folder = folder.canonicalize()?;
        if self.tier == Tier::Strict {
            let temporary = folder.join(TEMPORARY);
            fs::create_dir(&temporary)?;
            self.give(&temporary)?;
        }
        let hidden: Vec<&Path> = [Some(&self.data), Some(&self.attempts), self.settings.as_ref()]
            .into_iter()
            .flatten()
            .map(|it| &**it)
            .collect();
        let mut cell = Cell { user: self.user.clone(), ..Cell::default() };
        match self.tier {
            Tier::None => return Ok(cell),
            Tier::Namespace | Tier::Strict => cell.space = Some(self.space(&folder)?),
            Tier::Landlock => {}
        }
        cell.rules = match self.tier {
            Tier::Landlock => Some(domain::all_but(&hidden, &folder)?),
            Tier::Strict => Some(domain::nothing_but(&self.paths, &folder)?),
            Tier::Namespace if self.can_be_alone && !self.is_root() => Some(domain::alone()?),
            Tier::Namespace | Tier::None => None,
        };
        // Who has the right to mount, in its user namespace at least, needs no vow for Landlock.
        cell.no_new_privs = self.tier == Tier::Landlock && !may_administer();
        Ok(cell)
    }

    fn space(&self, folder: &Path) -> io::Result<Space> {
        let mut covers = vec![self.data.clone(), self.attempts.clone()];
        if self.tier == Tier::Strict {
            covers.push("/tmp".into());
        }
        covers.sort();
        // What lies in one that is covered is hidden with it.
        covers.dedup_by(|inner, outer| inner.starts_with(&*outer));
        let is_open = |path: &&PathBuf| !covers.iter().any(|cover| path.starts_with(cover));
        let blanks = self.settings.iter().filter(is_open).map(c_string).collect::<io::Result<_>>()?;
        let within = covers.iter().find(|cover| folder.starts_with(cover));
        let ancestors = folder.ancestors().take_while(|path| within.is_some_and(|cover| *path != cover));
        let mut make = ancestors.map(c_string).collect::<io::Result<Vec<_>>>()?;
        make.reverse();
        let covers = covers.iter().map(|path| Ok((c_string(path)?, path == Path::new("/tmp"))));
        Ok(Space {
            users: self.users.clone(),
            covers: covers.collect::<io::Result<_>>()?,
            blanks,
            make,
            own: c_string(folder)?,
        })
    }

    /// Makes a path in an attempt's folder the step's user's.
    pub(crate) fn give(&self, path: &Path) -> io::Result<()> {
        self.user.as_ref().map_or(Ok(()), |user| std::os::unix::fs::lchown(path, Some(user.uid), Some(user.gid)))
    }

    /// The same of a pipe: who opens `/dev/stderr` opens it again, by its name.
    pub(crate) fn give_pipe(&self, pipe: impl AsFd) -> io::Result<()> {
        let Some(user) = &self.user else { return Ok(()) };
        Ok(fchown(pipe, Some(Uid::from_raw(user.uid)), Some(Gid::from_raw(user.gid)))?)
    }

    /// The same for a step that names its user; `None`: not one of those whom the settings name.
    pub(crate) fn of(&self, user: &str) -> Option<Self> {
        let account = self.others.iter().chain(&self.user).find(|account| account.name == user)?;
        Some(Self { user: Some(Arc::clone(account)), ..self.clone() })
    }

    /// Whose the steps are, where they are another's.
    pub(crate) fn user(&self) -> Option<&Account> {
        self.user.as_deref()
    }

    fn is_root(&self) -> bool {
        self.user.as_ref().map_or_else(|| geteuid().is_root(), |user| user.uid == 0)
    }

    /// A word for it: `none`, `landlock`, `namespace`, `user`, `strict`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match (self.tier, &self.user) {
            (Tier::Strict, _) => "strict",
            (Tier::Namespace | Tier::Landlock, Some(_)) => "user",
            (Tier::Namespace, None) => "namespace",
            (Tier::Landlock, None) => "landlock",
            (Tier::None, _) => "none",
        }
    }
}

impl fmt::Display for Isolation {
    /// One sentence for the log at start.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.tier {
            Tier::None => "steps are not held apart: they reach what the server's user does",
            Tier::Landlock => "steps are held apart by Landlock: sudo and mounts do not work in them",
            Tier::Namespace => "steps are held apart by mount namespaces",
            Tier::Strict => "steps are held apart strictly: they reach only worker.paths and a /tmp of their own",
        })?;
        if self.users.is_some() {
            write!(f, " of a user namespace, in which programs with the set-user-ID bit (sudo) do not work")?;
        }
        if let Some(user) = &self.user {
            write!(f, "; they run as {}", user.name)?;
        } else if self.is_root() && self.tier != Tier::None {
            write!(f, "; they run as root, which no wall holds: set worker.run_as")?;
        }
        for user in &self.others {
            write!(f, "; as {} where they name that user", user.name)?;
        }
        if matches!(self.tier, Tier::Namespace) && !self.can_be_alone && !self.is_root() {
            write!(f, "; steps of one user are not kept from each other's processes, since Landlock is too old here")?;
        }
        if !self.lacking.is_empty() {
            write!(f, " (not better: {})", self.lacking)?;
        }
        Ok(())
    }
}

/// Whether this process has `CAP_SYS_ADMIN`, which root in a container may lack.
fn may_administer() -> bool {
    const SYS_ADMIN: u32 = 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    held.and_then(|held| u64::from_str_radix(held.trim(), 16).ok()).is_some_and(|held| held & (1 << SYS_ADMIN) != 0)
}

/// A user with all groups that they are in.
fn account(name: &str) -> Result<Account, IsolationError> {
    let none = || IsolationError::NoUser(name.to_owned());
    let user = User::from_name(name).ok().flatten().ok_or_else(none)?;
    if !geteuid().is_root() && geteuid() != user.uid {
        return Err(IsolationError::NotRoot(user.name));
    }
    let c_name = CString::new(name).map_err(|_| none())?;
    let groups = getgrouplist(&c_name, user.gid).map_err(|_| none())?;
    Ok(Account {
        name: user.name,
        uid: user.uid.as_raw(),
        gid: user.gid.as_raw(),
        groups: groups.into_iter().map(Gid::as_raw).collect(),
        home: user.dir,
    })
}

fn c_string(path: impl AsRef<Path>) -> io::Result<CString> {
    CString::new(path.as_ref().as_os_str().as_bytes()).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::{Apart, Isolation, IsolationError, Tier, Wanted};

    fn wanted(folder: &std::path::Path) -> Wanted {
        let (data, attempts) = (folder.join("data"), folder.join("work"));
        for path in [&data, &attempts] {
            std::fs::create_dir(path).expect("a folder");
        }
        Wanted { data, attempts, ..Wanted::default() }
    }

    /// Each way that this host has hides the data; the others say why they cannot.
    #[test]
    fn every_way_is_tried_and_says_what_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        let wanted = wanted(folder.path());
        let base = Isolation::detect(&Wanted { apart: Apart::None, ..wanted.clone() }).expect("nothing is needed");
        assert_eq!((base.name(), base.probe().expect("a probe")), ("none", Ok(true)), "without walls the file is seen");
        for tier in [Tier::Namespace, Tier::Landlock] {
            match base.find(&[tier]).expect("probes") {
                Ok(found) => assert_eq!((found.tier, found.probe().expect("a probe")), (tier, Ok(false))),
                Err(why) => assert!(why.contains("namespace") || why.contains("Landlock"), "{why}"),
            }
        }
        let left: Vec<_> = std::fs::read_dir(&wanted.attempts).expect("a folder").collect();
        assert!(left.is_empty() && !wanted.data.join(".probe").exists());
    }

    #[test]
    fn what_is_asked_for_by_name_is_held_or_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let wanted = wanted(folder.path());
        let user = Isolation::detect(&Wanted { apart: Apart::User, ..wanted.clone() });
        assert!(matches!(user, Err(IsolationError::NoRunAs)));
        // Nothing is named, so that not even a shell is reached.
        let strict = Isolation::detect(&Wanted { apart: Apart::Strict, ..wanted });
        assert!(matches!(strict, Err(IsolationError::Cannot { wanted: "strict", .. })));
    }
}
