//! What an attack came to, written down for the table in `docs/security.md`.

use std::path::Path;

/// Keeps a row of the table where `make attacks` wants one: the test's path below `attack::`, what was done, what must
/// hold, and what was found. The test itself asserts that it holds.
pub(super) fn note(test: &str, attack: &str, promise: &str, found: &str) {
    let Some(folder) = std::env::var_os("TASKLOOM_ATTACKS") else { return };
    let row = format!("| {attack} | {promise} | {found} | `attack::{test}` |\n");
    let name = format!("{}-{}.row", test.replace("::", "-"), attack.len());
    std::fs::write(Path::new(&folder).join(name), row).unwrap();
}
