//! The history: one job, and a page of them.

use axum::extract::RawQuery;
use axum::response::Response;
use serde_json::Value;
use taskloom_entity::{Role, Timestamp, task};

use super::super::captured::Captured;
use super::super::long::Long;
use super::super::query::{QueryString, wrong};
use super::call::LinkisCall;
use super::envelope::{LinkisAnswer, LinkisRefusal, LinkisRefusalBody, Message};
use super::wire::{self, LinkisJobStatus, LinkisNamedJob};
use super::{id, job};
use crate::resolver::task::{TaskFilter, TaskOrder};
use crate::resolver::{self, whole};

const UNKNOWN: &str = "The corresponding job was not found, or there may be no permission to view the job(没有找到对应的job，也可能是没有查看该job的权限)";
const USUAL: u32 = 20;
const MOST: u32 = 1000;
/// Jobs that are held with their steps at a time.
const SOME: usize = 50;

/// Shows one job of the history.
#[utoipa::path(get, path = "/api/rest_j/v1/jobhistory/{taskID}/get", operation_id = "linkis.getTask", tag = "history",
    params(("taskID" = String, Path, description = "The taskID, or the execID")),
    responses((status = 200, description = "The job", body = Message<wire::LinkisTaskAnswer>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn get(call: LinkisCall, Captured([text]): Captured<1>) -> Response {
    let found = async {
        let id = id::parse(&text).ok_or_else(|| LinkisRefusal::words(UNKNOWN))?;
        let found = whole::get(&call.request, id).await;
        let whole = found.map_err(|error| LinkisRefusal::or_unknown(error, || UNKNOWN.to_owned()))?;
        let named = job::named(&call, &whole.task).await?;
        let task = wire::LinkisTask::of(&whole, &named, call.request.clock.now());
        Ok(LinkisAnswer("OK", wire::LinkisTaskAnswer { task }))
    };
    call.answer(found.await)
}

/// Lists the caller's jobs, the newest first.
#[utoipa::path(get, path = "/api/rest_j/v1/jobhistory/list", operation_id = "linkis.listTasks", tag = "history",
    params(("startDate" = Option<i64>, Query, description = "Epoch milliseconds"),
        ("endDate" = Option<i64>, Query, description = "Epoch milliseconds"),
        ("status" = Option<String>, Query, description = "Several are separated by commas"),
        ("taskID" = Option<i64>, Query), ("creator" = Option<String>, Query),
        ("executeApplicationName" = Option<String>, Query),
        ("pageNow" = Option<u32>, Query, description = "From 1"), ("pageSize" = Option<u32>, Query),
        ("isAdminView" = Option<bool>, Query, description = "Everybody's jobs, for administrators")),
    responses((status = 200, description = "A page", body = Message<wire::History>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn list(call: LinkisCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let query = QueryString::parse(query.as_deref())?;
        let filter = filter(&call, &query)?;
        let (page, size) = (bounded(&query, "pageNow", 1, u32::MAX)?, bounded(&query, "pageSize", USUAL, MOST)?);
        let part = (u64::from(page - 1) * u64::from(size), u64::from(size));
        let (tasks, total) = resolver::task::page(&call.request, &filter, &[(TaskOrder::Id, true)], part).await?;
        fit(&call, &tasks, size).await?;
        let now = call.request.clock.now();
        let mut shown = Vec::with_capacity(tasks.len());
        let mut tasks = tasks.into_iter().peekable();
        while tasks.peek().is_some() {
            let some: Vec<task::Model> = tasks.by_ref().take(SOME).collect();
            let ids: Vec<_> = some.iter().map(|task| task.id).collect();
            let mut said = whole::submissions(&call.request, &ids).await?;
            for whole in whole::many(&call.request, some).await? {
                let origin = said.remove(&whole.task.id).map_or(Value::Null, |sent| sent.value());
                let named = LinkisNamedJob { task: &whole.task, origin, instance: call.instance() };
                shown.push(wire::LinkisTask::of(&whole, &named, now));
            }
        }
        Ok(LinkisAnswer("OK", wire::History { tasks: shown, total_page: Long(total.cast_signed()) }))
    };
    call.answer(found.await)
}

/// Refuses a page whose jobs were submitted with more bytes than a page may have: it shows them all.
async fn fit(call: &LinkisCall, tasks: &[task::Model], size: u32) -> Result<(), LinkisRefusal> {
    let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
    let lengths = whole::submission_lengths(&call.request, &ids).await?;
    let (mut left, most) = (call.request.page, call.request.page);
    for (fits, id) in ids.iter().enumerate() {
        let length = lengths.get(id).copied().unwrap_or(0);
        // One job is shown however long it is.
        if length > left && fits > 0 {
            let reason = (
                format!("the jobs of this page have more than {most} bytes, {fits} is possible"),
                format!("本页作业超过 {most} 字节，可用的值为 {fits}"),
            );
            return Err(wrong("pageSize", &size.to_string(), reason).into());
        }
        left = left.saturating_sub(length);
    }
    Ok(())
}

fn filter(call: &LinkisCall, query: &QueryString) -> Result<TaskFilter, LinkisRefusal> {
    let date = |name| Ok::<_, LinkisRefusal>(query.number::<i64>(name)?.map(|at| Timestamp(at.saturating_mul(1000))));
    let everybody = query.one("isAdminView")? == Some("true") && call.request.principal.role() == Some(Role::Admin);
    let mut filter = TaskFilter {
        creator: (!everybody).then(|| call.request.principal.name()),
        created_from: date("startDate")?,
        created_to: date("endDate")?,
        ..TaskFilter::default()
    };
    let words = query.all("status").flat_map(|value| value.split(',')).map(str::trim);
    for word in words.filter(|word| !word.is_empty() && *word != "All") {
        let standings = LinkisJobStatus::standings(word)
            .ok_or_else(|| wrong("status", word, ("no such status", "没有这种状态")))?;
        filter.standings.get_or_insert_default().extend(standings);
    }
    if let Some(text) = query.one("taskID")? {
        let id = id::parse(text).ok_or_else(|| wrong("taskID", text, ("a number is expected", "应为数字")))?;
        filter.ids = Some(vec![id]);
    }
    for (name, label) in [("creator", "linkis.creator"), ("executeApplicationName", "linkis.application")] {
        if let Some(value) = query.one(name)? {
            filter.labels.get_or_insert_default().push((label.to_owned(), Some(value.to_owned())));
        }
    }
    Ok(filter)
}

pub(super) fn bounded(query: &QueryString, name: &str, usual: u32, most: u32) -> Result<u32, LinkisRefusal> {
    match query.number(name)?.unwrap_or(usual) {
        number if (1..=most).contains(&number) => Ok(number),
        number => Err(wrong(
            name,
            &number.to_string(),
            (format!("1 to {most} is possible"), format!("取值范围为 1 到 {most}")),
        )
        .into()),
    }
}
