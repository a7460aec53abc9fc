//! What of this process nobody else may read, though they are its own user: variables with secrets, and its memory.
//!
//! The kernel shows in `/proc/<pid>/environ` the bytes with which a process was started, whatever it does to its
//! variables later: so they are overwritten there, before a second thread exists.

#![expect(unsafe_code, reason = "the environment lies in memory that the kernel shows to others")]

use std::collections::BTreeMap;
use std::env;
use std::ffi::CStr;
use std::sync::OnceLock;

use libc::c_char;

/// Ours: they are kept here and are variables no more, so that no child has them.
const TAKEN: [&str; 4] =
    ["TASKLOOM_SECRET_KEY", "TASKLOOM_ADMIN_PASSWORD", "TASKLOOM_DATABASE_URL", "TASKLOOM_DATABASE__URL"];
/// These are read by libraries, or by commands that are soon over: they stay variables, in memory that nobody is shown.
const HIDDEN: [&str; 2] = ["TASKLOOM_TOKEN", "PGPASSWORD"];

static KEPT: OnceLock<BTreeMap<&'static str, String>> = OnceLock::new();

unsafe extern "C" {
    static environ: *const *mut c_char;
}

/// Takes the secrets out of the environment, and closes this process's memory to others.
///
/// # Safety
/// No other thread may exist yet.
pub unsafe fn begin() {
    let mut kept = BTreeMap::new();
    for name in TAKEN.into_iter().chain(HIDDEN) {
        let Some(value) = env::var_os(name) else { continue };
        // SAFETY: there is one thread, and nobody else has a pointer into the environment.
        unsafe {
            overwrite(name);
            env::remove_var(name);
            match value.into_string() {
                Ok(value) if TAKEN.contains(&name) => drop(kept.insert(name, value)),
                Ok(value) => env::set_var(name, value),
                // None of ours is anything but text.
                Err(_) => {}
            }
        }
    }
    let _ = KEPT.set(kept);
    close();
}

/// Nobody of the same user may trace this process or read its memory, or what `/proc` has of it but for everybody; and it
/// leaves no memory behind when it dies. Becoming another user or running a program would open it again.
fn close() {
    // SAFETY: a plain system call.
    if unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0) } != 0 {
        tracing::warn!("processes of the same user can read this one's memory");
    }
}

/// Overwrites the passwords in addresses among the arguments, which `/proc/<pid>/cmdline` shows to every user.
///
/// # Safety
/// No other thread may exist yet, and who wants the arguments has a copy.
pub unsafe fn forget_arguments() {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc_pid_stat(5): `arg_start` and `arg_end` are the fields 48 and 49, and the name is the second.
    let fields = stat.rsplit_once(')').into_iter().flat_map(|(_, rest)| rest.split_ascii_whitespace());
    let places: Vec<usize> = fields.skip(45).take(2).filter_map(|field| field.parse().ok()).collect();
    let [start, end] = places[..] else { return };
    if start == 0 || end <= start {
        return;
    }
    // SAFETY: the kernel has put the arguments there, and one thread alone sees them.
    let all =
        unsafe { std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut::<u8>(start), end - start) };
    for argument in all.split_mut(|byte| *byte == 0) {
        if let Some(range) = password(argument) {
            argument[range].fill(b'x');
        }
    }
}

/// Where the password of `scheme://user:password@host` is.
fn password(argument: &[u8]) -> Option<std::ops::Range<usize>> {
    let user = argument.windows(3).position(|three| three == b"://")? + 3;
    let host = user + argument[user..].iter().rposition(|byte| *byte == b'@')?;
    let start = user + argument[user..host].iter().position(|byte| *byte == b':')? + 1;
    Some(start..host)
}

/// A variable, though it was taken out of the environment.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    KEPT.get().and_then(|kept| kept.get(name).cloned()).or_else(|| env::var(name).ok())
}

/// All variables that are text, with those that were taken out.
pub fn variables() -> impl Iterator<Item = (String, String)> {
    let kept = KEPT.get().into_iter().flatten().map(|(name, value)| ((*name).to_owned(), value.clone()));
    // A variable that is not UTF-8 cannot be one of ours.
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).chain(kept)
}

/// Overwrites the values of this name where the kernel has put them.
///
/// # Safety
/// As for [`begin`].
unsafe fn overwrite(name: &str) {
    // SAFETY: the environment is an array of C strings that ends with a null pointer, and one thread alone sees it.
    unsafe {
        let mut at = environ;
        while !at.is_null() && !(*at).is_null() {
            let pair = CStr::from_ptr(*at).to_bytes();
            let value = pair.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(length) = value.map(<[u8]>::len) {
                let start = pair.len() - length;
                (*at).add(start).write_bytes(b'x', length);
            }
            at = at.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::password;

    #[test]
    fn the_password_of_an_address_is_found_and_nothing_else() {
        let found = |argument: &'static str| password(argument.as_bytes()).map(|range| &argument[range]);
        assert_eq!(found("postgres://user:pass:w@rd@host:5432/db?x=y"), Some("pass:w@rd"));
        assert_eq!(found("--database-url=postgres://user:secret@host/db"), Some("secret"));
        for harmless in ["serve", "postgres://user@host/db", "http://127.0.0.1:8080", "--listen=:8080", "a:b@c"] {
            assert_eq!(found(harmless), None, "{harmless}");
        }
    }
}
