//! What a file wants there to be: read and checked as a whole before any server is asked, with every fault at once at
//! its line. What stands in other files and in variables (passwords, certificates) is fetched here and shown nowhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::file;
use crate::document::place::{Faults, Fields, Place};
use crate::document::tree::Content;
use crate::document::{sound, value, word, yaml};
use crate::error::Fault;
use crate::vault::Hidden;
use crate::vsphere::{Address, Thumbprint, Trust};

const KINDS: [&str; 1] = ["vcenters"];
const VCENTER: [&str; 9] = ["name", "address", "user", "password", "trust", "collect", "keepDays", "uuid", "tenant"];
const PASSWORD: [&str; 2] = ["env", "file"];
const TRUST: [&str; 2] = ["thumbprint", "ca"];

/// How many of one kind a file may have.
const MOST: usize = 1_000;

/// What a file wants there to be.
#[derive(Debug)]
pub(super) struct Desired {
    /// In the file's order; no two of the same name in the same tenant.
    pub(super) vcenters: Vec<DesiredVcenter>,
}

/// A vCenter as it is to be.
#[derive(Debug)]
pub(super) struct DesiredVcenter {
    pub(super) name: String,
    pub(super) address: String,
    pub(super) user: String,
    /// None: the one that it has.
    pub(super) password: Option<Hidden>,
    pub(super) trust: Trust,
    pub(super) collect: bool,
    /// None: for good.
    pub(super) keep_days: Option<u32>,
    pub(super) uuid: Option<String>,
    /// A tenant's name; none: the caller's own.
    pub(super) tenant: Option<String>,
}

/// Reads a file; `-` is standard input.
///
/// # Errors
/// Every fault, as `FILE:LINE: PATH: MESSAGE`.
pub(super) fn read(path: &Path) -> anyhow::Result<Desired> {
    let text = file::read(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&text, folder).map_err(|faults| file::refuse("the file is not valid", &path.display().to_string(), &faults))
}

/// Reads a text whose relative paths begin at `folder`.
fn parse(text: &str, folder: &Path) -> Result<Desired, Vec<Fault>> {
    let tree = yaml::parse(text, "write a mapping with `vcenters`").map_err(|fault| vec![fault])?;
    let mut reader = DesiredReader { folder, faults: Faults::default() };
    let root = Place::root(&tree);
    sound(&root, &mut reader.faults);
    let fields = Fields::open(root, &KINDS, &mut reader.faults);
    let vcenters = fields.and_then(|fields| fields.find("vcenters")).map(|place| reader.vcenters(&place));
    match reader.faults.is_empty() {
        true => Ok(Desired { vcenters: vcenters.unwrap_or_default() }),
        false => Err(reader.faults.finish()),
    }
}

struct DesiredReader<'f> {
    folder: &'f Path,
    faults: Faults,
}

impl DesiredReader<'_> {
    fn vcenters(&mut self, place: &Place<'_>) -> Vec<DesiredVcenter> {
        let places: Vec<_> = value::list(place, &mut self.faults).collect();
        if places.len() > MOST {
            self.faults.add(place, format!("there are {} vCenters: at most {MOST} in one file", places.len()));
            return vec![];
        }
        let (mut lines, mut uuids) = (HashMap::new(), HashMap::new());
        let mut found = vec![];
        for place in places {
            let Some(vcenter) = self.vcenter(place.clone()) else { continue };
            let name = word::quote(&vcenter.name);
            if let Some(first) = lines.insert((vcenter.tenant.clone(), vcenter.name.clone()), place.line) {
                self.twice(&place, &format!("the vCenter {name}"), first);
            }
            if let Some(uuid) = &vcenter.uuid
                && let Some(first) = uuids.insert(uuid.clone(), place.line)
            {
                self.twice(&place, &format!("the uuid {} of {name}", word::quote(uuid)), first);
            }
            found.push(vcenter);
        }
        found
    }

    fn twice(&mut self, place: &Place<'_>, what: &str, first: Option<u32>) {
        let first = first.map_or(String::new(), |line| format!(", first on line {line}"));
        self.faults.add(place, format!("{what} is here twice{first}: keep one"));
    }

    /// Nothing when something without which there is none was missing or wrong.
    fn vcenter(&mut self, place: Place<'_>) -> Option<DesiredVcenter> {
        let fields = Fields::open(place, &VCENTER, &mut self.faults)?;
        let name = fields.get("name", &mut self.faults);
        let name = name.and_then(|place| value::name(&place, &mut self.faults).map(str::to_owned));
        let address = fields.get("address", &mut self.faults).and_then(|place| self.address(&place));
        let user = fields.get("user", &mut self.faults).and_then(|place| self.text(&place));
        let password = fields.find("password").and_then(|place| self.password(&place));
        let trust = fields.find("trust").map_or(Some(Trust::SystemRoots), |place| self.trust(&place));
        let collect = fields.find("collect").and_then(|place| value::flag(&place, &mut self.faults));
        let keep_days = fields.find("keepDays").and_then(|place| value::count(&place, 1..=36_500, &mut self.faults));
        let uuid = fields.find("uuid").and_then(|place| self.text(&place));
        let tenant = fields.find("tenant").and_then(|place| self.text(&place));
        let (name, address, user, trust) = (name?, address?, user?, trust?);
        let collect = collect.unwrap_or(true);
        Some(DesiredVcenter { name, address, user, password, trust, collect, keep_days, uuid, tenant })
    }

    fn text(&mut self, place: &Place<'_>) -> Option<String> {
        let text = value::text(place, &mut self.faults)?;
        if text.trim().is_empty() {
            self.faults.add(place, "must not be blank");
            return None;
        }
        Some(text.to_owned())
    }

    fn address(&mut self, place: &Place<'_>) -> Option<String> {
        let text = self.text(place)?;
        match Address::parse(&text) {
            Ok(_) => Some(text),
            Err(error) => {
                self.faults.add(place, error.to_string());
                None
            }
        }
    }

    /// What stands here is never shown: it may be a password by mistake.
    fn password(&mut self, place: &Place<'_>) -> Option<Hidden> {
        const HOW: &str = "write `{env: NAME}` for a variable, or `{file: path}`";
        if !matches!(place.node.content, Content::Map(_)) {
            self.faults.add(place, format!("a password does not stand in this file: {HOW}"));
            return None;
        }
        let fields = Fields::open(place.clone(), &PASSWORD, &mut self.faults)?;
        let (password, place) = match (fields.find("env"), fields.find("file")) {
            (Some(env), None) => (self.variable(&env)?, env),
            (None, Some(file)) => (self.file(&file)?, file),
            (None, None) | (Some(_), Some(_)) => {
                self.faults.add(place, format!("must say one way to it: {HOW}"));
                return None;
            }
        };
        let password = password.strip_suffix('\n').map_or(password.as_str(), |line| line.trim_end_matches('\r'));
        if password.is_empty() {
            self.faults.add(&place, "the password there is empty");
        }
        Some(Hidden::new(password.to_owned()))
    }

    fn variable(&mut self, place: &Place<'_>) -> Option<String> {
        let name = self.text(place)?;
        let value = std::env::var(&name).ok();
        if value.is_none() {
            self.faults.add(place, format!("the variable {} is not set, or is no text", word::quote(&name)));
        }
        value
    }

    /// The text of another file, named as seen from this one.
    fn file(&mut self, place: &Place<'_>) -> Option<String> {
        let path: PathBuf = self.folder.join(self.text(place)?);
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) => {
                self.faults.add(place, format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    fn trust(&mut self, place: &Place<'_>) -> Option<Trust> {
        const HOW: &str =
            "`{thumbprint: \"AB:CD:…\"}` or `{ca: path.pem}`; left out: the authorities of the server's machine";
        if !matches!(place.node.content, Content::Map(_)) {
            self.faults.add(place, format!("must be {HOW}"));
            return None;
        }
        let fields = Fields::open(place.clone(), &TRUST, &mut self.faults)?;
        let (trust, place) = match (fields.find("thumbprint"), fields.find("ca")) {
            (Some(place), None) => {
                let text = self.text(&place)?;
                (Thumbprint::parse(&text).map(Trust::Thumbprint).map_err(|error| error.to_string()), place)
            }
            (None, Some(place)) => {
                let trust = Trust::Ca(self.file(&place)?);
                (trust.check().map(|()| trust).map_err(|error| error.to_string()), place)
            }
            (None, None) | (Some(_), Some(_)) => {
                self.faults.add(place, format!("must be {HOW}"));
                return None;
            }
        };
        trust.map_err(|error| self.faults.add(&place, error)).ok()
    }
}
