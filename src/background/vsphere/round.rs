//! A round: what one session with a vCenter sees. It begins to follow before it reads what was missed, so that nothing
//! falls between; then it settles what it believed unfinished; then it follows until something breaks.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use taskloom_entity::{CollectionState, Timestamp, VsphereInstanceId};
use tokio::time::Instant;

use super::clock::VcenterClock;
use super::leased::LeasedVcenter;
use super::remarks::Remarks;
use super::trouble::VsphereRoundEnd;
use crate::resolver::vcenter::{self, VcenterConnector};
use crate::resolver::vsphere::collect::{self, News, Report, ReportSource, Seen};
use crate::resolver::vsphere::info;
use crate::resolver::vsphere::unreadable;
use crate::vsphere::{Follow, Reference, Session, TaskInfo};

/// How many of the newest tasks each update tells. A burst that outruns them is read from the history.
pub(super) const PAGE: i32 = 20;
/// How often the inventory is read, and the words.
pub(super) const INVENTORY: Duration = Duration::from_secs(600);
const WORDS: Duration = Duration::from_secs(6 * 3600);
/// How many keys of tasks are remembered, to notice a page of nothing but new ones.
const REMEMBERED: usize = 1000;

/// What one session sees.
pub(super) struct VsphereRound<'c> {
    pub(super) of: &'c LeasedVcenter,
    pub(super) session: Session,
    pub(super) instance: VsphereInstanceId,
    pub(super) follow: Follow,
    /// Whether nothing was read of this vCenter before.
    pub(super) is_first: bool,
    /// The unfinished ones, by key, and when they were queued.
    pub(super) watched: HashMap<String, (Reference, Timestamp)>,
    /// Keys of those that were told of last.
    pub(super) met: (HashSet<String>, VecDeque<String>),
    /// Those that were not to be found, and are looked for once more.
    pub(super) missing: HashSet<String>,
    /// Whether some that are not watched may be unfinished: what had a key that was given out again, or has gone.
    pub(super) is_in_doubt: bool,
    /// Whether something may have happened that nobody told of.
    pub(super) is_behind: bool,
    /// References of objects that tasks named, and that are known or were looked for.
    pub(super) objects: HashSet<String>,
    /// When the inventory was read.
    pub(super) inventoried: Instant,
    /// The newest end that was seen, once nothing before it is missing. Never in the vCenter's future.
    pub(super) completed_to: Option<Timestamp>,
    /// From the newest change of a state until it was on disk, in microseconds.
    pub(super) lag: Option<i64>,
    pub(super) clock: VcenterClock,
    pub(super) remarks: Remarks,
}

impl<'c> VsphereRound<'c> {
    /// Runs a round; why it ended.
    pub(super) async fn run(leased: &'c mut LeasedVcenter) -> VsphereRoundEnd {
        match Self::begin(leased).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn begin(leased: &'c mut LeasedVcenter) -> Result<Infallible, VsphereRoundEnd> {
        // Why the last round ended is shown until this one comes further.
        leased.tell(News { state: Some((CollectionState::Connecting, None)), ..News::default() }).await?;
        let entrance = vcenter::entrance(&leased.request, leased.vcenter.id).await?;
        let session = entrance.sign_in().await?;
        let last = leased.session.replace(session.clone());
        leased.part(last).await;
        let mut round = Self::open(leased, session).await?;
        round.catch_up(&entrance).await?;
        round.go_on().await
    }

    async fn open(of: &'c LeasedVcenter, session: Session) -> Result<Self, VsphereRoundEnd> {
        let stands = collect::stands(&of.request, &of.lease).await?.ok_or(VsphereRoundEnd::LeaseLost)?;
        let about = session.about().clone();
        let instance = collect::meet(&of.request, &of.lease, &about.instance_uuid).await?;
        let clock = VcenterClock::read(&session, &of.request).await?;
        let is_known = stands.instance_id == Some(instance);
        let is_first = stands.read_at.is_none() || !is_known;
        let follow = session.follow(PAGE).await?;
        let mut round = VsphereRound {
            of,
            session,
            instance,
            follow,
            is_first,
            watched: HashMap::new(),
            met: <_>::default(),
            missing: HashSet::new(),
            is_in_doubt: false,
            is_behind: false,
            objects: HashSet::new(),
            inventoried: Instant::now(),
            completed_to: stands.completed_to.filter(|_| !is_first),
            lag: None,
            clock,
            remarks: Remarks::of(&stands),
        };
        let jump = stands.clock_offset.filter(|_| is_known).and_then(|offset| clock.jump_from(offset));
        round.turn(clock, jump);
        round.tell(News { product: Some(about.full_name), ..News::default() }).await?;
        Ok(round)
    }

    /// Reads everything that happened until now.
    async fn catch_up(&mut self, entrance: &VcenterConnector) -> Result<(), VsphereRoundEnd> {
        let is_due = |read: Option<Instant>, every: Duration| read.is_none_or(|read| read.elapsed() > every);
        let read = *self.of.read.lock().unwrap_or_else(PoisonError::into_inner);
        if is_due(read.0, WORDS) {
            self.words(entrance).await?;
            self.of.read.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(Instant::now());
        }
        if is_due(read.1, INVENTORY) {
            self.inventory().await?;
        }
        self.take_up().await?;
        let seen = self.listen(Duration::ZERO).await?;
        self.record(seen, if self.is_first { ReportSource::First } else { ReportSource::Read }).await?;
        if self.is_first {
            self.first().await?;
        } else {
            self.gap().await?;
        }
        self.is_behind = false;
        self.settle().await?;
        self.of.follows.store(true, Ordering::Relaxed);
        let now = self.of.request.clock.now();
        // Who it is counts from now on: until then another round begins from nothing.
        let (instance_id, read_at) = (Some(self.instance), self.is_first.then_some(now));
        self.is_first = false;
        self.remarks.is_new = true;
        self.tell(News { instance_id, read_at, seen_at: Some(now), ..News::default() }).await
    }

    /// Writes how it goes, and once it follows what is to be said beside.
    pub(super) async fn tell(&mut self, news: News) -> Result<(), VsphereRoundEnd> {
        self.note_left_out();
        let now = self.of.request.clock.now();
        let (completed_to, lag, clock_offset) = (self.completed_to, self.lag.take(), Some(self.clock.offset));
        let mut news = News { completed_to, lag, clock_offset, ..news };
        if std::mem::take(&mut self.remarks.is_new) {
            news.unreadable = Some(self.remarks.unreadable.json());
            (news.clock_jump, news.clock_jumped_at) = self.remarks.jump.unzip();
        }
        if self.of.follows() {
            news.state = Some((CollectionState::Following, self.remarks.words(now)));
        }
        self.of.tell(news).await
    }

    /// Takes in what the vCenter's clock shows, and how far it jumped since it was last looked at. One that was ahead and
    /// is set right has given out instants that are still to come: what is read up to goes back with it.
    pub(super) fn turn(&mut self, clock: VcenterClock, jump: Option<i64>) {
        self.clock = clock;
        if let Some(micros) = jump {
            tracing::warn!(vcenter = self.of.vcenter.name, micros, "the vCenter's clock jumped");
            self.remarks.jump(micros, self.of.request.clock.now());
            if micros < 0 {
                self.completed_to = self.completed_to.map(|at| Timestamp(at.0.saturating_add(micros)));
                self.is_behind = true;
            }
        }
        self.completed_to = self.completed_to.map(|at| at.min(clock.now()));
    }

    /// Looks at the vCenter's clock.
    pub(super) async fn look_at_clock(&mut self) -> Result<(), VsphereRoundEnd> {
        let clock = VcenterClock::read(&self.session, &self.of.request).await?;
        let jump = self.clock.jump(&clock);
        self.turn(clock, jump);
        Ok(())
    }

    pub(super) async fn record(&mut self, infos: Vec<TaskInfo>, source: ReportSource) -> Result<(), VsphereRoundEnd> {
        self.note_left_out();
        if infos.is_empty() {
            return Ok(());
        }
        let (mut add, mut remove) = (vec![], vec![]);
        let mut turned: Option<Timestamp> = None;
        for info in &infos {
            self.note_flaw(info);
            let watched = self.watched.get(&info.key).map(|(_, queued_at)| *queued_at);
            let is_known = watched.is_some() || self.met.0.contains(&info.key);
            // Progress has no instant: only ends and beginnings tell how long they took to get here.
            let at = info.complete_time.or_else(|| info.start_time.or(Some(info.queue_time)).filter(|_| !is_known));
            turned = turned.max(at.map(Timestamp::from));
            let is_same = watched.is_some_and(|queued_at| info.is_of(queued_at.utc()));
            let is_former = !is_same && watched.is_some_and(|queued_at| Timestamp::from(info.queue_time) < queued_at);
            // The key was given out again: how its former task ended is to be found out.
            self.is_in_doubt |= watched.is_some() && !is_same;
            match info.state.is_final() {
                _ if is_former => {}
                false if !is_same => add.push((info.task.clone(), Timestamp::from(info.queue_time))),
                true if watched.is_some() => remove.push(info.task.clone()),
                _ => {}
            }
            if source != ReportSource::First && self.met.0.insert(info.key.clone()) {
                self.met.1.push_back(info.key.clone());
                if self.met.1.len() > REMEMBERED
                    && let Some(oldest) = self.met.1.pop_front()
                {
                    self.met.0.remove(&oldest);
                }
            }
        }
        let named = if source == ReportSource::First { vec![] } else { self.unmet_objects(&infos) };
        let tasks: Vec<Seen> = infos.into_iter().map(info::seen).collect();
        let completed = tasks.iter().filter_map(|task| task.completed_at).max();
        self.write(Report { lease: self.of.lease.clone(), instance: self.instance, source, tasks }).await?;
        let now = self.clock.now();
        self.completed_to = self.completed_to.max(completed.map(|at| at.min(now)));
        if let Some(turned) = turned.filter(|_| source == ReportSource::Live) {
            self.lag = self.lag.max(Some((now.0 - turned.0).max(0)));
        }
        self.watch(add, remove).await?;
        self.meet_objects(named).await
    }

    pub(super) async fn write(&mut self, report: Report) -> Result<(), VsphereRoundEnd> {
        let written = self.of.writer.write(report).await.map_err(VsphereRoundEnd::Ours)?;
        written.refused.into_iter().for_each(|task| self.note(task));
        if written.is_held { Ok(()) } else { Err(VsphereRoundEnd::LeaseLost) }
    }

    pub(super) async fn watch(
        &mut self,
        add: Vec<(Reference, Timestamp)>,
        remove: Vec<Reference>,
    ) -> Result<(), VsphereRoundEnd> {
        if add.is_empty() && remove.is_empty() {
            return Ok(());
        }
        let references: Vec<Reference> = add.iter().map(|(task, _)| task.clone()).collect();
        let unresolved: HashSet<Reference> = self.follow.watch(&references, &remove).await?.into_iter().collect();
        for task in &remove {
            self.watched.remove(&task.value);
        }
        let resolved = add.into_iter().filter(|(task, _)| !unresolved.contains(task));
        self.watched.extend(resolved.map(|(task, queued_at)| (task.value.clone(), (task, queued_at))));
        Ok(())
    }

    /// Notes what of a task could not be read, or that all of it was.
    fn note_flaw(&mut self, info: &TaskInfo) {
        match &info.flaw {
            Some(why) => {
                self.note(unreadable::UnreadableTask { key: info.key.clone(), why: why.clone(), is_kept: true });
            }
            None if self.remarks.unreadable.names(&info.key) => {
                self.remarks.is_new |= self.remarks.unreadable.mend(&info.key);
            }
            None => {}
        }
    }

    /// Notes the tasks that were left out of the answers of this session.
    pub(super) fn note_left_out(&mut self) {
        let left_out = self.session.left_out();
        for task in left_out.tasks {
            self.note(unreadable::UnreadableTask { key: task.key, why: task.why, is_kept: false });
        }
        if left_out.more > 0 {
            self.remarks.unreadable.add(left_out.more);
            self.remarks.is_new = true;
            self.of.request.store.metrics().vsphere_unreadable.inc_by(left_out.more);
        }
    }

    fn note(&mut self, task: unreadable::UnreadableTask) {
        let (vcenter, key, why) = (self.of.vcenter.name.as_str(), task.key.clone(), task.why.clone());
        if self.remarks.unreadable.note(task) {
            tracing::warn!(vcenter, key, why, "a task of a vCenter cannot be read as it was told");
            self.remarks.is_new = true;
            self.of.request.store.metrics().vsphere_unreadable.inc();
        }
    }
}
