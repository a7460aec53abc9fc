//! A round: what one session with a vCenter sees. It begins to follow before it reads what was missed, so that nothing
//! falls between; then it settles what it believed unfinished; then it follows until something breaks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use taskloom_entity::{CollectionState, Timestamp, VsphereInstanceId};
use tokio::time::Instant;

use super::collector::{Collector, End};
use crate::resolver::vcenter;
use crate::resolver::vsphere::collect::{self, News, Report, Seen, Source};
use crate::resolver::vsphere::info;
use crate::vsphere::{Error, Follow, Reference, Session, TaskInfo, Update};

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
pub(super) const TELL: Duration = Duration::from_secs(5);
/// How many keys of tasks are remembered, to notice a page of nothing but new ones.
const REMEMBERED: usize = 1000;

/// What one session sees.
pub(super) struct Round<'c> {
    pub(super) of: &'c Collector,
    pub(super) session: Session,
    pub(super) instance: VsphereInstanceId,
    pub(super) follow: Follow,
    /// The unfinished ones, by key.
    pub(super) watched: HashMap<String, Reference>,
    /// Keys of those that were told of last.
    pub(super) met: (HashSet<String>, VecDeque<String>),
    /// Those that were not to be found, and are looked for once more.
    pub(super) missing: HashSet<String>,
    /// The newest end that was seen, once nothing before it is missing.
    pub(super) completed_to: Option<Timestamp>,
    /// From the newest change of a state until it was on disk, in microseconds.
    pub(super) lag: Option<i64>,
    /// Their clock less ours, in microseconds.
    pub(super) offset: i64,
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
        round.record(seen, if is_first { Source::First } else { Source::Read }).await?;
        if is_first {
            round.first().await?;
        } else {
            round.gap().await?;
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

    /// What the vCenter tells within `longest`.
    pub(super) async fn listen(&mut self, longest: Duration) -> Result<Vec<TaskInfo>, End> {
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

    pub(super) async fn record(&mut self, infos: Vec<TaskInfo>, source: Source) -> Result<(), End> {
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

    pub(super) async fn write(&self, report: Report) -> Result<(), End> {
        match self.of.writer.write(report).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::LeaseLost),
            Err(error) => Err(End::Ours(error)),
        }
    }

    pub(super) async fn watch(&mut self, add: Vec<Reference>, remove: Vec<Reference>) -> Result<(), End> {
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
}

pub(super) fn state(state: CollectionState) -> News {
    News { state: Some((state, None)), ..News::default() }
}

/// The vCenter's clock less ours, in microseconds: half of the way there is on either side.
async fn clock(session: &Session, of: &Collector) -> Result<i64, End> {
    let before = of.request.clock.now();
    let theirs: Timestamp = session.server_clock().await?.into();
    let after = of.request.clock.now();
    Ok(theirs.0 - (before.0 + after.0) / 2)
}
