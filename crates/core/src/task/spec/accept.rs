//! The parameters of a task against its definition: defaults filled in, then checked.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, Value};

use super::{Definition, check};
use crate::document::place::{Faults, Place, join};
use crate::document::tree::{Budget, plant};
use crate::document::{sound, word};
use crate::error::Fault;

const ROOT: &str = "parameters";

impl Definition {
    /// The parameters a task runs with: those given, with the defaults of the schema's top-level properties where
    /// none is given. No parameters are an empty object.
    ///
    /// # Errors
    /// Every parameter that the schema does not allow, by its path below `parameters`.
    pub fn accept(&self, parameters: Option<Value>) -> Result<Value, Vec<Fault>> {
        let mut given = match parameters {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(given)) => given,
            Some(_) => return Err(vec![fault(ROOT.to_owned(), "must be an object, such as `{\"host\": \"a\"}`")]),
        };
        given = safe(given)?;
        let Some(schema) = &self.parameters else { return Ok(Value::Object(given)) };
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if let Some(default) = property.get("default").filter(|_| !given.contains_key(name)) {
                given.insert(name.clone(), default.clone());
            }
        }
        let validator = match check::compile(schema) {
            Ok(validator) => validator,
            Err(error) => return Err(vec![fault(ROOT.to_owned(), check::explain(&error))]),
        };
        let given = Value::Object(given);
        let known: Vec<_> = properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let faults: Vec<_> = validator.iter_errors(&given).take(200).flat_map(|error| tell(&error, &known)).collect();
        if faults.is_empty() { Ok(given) } else { Err(faults) }
    }
}

fn fault(path: String, message: impl Into<String>) -> Fault {
    Fault { path, line: None, message: message.into() }
}

/// Bounded in size and depth, and without NUL bytes, which no environment can hold.
fn safe(given: Map<String, Value>) -> Result<Map<String, Value>, Vec<Fault>> {
    let tree = plant(Value::Object(given), Budget::PARAMETERS)
        .map_err(|wrong| vec![Fault { path: ROOT.to_owned(), ..wrong }])?;
    let mut faults = Faults::default();
    let root = Place { node: &tree, path: ROOT.to_owned(), line: None };
    sound(&root, &mut faults);
    match tree.json() {
        Value::Object(given) if faults.is_empty() => Ok(given),
        _ => Err(faults.finish()),
    }
}

/// What is wrong, a fault for each parameter.
fn tell(error: &ValidationError<'_>, known: &[&str]) -> Vec<Fault> {
    let path = check::path(ROOT, error);
    match error.kind() {
        ValidationErrorKind::Required { property: Value::String(name) } => {
            vec![fault(join(&path, name), "is required: give it a value")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let top = path == ROOT;
            let each = unexpected.iter().map(|name| {
                let near = word::suggest(name, known.iter().copied().filter(|_| top));
                let rest = near.unwrap_or_else(|| ": the schema does not know it, remove it".to_owned());
                fault(join(&path, name), format!("unknown parameter {}{rest}", word::quote(name)))
            });
            each.take(200).collect()
        }
        _ => vec![fault(path, check::explain(error))],
    }
}
