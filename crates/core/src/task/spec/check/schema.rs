//! The JSON Schema of the parameters: valid, self-contained and finite.
//!
//! References lead to places of the same schema (`#/…`) and never round in a circle; nothing is ever fetched. So a
//! schema is a finite tree, its size is bounded, and no validation can run away or overflow the stack. Patterns are
//! regular expressions that match in linear time.

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::document::place::{Faults, Place, join};
use crate::document::tree::{Content, DEPTH, Node};
use crate::document::word;
use crate::error::Fault;

/// The most values of a schema, what its references lead to counted each time.
const SIZE: usize = 10_000;
/// What a pattern costs of that size: it has to be compiled.
const PATTERN: usize = 50;
/// The most levels of a schema, references followed: twice what a document may have.
const LEVELS: usize = 2 * DEPTH;

pub(in super::super) const DIALECTS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];

/// Reads the schema; the caller looks at the faults before it believes it.
pub(super) fn read(place: &Place<'_>, faults: &mut Faults) -> Option<Value> {
    if !matches!(place.node.content, Content::Map(_)) {
        let message = "must be a JSON Schema, such as `{type: object, properties: {…}}`, but is";
        faults.add(place, format!("{message} {}", place.describe()));
        return None;
    }
    let mut found = Faults::default();
    keywords(place, true, &mut found);
    object(place, &mut found);
    if found.is_empty() {
        bounded(place, &mut found);
    }
    let schema = place.node.json();
    if found.is_empty() {
        valid(place, &schema, &mut found);
    }
    let clean = found.is_empty();
    found.finish().into_iter().for_each(|fault| faults.put(fault));
    clean.then_some(schema)
}

/// The validator of a schema that [`read`] has accepted, or the reason why there is none.
pub(in super::super) fn compile(schema: &Value) -> Result<Validator, Box<ValidationError<'static>>> {
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::regex().size_limit(1 << 20))
        .build(schema)
        .map_err(Box::new)
}

/// Keywords that lead elsewhere, or change what references mean. Refused even in a `default` or an `enum`, where they
/// would mean nothing: no parameters look like that.
fn keywords(place: &Place<'_>, top: bool, faults: &mut Faults) {
    for item in place.items() {
        keywords(&item, false, faults);
    }
    for entry in place.entries() {
        let here = place.entry(entry);
        keywords(&here, false, faults);
        // A property may have any of these names; its value is a schema then, no text.
        let Content::Text(text) = &entry.node.content else { continue };
        match entry.key.as_str() {
            "$ref" if !text.starts_with("#/") => {
                let target = word::quote(text);
                faults
                    .add(&here, format!("{target} leads out of this schema, and nothing is fetched: use `#/$defs/…`"));
            }
            "$dynamicRef" | "$recursiveRef" => faults.add(&here, "is not supported: use `$ref: '#/$defs/…'`"),
            "$id" if !top => faults.add(&here, "only the schema itself may have an `$id`: remove it"),
            "$schema" if !top => faults.add(&here, "only the schema itself may have a `$schema`: remove it"),
            "$schema" if !DIALECTS.contains(&text.trim_end_matches('#')) => {
                let dialect = DIALECTS[0];
                faults.add(&here, format!("the dialect {} is unknown: use `{dialect}`", word::quote(text)));
            }
            _ => {}
        }
    }
}

/// Parameters are an object: a schema of anything else could never be met.
fn object(place: &Place<'_>, faults: &mut Faults) {
    let node = place.node;
    let Some(entry) = node.find("type") else { return };
    let fits = match &entry.node.content {
        Content::Text(kind) => kind == "object",
        Content::List(kinds) => {
            kinds.iter().any(|kind| matches!(&kind.content, Content::Text(kind) if kind == "object"))
        }
        // The meta-schema says it better.
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Map(_) => true,
    };
    if !fits {
        faults.add(&place.entry(entry), "must be `object`: the parameters of a task are one");
    }
}

/// Walks the schema as a validator would, through its references.
fn bounded(place: &Place<'_>, faults: &mut Faults) {
    let mut walk = Walk { root: place, left: SIZE };
    if let Err(fault) = walk.step(place, 0) {
        faults.put(*fault);
    }
}

struct Walk<'p, 't> {
    root: &'p Place<'t>,
    left: usize,
}

impl<'t> Walk<'_, 't> {
    fn step(&mut self, place: &Place<'t>, level: usize) -> Result<(), Box<Fault>> {
        if level > LEVELS {
            let message = "`$ref`s lead round in a circle here, or too deep: with all of them followed a schema has at most 128 levels";
            return Err(fault(place, message.to_owned()));
        }
        self.pay(1)?;
        for item in place.items() {
            self.step(&item, level + 1)?;
        }
        for entry in place.entries() {
            let here = place.entry(entry);
            match entry.key.as_str() {
                "pattern" => self.pay(PATTERN)?,
                "patternProperties" => self.pay(PATTERN * here.entries().len())?,
                _ => {}
            }
            match &entry.node.content {
                Content::Text(target) if entry.key == "$ref" => {
                    let found = follow(self.root, target)
                        .ok_or_else(|| fault(&here, format!("{} leads nowhere in this schema", word::quote(target))))?;
                    self.step(&found, level + 1)?;
                }
                _ => self.step(&here, level + 1)?,
            }
        }
        Ok(())
    }

    fn pay(&mut self, cost: usize) -> Result<(), Box<Fault>> {
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            let message =
                "the schema is too large: at most 10,000 values with all `$ref`s followed; a pattern counts as 50";
            fault(self.root, message.to_owned())
        })?;
        Ok(())
    }
}

fn fault(place: &Place<'_>, message: String) -> Box<Fault> {
    Box::new(Fault { path: place.path.clone(), line: place.line, message })
}

/// What a JSON pointer in a fragment leads to.
fn follow<'t>(root: &Place<'t>, target: &str) -> Option<Place<'t>> {
    let mut place = root.clone();
    for segment in target.strip_prefix("#/")?.split('/') {
        place = child(&place, &segment.replace("~1", "/").replace("~0", "~"))?;
    }
    Some(place)
}

fn child<'t>(place: &Place<'t>, segment: &str) -> Option<Place<'t>> {
    let node: &'t Node = place.node;
    match &node.content {
        Content::Map(_) => node.find(segment).map(|entry| place.entry(entry)),
        Content::List(_) => place.items().nth(segment.parse().ok()?),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => None,
    }
}

/// Against the meta-schema of its dialect, and whether a validator can be made; then the defaults against the schema.
fn valid(place: &Place<'_>, schema: &Value, faults: &mut Faults) {
    match jsonschema::meta::validator_for(schema) {
        Ok(meta) => meta.iter_errors(schema).for_each(|error| faults.put(locate(place, &error))),
        Err(error) => faults.put(locate(place, &error)),
    }
    if !faults.is_empty() {
        return;
    }
    let validator = match compile(schema) {
        Ok(validator) => validator,
        Err(error) => return faults.put(locate(place, &error)),
    };
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let defaults: Map<_, _> = properties
        .iter()
        .filter_map(|(name, property)| Some((name.clone(), property.get("default")?.clone())))
        .collect();
    let defaults = Value::Object(defaults);
    for error in validator.iter_errors(&defaults) {
        // What is wrong with the object as a whole (something is required) may be mended by what a task is given.
        if let Some(LocationSegment::Property(name)) = error.instance_path().iter().next() {
            let path = format!("#/properties/{}/default", name.replace('~', "~0").replace('/', "~1"));
            let here = follow(place, &path).unwrap_or_else(|| place.clone());
            faults.add(&here, format!("the default does not fit the schema: {}", explain(&error)));
        }
    }
}

/// A fault of the schema at the place where it is.
fn locate(root: &Place<'_>, error: &ValidationError<'_>) -> Fault {
    let mut place = root.clone();
    for segment in error.instance_path() {
        let next = match &segment {
            LocationSegment::Property(name) => child(&place, name),
            LocationSegment::Index(index) => child(&place, &index.to_string()),
        };
        let Some(next) = next else { break };
        place = next;
    }
    let message = format!("not a valid JSON Schema: {}", explain(error));
    Fault { path: place.path, line: place.line, message }
}

/// What is wrong, in one line. The value itself is not shown: it may be long, and it may be a secret.
pub(in super::super) fn explain(error: &ValidationError<'_>) -> String {
    if let ValidationErrorKind::Referencing(_) = error.kind() {
        return "a reference cannot be followed, and nothing is fetched: use `$ref: '#/$defs/…'`".to_owned();
    }
    if let ValidationErrorKind::Not { .. } = error.kind() {
        return "is what `not` forbids in the schema".to_owned();
    }
    word::short(&error.masked().to_string(), 300)
}

/// The path of `error` below `path`.
pub(in super::super) fn path(path: &str, error: &ValidationError<'_>) -> String {
    error.instance_path().iter().fold(path.to_owned(), |path, segment| match segment {
        LocationSegment::Property(name) => join(&path, &name),
        LocationSegment::Index(index) => format!("{path}[{index}]"),
    })
}
