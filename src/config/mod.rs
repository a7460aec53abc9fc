//! Settings: what is in force, where each value comes from, and every mistake at once with its place and remedy.
//!
//! Defaults (`taskloom.toml` beside this file, which also documents them) < a file < the environment < flags. A key
//! that nobody knows is an error: a misspelt setting must not look as if it were in force. A variable without a section
//! may be somebody else's, such as those that Kubernetes makes of a service's name: it is a warning.

mod fault;
mod layer;
mod origin;
mod place;
mod section;
mod value;

pub use fault::{Faults, SettingFault};
pub use origin::SettingOrigin;
pub use place::{Listen, Networks, Origins, TimeZone};
pub use section::{
    Auth, Data, Database, Graphql, HttpExecutor, Linkis, Log, Ocp, Results, Retention, Server, Settings, SqlExecutor,
    Strangers, Telemetry, Worker,
};
pub use value::{
    AnonymousRole, Bytes, DatabaseUrl, Filter, Format, Isolation, Patience, ProcessTree, Slots, SystemAccount,
    WorkerName, mask,
};

use std::collections::BTreeMap;
use std::path::PathBuf;

use layer::Layers;

/// The defaults, with their documentation.
pub const DEFAULTS: &str = include_str!("taskloom.toml");

/// Where settings are taken from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The folder whose `taskloom.toml` is read when it exists, and where the server keeps its data.
    pub data_dir: PathBuf,
    /// A file named on the command line: it is read instead, and must exist.
    pub file: Option<PathBuf>,
    /// Names and values of the environment; only `TASKLOOM_…` is looked at.
    pub environment: Vec<(String, String)>,
    /// Values of flags that were given.
    pub flags: Vec<Flag>,
}

/// A setting from the command line.
#[derive(Clone, Debug)]
pub struct Flag {
    /// As it is typed: `--listen`.
    pub name: &'static str,
    /// The key that it sets: `server.listen`.
    pub key: &'static str,
    /// Its value.
    pub value: String,
}

/// Settings with the origin of each.
#[derive(Debug)]
pub struct Loaded {
    /// What is in force.
    pub settings: Settings,
    /// Where each key's value comes from.
    pub origins: BTreeMap<String, SettingOrigin>,
    /// What may be a mistake, and may be somebody else's: variables like ours that are none.
    pub warnings: Vec<SettingFault>,
}

/// Reads all sources, the later over the earlier.
///
/// # Errors
///
/// Everything that is wrong in any of them, not only the first.
pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
    let mut faults = vec![];
    let mut layers = Layers::defaults();
    if let Some(text) = read_file(sources, &mut faults) {
        layers.file(&text.0, &text.1, &mut faults);
    }
    let warnings = layers.environment(&sources.environment, &mut faults);
    layers.flags(&sources.flags);
    let mut settings = Settings::read(&sources.data_dir, &layers, &mut faults);
    if let Some(settings) = &mut settings {
        settings.file = sources.file.clone();
        agree(settings, &layers, &mut faults);
    }
    match settings {
        Some(settings) if faults.is_empty() => Ok(Loaded { settings, origins: layers.origins(), warnings }),
        _ => Err(Faults(faults)),
    }
}

impl Settings {
    /// The defaults, with this data folder.
    ///
    /// # Panics
    ///
    /// Never: a test reads the embedded file.
    #[must_use]
    pub fn defaults(data_dir: impl Into<PathBuf>) -> Self {
        Self::read(&data_dir.into(), &Layers::defaults(), &mut vec![]).expect("invariant: the defaults are valid")
    }
}

impl Settings {
    /// Where the folders of attempts are to be.
    #[must_use]
    pub fn attempts(&self) -> PathBuf {
        self.worker.folder.clone().unwrap_or_else(|| {
            let data = std::path::absolute(&self.data_dir).unwrap_or_else(|_| self.data_dir.clone());
            // Without what a path may end with.
            let mut beside = data.components().collect::<PathBuf>().into_os_string();
            beside.push(".work");
            beside.into()
        })
    }
}

impl Loaded {
    /// The settings in force as a `taskloom.toml`, each line with its origin; secrets are masked.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!("# data folder: {}\n", self.settings.data_dir.display());
        let mut section = String::new();
        for (key, value) in self.settings.show() {
            let (head, name) = key.rsplit_once('.').expect("invariant: a key has a section");
            if head != section {
                text.push_str(&format!("\n[{head}]\n"));
                section = head.to_owned();
            }
            let line = format!("{name} = {value}");
            text.push_str(&format!("{line:<48} # {}\n", self.origins[&key]));
        }
        text
    }
}

fn read_file(sources: &Sources, faults: &mut Vec<SettingFault>) -> Option<(PathBuf, String)> {
    let path = sources.file.clone().unwrap_or_else(|| sources.data_dir.join("taskloom.toml"));
    if sources.file.is_none() && !path.exists() {
        return None;
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Some((path, text)),
        Err(error) => {
            let origin = SettingOrigin::file(&path, 1);
            faults.push(SettingFault { origin, text: format!("cannot be read: {error}") });
            None
        }
    }
}

/// What must hold between keys. The mistake is at the one that was set.
fn agree(settings: &Settings, layers: &Layers, faults: &mut Vec<SettingFault>) {
    let mut refuse = |keys: [&str; 2], reason: &str| {
        let [first, second] = keys.map(|key| layers.origin(key));
        let origin = if first == SettingOrigin::Default { second } else { first };
        faults.push(SettingFault { origin, text: format!("{}: {reason}", keys[0]) });
    };
    if settings.worker.renew * 2 > settings.worker.lease {
        let reason = "expected at most half of worker.lease, so that one sign of life may be lost";
        refuse(["worker.renew", "worker.lease"], reason);
    }
    let data = std::path::absolute(&settings.data_dir).unwrap_or_default();
    if settings.worker.folder.as_ref().is_some_and(|folder| folder.starts_with(&data) || data.starts_with(folder)) {
        refuse(["worker.folder"; 2], "expected a folder that neither lies in the data folder nor around it");
    }
    if settings.worker.paths.iter().any(|path| !path.starts_with('/')) {
        refuse(["worker.paths"; 2], "expected whole paths, such as \"/usr\" or \"/srv:rw\"");
    }
    if settings.graphql.nesting > 60 {
        refuse(["graphql.nesting"; 2], "expected at most 60: the parser's stack is safe up to there");
    }
    if settings.log.chunk.0 > 1 << 20 {
        refuse(["log.chunk"; 2], "expected at most 1MiB: who reads a line reads its whole chunk");
    }
    if settings.log.chunk > settings.log.limit {
        refuse(["log.chunk", "log.limit"], "expected at most log.limit");
    }
}

#[cfg(test)]
mod tests;
