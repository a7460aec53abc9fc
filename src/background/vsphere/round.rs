//! A round: what one session with a vCenter sees. It begins to follow before it reads what was missed, so that nothing
//! falls between; then it settles what it believed unfinished; then it follows until something breaks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use taskloom_entity::{CollectionState, Timestamp, VsphereInstanceId, vsphere_task};
use tokio::time::Instant;

use super::collector::{Collector, End};
use crate::error::Language;
use crate::resolver::vcenter::{self, Entrance};
use crate::resolver::vsphere::collect::{self, News, Object, Report, Seen, Source};
use crate::resolver::vsphere::{info, label};
use crate::vsphere::{
    Catalogue, Entity, Error, Filter, Follow, LARGEST_READ, Reference, Session, TaskInfo, TaskState, Update,
};

/// How often a call that broke is made again in the same session, after pauses that grow from half a second.
const TRIES: u32 = 4;
/// How long a vCenter may say nothing.
const WAIT: Duration = Duration::from_secs(15);
/// How many of the newest tasks each update tells. A burst that outruns them is read from the history.
const PAGE: i32 = 20;
/// How often the recent tasks are read anew, since a vCenter may not tell of them.
const RECENT: Duration = Duration::from_secs(60);
/// How soon what was not to be found is looked for again.
const AGAIN: Duration = Duration::from_secs(10);
/// How often the inventory is read, and the words.
const INVENTORY: Duration = Duration::from_secs(600);
const WORDS: Duration = Duration::from_secs(6 * 3600);
/// How often it is written how it goes.
const TELL: Duration = Duration::from_secs(5);
/// How far behind the newest known end a gap is read: a task may be found in the history later than elsewhere.
const OVERLAP: Duration = Duration::from_secs(300);
/// How many keys of tasks are remembered, to notice a page of nothing but new ones.
const REMEMBERED: usize = 1000;
/// How many histories of one task are looked up at a time.
const CHAINS: usize = 100;

/// What one session sees.
pub(super) struct Round<'c> {
    of: &'c Collector,
    session: Session,
    instance: VsphereInstanceId,
    follow: Follow,
    /// The unfinished ones, by key.
    watched: HashMap<String, Reference>,
    /// Keys of those that were told of last.
    met: (HashSet<String>, VecDeque<String>),
    /// Those that were not to be found, and are looked for once more.
    missing: HashSet<String>,
    /// The newest end that was seen, once nothing before it is missing.
    completed_to: Option<Timestamp>,
    /// From the newest change of a state until it was on disk, in microseconds.
    lag: Option<i64>,
    /// Their clock less ours, in microseconds.
    offset: i64,
}

impl<'c> Round<'c> {
    /// Runs a round; why it ended.
    pub(super) async fn run(collector: &'c mut Collector) -> End {
        match Self::begin(collector).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn begin(collector: &'c mut Collector) -> Result<Infallible, End> {
        collector.tell(state(CollectionState::Connecting)).await?;
        let entrance = vcenter::entrance(&collector.request, collector.vcenter.id).await?;
        let session = entrance.sign_in().await?;
        let last = collector.session.replace(session.clone());
        collector.part(last).await;
        let about = session.about().clone();
        let instance = collect::meet(&collector.request, &collector.lease, &about.instance_uuid).await?;
        let offset = clock(&session, collector).await?;
        let product = Some(about.full_name);
        let news = News { instance_id: Some(instance), product, clock_offset: Some(offset), ..News::default() };
        collector.tell(news).await?;
        let is_first = collector.stands.read_at.is_none() || collector.stands.instance_id != Some(instance);
        let follow = session.follow(PAGE).await?;
        let completed_to = if is_first { None } else { collector.stands.completed_to };
        let (watched, met, missing) = Default::default();
        let mut round = Round {
            of: &*collector,
            session,
            instance,
            follow,
            watched,
            met,
            missing,
            completed_to,
            lag: None,
            offset,
        };
        let is_due = |read: Option<Instant>, every: Duration| read.is_none_or(|read| read.elapsed() > every);
        let read = round.of.read;
        if is_due(read.0, WORDS) {
            round.words(&entrance).await?;
        }
        if is_due(read.1, INVENTORY) {
            round.inventory().await?;
        }
        round.take_up().await?;
        let seen = round.listen(Duration::ZERO).await?;
        round.record(seen, Source::Read).await?;
        if is_first {
            round.first().await?
        } else {
            round.gap().await?
        }
        round.settle().await?;
        let now = collector.request.clock.now();
        let (read_at, completed_to) = (is_first.then_some(now), round.completed_to);
        let state = Some((CollectionState::Following, None));
        round.of.tell(News { state, read_at, completed_to, seen_at: Some(now), ..News::default() }).await?;
        let Round { session, follow, watched, met, missing, lag, .. } = round;
        // From here on another round need not read everything.
        collector.stands.read_at = collector.stands.read_at.filter(|_| !is_first).or(Some(now));
        collector.stands.instance_id = Some(instance);
        collector.stands.completed_to = completed_to;
        let now = Some(Instant::now());
        collector.read =
            (read.0.filter(|_| !is_due(read.0, WORDS)).or(now), read.1.filter(|_| !is_due(read.1, INVENTORY)).or(now));
        collector.follows = true;
        let of = &*collector;
        Round { of, session, instance, follow, watched, met, missing, completed_to, lag, offset }.go_on().await
    }

    /// Follows until something breaks.
    async fn go_on(mut self) -> Result<Infallible, End> {
        let begun = Instant::now();
        let (mut recent, mut inventory, mut told, mut settled) = (begun, begun, begun, begun);
        loop {
            let seen = self.listen(WAIT).await?;
            let is_burst = self.is_burst(&seen);
            self.record(seen, Source::Live).await?;
            if is_burst {
                tracing::debug!(vcenter = self.of.vcenter.name, "a burst: the history is read for what it outran");
                self.gap().await?;
            }
            if recent.elapsed() > RECENT {
                recent = Instant::now();
                let tasks = self.session.recent_tasks().await?;
                self.record(tasks, Source::Read).await?;
                self.offset = clock(&self.session, self.of).await?;
            }
            if settled.elapsed() > if self.missing.is_empty() { RECENT } else { AGAIN } {
                settled = Instant::now();
                self.settle().await?;
            }
            if inventory.elapsed() > INVENTORY {
                inventory = Instant::now();
                self.inventory().await?;
            }
            if told.elapsed() > TELL {
                told = Instant::now();
                let (now, completed_to) = (self.of.request.clock.now(), self.completed_to);
                let (lag, clock_offset) = (self.lag.take(), Some(self.offset));
                self.of.tell(News { seen_at: Some(now), lag, clock_offset, completed_to, ..News::default() }).await?;
            }
        }
    }

    /// The whole history, the oldest first. What happens meanwhile is recorded between its pages.
    async fn first(&mut self) -> Result<(), End> {
        let of = self.of;
        of.tell(state(CollectionState::Reading)).await?;
        let mut history = match self.session.history(&Filter::default()).await {
            Ok(history) => history,
            Err(error) if has_no_history(&error) => {
                tracing::warn!(
                    vcenter = of.vcenter.name,
                    "this server keeps no history: only what happens is collected"
                );
                let tasks = self.session.recent_tasks().await?;
                return self.record(tasks, Source::First).await;
            }
            Err(error) => return Err(error.into()),
        };
        let (began, mut told, mut count) = (Instant::now(), Instant::now(), 0);
        let mut page = history.next(LARGEST_READ).await?;
        while !page.is_empty() {
            count += page.len();
            // The next page is on its way while this one is written.
            let (next, written) = tokio::join!(history.next(LARGEST_READ), self.record(page, Source::First));
            written?;
            page = next?;
            if told.elapsed() > TELL {
                told = Instant::now();
                let message = format!("{count} tasks of the history are read, in {} s", began.elapsed().as_secs());
                let state = Some((CollectionState::Reading, Some(("READING".to_owned(), message))));
                of.tell(News { state, seen_at: Some(of.request.clock.now()), ..News::default() }).await?;
                let seen = self.listen(Duration::ZERO).await?;
                self.record(seen, Source::Live).await?;
            }
        }
        tracing::info!(vcenter = of.vcenter.name, count, took = ?began.elapsed(), "the history is read");
        history.close().await;
        Ok(())
    }

    /// What may have been missed: what ended since the newest known end, and what has not ended.
    async fn gap(&mut self) -> Result<(), End> {
        let since = self.completed_to.map(|at| at.before(OVERLAP).utc());
        let ended = Filter { completed_since: since, ..Filter::default() };
        let unfinished = Filter { states: vec![TaskState::Queued, TaskState::Running], ..Filter::default() };
        for filter in [unfinished, ended] {
            self.read(&filter).await?;
        }
        Ok(())
    }

    async fn read(&mut self, filter: &Filter) -> Result<(), End> {
        let mut history = match self.session.history(filter).await {
            Err(error) if has_no_history(&error) => {
                let tasks = self.session.recent_tasks().await?;
                return self.record(tasks, Source::Read).await;
            }
            history => history?,
        };
        loop {
            let page = history.next(LARGEST_READ).await?;
            if page.is_empty() {
                history.close().await;
                return Ok(());
            }
            self.record(page, Source::Read).await?;
        }
    }

    /// Watches what is known to be unfinished there.
    async fn take_up(&mut self) -> Result<(), End> {
        let unfinished = collect::unfinished(&self.of.request, self.of.vcenter.id).await?;
        let here = unfinished.into_iter().filter(|task| task.instance_id == self.instance);
        let new: Vec<Reference> = here.map(|task| Reference::task(task.key)).collect();
        self.watch(new, vec![]).await
    }

    /// Ends what the vCenter has forgotten. What is not to be found is looked for once more before that.
    async fn settle(&mut self) -> Result<(), End> {
        let unfinished = collect::unfinished(&self.of.request, self.of.vcenter.id).await?;
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            unfinished.into_iter().partition(|task| task.instance_id == self.instance);
        // Another vCenter answers now: those of the one before are nobody's.
        self.lose(elsewhere).await?;
        let silent: Vec<vsphere_task::Model> =
            here.into_iter().filter(|task| !self.watched.contains_key(&task.key)).collect();
        let (mut gone, mut found) = (vec![], vec![]);
        for task in silent {
            match self.session.task(&Reference::task(task.key.as_str())).await {
                Ok(info) if is_same(&task, &info) => found.push(info),
                Ok(_) | Err(Error::ManagedObjectNotFound { .. }) => gone.push(task),
                Err(error) => return Err(error.into()),
            }
        }
        found.extend(self.look_up(&gone).await?);
        gone.retain(|task| !found.iter().any(|info| is_same(task, info) && info.state.is_final()));
        self.record(found, Source::Read).await?;
        let (lost, missing): (Vec<_>, Vec<_>) = gone.into_iter().partition(|task| self.missing.contains(&task.key));
        self.missing = missing.into_iter().map(|task| task.key).collect();
        self.lose(lost).await
    }

    /// Tasks by their event chains: the one way to find a task in the history.
    async fn look_up(&self, tasks: &[vsphere_task::Model]) -> Result<Vec<TaskInfo>, End> {
        let mut found = vec![];
        for some in tasks.chunks(CHAINS) {
            let chains = some.iter().map(|task| task.event_chain_id).filter(|chain| *chain != 0);
            let filter = Filter { event_chain_ids: chains.collect(), ..Filter::default() };
            if filter.event_chain_ids.is_empty() {
                continue;
            }
            let mut history = match self.session.history(&filter).await {
                Err(error) if has_no_history(&error) => return Ok(found),
                history => history?,
            };
            found.extend(
                history
                    .next(LARGEST_READ)
                    .await?
                    .into_iter()
                    .filter(|info| some.iter().any(|task| is_same(task, info))),
            );
            history.close().await;
        }
        Ok(found)
    }

    async fn lose(&mut self, tasks: Vec<vsphere_task::Model>) -> Result<(), End> {
        let mut by_instance: HashMap<VsphereInstanceId, Vec<Seen>> = HashMap::new();
        for task in tasks {
            tracing::warn!(
                vcenter = self.of.vcenter.name,
                key = task.key,
                "the vCenter has forgotten a task that had not ended"
            );
            by_instance.entry(task.instance_id).or_default().push(collect::lost(task));
        }
        for (instance, tasks) in by_instance {
            self.write(Report { lease: self.of.lease.clone(), instance, source: Source::Live, tasks }).await?;
        }
        Ok(())
    }

    /// What the vCenter tells within `longest`.
    async fn listen(&mut self, longest: Duration) -> Result<Vec<TaskInfo>, End> {
        let mut seen = vec![];
        for update in self.wait(longest).await? {
            match update {
                Update::Task(info) => seen.push(*info),
                Update::Gone(task) => {
                    // It is settled with the others, the sooner the better.
                    self.watched.remove(&task.value);
                }
            }
        }
        Ok(seen)
    }

    /// The vCenter's answer. A connection that breaks does not end the session: the same is asked again.
    async fn wait(&mut self, longest: Duration) -> Result<Vec<Update>, End> {
        let mut tries = 0;
        loop {
            match self.follow.wait(longest).await {
                Err(error @ (Error::Unreachable(..) | Error::TooSlow | Error::Http(_)))
                    if error.is_passing() && tries < TRIES =>
                {
                    tracing::debug!(vcenter = self.of.vcenter.name, %error, "asking again");
                    tokio::time::sleep(Duration::from_millis(500 << tries)).await;
                    tries += 1;
                }
                updates => return Ok(updates?),
            }
        }
    }

    /// Whether nothing that was told is known: more may have happened than fits.
    fn is_burst(&self, seen: &[TaskInfo]) -> bool {
        let new = seen.iter().filter(|info| !self.met.0.contains(&info.key) && !self.watched.contains_key(&info.key));
        new.count() >= PAGE.unsigned_abs() as usize
    }

    async fn record(&mut self, infos: Vec<TaskInfo>, source: Source) -> Result<(), End> {
        if infos.is_empty() {
            return Ok(());
        }
        let (mut add, mut remove) = (vec![], vec![]);
        let mut turned: Option<Timestamp> = None;
        for info in &infos {
            let is_known = self.watched.contains_key(&info.key) || self.met.0.contains(&info.key);
            // Progress has no instant: only ends and beginnings tell how long they took to get here.
            let at = info.complete_time.or_else(|| info.start_time.or(Some(info.queue_time)).filter(|_| !is_known));
            turned = turned.max(at.map(Timestamp::from));
            match (info.state.is_final(), self.watched.contains_key(&info.key)) {
                (false, false) => add.push(info.task.clone()),
                (true, true) => remove.push(info.task.clone()),
                _ => {}
            }
            if source != Source::First && self.met.0.insert(info.key.clone()) {
                self.met.1.push_back(info.key.clone());
                if self.met.1.len() > REMEMBERED
                    && let Some(oldest) = self.met.1.pop_front()
                {
                    self.met.0.remove(&oldest);
                }
            }
        }
        let tasks: Vec<Seen> = infos.into_iter().map(info::seen).collect();
        let completed = tasks.iter().filter_map(|task| task.completed_at).max();
        self.write(Report { lease: self.of.lease.clone(), instance: self.instance, source, tasks }).await?;
        self.completed_to = self.completed_to.max(completed);
        if let Some(turned) = turned.filter(|_| source == Source::Live) {
            let lag = self.of.request.clock.now().0 + self.offset - turned.0;
            self.lag = self.lag.max(Some(lag.max(0)));
        }
        self.watch(add, remove).await
    }

    async fn write(&self, report: Report) -> Result<(), End> {
        match self.of.writer.write(report).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::LeaseLost),
            Err(error) => Err(End::Ours(error)),
        }
    }

    async fn watch(&mut self, add: Vec<Reference>, remove: Vec<Reference>) -> Result<(), End> {
        if add.is_empty() && remove.is_empty() {
            return Ok(());
        }
        let unresolved: HashSet<Reference> = self.follow.watch(&add, &remove).await?.into_iter().collect();
        for task in &remove {
            self.watched.remove(&task.value);
        }
        self.watched
            .extend(add.into_iter().filter(|task| !unresolved.contains(task)).map(|task| (task.value.clone(), task)));
        Ok(())
    }

    /// What the vCenter calls its operations, in both languages.
    async fn words(&self, entrance: &Entrance) -> Result<(), End> {
        let own = label::locale(self.of.request.language);
        self.name(own, &self.session.catalogue().await?).await?;
        let other = match self.of.request.language {
            Language::Zh => label::locale(Language::En),
            Language::En => label::locale(Language::Zh),
        };
        // A second session, since a session speaks one language. Without it the collection goes on all the same.
        let read = async {
            let session = entrance.sign_in_as(other).await?;
            let catalogue = session.catalogue().await;
            session.sign_out().await?;
            catalogue
        };
        match read.await {
            Ok(catalogue) => self.name(other, &catalogue).await,
            Err(error) => {
                tracing::warn!(vcenter = self.of.vcenter.name, %error, "operations are named in one language only");
                Ok(())
            }
        }
    }

    async fn name(&self, locale: &str, catalogue: &Catalogue) -> Result<(), End> {
        // Some labels only repeat the id: the catalogue shipped here may know better.
        let named = catalogue.iter().filter(|(id, label)| !label.label.is_empty() && label.label != *id);
        let labels = named.map(|(id, label)| (id.to_owned(), label.label.clone())).collect();
        Ok(collect::labels(&self.of.request, &self.of.lease, locale, labels).await?)
    }

    async fn inventory(&self) -> Result<(), End> {
        let entities = self.session.inventory().await?;
        let objects: Vec<Object> = entities.into_iter().map(object).collect();
        Ok(collect::objects(&self.of.request, &self.of.lease, &objects).await?)
    }
}

fn object(entity: Entity) -> Object {
    let text = |reference: Option<Reference>| reference.map(|reference| reference.to_string());
    Object {
        reference: entity.reference.to_string(),
        name: entity.name,
        parent: text(entity.parent),
        host: text(entity.host),
    }
}

fn state(state: CollectionState) -> News {
    News { state: Some((state, None)), ..News::default() }
}

/// Whether the vCenter means the task that is kept: it may have given the key out again.
fn is_same(task: &vsphere_task::Model, info: &TaskInfo) -> bool {
    task.key == info.key && task.queued_at == info.queue_time.into()
}

/// A simulator, or a single host.
fn has_no_history(error: &Error) -> bool {
    matches!(error, Error::Fault { kind, .. } if kind == "MethodNotFound" || kind == "NotSupported" || kind == "NotImplemented")
}

/// The vCenter's clock less ours, in microseconds: half of the way there is on either side.
async fn clock(session: &Session, of: &Collector) -> Result<i64, End> {
    let before = of.request.clock.now();
    let theirs: Timestamp = session.server_clock().await?.into();
    let after = of.request.clock.now();
    Ok(theirs.0 - (before.0 + after.0) / 2)
}
