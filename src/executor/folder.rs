//! The working folder and the environment of one work: what a program is given, and nothing else.
//!
//! Nothing of the server's own environment gets in but `PATH`, `HOME` and `LANG`; parameters are never pasted into
//! code: they are variables and one JSON file. Values that an environment cannot carry are in the file only.

use std::env;
use std::ffi::{CString, OsString};
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ExecutorError, StartError};
use super::process::Command;
use super::work::{Program, Work};
use crate::vault::Hidden;

/// The variable that every process of a work inherits and by which leftovers are recognised.
pub(super) const MARK: &str = "TASKLOOM_ATTEMPT";

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
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What is set here is nobody else's to set.
fn is_reserved(name: &str) -> bool {
    matches!(name, MARK | ATTEMPT_FOLDER | PARAMETERS_FILE | SECRETS_FOLDER)
        || name.starts_with(PARAMETER)
        || name.starts_with(SECRET)
}

/// Linux refuses a variable of 128 KiB, and an environment beyond about 2 MiB.
const LARGEST_VARIABLE: usize = 100 * 1024;
const LARGEST_ENVIRONMENT: usize = 1024 * 1024;

/// A program ready to be started.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) command: Command,
    /// Lines for the log.
    pub(super) notes: Vec<String>,
}

/// Makes the folder with script and parameter file, and composes command and environment. Blocks on the file system.
pub(super) fn prepare(work: &Work, mark: &str) -> Result<Prepared, StartError> {
    let fail = |source| ExecutorError::Folder { path: work.folder.clone(), source };
    let folder = make(&work.folder).map_err(fail)?;
    let mut variables = Variables::new(&folder, mark);
    for (name, value) in &work.environment {
        if !is_reserved(name) {
            variables.set(name, value);
        }
    }
    let (script, code) = match &work.program {
        Program::Shell(code) => (SCRIPT_SHELL, code),
        Program::Python(code) => (SCRIPT_PYTHON, code),
        Program::Noop { .. } | Program::Sql(_) | Program::Http(_) | Program::Vsphere(_) => {
            unreachable!("only processes have a folder")
        }
    };
    let program = interpreter(&work.program, &variables).map_err(StartError::Program)?;
    let script = folder.join(script);
    write(&script, code.as_bytes()).map_err(fail)?;
    let parameters = folder.join(PARAMETERS);
    write(&parameters, work.parameters.to_string().as_bytes()).map_err(fail)?;
    variables.push(PARAMETERS_FILE, parameters.as_os_str().as_bytes());
    if !work.secrets.is_empty() {
        let secrets = secrets(&folder, &work.secrets).map_err(fail)?;
        variables.push(SECRETS_FOLDER, secrets.as_os_str().as_bytes());
    }
    for (name, value) in &work.secrets {
        variables.push(&format!("{SECRET}{name}"), value.expose().as_bytes());
    }
    let notes = variables.add_parameters(&work.parameters);

    let mut arguments = vec![program.clone()];
    if matches!(work.program, Program::Python(_)) {
        arguments.push(c"-u".to_owned());
    }
    arguments.push(c_string(script.into_os_string()).map_err(fail)?);
    let command = Command {
        program,
        arguments,
        environment: variables.into_list(),
        folder: c_string(folder.into_os_string()).map_err(fail)?,
        address_space: None,
        brand: None,
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
    none_is_fine(std::fs::remove_dir_all(folder.join(SECRETS)))?;
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

/// A file for each secret, in a folder of their own.
fn secrets(folder: &Path, secrets: &[(String, Hidden)]) -> io::Result<PathBuf> {
    let folder = make(&folder.join(SECRETS))?;
    for (name, value) in secrets {
        write(&folder.join(name), value.expose().as_bytes())?;
    }
    Ok(folder)
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
fn interpreter(program: &Program, variables: &Variables) -> Result<CString, String> {
    match program {
        Program::Python(_) => variables.look_up("python3").ok_or_else(|| {
            format!("python3 was not found on this worker (PATH is {}): install Python 3", variables.path.display())
        }),
        Program::Shell(_) | Program::Noop { .. } | Program::Sql(_) | Program::Http(_) | Program::Vsphere(_) => {
            Ok(c"/bin/sh".to_owned())
        }
    }
}

/// `NAME=value` strings, each name once.
struct Variables {
    list: Vec<Vec<u8>>,
    path: OsString,
    bytes: usize,
}

impl Variables {
    fn new(folder: &Path, mark: &str) -> Self {
        let path = env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into());
        let mut variables = Self { list: Vec::with_capacity(12), path: path.clone(), bytes: 0 };
        // First, so that it is found in the first bytes of /proc/<pid>/environ.
        variables.push(MARK, mark.as_bytes());
        variables.push("PATH", path.as_bytes());
        variables.push("HOME", env::var_os("HOME").unwrap_or_else(|| folder.into()).as_bytes());
        variables.push("LANG", env::var_os("LANG").unwrap_or_else(|| "C.UTF-8".into()).as_bytes());
        variables.push("TMPDIR", folder.as_os_str().as_bytes());
        variables.push(ATTEMPT_FOLDER, folder.as_os_str().as_bytes());
        variables
    }

    /// Adds without a look whether the name is there already.
    fn push(&mut self, name: &str, value: &[u8]) {
        let pair = [name.as_bytes(), b"=", value].concat();
        self.bytes += pair.len() + 1;
        self.list.push(pair);
    }

    fn set(&mut self, name: &str, value: &str) {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return;
        }
        let is_it = |pair: &Vec<u8>| pair.strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"="));
        self.list.retain(|pair| !is_it(pair));
        if name == "PATH" {
            self.path = value.into();
        }
        self.push(name, value.as_bytes());
    }

    /// Strings as they are, all else as JSON; what does not fit is told in a note.
    fn add_parameters(&mut self, parameters: &Value) -> Vec<String> {
        let mut notes = vec![];
        for (name, value) in parameters.as_object().into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
            if !is_name || text.contains('\0') {
                continue; // no environment can carry it
            }
            if text.len() > LARGEST_VARIABLE || self.bytes + text.len() > LARGEST_ENVIRONMENT {
                notes.push(format!("parameter {name} is too large for the environment; it is in {PARAMETERS} only"));
                continue;
            }
            self.push(&format!("{PARAMETER}{name}"), text.as_bytes());
        }
        notes
    }

    fn look_up(&self, name: &str) -> Option<CString> {
        let is_program = |path: &PathBuf| {
            path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let found = env::split_paths(&self.path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name));
        found.into_iter().find(is_program).and_then(|path| c_string(path.into_os_string()).ok())
    }

    fn into_list(self) -> Vec<CString> {
        // A NUL cannot occur: values with one were left out, and the system's own variables cannot hold one.
        self.list.into_iter().filter_map(|pair| CString::new(pair).ok()).collect()
    }
}

fn c_string(text: OsString) -> io::Result<CString> {
    CString::new(text.into_vec()).map_err(io::Error::other)
}
