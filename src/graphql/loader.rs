//! Batched reads behind every field that leads from a parent to its children: one statement however many parents.
//!
//! Callers who see the same share their loaders: what their operations want at the same moment is one statement, which
//! asks that scope. A key of something foreign finds nothing, whoever made it. An operation in the slow lane has loaders
//! of its own, read there, so that nobody waits for what is long. They remember nothing, so nothing of one moment is
//! shown in another.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::dataloader::{DataLoader, Loader};
use quick_cache::sync::Cache;
use taskloom_entity::{
    AttemptId, DefinitionId, JsonText, Role, SubtaskId, SubtaskState, TaskId, TenantId, UserId, VcenterId,
    VsphereInstanceId, VsphereTaskId, attempt, result_set, task, tenant, user, vcenter, vcenter_collection,
    vsphere_label, vsphere_object, vsphere_task,
};

use crate::asker::{self, Asker};
use crate::auth::Scope;
use crate::error::{Error, Result};
use crate::resolver::read::Document;
use crate::resolver::subtask::SubtaskRow;
use crate::resolver::{Request, definition, read};
use crate::slow_lane;
use crate::task::Snapshot;

/// Gathers keys for this long: with nothing it would be a batch of one each.
const DELAY: Duration = Duration::from_millis(1);

/// Scopes whose loaders are kept; those that were asked for longest ago are made anew.
const SCOPES: usize = 1_000;

/// Reads by key, within the scope of this request.
#[derive(Clone, Debug)]
pub struct BatchReader {
    request: Request,
}

/// The loaders of a schema: by scope, of which all callers who see the same share one.
pub struct SharedLoaders(Cache<Scope, Arc<DataLoader<BatchReader>>>);

/// Every loader, as one operation has them. Cheap to clone.
#[derive(Clone)]
pub struct Loaders {
    request: Request,
    common: Arc<DataLoader<BatchReader>>,
    /// The operation's own: for all that it asks in the slow lane, for what depends on who asks, and for what was too
    /// much together with others.
    own: Arc<OnceLock<DataLoader<BatchReader>>>,
}

impl std::fmt::Debug for Loaders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Loaders")
    }
}

impl Default for SharedLoaders {
    fn default() -> Self {
        Self(Cache::new(SCOPES))
    }
}

impl SharedLoaders {
    /// For an operation of this caller that begins.
    #[must_use]
    pub fn begin(&self, request: Request) -> Loaders {
        // Whoever begins first: nothing of this caller but the scope is everybody's.
        let common = || Request { principal: request.principal.clone().without_subject(), ..request.clone() };
        let make = || Ok::<_, Infallible>(Arc::new(gathering(BatchReader { request: common() }, None)));
        let Ok(common) = match request.principal.require(Role::Viewer) {
            Ok(scope) => self.0.get_or_insert_with(scope, make),
            // Nobody's keys find anything.
            Err(_) => make(),
        };
        Loaders { request, common, own: Arc::default() }
    }
}

impl Loaders {
    fn loader(&self) -> &DataLoader<BatchReader> {
        if slow_lane::is_here() { self.own_loader() } else { &self.common }
    }

    fn own_loader(&self) -> &DataLoader<BatchReader> {
        let reader = || BatchReader { request: self.request.clone() };
        self.own.get_or_init(|| gathering(reader(), asker::current()))
    }

    /// The value of one key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn one<K>(&self, key: K) -> Result<Option<<BatchReader as Loader<K>>::Value>>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        BatchReader: Loader<K, Error = Arc<Error>>,
    {
        self.loader().load_one(key).await.map_err(|error| again(&error))
    }

    /// The same, asked for as this caller with nothing but what this operation asks for: where the caller may see more
    /// than the scope says, as one's own user, and where all together is too much.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn own<K>(&self, key: K) -> Result<Option<<BatchReader as Loader<K>>::Value>>
    where
        K: Send + Sync + std::hash::Hash + Eq + Clone + 'static,
        BatchReader: Loader<K, Error = Arc<Error>>,
    {
        self.own_loader().load_one(key).await.map_err(|error| again(&error))
    }
}

impl Loaders {
    /// The subtasks of one task, whatever others ask for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn siblings(&self, of: TaskId) -> Result<Siblings> {
        let rows = read::subtasks_of(&self.request, &[of]).await?;
        Ok(Arc::new(rows.into_iter().map(Arc::new).collect()))
    }

    /// The attempts of one subtask, whatever others ask for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn attempts(&self, of: SubtaskId) -> Result<Vec<attempt::Model>> {
        read::attempts_of(&self.request, &[of]).await
    }

    /// One task as decisions see it, whatever others ask for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn snapshot(&self, of: TaskId) -> Result<Option<Arc<Snapshot>>> {
        Ok(read::snapshots(&self.request, &[of]).await?.pop().map(Arc::new))
    }
}

/// What it reads is read for this asker; nobody alone does for what is common.
fn gathering(reader: BatchReader, asker: Option<Asker>) -> DataLoader<BatchReader> {
    let spawn = move |read| tokio::spawn(asker::as_of(asker.clone(), read));
    DataLoader::new(reader, spawn).delay(DELAY).max_batch_size(1000)
}

/// One failure is many keys' failure: each gets its own error of the same code.
fn again(error: &Arc<Error>) -> Error {
    let made = Error::new(error.code()).source(error.to_string());
    match error.pause() {
        Some(pause) => made.retry_after(pause),
        None => made,
    }
}

/// The subtasks of one task.
pub type Siblings = Arc<Vec<Arc<SubtaskRow>>>;

/// Subtasks, or attempts, that are read at a time.
fn most() -> usize {
    if slow_lane::is_here() { 20_000 } else { 1_000 }
}

/// The subtasks of a task; none where all that were asked for together have too many: to be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SubtasksOf(pub TaskId);
/// The attempts of a subtask; none where all that were asked for together have too many: to be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttemptsOf(pub SubtaskId);
/// The result sets of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResultsOf(pub AttemptId);
/// A task as decisions see it; none where all that were asked for together are too large: to be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SnapshotOf(pub TaskId);
/// How many subtasks of a task stand where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TotalsOf(pub TaskId);
/// The tenants a user belongs to, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantsOf(pub UserId);
/// The name of a worker, by the id of one of its lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerOf(pub String);
/// How many bytes a document of the row of this number has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentLengthOf(pub Document, pub i64);
/// That document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DocumentTextOf(pub Document, pub i64);

/// How the collection of a vCenter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CollectionOf(pub VcenterId);
/// What a vCenter calls an operation, in every language.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LabelsOf(pub VcenterId, pub String);
/// An object of a vCenter, by its reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectOf(pub VcenterId, pub String);
/// The newest task of a vCenter with this key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VsphereKey(pub VsphereInstanceId, pub String);

macro_rules! loader {
    ($key:ty => $value:ty, |$request:ident, $keys:ident| $load:expr) => {
        impl Loader<$key> for BatchReader {
            type Value = $value;
            type Error = Arc<Error>;

            async fn load(&self, keys: &[$key]) -> Result<HashMap<$key, $value>, Arc<Error>> {
                let $request = &self.request;
                let $keys = keys;
                $load.await.map_err(Arc::new)
            }
        }
    };
}

loader!(SubtasksOf => Option<Siblings>, |request, keys| async {
    let ids: Vec<TaskId> = keys.iter().map(|key| key.0).collect();
    let Some(rows) = read::few_subtasks_of(request, &ids, most()).await? else {
        return Ok::<_, Error>(keys.iter().map(|key| (*key, None)).collect());
    };
    let mut grouped: HashMap<SubtasksOf, Vec<Arc<SubtaskRow>>> = HashMap::new();
    for row in rows {
        grouped.entry(SubtasksOf(row.task_id)).or_default().push(Arc::new(row));
    }
    Ok(grouped.into_iter().map(|(key, rows)| (key, Some(Arc::new(rows)))).collect())
});

loader!(AttemptsOf => Option<Vec<attempt::Model>>, |request, keys| async {
    let ids: Vec<SubtaskId> = keys.iter().map(|key| key.0).collect();
    let Some(rows) = read::few_attempts_of(request, &ids, most()).await? else {
        return Ok::<_, Error>(keys.iter().map(|key| (*key, None)).collect());
    };
    let mut grouped: HashMap<AttemptsOf, Vec<attempt::Model>> = HashMap::new();
    for row in rows {
        grouped.entry(AttemptsOf(row.subtask_id)).or_default().push(row);
    }
    Ok(grouped.into_iter().map(|(key, rows)| (key, Some(rows))).collect())
});

loader!(ResultsOf => Vec<result_set::Model>, |request, keys| async {
    let ids: Vec<AttemptId> = keys.iter().map(|key| key.0).collect();
    let sets = read::results_of(request, &ids).await?;
    Ok::<_, Error>(sets.into_iter().map(|(id, sets)| (ResultsOf(id), sets)).collect())
});

loader!(SnapshotOf => Option<Arc<Snapshot>>, |request, keys| async {
    let ids: Vec<TaskId> = keys.iter().map(|key| key.0).collect();
    let Some(snapshots) = read::few_snapshots(request, &ids, most() as u64).await? else {
        return Ok::<_, Error>(keys.iter().map(|key| (*key, None)).collect());
    };
    Ok(snapshots.into_iter().map(|snapshot| (SnapshotOf(snapshot.task.id), Some(Arc::new(snapshot)))).collect())
});

loader!(TotalsOf => Vec<(SubtaskState, i64)>, |request, keys| async {
    let ids: Vec<TaskId> = keys.iter().map(|key| key.0).collect();
    let mut grouped: HashMap<TotalsOf, Vec<(SubtaskState, i64)>> = HashMap::new();
    for (task, state, count) in read::totals(request, &ids).await? {
        grouped.entry(TotalsOf(task)).or_default().push((state, count));
    }
    Ok::<_, Error>(grouped)
});

loader!(DocumentLengthOf => usize, |request, keys| async {
    let mut found = HashMap::with_capacity(keys.len());
    for (of, ids) in by_document(keys.iter().map(|key| (key.0, key.1))) {
        let lengths = read::lengths(request, of, &ids).await?;
        found.extend(lengths.into_iter().map(|(id, bytes)| (DocumentLengthOf(of, id), bytes)));
    }
    Ok::<_, Error>(found)
});

loader!(DocumentTextOf => Arc<JsonText>, |request, keys| async {
    let mut found = HashMap::with_capacity(keys.len());
    for (of, ids) in by_document(keys.iter().map(|key| (key.0, key.1))) {
        let texts = read::texts(request, of, &ids).await?;
        found.extend(texts.into_iter().map(|(id, text)| (DocumentTextOf(of, id), Arc::new(text))));
    }
    Ok::<_, Error>(found)
});

fn by_document(keys: impl Iterator<Item = (Document, i64)>) -> HashMap<Document, Vec<i64>> {
    let mut grouped: HashMap<Document, Vec<i64>> = HashMap::new();
    for (of, id) in keys {
        grouped.entry(of).or_default().push(id);
    }
    grouped
}

loader!(WorkerOf => String, |request, keys| async {
    let lives: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
    let names = read::workers(request, &lives).await?;
    Ok::<_, Error>(names.into_iter().map(|(life, name)| (WorkerOf(life), name)).collect())
});

loader!(TaskId => Arc<task::Model>, |request, keys| async {
    let rows = read::tasks(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
});

loader!(SubtaskId => Arc<SubtaskRow>, |request, keys| async {
    let rows = read::subtasks(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
});

loader!(AttemptId => attempt::Model, |request, keys| async {
    let rows = read::attempts(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, row)).collect())
});

loader!(DefinitionId => definition::DefinitionRow, |request, keys| async {
    let rows = read::definitions(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, row)).collect())
});

loader!(TenantId => tenant::Model, |request, keys| async {
    let rows = read::tenants(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, row)).collect())
});

loader!(UserId => user::Model, |request, keys| async {
    let rows = read::users(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, row)).collect())
});

loader!(TenantsOf => Vec<tenant::Model>, |request, keys| async {
    let ids: Vec<UserId> = keys.iter().map(|key| key.0).collect();
    let tenants = read::tenants_of(request, &ids).await?;
    Ok::<_, Error>(tenants.into_iter().map(|(user, tenants)| (TenantsOf(user), tenants)).collect())
});

loader!(VcenterId => Arc<vcenter::Model>, |request, keys| async {
    let rows = read::vcenters(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
});

loader!(CollectionOf => vcenter_collection::Model, |request, keys| async {
    let ids: Vec<VcenterId> = keys.iter().map(|key| key.0).collect();
    let rows = read::collections(request, &ids).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (CollectionOf(row.vcenter_id), row)).collect())
});

loader!(VsphereTaskId => Arc<vsphere_task::Model>, |request, keys| async {
    let rows = read::vsphere_tasks(request, keys).await?;
    Ok::<_, Error>(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
});

loader!(LabelsOf => Arc<Vec<vsphere_label::Model>>, |request, keys| async {
    let vcenters: HashSet<VcenterId> = keys.iter().map(|key| key.0).collect();
    let ids: HashSet<String> = keys.iter().map(|key| key.1.clone()).collect();
    let mut grouped: HashMap<LabelsOf, Vec<vsphere_label::Model>> = HashMap::new();
    for row in read::labels(request, vcenters, ids).await? {
        grouped.entry(LabelsOf(row.vcenter_id, row.description_id.clone())).or_default().push(row);
    }
    Ok::<_, Error>(grouped.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect())
});

loader!(ObjectOf => Arc<vsphere_object::Model>, |request, keys| async {
    let mut by_vcenter: HashMap<VcenterId, Vec<String>> = HashMap::new();
    for ObjectOf(vcenter, reference) in keys {
        by_vcenter.entry(*vcenter).or_default().push(reference.clone());
    }
    let mut found = HashMap::new();
    for (vcenter, references) in by_vcenter {
        let rows = read::objects(request, vcenter, references).await?;
        found.extend(rows.into_iter().map(|row| (ObjectOf(vcenter, row.reference.clone()), Arc::new(row))));
    }
    Ok::<_, Error>(found)
});

loader!(VsphereKey => Arc<vsphere_task::Model>, |request, keys| async {
    let mut by_instance: HashMap<VsphereInstanceId, Vec<String>> = HashMap::new();
    for VsphereKey(instance, key) in keys {
        by_instance.entry(*instance).or_default().push(key.clone());
    }
    let mut found: HashMap<VsphereKey, Arc<vsphere_task::Model>> = HashMap::new();
    for (instance, wanted) in by_instance {
        for row in read::vsphere_tasks_by_key(request, instance, wanted).await? {
            let key = VsphereKey(instance, row.key.clone());
            let is_newer = found.get(&key).is_none_or(|kept| kept.queued_at < row.queued_at);
            if is_newer {
                found.insert(key, Arc::new(row));
            }
        }
    }
    Ok::<_, Error>(found)
});
