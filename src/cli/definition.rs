//! The definition that `run` is given: read and checked here, so that a mistake is named with the line of the file
//! before anything is sent.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Usage, file};
use crate::task::spec::{self, Definition};

/// Reads the definition in a file, and its text as it stands there; `-` is standard input.
///
/// # Errors
/// Every fault, as `FILE:LINE: PATH: MESSAGE`.
pub(super) fn read(path: &Path) -> anyhow::Result<(Definition, String)> {
    let text = file::read(path)?;
    match spec::parse(&text) {
        Ok(definition) => Ok((definition, text)),
        Err(faults) => Err(file::refuse("the definition is not valid", &path.display().to_string(), &faults)),
    }
}

/// The parameters of `--param`, with the types that the definition's schema wants, checked against it.
///
/// # Errors
/// Every parameter that is wrong.
pub(super) fn parameters(definition: &Definition, given: &[(String, String)]) -> anyhow::Result<Value> {
    let mut object = Map::new();
    for (name, text) in given {
        if object.insert(name.clone(), typed(definition, name, text)).is_some() {
            return Err(Usage(format!("--param {name} is given twice")).into());
        }
    }
    let object = Value::Object(object);
    match definition.accept(Some(object.clone())) {
        Ok(_) => Ok(object),
        Err(faults) => Err(file::refuse("the parameters are not valid", "--param", &faults)),
    }
}

/// `3` is a number unless a text is wanted.
fn typed(definition: &Definition, name: &str, text: &str) -> Value {
    let schema = definition.parameters.as_ref();
    let wanted = schema.and_then(|schema| schema["properties"][name]["type"].as_str());
    match wanted {
        Some("string") => text.into(),
        _ => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{parameters, spec};
    use serde_json::json;

    const TEXT: &str = "
name: a
parameters:
  type: object
  required: [host]
  properties: {host: {type: string}, count: {type: integer}}
subtasks:
  - {name: one, run: {shell: 'true'}, undo: {shell: 'true'}, timeout: 1m 30s, retry: {attempts: 3, backoff: 2s}}
  - {name: two, needs: [one], run: {noop: {sleep: 200ms}}, weight: 3, onLost: fail, workers: [linux]}
";

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).into(), (*text).into())).collect()
    }

    #[test]
    fn the_schema_decides_about_types() {
        let definition = spec::parse(TEXT).unwrap();
        let read = parameters(&definition, &given(&[("host", "10"), ("count", "3"), ("more", "[1]")])).unwrap();
        assert_eq!(read, json!({"host": "10", "count": 3, "more": [1]}));
    }

    #[test]
    fn wrong_parameters_are_named() {
        let definition = spec::parse(TEXT).unwrap();
        let error = parameters(&definition, &given(&[("count", "many")])).unwrap_err().to_string();
        assert!(error.contains("count") && error.contains("host"), "{error}");
        let error = parameters(&definition, &given(&[("host", "a"), ("host", "b")])).unwrap_err().to_string();
        assert_eq!(error, "--param host is given twice");
    }
}
