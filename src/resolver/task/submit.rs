//! Submission: what is accepted is on disk, with its first event, before it is answered.

use sea_orm::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use taskloom_entity::{
    DefinitionId, EventKind, JsonText, Operation, Role, SubtaskState, TaskId, TaskState, TaskType, TenantId, Timestamp,
    subtask, task,
};

use crate::auth::Scope;
use crate::engine;
use crate::error::{Error, Fault, Result, code};
use crate::resolver::Request;
use crate::resolver::audit::{self, Act};
use crate::resolver::task::alike;
use crate::store::task::NewTask;
use crate::store::{self, Tx, is_taken};
use crate::task::command::execute;
use crate::task::spec::{self, Definition};
use crate::task::{Draft, Snapshot, SubtaskFacts, TaskFacts};
use crate::text::folded;

/// What is to run.
#[derive(Clone, Debug, Serialize)]
pub enum SubmissionSource {
    /// A definition of its own, as a value.
    Spec(Value),
    /// The same, as YAML or JSON text: faults come with their lines.
    Text(String),
    /// A kept definition, one version of it.
    Definition(DefinitionId),
    /// The newest version of a kept definition, by name.
    Named(String),
}

/// What a task is meant for.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TargetOf {
    pub cluster: Option<String>,
    /// A tenant of that cluster.
    pub tenant: Option<String>,
    pub host: Option<String>,
    /// The cluster's number in the system that knows it.
    pub cluster_id: Option<i64>,
    /// The tenant's number in the system that knows it.
    pub tenant_id: Option<i64>,
    /// The host's number in the system that knows it.
    pub host_id: Option<i64>,
    /// What else is known of it.
    #[serde(flatten)]
    pub facts: TargetFacts,
}

/// What legacy clients show of a target and nobody looks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TargetFacts {
    /// The cluster's number in OceanBase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ob_cluster_id: Option<i64>,
    /// `PRIMARY` or `STANDBY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_type: Option<String>,
    /// The tenant's number in OceanBase.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ob_tenant_id: Option<i64>,
    /// `ORACLE` or `MYSQL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_mode: Option<String>,
}

impl TargetFacts {
    /// The facts of a task.
    #[must_use]
    pub fn of(task: &task::Model) -> Self {
        task.target_facts.as_ref().and_then(|facts| facts.parse().ok()).unwrap_or_default()
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Submission {
    /// What is to run.
    pub source: SubmissionSource,
    /// Another name than the definition's.
    pub name: Option<String>,
    pub parameters: Option<Value>,
    /// Sent again with the same key, it is the same task.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
    /// What it is meant for.
    pub target: TargetOf,
    /// For filters.
    pub labels: Vec<(String, String)>,
    /// 1 to 100, the highest first.
    pub priority: Option<i32>,
    /// Whose it is; none given: the caller's own tenant's.
    pub tenant_id: Option<TenantId>,
    /// By whom it was made.
    #[serde(skip)]
    pub task_type: TaskType,
    /// The request of an old client, as it was sent; kept to be shown.
    #[serde(skip)]
    pub submission: Option<Value>,
}

/// The usual priority.
pub const PRIORITY: i16 = 50;

/// Accepts a task.
///
/// # Errors
/// `FORBIDDEN`, `INVALID_SPEC`, `INVALID_PARAMETERS`, `INVALID_INPUT`, `DEFINITION_NOT_FOUND`, `TENANT_NOT_FOUND`,
/// `IDEMPOTENCY_KEY_REUSED`.
#[tracing::instrument(name = "task.submit", skip_all)]
pub async fn submit(request: &Request, new: Submission) -> Result<task::Model> {
    let (act, tenant) = admit(request, &new).await?;
    let known = async || match known(request, tenant, &new).await {
        Err(error) => Err(audit::refuse(request, &act, error).await),
        found => found,
    };
    if let Some(task) = known().await? {
        return Ok(task);
    }
    let checked = complete(request, act.clone(), (tenant, &new)).await?;
    let tx = request.store.begin().await?;
    if let Some(task) = accept(&tx, request, checked).await? {
        store::commit(tx).await?;
        committed(request, 1);
        return Ok(task);
    }
    tx.rollback().await?;
    // Two with the same key at the same moment: the slower one is answered with the faster one's task.
    known().await?.ok_or_else(|| Error::internal("the task that had the key a moment ago was deleted"))
}

/// A submission that may be written: its definition is known, its parameters fit.
#[derive(Debug)]
pub struct Checked {
    act: Act,
    rows: NewTask,
}

/// Checks a submission, for who writes it within a transaction of their own: [`accept`].
///
/// # Errors
/// Those of [`submit`], but for `IDEMPOTENCY_KEY_REUSED`.
pub async fn prepare(request: &Request, new: &Submission) -> Result<Checked> {
    let (act, tenant) = admit(request, new).await?;
    complete(request, act, (tenant, new)).await
}

async fn admit(request: &Request, new: &Submission) -> Result<(Act, TenantId)> {
    let act = Act::new("task.submit", "task");
    audit::permit(request, Role::Manager, &act).await?;
    let tenant = tenant(request, new.tenant_id).await?;
    check(new)?;
    Ok((act.of(tenant), tenant))
}

async fn complete(request: &Request, act: Act, (tenant, new): (TenantId, &Submission)) -> Result<Checked> {
    let (definition, definition_id) = definition(request, &new.source).await?;
    if definition_id.is_none() {
        audit::permit(request, role_to_write(&definition), &act).await?;
    }
    let parameters =
        definition.accept(new.parameters.clone()).map_err(|faults| invalid(&code::INVALID_PARAMETERS, faults))?;
    let digest = new.idempotency_key.as_ref().map(|_| alike::digest(new));
    let now = request.clock.now();
    let rows = rows(request, &definition, Accepted { new, tenant, definition_id, parameters, digest, now });
    Ok(Checked { act, rows })
}

/// After the commit of accepted tasks: counts them, and lets them be seen.
pub fn committed(request: &Request, tasks: u64) {
    request.store.metrics().tasks_submitted.inc_by(tasks);
    request.bell.ring();
}

/// Who may write such a definition. Who may use it once it is kept is not asked: its author has vouched for it.
pub fn role_to_write(definition: &Definition) -> Role {
    let names_user = definition.subtasks.iter().any(|subtask| subtask.run_as.is_some());
    if names_user { Role::Admin } else { Role::Manager }
}

async fn tenant(request: &Request, wanted: Option<TenantId>) -> Result<TenantId> {
    match wanted {
        Some(id) => Ok(crate::resolver::tenant::get(request, id).await?.id),
        None => request.principal.home().ok_or_else(|| {
            invalid_input("tenantId", "you belong to no tenant: name one, or ask an administrator to make you a member")
        }),
    }
}

fn check(new: &Submission) -> Result<()> {
    if let Some(name) = &new.name {
        crate::resolver::name::check_title("name", name)?;
    }
    if !(1..=100).contains(&new.priority.unwrap_or(1)) {
        return Err(invalid_input("priority", "1 to 100 is possible"));
    }
    let key = new.idempotency_key.as_deref().unwrap_or("-");
    if key.is_empty() || key.len() > 200 || key.contains('\0') {
        return Err(invalid_input("idempotencyKey", "1 to 200 bytes are possible"));
    }
    check_target(&new.target)?;
    if new.labels.len() > 64 {
        return Err(invalid_input("labels", "at most 64 are possible"));
    }
    for (at, (key, value)) in new.labels.iter().enumerate() {
        crate::resolver::name::check_title("labels", key)?;
        if value.len() > 256 || value.contains('\0') {
            return Err(invalid_input("labels", "a value has at most 256 bytes"));
        }
        if new.labels[..at].iter().any(|(other, _)| other == key) {
            return Err(invalid_input("labels", &format!("`{key}` is there twice")));
        }
    }
    Ok(())
}

fn check_target(target: &TargetOf) -> Result<()> {
    let facts = &target.facts;
    let texts = [
        ("target.cluster", &target.cluster),
        ("target.tenant", &target.tenant),
        ("target.host", &target.host),
        ("target.clusterType", &facts.cluster_type),
        ("target.tenantMode", &facts.tenant_mode),
    ];
    for (what, value) in texts {
        if let Some(value) = value {
            crate::resolver::name::check_title(what, value)?;
        }
    }
    let of_cluster = target.cluster_id.is_some() || facts.ob_cluster_id.is_some() || facts.cluster_type.is_some();
    let of_tenant = target.tenant_id.is_some() || facts.ob_tenant_id.is_some() || facts.tenant_mode.is_some();
    let named = [
        ("target.cluster", &target.cluster, of_cluster),
        ("target.tenant", &target.tenant, of_tenant),
        ("target.host", &target.host, target.host_id.is_some()),
    ];
    match named.into_iter().find(|(_, name, more)| *more && name.is_none()) {
        Some((what, ..)) => Err(invalid_input(what, "what is more than a name needs the name, too")),
        None => Ok(()),
    }
}

fn invalid_input(what: &str, reason: &str) -> Error {
    Error::new(&code::INVALID_INPUT).with("what", format!("`{what}`")).with("reason", reason)
}

/// An error that names its faults, the first in its message.
pub fn invalid(code: &'static code::Code, faults: Vec<Fault>) -> Error {
    let first = faults.first().map_or_else(String::new, |fault| {
        let more = if faults.len() > 1 { format!(" (and {} more)", faults.len() - 1) } else { String::new() };
        let place = if fault.path.is_empty() { String::new() } else { format!("{}: ", fault.path) };
        format!("{place}{}{more}", fault.message)
    });
    Error::new(code).with("reason", first).faults(faults)
}

/// The task that was accepted under the same key before.
async fn known(request: &Request, tenant: TenantId, new: &Submission) -> Result<Option<task::Model>> {
    let Some(key) = new.idempotency_key.as_deref() else {
        return Ok(None);
    };
    match store::task::find_by_key(request.store.write(), tenant, key).await? {
        Some(task) if task.request_digest.as_deref().is_some_and(|kept| alike::is_of(new, kept)) => Ok(Some(task)),
        Some(_) => Err(Error::new(&code::IDEMPOTENCY_KEY_REUSED).with("key", key)),
        None => Ok(None),
    }
}

async fn definition(request: &Request, source: &SubmissionSource) -> Result<(Definition, Option<DefinitionId>)> {
    let invalid = |faults| invalid(&code::INVALID_SPEC, faults);
    let kept = match source {
        SubmissionSource::Spec(value) => return Ok((spec::read(value.clone()).map_err(invalid)?, None)),
        SubmissionSource::Text(text) => return Ok((spec::parse(text).map_err(invalid)?, None)),
        SubmissionSource::Definition(id) => crate::resolver::definition::get(request, *id).await?,
        SubmissionSource::Named(name) => crate::resolver::definition::get_by_name(request, name, None).await?,
    };
    Ok((kept.spec.parse().map_err(Error::internal)?, Some(kept.id)))
}

struct Accepted<'a> {
    new: &'a Submission,
    tenant: TenantId,
    definition_id: Option<DefinitionId>,
    parameters: Value,
    digest: Option<String>,
    now: Timestamp,
}

fn rows(request: &Request, definition: &Definition, accepted: Accepted<'_>) -> NewTask {
    let new = accepted.new;
    let labels: serde_json::Map<String, Value> =
        new.labels.iter().map(|(k, v)| (k.clone(), Value::from(v.as_str()))).collect();
    let priority = i16::try_from(new.priority.unwrap_or(PRIORITY.into())).unwrap_or(PRIORITY);
    let name = new.name.as_deref().unwrap_or(&definition.name);
    let task = task::ActiveModel {
        id: NotSet,
        tenant_id: Set(accepted.tenant),
        name: Set(name.to_owned()),
        task_type: Set(new.task_type),
        definition_id: Set(accepted.definition_id),
        creator_id: Set(request.principal.user_id()),
        creator: Set(request.principal.name()),
        state: Set(TaskState::Pending),
        operation: Set(Operation::Execute),
        backward: Set(false),
        priority: Set(priority),
        cluster: Set(new.target.cluster.clone()),
        target_tenant: Set(new.target.tenant.clone()),
        host: Set(new.target.host.clone()),
        cluster_id: Set(new.target.cluster_id),
        target_tenant_id: Set(new.target.tenant_id),
        host_id: Set(new.target.host_id),
        target_facts: Set((new.target.facts != TargetFacts::default()).then(|| JsonText::of(&new.target.facts))),
        labels: Set(JsonText::of(&labels)),
        prohibit_rollback: Set(definition.prohibit_rollback),
        progress: Set(0.0),
        message: Set(None),
        idempotency_key: Set(new.idempotency_key.clone()),
        request_digest: Set(accepted.digest),
        created_at: Set(accepted.now),
        started_at: Set(None),
        finished_at: Set(None),
        name_folded: Set(Some(folded(name))),
        cluster_folded: Set(new.target.cluster.as_deref().map(folded)),
    };
    let states = first_states(definition, accepted.tenant, accepted.now);
    let subtasks = definition.subtasks.iter().enumerate().map(|(index, subtask)| {
        let mut row = subtask_row(subtask, index, definition.upstreams(index));
        row.priority = Set(priority);
        row.state = Set(states[index]);
        row
    });
    NewTask {
        task,
        spec: JsonText::of(definition),
        parameters: JsonText::of(&accepted.parameters),
        submission: new.submission.as_ref().map(JsonText::of),
        labels: new.labels.clone(),
        subtasks: subtasks.collect(),
    }
}

fn subtask_row(subtask: &spec::Subtask, index: usize, needs: &[usize]) -> subtask::ActiveModel {
    let mut requires = subtask.workers.clone();
    requires.sort();
    requires.dedup();
    subtask::ActiveModel {
        id: NotSet,
        task_id: NotSet,
        seq: Set(i32::try_from(index).unwrap_or(i32::MAX)),
        name: Set(subtask.name.clone()),
        description: Set(subtask.description.clone()),
        executor: Set(subtask.run.kind()),
        spec: Set(JsonText::of(subtask)),
        needs: Set(JsonText::of(needs)),
        requires: Set(requires.join(",")),
        priority: NotSet,
        state: NotSet,
        operation: Set(Operation::Execute),
        held: Set(false),
        progress: Set(0.0),
        weight: Set(subtask.weight),
        runs: Set(0),
        tries: Set(0),
        max_tries: Set(i32::try_from(subtask.retry.attempts).unwrap_or(i32::MAX)),
        backoff_ms: Set(i64::try_from(subtask.retry.backoff.as_millis()).unwrap_or(i64::MAX)),
        on_lost: Set(subtask.on_lost),
        prohibit_rollback: Set(subtask.prohibit_rollback),
        epoch: Set(0),
        attempt_id: Set(None),
        not_before: Set(None),
        outputs: Set(JsonText::of(&json!({}))),
        message: Set(None),
        log_lines: Set(0),
        log_bytes: Set(0),
        started_at: Set(None),
        finished_at: Set(None),
    }
}

/// Which subtasks are READY from the start: decided by the same core that decides everything after.
fn first_states(definition: &Definition, tenant_id: TenantId, now: Timestamp) -> Vec<SubtaskState> {
    let subtasks = definition.subtasks.iter().enumerate();
    let snapshot = Snapshot {
        task: TaskFacts::new(TaskId(0), tenant_id),
        subtasks: subtasks
            .map(|(index, subtask)| SubtaskFacts::new(subtask.name.clone(), definition.upstreams(index).to_vec()))
            .collect(),
    };
    let mut draft = Draft::new(snapshot, now);
    execute::start(&mut draft);
    draft.snapshot().subtasks.iter().map(|subtask| subtask.state).collect()
}

/// Writes the task, its subtasks, its event and its audit row within the caller's transaction; none when its
/// idempotency key is taken: the transaction can only be rolled back then. [`committed`] follows the commit.
///
/// # Errors
/// When the database does not answer.
pub async fn accept(tx: &Tx, request: &Request, Checked { mut act, rows }: Checked) -> Result<Option<task::Model>> {
    let has_key = rows.task.idempotency_key.clone().take().flatten().is_some();
    let created_at = rows.task.created_at.clone().take().unwrap_or_else(|| request.clock.now());
    let tenant = rows.task.tenant_id.clone().take().unwrap_or(TenantId(0));
    let id = match store::task::insert(tx, rows).await {
        Ok(id) => id,
        Err(error) if has_key && is_taken(&error) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let task = store::task::list_by_id(tx, &Scope::All, &[id]).await?.pop().ok_or_else(|| super::not_found(id))?;
    act.on(format_args!("task:{id}"));
    let act = act.with(&super::described(&task, task.state));
    audit::record(tx, request, &act).await?;
    // The last that is written: on PostgreSQL everybody who tells of something waits from there to the commit.
    let event = store::event::NewEvent {
        kind: EventKind::TaskSubmitted,
        task_state: Some(TaskState::Pending),
        operation: Some(Operation::Execute),
        progress: Some(0.0),
        actor: Some(request.principal.name()),
        ..engine::apply::blank(tenant, id, created_at)
    };
    store::event::append(tx, vec![event]).await?;
    Ok(Some(task))
}
