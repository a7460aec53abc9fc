//! The layers, laid over each other: one raw value and one origin a key. What a value means is not known here.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::value::{Raw, Setting};
use super::{DEFAULTS, Flag, SettingFault, SettingOrigin};

/// Variables whose names are not made of a section and a key; those without a key are read elsewhere.
const PLAIN: &[(&str, Option<&str>)] = &[
    ("TASKLOOM_LISTEN", Some("server.listen")),
    ("TASKLOOM_DATABASE_URL", Some("database.url")),
    ("TASKLOOM_ADMIN_PASSWORD", None),
    ("TASKLOOM_CONFIG", None),
    ("TASKLOOM_DATA_DIR", None),
    ("TASKLOOM_SECRET_KEY", None),
    ("TASKLOOM_SERVER", None),
    ("TASKLOOM_TOKEN", None),
];

/// What executors hand to the processes of subtasks, which may be a `taskloom` in their turn.
const OF_PROCESSES: &[&str] =
    &["PARAM", "OUTPUT", "TASK", "SUBTASK", "ATTEMPT", "OPERATION", "RUN", "SECRET_", "UPSTREAM"];

/// The value in force and the origin of every known key.
pub(super) struct Layers(BTreeMap<String, (Raw, SettingOrigin)>);

impl Layers {
    pub(super) fn defaults() -> Self {
        let mut faults = vec![];
        let entries = parse(Path::new("defaults"), DEFAULTS, &mut faults);
        assert!(faults.is_empty(), "invariant: the embedded defaults are valid TOML");
        Self(entries.into_iter().map(|(key, raw, _)| (key, (raw, SettingOrigin::Default))).collect())
    }

    pub(super) fn file(&mut self, path: &Path, text: &str, faults: &mut Vec<SettingFault>) {
        for (key, raw, origin) in parse(path, text, faults) {
            faults.extend(self.set(&key, raw, origin));
        }
    }

    /// Lays the variables over; those that may be somebody else's are given back.
    pub(super) fn environment(
        &mut self,
        variables: &[(String, String)],
        faults: &mut Vec<SettingFault>,
    ) -> Vec<SettingFault> {
        let mut warnings = vec![];
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix("TASKLOOM_") else { continue };
            let origin = SettingOrigin::Environment(name.clone());
            let raw = Raw::Words(value.clone());
            if let Some((_, key)) = PLAIN.iter().find(|(plain, _)| plain == name) {
                faults.extend(key.and_then(|key| self.set(key, raw, origin)));
            } else if let Some((section, key)) = rest.split_once("__") {
                let key = format!("{section}.{}", key.replace("__", "."));
                faults.extend(self.set(&key.to_lowercase(), raw, origin));
            } else if !OF_PROCESSES.iter().any(|prefix| rest.starts_with(prefix)) {
                let text = format!("unknown variable{}", self.nearest_variable(name));
                warnings.push(SettingFault { origin, text });
            }
        }
        warnings
    }

    pub(super) fn flags(&mut self, flags: &[Flag]) {
        for flag in flags {
            self.0.insert(flag.key.into(), (Raw::Words(flag.value.clone()), SettingOrigin::Flag(flag.name)));
        }
    }

    /// The typed value of a key that the defaults have.
    pub(super) fn read<T: Setting>(&self, key: &str, faults: &mut Vec<SettingFault>) -> Option<T> {
        let (raw, origin) = self.0.get(key).unwrap_or_else(|| panic!("invariant: {key} has a default"));
        let value = T::read(raw);
        if value.is_none() {
            let text = format!("{key}: expected {}, found {}", T::EXPECTED, raw.masked());
            faults.push(SettingFault { origin: origin.clone(), text });
        }
        value
    }

    pub(super) fn origin(&self, key: &str) -> SettingOrigin {
        self.0[key].1.clone()
    }

    pub(super) fn origins(self) -> BTreeMap<String, SettingOrigin> {
        self.0.into_iter().map(|(key, (_, origin))| (key, origin)).collect()
    }

    /// Lays a value over the present one; a key that nobody knows is a fault.
    fn set(&mut self, key: &str, raw: Raw, origin: SettingOrigin) -> Option<SettingFault> {
        let Some(entry) = self.0.get_mut(key) else {
            return Some(SettingFault { origin, text: format!("unknown key {key}{}", self.nearest(key)) });
        };
        *entry = (raw, origin);
        None
    }

    fn nearest(&self, key: &str) -> String {
        match closest(key, 0.8, self.0.keys().cloned()) {
            Some(known) => format!(": did you mean {known}?"),
            None => ": `taskloom check-config` lists the known ones".into(),
        }
    }

    fn nearest_variable(&self, name: &str) -> String {
        // Without what all have in common, or everything would be like everything.
        let bare = |name: &str| name.trim_start_matches("TASKLOOM_").to_owned();
        let settings = self.0.keys().map(|key| key.replace('.', "__").to_uppercase());
        let plain = PLAIN.iter().map(|(plain, _)| bare(plain));
        // A far guess would make somebody else's variable look like a mistake.
        match closest(&bare(name), 0.9, plain.chain(settings)) {
            Some(known) => format!(": did you mean TASKLOOM_{known}?"),
            None => ", left alone: settings are TASKLOOM_SECTION__KEY, with two underscores".into(),
        }
    }
}

/// The most similar word, if it is at least so similar.
fn closest(word: &str, least: f64, known: impl Iterator<Item = String>) -> Option<String> {
    known
        .map(|candidate| (strsim::jaro_winkler(word, &candidate), candidate))
        .filter(|(likeness, _)| *likeness > least)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// All keys of a document as `section.key`, with their lines.
fn parse(path: &Path, text: &str, faults: &mut Vec<SettingFault>) -> Vec<(String, Raw, SettingOrigin)> {
    let line_at = |offset: usize| text[..offset.min(text.len())].matches('\n').count() + 1;
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            let line = error.span().map_or(1, |span| line_at(span.start));
            faults.push(SettingFault { origin: SettingOrigin::file(path, line), text: error.message().into() });
            return vec![];
        }
    };
    let mut found = vec![];
    for (section, value) in table.get_ref() {
        let place = |name: &Spanned<_>| SettingOrigin::file(path, line_at(name.span().start));
        let Some(keys) = value.get_ref().as_table() else {
            // A key outside of any section: unknown under its bare name, whatever it was meant to be.
            found.push((section.get_ref().to_string(), raw(value.get_ref()), place(section)));
            continue;
        };
        for (key, value) in keys {
            let name = format!("{}.{}", section.get_ref(), key.get_ref());
            match value.get_ref().as_table() {
                // A section of a section, such as `[dialects.ocp]`.
                Some(inner) => found.extend(
                    inner
                        .iter()
                        .map(|(key, value)| (format!("{name}.{}", key.get_ref()), raw(value.get_ref()), place(key))),
                ),
                None => found.push((name, raw(value.get_ref()), place(key))),
            }
        }
    }
    found
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Boolean(value) => Raw::Boolean(*value),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number beyond 64 bits"),
        },
        DeValue::Array(items) => items
            .iter()
            .map(|item| item.get_ref().as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map_or(Raw::Other("a list of other things than texts"), Raw::List),
        DeValue::Float(_) => Raw::Other("a number with a fraction"),
        DeValue::Datetime(_) => Raw::Other("a date"),
        DeValue::Table(_) => Raw::Other("a table"),
    }
}
