//! A submission, as it is sent.

use async_graphql::{ID, InputObject};
use serde_json::{Map, Value, json};
use taskloom_entity::{DefinitionId, TaskType, TenantId};

use super::vsphere::VsphereInput;
use crate::error::{Error, Result, code};
use crate::gql::id;
use crate::gql::scalar::{BigInt, Json};
use crate::resolver::task::submit::{Submission, SubmissionSource, TargetFacts, TargetOf};

/// A submission. Exactly one of `spec`, `source`, `definitionId` and `definition` says what is to run.
#[derive(Clone, Debug, InputObject)]
pub struct SubmitTaskInput {
    /// A definition of its own.
    pub spec: Option<SpecInput>,
    /// A definition of its own, as YAML or JSON text: faults come with their lines.
    pub source: Option<String>,
    /// One version of a kept definition.
    pub definition_id: Option<ID>,
    /// The newest version of the kept definition of this name.
    pub definition: Option<String>,
    /// Another name than the definition's.
    pub name: Option<String>,
    /// An object that fits the definition's JSON Schema.
    pub parameters: Option<Json>,
    /// Sent again with the same key, it is the same task; with the same key and another body it is refused.
    pub idempotency_key: Option<String>,
    /// What it is meant for.
    pub target: Option<TargetInput>,
    /// Labels, for filters.
    pub labels: Option<Vec<LabelInput>>,
    /// 1 to 100, the highest first; 50 when left out.
    pub priority: Option<i32>,
    /// The owner; left out: the caller's own tenant.
    pub tenant_id: Option<ID>,
}

/// What a task is meant for.
#[derive(Clone, Debug, Default, InputObject)]
pub struct TargetInput {
    /// A cluster.
    pub cluster: Option<String>,
    /// A tenant of that cluster.
    pub tenant: Option<String>,
    /// A host.
    pub host: Option<String>,
    /// The cluster's number in the system that knows it.
    pub cluster_id: Option<BigInt>,
    /// The cluster's number in OceanBase.
    pub ob_cluster_id: Option<BigInt>,
    /// `PRIMARY` or `STANDBY`.
    pub cluster_type: Option<String>,
    /// The tenant's number in the system that knows it.
    pub tenant_id: Option<BigInt>,
    /// The tenant's number in OceanBase.
    pub ob_tenant_id: Option<BigInt>,
    /// `ORACLE` or `MYSQL`.
    pub tenant_mode: Option<String>,
    /// The host's number in the system that knows it.
    pub host_id: Option<BigInt>,
}

impl TargetInput {
    fn decode(self) -> TargetOf {
        let number = |number: Option<BigInt>| number.map(|number| number.0);
        TargetOf {
            cluster: self.cluster,
            tenant: self.tenant,
            host: self.host,
            cluster_id: number(self.cluster_id),
            tenant_id: number(self.tenant_id),
            host_id: number(self.host_id),
            facts: TargetFacts {
                ob_cluster_id: number(self.ob_cluster_id),
                cluster_type: self.cluster_type,
                ob_tenant_id: number(self.ob_tenant_id),
                tenant_mode: self.tenant_mode,
            },
        }
    }
}

/// A label.
#[derive(Clone, Debug, InputObject)]
pub struct LabelInput {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// A definition: a graph of subtasks.
#[derive(Clone, Debug, InputObject)]
pub struct SpecInput {
    /// Its name.
    name: String,
    /// For people.
    description: Option<String>,
    /// A JSON Schema of its parameters.
    parameters: Option<Json>,
    /// Its subtasks.
    subtasks: Vec<SubtaskInput>,
    /// It can never be rolled back.
    prohibit_rollback: Option<bool>,
}

/// A subtask.
#[derive(Clone, Debug, InputObject)]
pub(super) struct SubtaskInput {
    /// Unique within its definition.
    name: String,
    /// For people; the name when left out.
    description: Option<String>,
    /// The names of its upstreams.
    needs: Option<Vec<String>>,
    /// What it runs.
    run: RunInput,
    /// What takes it back; left out: nothing has to.
    undo: Option<RunInput>,
    /// How long it may run: `30s`, `2m 30s`.
    timeout: Option<String>,
    /// Automatic retry.
    retry: Option<RetryInput>,
    /// Its share of the task's progress; 1 when left out.
    weight: Option<f64>,
    /// Labels a worker must have.
    workers: Option<Vec<String>>,
    /// When its worker is lost: `retry` (the usual), or `fail`: it may not run twice unasked.
    on_lost: Option<String>,
    /// Once it has run, the task cannot be rolled back.
    prohibit_rollback: Option<bool>,
    /// What it may use at most.
    limits: Option<LimitsInput>,
    /// The names of the secrets that it is given.
    secrets: Option<Vec<String>>,
    /// The user of the worker's host as whom it runs; only an ADMIN may say it.
    run_as: Option<String>,
}

/// What runs: exactly one of `shell`, `python`, `noop`, `sql` (with `source`), `http` and `vsphere`.
#[derive(Clone, Debug, InputObject)]
pub(super) struct RunInput {
    /// Code for `/bin/sh`.
    shell: Option<String>,
    /// Code for `python3`.
    python: Option<String>,
    /// Nothing: a gate, optionally with a pause.
    noop: Option<NoopInput>,
    /// Statements for a data source, with semicolons between them.
    sql: Option<String>,
    /// The name of the data source of `sql`.
    source: Option<String>,
    /// One HTTP request.
    http: Option<HttpInput>,
    /// Work on a vCenter's virtual machines.
    vsphere: Option<VsphereInput>,
}

/// One HTTP request. Address, values of headers and body may have `${param.name}` and `${secret.name}` in them.
#[derive(Clone, Debug, InputObject)]
pub(super) struct HttpInput {
    /// `GET` when left out.
    method: Option<String>,
    /// `http://…` or `https://…`.
    url: String,
    /// An object of texts.
    headers: Option<Json>,
    /// Text as it is; anything else is sent as JSON.
    body: Option<Json>,
    /// The statuses that are a success; 200 to 299 when left out.
    expect: Option<Vec<i32>>,
    /// How often it is tried again: 0 to 10.
    retries: Option<i32>,
}

/// A gate.
#[derive(Clone, Debug, Default, InputObject)]
pub(super) struct NoopInput {
    /// How long it takes: `200ms`.
    sleep: Option<String>,
}

/// Automatic retry.
#[derive(Clone, Debug, InputObject)]
pub(super) struct RetryInput {
    /// Tries in all, the first included.
    attempts: Option<i32>,
    /// The pause before the second; doubles with each further.
    backoff: Option<String>,
}

/// What a subtask may use at most.
#[derive(Clone, Debug, InputObject)]
pub(super) struct LimitsInput {
    /// Such as `256MiB`.
    memory: Option<String>,
    /// Processors: 0.5 is half of one.
    cpu: Option<f64>,
    /// Processes at a time.
    processes: Option<i32>,
    /// The longest file that it may write, such as `2GiB`.
    file_size: Option<String>,
}

impl SubmitTaskInput {
    /// The submission as the resolver knows it.
    ///
    /// # Errors
    /// `INVALID_INPUT`, `INVALID_ID`.
    pub fn decode(self) -> Result<Submission> {
        Ok(Submission {
            source: source(self.spec, self.source, self.definition_id, self.definition)?,
            name: self.name,
            parameters: self.parameters.map(|json| json.0),
            idempotency_key: self.idempotency_key,
            target: self.target.unwrap_or_default().decode(),
            labels: self.labels.unwrap_or_default().into_iter().map(|label| (label.key, label.value)).collect(),
            priority: self.priority,
            tenant_id: self.tenant_id.map(|tenant| id::decode("Tenant", &tenant)).transpose()?.map(TenantId),
            task_type: TaskType::Manual,
            submission: None,
        })
    }
}

/// The one thing that says what is to run.
///
/// # Errors
/// `INVALID_INPUT` when there is none or several; `INVALID_ID`.
pub fn source(
    spec: Option<SpecInput>,
    text: Option<String>,
    definition_id: Option<ID>,
    name: Option<String>,
) -> Result<SubmissionSource> {
    match (spec, text, definition_id, name) {
        (Some(spec), None, None, None) => Ok(SubmissionSource::Spec(spec.value())),
        (None, Some(text), None, None) => Ok(SubmissionSource::Text(text)),
        (None, None, Some(id), None) => Ok(SubmissionSource::Definition(DefinitionId(id::decode("Definition", &id)?))),
        (None, None, None, Some(name)) => Ok(SubmissionSource::Named(name)),
        _ => Err(Error::new(&code::INVALID_INPUT)
            .with("what", "`input`")
            .with("reason", "give exactly one of `spec`, `source`, `definitionId` and `definition`")),
    }
}

impl SpecInput {
    /// The definition as a value: it goes through the same checks as a file.
    #[must_use]
    pub fn value(self) -> Value {
        object([
            ("name", Some(json!(self.name))),
            ("description", self.description.map(Value::from)),
            ("parameters", self.parameters.map(|json| json.0)),
            ("subtasks", Some(self.subtasks.into_iter().map(SubtaskInput::value).collect())),
            ("prohibitRollback", self.prohibit_rollback.map(Value::from)),
        ])
    }
}

impl SubtaskInput {
    fn value(self) -> Value {
        object([
            ("name", Some(json!(self.name))),
            ("description", self.description.map(Value::from)),
            ("needs", self.needs.map(Value::from)),
            ("run", Some(self.run.value())),
            ("undo", self.undo.map(RunInput::value)),
            ("timeout", self.timeout.map(Value::from)),
            (
                "retry",
                self.retry.map(|retry| {
                    object([("attempts", retry.attempts.map(Value::from)), ("backoff", retry.backoff.map(Value::from))])
                }),
            ),
            ("weight", self.weight.map(Value::from)),
            ("workers", self.workers.map(Value::from)),
            ("onLost", self.on_lost.map(Value::from)),
            ("prohibitRollback", self.prohibit_rollback.map(Value::from)),
            (
                "limits",
                self.limits.map(|limits| {
                    object([
                        ("memory", limits.memory.map(Value::from)),
                        ("cpu", limits.cpu.map(Value::from)),
                        ("processes", limits.processes.map(Value::from)),
                        ("fileSize", limits.file_size.map(Value::from)),
                    ])
                }),
            ),
            ("secrets", self.secrets.map(Value::from)),
            ("runAs", self.run_as.map(Value::from)),
        ])
    }
}

impl RunInput {
    fn value(self) -> Value {
        object([
            ("shell", self.shell.map(Value::from)),
            ("python", self.python.map(Value::from)),
            ("noop", self.noop.map(|noop| object([("sleep", noop.sleep.map(Value::from))]))),
            ("sql", self.sql.map(Value::from)),
            ("source", self.source.map(Value::from)),
            ("http", self.http.map(HttpInput::value)),
            ("vsphere", self.vsphere.map(VsphereInput::value)),
        ])
    }
}

impl HttpInput {
    fn value(self) -> Value {
        object([
            ("method", self.method.map(Value::from)),
            ("url", Some(self.url.into())),
            ("headers", self.headers.map(|json| json.0)),
            ("body", self.body.map(|json| json.0)),
            ("expect", self.expect.map(Value::from)),
            ("retries", self.retries.map(Value::from)),
        ])
    }
}

/// The members that were given.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let given = members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}
