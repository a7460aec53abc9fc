//! Whether a submission is the one that was sent under the same key before: by the value of its JSON. The order of the
//! keys of an object says nothing, nor does that of labels; `1`, `1.0` and `1e0` are one number.

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use super::submit::{Submission, SubmissionSource};

/// What is kept of a submission, to know it again.
#[must_use]
pub fn digest(new: &Submission) -> String {
    let mut same = new.clone();
    same.labels.sort();
    let mut value = value(&same);
    if let SubmissionSource::Text(text) = &new.source
        && let Ok(json) = serde_json::from_str(text)
    {
        value["source"] = json;
    }
    sha256(canonical(&value).as_bytes())
}

/// Whether that was kept of this submission; former versions kept the digest of its bytes.
#[must_use]
pub fn is_of(new: &Submission, kept: &str) -> bool {
    kept == digest(new) || kept == sha256(&serde_json::to_vec(new).unwrap_or_default())
}

fn value(new: &Submission) -> Value {
    serde_json::to_value(new).expect("invariant: a submission has only text keys")
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The one text of all that have the same value.
fn canonical(value: &Value) -> String {
    let joined = |parts: Vec<String>| parts.join(",");
    match value {
        Value::Number(number) => plain(number),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(canonical).collect())),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let member =
                |(name, value): (&String, &Value)| format!("{}:{}", Value::from(name.as_str()), canonical(value));
            format!("{{{}}}", joined(members.into_iter().map(member).collect()))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

/// Beyond this an integer has no digits of its own in a double: its text is as good.
const DIGITS: f64 = 1e38;

fn plain(number: &Number) -> String {
    match number.as_f64() {
        // Integers that are written as such keep every digit.
        _ if number.is_i64() || number.is_u64() => number.to_string(),
        Some(double) if double.fract() == 0.0 && double.abs() < DIGITS => (double as i128).to_string(),
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use taskloom_entity::TaskType;

    use super::super::submit::TargetOf;
    use super::*;

    fn new(source: SubmissionSource, parameters: &str, labels: &[(&str, &str)]) -> Submission {
        Submission {
            source,
            name: None,
            parameters: Some(serde_json::from_str(parameters).unwrap()),
            idempotency_key: Some("k".into()),
            target: TargetOf::default(),
            labels: labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
            priority: None,
            tenant_id: None,
            task_type: TaskType::Manual,
            submission: None,
        }
    }

    fn of(parameters: &str) -> Submission {
        new(SubmissionSource::Named("d".into()), parameters, &[])
    }

    #[test]
    fn a_submission_is_known_by_its_value() {
        let first = of(r#"{"a": 1, "b": {"x": [1, 2.50], "y": -0.0}, "c": 1e3, "d": 9007199254740993}"#);
        for same in [
            r#"{"d": 9007199254740993, "c": 1000, "b": {"y": 0, "x": [1.0, 2.5]}, "a": 1.0}"#,
            r#"{"b":{"y":0.0,"x":[1e0,25e-1]},"a":1,"c":1000.0,"d":9007199254740993}"#,
        ] {
            assert_eq!(digest(&first), digest(&of(same)), "{same}");
        }
        for other in [
            r#"{"a": 1, "b": {"x": [2.5, 1], "y": 0}, "c": 1000, "d": 9007199254740993}"#,
            r#"{"a": "1", "b": {"x": [1, 2.5], "y": 0}, "c": 1000, "d": 9007199254740993}"#,
            r#"{"a": 1, "b": {"x": [1, 2.5], "y": 0}, "c": 1000, "d": 9007199254740992}"#,
            r#"{"a": 1, "b": {"x": [1, 2.5], "y": null}, "c": 1000, "d": 9007199254740993}"#,
            r#"{"a": 1, "b": {"x": [1, 2.5]}, "c": 1000, "d": 9007199254740993}"#,
        ] {
            assert_ne!(digest(&first), digest(&of(other)), "{other}");
        }
    }

    #[test]
    fn labels_and_documents_are_values_too() {
        let named = |labels: &[(&str, &str)]| digest(&new(SubmissionSource::Named("d".into()), "{}", labels));
        assert_eq!(named(&[("a", "1"), ("b", "2")]), named(&[("b", "2"), ("a", "1")]));
        assert_ne!(named(&[("a", "1")]), named(&[("a", "2")]));
        let spec = |value: Value| digest(&new(SubmissionSource::Spec(value), "{}", &[]));
        assert_eq!(spec(json!({"name": "n", "subtasks": []})), spec(json!({"subtasks": [], "name": "n"})));
        let text = |text: &str| digest(&new(SubmissionSource::Text(text.into()), "{}", &[]));
        assert_eq!(text(r#"{"name": "n", "subtasks": []}"#), text(r#"{"subtasks":[],"name":"n"}"#));
        assert_ne!(text("name: n"), text("name:  n"), "only JSON is read here");
    }

    #[test]
    fn what_former_versions_kept_is_known() {
        let sent = of(r#"{"b": 1, "a": 2}"#);
        let kept = sha256(&serde_json::to_vec(&sent).unwrap());
        assert!(is_of(&sent, &kept) && !is_of(&of(r#"{"b": 1}"#), &kept));
        assert!(is_of(&sent, &digest(&of(r#"{"a": 2, "b": 1}"#))));
    }
}
