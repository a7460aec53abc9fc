//! The list of task instances. A long page is written while it is read, some tasks at a time: it may have a hundred times
//! as many subtasks as tasks.

use std::io;
use std::vec::IntoIter;

use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, stream};
use taskloom_entity::task;

use super::super::caller;
use super::super::query::wrong;
use super::ask::{self, OcpListRequest};
use super::call::OcpCall;
use super::error::OcpRefusal;
use super::wire::{BasicTask, ErrorAnswer, OcpTaskPage, PageAnswer};
use crate::error::Error;
use crate::resolver::{self, whole};

/// Tasks that are held with their subtasks at a time.
const SOME: usize = 100;
/// Subtasks of a page at the most.
const SUBTASKS: u64 = 200_000;

/// A page that was found.
struct OcpPageRows {
    ask: OcpListRequest,
    tasks: Vec<task::Model>,
    total: u64,
}

/// Lists task instances.
#[utoipa::path(get, path = "/api/v2/tasks/instances", operation_id = "ocp.listTaskInstances", tag = "tasks",
    params(ask::OcpListParameters), responses((status = 200, description = "A page", body = PageAnswer),
    (status = "4XX", description = "Refused", body = ErrorAnswer)))]
pub async fn list(call: OcpCall, RawQuery(query): RawQuery) -> Response {
    match find(&call, query.as_deref()).await {
        Ok(found) if found.tasks.len() <= SOME => {
            let numbers = (found.ask.page, found.ask.size);
            let page = async { Ok(OcpTaskPage::new(contents(&call, found.tasks).await?, found.total, numbers)) };
            call.answer(page.await)
        }
        Ok(found) => {
            let json = HeaderValue::from_static("application/json");
            ([(CONTENT_TYPE, json)], Body::from_stream(written(call, found))).into_response()
        }
        Err(refusal) => call.answer(Err::<OcpTaskPage, _>(refusal)),
    }
}

async fn find(call: &OcpCall, query: Option<&str>) -> Result<OcpPageRows, OcpRefusal> {
    let ask = ask::parse(query)?;
    let part = (ask.offset(), ask.size.into());
    let (tasks, total) = resolver::task::page(&call.request, &ask.filter, &ask.orders, part).await?;
    if tasks.len() > SOME {
        let subtasks = whole::count(&call.request, &tasks).await?;
        if subtasks > SUBTASKS {
            let fits = (u64::from(ask.size) * SUBTASKS / subtasks).max(1);
            let reason = (
                format!("its tasks have {subtasks} subtasks, {SUBTASKS} are possible: ask for {fits}"),
                format!("本页任务共有 {subtasks} 个子任务，最多 {SUBTASKS} 个：请改为 {fits}"),
            );
            return Err(wrong("size", &ask.size.to_string(), reason).into());
        }
    }
    Ok(OcpPageRows { ask, tasks, total })
}

async fn contents(call: &OcpCall, tasks: Vec<task::Model>) -> Result<Vec<BasicTask>, Error> {
    let mut subtasks = whole::briefs(&call.request, &tasks).await?;
    let basic = |task: task::Model| {
        let own = subtasks.remove(&task.id).unwrap_or_default();
        BasicTask::of(task, own, call.zone())
    };
    Ok(tasks.into_iter().map(basic).collect())
}

/// What is left to be written.
struct OcpPageStream {
    call: OcpCall,
    tasks: IntoIter<task::Model>,
    total: u64,
    numbers: (u32, u32),
    has_begun: bool,
    has_ended: bool,
}

/// The page in pieces. An error breaks it off: the client sees that it is not whole.
fn written(call: OcpCall, found: OcpPageRows) -> impl Stream<Item = io::Result<Bytes>> {
    let OcpPageRows { ask, tasks, total } = found;
    let numbers = (ask.page, ask.size);
    let rest = OcpPageStream { call, tasks: tasks.into_iter(), total, numbers, has_begun: false, has_ended: false };
    stream::try_unfold(rest, |mut rest| async move {
        let piece = rest.next().await.inspect_err(|error| caller::log(error, &rest.call.request.id));
        let piece = piece.map_err(|error| io::Error::other(error.to_string()))?;
        Ok(piece.map(|piece| (piece, rest)))
    })
}

impl OcpPageStream {
    /// The next piece; none behind the end.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        let mut text = vec![];
        if !self.has_begun {
            text.extend(self.around().0.bytes());
        }
        let some: Vec<task::Model> = self.tasks.by_ref().take(SOME).collect();
        for task in contents(&self.call, some).await? {
            if std::mem::replace(&mut self.has_begun, true) {
                text.push(b',');
            }
            serde_json::to_writer(&mut text, &task).map_err(Error::internal)?;
        }
        if self.tasks.len() == 0 {
            self.has_ended = true;
            text.extend(self.around().1.bytes());
        }
        Ok(Some(text.into()))
    }

    /// The envelope of this moment around the tasks: what comes before them, and what comes behind.
    fn around(&self) -> (String, String) {
        let empty = self.call.envelope(OcpTaskPage::new(vec![], self.total, self.numbers));
        // Nothing but the list's name comes before it.
        let (before, behind) = empty.split_once("[]").unwrap_or_default();
        (format!("{before}["), format!("]{behind}"))
    }
}
