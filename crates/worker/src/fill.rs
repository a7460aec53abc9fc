//! Values on their way into what is sent: percent-encoded in addresses, as they are in headers and texts, as JSON
//! texts within JSON.

use serde_json::{Map, Value};
use taskloom_core::task::spec::template::{Piece, pieces};
use taskloom_vault::Hidden;

/// What can be filled in.
pub(super) struct TemplateValues<'v> {
    pub(super) parameters: &'v Map<String, Value>,
    pub(super) secrets: &'v [(String, Hidden)],
}

impl TemplateValues<'_> {
    /// An address: a value cannot add a `/`, `?`, `@` or `:` to it.
    pub(super) fn url(&self, template: &str) -> Result<String, String> {
        self.fill(template, |value| {
            let encode = |byte: u8| match byte {
                b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
                _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            };
            value.bytes().map(encode).collect()
        })
    }

    /// A text.
    pub(super) fn text(&self, template: &str) -> Result<String, String> {
        self.fill(template, str::to_owned)
    }

    /// JSON: its texts are filled in, its structure stays.
    pub(super) fn json(&self, template: &Value) -> Result<Value, String> {
        Ok(match template {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(items) => items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?,
            Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok::<_, String>((key.clone(), self.json(value)?)));
                Value::Object(entries.collect::<Result<_, _>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
        })
    }

    fn fill(&self, template: &str, write: impl Fn(&str) -> String) -> Result<String, String> {
        let mut filled = String::with_capacity(template.len());
        for piece in pieces(template)? {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Parameter(name) => {
                    let value = self.parameters.get(name).ok_or_else(|| format!("there is no parameter `{name}`"))?;
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    filled.push_str(&write(&text));
                }
                Piece::Secret(name) => {
                    let found = self.secrets.iter().find(|(known, _)| known == name);
                    let (_, value) =
                        found.ok_or_else(|| format!("the secret `{name}` is not given to this subtask"))?;
                    filled.push_str(&write(value.expose()));
                }
            }
        }
        Ok(filled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_a_value() {
        let parameters = serde_json::json!({"host": "db1.example.org", "bad": "x/../@y?z=\"1\"", "n": 7});
        let secrets = [("token".to_owned(), Hidden::new("s w\"".into()))];
        let values = TemplateValues { parameters: parameters.as_object().unwrap(), secrets: &secrets };
        assert_eq!(values.url("https://${param.host}/a?n=${param.n}").unwrap(), "https://db1.example.org/a?n=7");
        assert_eq!(values.url("https://h/${param.bad}").unwrap(), "https://h/x%2F..%2F%40y%3Fz%3D%221%22");
        assert_eq!(values.text("Bearer ${secret.token}$${x}").unwrap(), "Bearer s w\"${x}");
        let json = serde_json::json!({"a": ["${secret.token}", 1], "${param.n}": null});
        assert_eq!(values.json(&json).unwrap().to_string(), r#"{"a":["s w\"",1],"${param.n}":null}"#);
        for wrong in ["${param.none}", "${secret.none}"] {
            values.text(wrong).unwrap_err();
        }
    }
}
