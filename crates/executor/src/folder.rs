//! The working folder of one work: what a program is given, and nothing else.
//!
//! Nothing of the server's own environment gets in but `PATH`, `HOME` and `LANG`; parameters are never pasted into
//! code: they are variables and one JSON file. Values that an environment cannot carry are in their file only.

use std::borrow::Cow;
use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;
use taskloom_vault::Hidden;

use super::environment::{DEFAULT_PATH, Environment, Given};
use super::error::{ExecutorError, StartError};
use super::process::{Command, Isolation, MARK, TEMPORARY};
use super::work::Work;

const ATTEMPT_FOLDER: &str = "TASKLOOM_ATTEMPT_FOLDER";
const PARAMETERS_FILE: &str = "TASKLOOM_PARAMETERS_FILE";
const PARAMETER: &str = "TASKLOOM_PARAM_";
const SECRETS_FOLDER: &str = "TASKLOOM_SECRETS_FOLDER";
const SECRET: &str = "TASKLOOM_SECRET_";

const SCRIPT_SHELL: &str = "script.sh";
const SCRIPT_PYTHON: &str = "script.py";
const PARAMETERS: &str = "parameters.json";
/// A file for each secret.
const SECRETS: &str = ".secrets";

/// What is set here is nobody else's to set.
fn is_reserved(name: &str) -> bool {
    matches!(name, MARK | ATTEMPT_FOLDER | PARAMETERS_FILE | SECRETS_FOLDER)
        || name.starts_with(PARAMETER)
        || name.starts_with(SECRET)
}

/// The code of a work, and what it is written in.
#[derive(Debug)]
pub(super) struct Script {
    language: Language,
    code: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Shell,
    Python,
}

impl Script {
    pub(super) fn shell(code: String) -> Self {
        Self { language: Language::Shell, code }
    }

    pub(super) fn python(code: String) -> Self {
        Self { language: Language::Python, code }
    }
}

/// A program ready to be started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) command: Command,
    /// Lines for the log.
    pub(super) notes: Vec<String>,
}

/// Makes the folder with script and parameter file, and composes command and environment. Blocks on the file system.
pub(super) fn prepare(work: &Work, script: &Script, mark: &str, isolation: &Isolation) -> Result<Prepared, StartError> {
    let Script { language, code } = script;
    let fail = |source| ExecutorError::Folder { path: work.folder.clone(), source };
    let folder = make(&work.folder).map_err(fail)?;
    let mut environment = Environment::new((MARK, mark), &folder);
    if let Some(user) = isolation.user() {
        // What of the server's own path is its own alone, they might not reach.
        environment.set("PATH", DEFAULT_PATH);
        environment.set("HOME", &user.home.to_string_lossy());
        ["USER", "LOGNAME"].into_iter().for_each(|name| environment.set(name, &user.name));
    }
    environment.put(ATTEMPT_FOLDER, folder.as_os_str().as_bytes());
    environment.put(PARAMETERS_FILE, folder.join(PARAMETERS).as_os_str().as_bytes());
    if !work.secrets.is_empty() {
        environment.put(SECRETS_FOLDER, folder.join(SECRETS).as_os_str().as_bytes());
    }
    for (name, value) in &work.environment {
        if !is_reserved(name) {
            environment.set(name, value);
        }
    }
    let program = interpreter(*language, environment.path()).map_err(StartError::Program)?;
    let script = folder.join(match language {
        Language::Shell => SCRIPT_SHELL,
        Language::Python => SCRIPT_PYTHON,
    });
    write(&script, code.as_bytes()).map_err(fail)?;
    write(&folder.join(PARAMETERS), work.parameters.to_string().as_bytes()).map_err(fail)?;
    if !work.secrets.is_empty() {
        secrets(&folder, &work.secrets).map_err(fail)?;
    }
    give(&folder, isolation).map_err(fail)?;
    for (name, value) in &work.secrets {
        environment.give(Given::Secret, (SECRET, name), value.expose());
    }
    let mut parameters: Vec<(&String, &Value)> = work.parameters.as_object().into_iter().flatten().collect();
    parameters.sort_by_key(|(name, _)| *name);
    for (name, value) in parameters {
        // Strings as they are, all else as JSON.
        let text = value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed);
        environment.give(Given::Parameter, (PARAMETER, name), &text);
    }

    let mut arguments = vec![program.clone()];
    if *language == Language::Python {
        // Unbuffered: its lines are wanted when they are written.
        arguments.push(c"-u".to_owned());
    }
    arguments.push(c_string(script.into_os_string()).map_err(fail)?);
    let (environment, notes) = environment.finish();
    let cell = isolation.cell(&folder).map_err(fail)?;
    let folder = c_string(folder.into_os_string()).map_err(fail)?;
    let file_size = work.limits.file_size;
    let command = Command {
        program,
        arguments,
        environment,
        folder,
        address_space: None,
        file_size,
        descriptors: None,
        tag: None,
        cell,
    };
    Ok(Prepared { command, notes })
}

/// Removes from a folder what was put there for the program, and then the folder, unless the program left something.
///
/// # Errors
/// What the file system says; a folder that does not exist is none.
pub fn tidy(folder: &Path) -> io::Result<()> {
    let none_is_fine = |done: io::Result<()>| match done {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) => Ok(()),
        done => done,
    };
    for name in [SECRETS, TEMPORARY] {
        none_is_fine(std::fs::remove_dir_all(folder.join(name)))?;
    }
    for name in [SCRIPT_SHELL, SCRIPT_PYTHON, PARAMETERS] {
        none_is_fine(std::fs::remove_file(folder.join(name)))?;
    }
    none_is_fine(std::fs::remove_dir(folder))
}

/// Removes the secrets that an earlier life of this host left in the folders below `attempts`.
///
/// # Errors
/// What the file system says; that there is nothing is none.
pub fn forget_secrets(attempts: &Path) -> io::Result<()> {
    let folders = match std::fs::read_dir(attempts) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        folders => folders?,
    };
    for folder in folders {
        match std::fs::remove_dir_all(folder?.path().join(SECRETS)) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            removed => removed?,
        }
    }
    Ok(())
}

/// Makes all that is in a folder the step's user's, the folder last: until then nobody else can change what is in it.
fn give(folder: &Path, isolation: &Isolation) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            give(&entry.path(), isolation)?;
        } else {
            isolation.give(&entry.path())?;
        }
    }
    isolation.give(folder)
}

/// A file for each secret, in a folder of their own.
fn secrets(folder: &Path, secrets: &[(String, Hidden)]) -> io::Result<()> {
    let folder = make(&folder.join(SECRETS))?;
    secrets.iter().try_for_each(|(name, value)| write(&folder.join(name), value.expose().as_bytes()))
}

/// Makes the folder for its owner alone; its absolute path, since the program starts inside it.
fn make(folder: &Path) -> io::Result<PathBuf> {
    let folder = std::path::absolute(folder)?;
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        }
        made => made?,
    }
    Ok(folder)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(content)
}

/// Where the interpreter is, or a message that names what is missing.
fn interpreter(language: Language, path: &OsStr) -> Result<CString, String> {
    match language {
        Language::Shell => Ok(c"/bin/sh".to_owned()),
        Language::Python => look_up("python3", path).ok_or_else(|| {
            format!("python3 was not found on this worker (PATH is {}): install Python 3", path.display())
        }),
    }
}

fn look_up(name: &str, path: &OsStr) -> Option<CString> {
    let is_program =
        |path: &PathBuf| path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0);
    let found = env::split_paths(path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
    found.into_iter().find(is_program).and_then(|path| c_string(path.into_os_string()).ok())
}

fn c_string(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(io::Error::other)
}
