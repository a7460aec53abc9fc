//! Jobs: submitted, watched, stopped and paused.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::Value;
use taskloom_entity::{JsonText, TaskId, task};

use super::super::captured::Captured;
use super::super::long::Long;
use super::super::query::{QueryString, Wrong};
use super::call::{LinkisCall, LinkisChangeCall, Sent};
use super::envelope::{LinkisAnswer, LinkisRefusal, LinkisRefusalBody, Message};
use super::id;
use super::log::{LinkisLogRange, accepted, shown};
use super::submit::{self, LinkisEngineKind};
use super::wire::{self, LinkisJobStatus, LinkisNamedJob};
use crate::error::{Error, Kind, code};
use crate::resolver::whole::{self, Whole};
use crate::resolver::{self, job, whole_log};

const OK: &str = "OK";
const ENDED: &str = "The job already completed. Do not support kill.(任务已经结束，不支持kill)";
const NO_STATUS: &str = "ID The corresponding job is empty and cannot obtain the corresponding task status.(ID 对应的job为空，不能获取相应的任务状态)";
const NO_PROGRESS: &str = "The job corresponding to the ID is empty, and the corresponding task progress cannot be obtained.(ID 对应的job为空，不能获取相应的任务进度)";
const NO_LOG: &str = "Failed to get log information(获取日志信息失败)";
const NO_KILL: &str = "Get job by ID error, kill failed.(获取job时发生异常，kill失败)";
const UNEQUAL: &str =
    "The length of the ID list does not match the length of the TASKID list(id列表的长度与taskId列表的长度不一致)";
const NO_LISTS: &str = "Request parameter error, please use array(请求参数错误，请使用数组)";
/// Jobs that one call kills at the most.
const MOST: usize = 10_000;

impl From<Wrong> for LinkisRefusal {
    fn from(Wrong { name, value, reason }: Wrong) -> Self {
        Self::words(format!("{name} does not accept '{value}': {}(参数{name}无效)", reason.en))
    }
}

/// The job that an id of the path names; these words when it names none.
async fn find(call: &LinkisCall, text: &str, unknown: &str) -> Result<Whole, LinkisRefusal> {
    let id = id::parse(text).ok_or_else(|| LinkisRefusal::words(unknown))?;
    whole::get(&call.request, id).await.map_err(|error| LinkisRefusal::or_unknown(error, || unknown.to_owned()))
}

/// The names of a job, as it was submitted with.
pub async fn named<'a>(call: &'a LinkisCall, task: &'a task::Model) -> Result<LinkisNamedJob<'a>, Error> {
    let said = whole::submissions(&call.request, &[task.id]).await?;
    let origin = said.get(&task.id).map_or(Value::Null, JsonText::value);
    Ok(LinkisNamedJob { task, origin, instance: call.instance() })
}

/// Submits a job. Either form of the body is understood.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/execute", operation_id = "linkis.execute", tag = "entrance",
    request_body(content = Object, description = "`{executionContent: {code, runType}, params, source, labels}`, or the old form"),
    responses((status = 200, description = "Accepted", body = Message<wire::LinkisSubmitAnswer>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn execute(call: LinkisCall, Sent(body): Sent) -> Response {
    call.answer(accept(&call, &body).await)
}

/// Submits a job. Either form of the body is understood.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/submit", operation_id = "linkis.submit", tag = "entrance",
    request_body(content = Object, description = "`{executionContent: {code, runType}, params, source, labels}`, or the old form"),
    responses((status = 200, description = "Accepted", body = Message<wire::LinkisSubmitAnswer>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn submit(call: LinkisCall, Sent(body): Sent) -> Response {
    call.answer(accept(&call, &body).await)
}

async fn accept(call: &LinkisCall, body: &[u8]) -> Result<LinkisAnswer<wire::LinkisSubmitAnswer>, LinkisRefusal> {
    // Who may not submit is told so before anything is said of the body.
    job::permit(&call.request).await?;
    let today = call.zone().at(call.request.clock.now()).date_naive();
    let job = submit::parse(body, &call.request.principal.name(), today)?;
    let source = match job.run {
        LinkisEngineKind::Sql => Some(resolver::source::of_engine(&call.request, None, &job.engine).await?.name),
        LinkisEngineKind::Shell | LinkisEngineKind::Python | LinkisEngineKind::Http => None,
    };
    let creator = job.creator.clone();
    let task = resolver::task::submit(&call.request, job.submission(source.as_deref())?).await?;
    let exec_id = id::exec_id(call.instance(), &creator, &task.creator, task.id);
    Ok(LinkisAnswer(OK, wire::LinkisSubmitAnswer { exec_id, task_id: Long(task.id.0) }))
}

/// Says where a job stands.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/status", operation_id = "linkis.status", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "Where it stands", body = Message<wire::Stands>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn status(call: LinkisCall, Captured([id]): Captured<1>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_STATUS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        Ok(LinkisAnswer(OK, wire::Stands { status: LinkisJobStatus::of(&whole), exec_id }))
    };
    call.answer(found.await)
}

/// Says how far a job is.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/progress", operation_id = "linkis.progress", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "How far it is", body = Message<wire::Progress>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn progress(call: LinkisCall, Captured([id]): Captured<1>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_PROGRESS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        Ok(LinkisAnswer(OK, wire::Progress::of(&whole, exec_id)))
    };
    call.answer(found.await)
}

/// Says how far a job is, and what it uses.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/progressWithResource", tag = "entrance",
    operation_id = "linkis.progressWithResource",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "How far it is", body = Message<wire::WithResource>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn resource(call: LinkisCall, Captured([id]): Captured<1>) -> Response {
    let found = async {
        let whole = find(&call, &id, NO_PROGRESS).await?;
        let exec_id = named(&call, &whole.task).await?.exec_id();
        let progress = wire::Progress::of(&whole, exec_id);
        let resource = wire::LinkisResourceUsage::of(&whole);
        Ok(LinkisAnswer(OK, wire::WithResource { progress, yarn_resource: None, resource }))
    };
    call.answer(found.await)
}

/// Shows lines of a job's log.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/log", operation_id = "linkis.log", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID"),
        ("fromLine" = Option<i64>, Query, description = "The first line; 0 means 1"),
        ("size" = Option<i64>, Query, description = "100 when left out; a negative one: 10,000"),
        ("distinctLevel" = Option<bool>, Query, description = "false: one text instead of four")),
    responses((status = 200, description = "Lines", body = Message<wire::LinkisLog>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn log(call: LinkisCall, Captured([id]): Captured<1>, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let query = QueryString::parse(query.as_deref())?;
        let ask = LinkisLogRange::new(query.number("fromLine")?, query.number("size")?);
        let distinct = query.one("distinctLevel")? != Some("false");
        let task = owned(&call, id::parse(&id), NO_LOG).await?;
        let named = named(&call, &task).await?;
        let mut texts = vec![];
        if ask.has_first() {
            texts.push(accepted(&named, call.zone()));
        }
        // A line comes twice where it is told from others by how loud it is.
        let bytes = call.request.page / if distinct { 2 } else { 1 };
        let (from, size) = ask.own();
        let own = whole_log::lines(&call.request, task.id, from, (size, bytes)).await?;
        texts.extend(own.lines.into_iter().map(|line| line.text));
        // The line in front is the first of all.
        let next = if ask.size > 0 { own.next + 1 } else { ask.from };
        let (log, exec_id) = (shown(&texts, distinct), named.exec_id());
        Ok(LinkisAnswer(OK, wire::LinkisLog { log, exec_id, from_line: Long(next) }))
    };
    call.answer(found.await)
}

/// The job of this id whose output the caller may read: its owner, or an administrator. To anybody else it is unknown.
pub(super) async fn owned(call: &LinkisCall, id: Option<TaskId>, unknown: &str) -> Result<task::Model, LinkisRefusal> {
    let id = id.ok_or_else(|| LinkisRefusal::words(unknown))?;
    job::own(&call.request, id).await.map_err(|error| match error.code() {
        own if own == &code::NOT_THE_OWNER => LinkisRefusal::words(unknown),
        _ => LinkisRefusal::or_unknown(error, || unknown.to_owned()),
    })
}

/// Stops a job with all its processes.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/kill", operation_id = "linkis.kill", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID"),
        ("taskID" = Option<i64>, Query, description = "Counts where the id of the path names no job")),
    responses((status = 200, description = "It is being stopped", body = Message<wire::Named1>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn kill(
    LinkisChangeCall(call): LinkisChangeCall,
    Captured([id]): Captured<1>,
    RawQuery(query): RawQuery,
) -> Response {
    let done = async {
        let query = QueryString::parse(query.as_deref())?;
        stop(&call, [Some(id.as_str()), query.one("taskID")?]).await
    };
    call.answer(done.await)
}

/// Stops the job that the first of these names which names one at all.
async fn stop(call: &LinkisCall, names: [Option<&str>; 2]) -> Result<LinkisAnswer<wire::Named1>, LinkisRefusal> {
    job::permit(&call.request).await?;
    let mut ids: Vec<TaskId> = names.into_iter().flatten().filter_map(id::parse).collect();
    if let [id, companion] = ids[..]
        && let Err(error) = resolver::task::get(&call.request, id).await
        && error.code().kind == Kind::NotFound
    {
        ids = vec![companion];
    }
    let id = ids.first().ok_or_else(|| LinkisRefusal::words(NO_KILL))?;
    let killed = job::kill(&call.request, *id).await;
    let task = killed.map_err(|error| match error.code() == &code::OPERATION_NOT_ALLOWED {
        true => LinkisRefusal::words(ENDED),
        false => not_own(error).unwrap_or_else(|error| LinkisRefusal::or_unknown(error, || NO_KILL.to_owned())),
    })?;
    let exec_id = named(call, &task).await?.exec_id();
    Ok(LinkisAnswer("Successfully killed the job(成功kill了job)", wire::Named1 { exec_id }))
}

/// The product's words about somebody else's job, whatever was to be done with it.
fn not_own(error: Error) -> Result<LinkisRefusal, Error> {
    if error.code() != &code::NOT_THE_OWNER {
        return Err(error);
    }
    let user = error.value("user").unwrap_or_default();
    Ok(LinkisRefusal::words(format!("You have no permission to kill this job, excecute by user:{user}")))
}

/// Stops several jobs; one that cannot be stopped stops no other.
#[utoipa::path(post, path = "/api/rest_j/v1/entrance/{id}/killJobs", operation_id = "linkis.killJobs", tag = "entrance",
    params(("id" = String, Path, description = "Any id: the body names the jobs")),
    request_body(content = Object, description = "`{taskIDList: [7, 8], idList: [\"exec_id…\", \"exec_id…\"]}`, of one length"),
    responses((status = 200, description = "An envelope for each", body = Message<wire::Killed>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn kill_jobs(call: LinkisCall, Sent(body): Sent) -> Response {
    let done = async {
        job::permit(&call.request).await?;
        let (ids, companions) = lists(&body)?;
        let mut messages = Vec::with_capacity(ids.len());
        for (id, companion) in ids.iter().zip(&companions) {
            let method = format!("/api/entrance/{id}/kill");
            messages.push(call.part(&method, stop(&call, [Some(id.as_str()), Some(companion.as_str())]).await));
        }
        Ok(LinkisAnswer("success", wire::Killed { messages }))
    };
    call.answer(done.await)
}

/// The ids of the jobs, and the taskIDs that count where those name none.
fn lists(body: &[u8]) -> Result<(Vec<String>, Vec<String>), LinkisRefusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| LinkisRefusal::words(NO_LISTS))?;
    let list = |key: &str| body.get(key).and_then(Value::as_array).ok_or_else(|| LinkisRefusal::words(NO_LISTS));
    let (ids, numbers) = (list("idList")?, list("taskIDList")?);
    if ids.len() != numbers.len() {
        return Err(LinkisRefusal::words(UNEQUAL));
    }
    if ids.len() > MOST {
        return Err(LinkisRefusal::words(format!("{MOST} jobs at a time are possible(一次最多{MOST}个任务)")));
    }
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok((ids.iter().map(text).collect(), numbers.iter().map(text).collect()))
}

/// Pauses a job: its processes stand still until it is resumed.
#[utoipa::path(get, path = "/api/rest_j/v1/entrance/{id}/pause", operation_id = "linkis.pause", tag = "entrance",
    params(("id" = String, Path, description = "The execID, or the taskID")),
    responses((status = 200, description = "It stands still", body = Message<wire::Named1>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn pause(LinkisChangeCall(call): LinkisChangeCall, Captured([text]): Captured<1>) -> Response {
    let done = async {
        job::permit(&call.request).await?;
        let unknown = || {
            format!(
                "can not find the job of exexID :{text} can not pause (不能找到execID: {text}对应的job，不能进行pause)"
            )
        };
        let id = id::parse(&text).ok_or_else(|| LinkisRefusal::words(unknown()))?;
        let paused = job::pause(&call.request, id).await;
        let task = paused.map_err(|error| match error.code() == &code::OPERATION_NOT_ALLOWED {
            true => LinkisRefusal::words(unknown()),
            false => not_own(error).unwrap_or_else(|error| LinkisRefusal::or_unknown(error, unknown)),
        })?;
        let exec_id = named(&call, &task).await?.exec_id();
        Ok(LinkisAnswer("success to pause job (成功pause了job)", wire::Named1 { exec_id }))
    };
    call.answer(done.await)
}
