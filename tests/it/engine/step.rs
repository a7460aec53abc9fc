//! Definitions of stories: a list of steps, as the graph takes them.

use serde_json::{Map, Value, json};

/// A subtask of a story.
#[derive(Clone)]
pub(crate) struct Step(Map<String, Value>);

/// A step that runs this in a shell.
pub(crate) fn shell(name: &str, code: &str) -> Step {
    Step(Map::from_iter([("name".into(), name.into()), ("run".into(), json!({"shell": code}))]))
}

/// A step that runs something else.
pub(crate) fn step(name: &str, run: Value) -> Step {
    Step(Map::from_iter([("name".into(), name.into()), ("run".into(), run)]))
}

/// A step that runs nothing.
pub(crate) fn noop(name: &str) -> Step {
    Step(Map::from_iter([("name".into(), name.into()), ("run".into(), json!({"noop": {}}))]))
}

impl Step {
    /// What it needs, by names between spaces.
    pub(crate) fn needs(self, names: &str) -> Self {
        let names: Vec<&str> = names.split_whitespace().collect();
        self.with("needs", json!(names))
    }

    /// What takes it back.
    pub(crate) fn undo(self, code: &str) -> Self {
        self.with("undo", json!({"shell": code}))
    }

    /// Anything else.
    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.0.insert(key.into(), value);
        self
    }
}

/// The `spec` of a submission.
pub(crate) fn spec(name: &str, steps: &[Step]) -> Value {
    let subtasks: Vec<&Map<String, Value>> = steps.iter().map(|step| &step.0).collect();
    json!({"name": name, "subtasks": subtasks})
}
