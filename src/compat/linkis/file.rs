//! Results and logs, by the handles that the history gave out. Only the owner of a job and administrators read them here.

use axum::extract::RawQuery;
use axum::response::Response;
use serde::Serialize;
use taskloom_entity::{ResultKind, SubtaskId, result_set};
use utoipa::ToSchema;

use super::super::query::{QueryString, wrong};
use super::call::LinkisCall;
use super::envelope::{LinkisAnswer, LinkisRefusal, LinkisRefusalBody, Message};
use super::history::bounded;
use super::job;
use super::log::{accepted, four};
use super::path::{self, LinkisFileHandle};
use super::wire::WholeLog;
use crate::error::Error;
use crate::resolver::log::LogTailLines;
use crate::resolver::whole::{self, Whole};
use crate::resolver::{self, result};
use crate::text::written;

const UNKNOWN: &str = "The path does not exist, or you have no permission to read it(路径不存在或没有访问权限)";
const USUAL: u32 = 5000;
const MOST: u32 = 10_000;

/// A folder of results.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisDirFileTree)]
pub struct Tree {
    name: String,
    path: String,
    #[schema(value_type = Option<Object>)]
    properties: Option<()>,
    children: Vec<Leaf>,
    is_leaf: bool,
    parent_path: Option<String>,
}

/// A result.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisFile)]
pub struct Leaf {
    name: String,
    path: String,
    properties: Properties,
    #[schema(value_type = Option<Object>)]
    children: Option<()>,
    is_leaf: bool,
    parent_path: String,
}

/// What is known of a result, as text.
#[derive(Debug, Serialize, ToSchema)]
pub struct Properties {
    size: String,
    modifytime: String,
}

/// A folder, and nothing else.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trees {
    dir_file_trees: Tree,
}

/// A column.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisColumn)]
pub struct Column {
    column_name: String,
    comment: String,
    /// `string boolean int bigint float double decimal date timestamp binary`.
    data_type: String,
}

/// A page of a result.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LinkisResultSet)]
pub struct LinkisResultPage {
    metadata: Vec<Column>,
    /// Always 0: a driver makes up rows for ever on a true one.
    total_page: u32,
    /// The rows of this page.
    total_line: usize,
    page: u32,
    /// "2": a table; "1": text.
    #[serde(rename = "type")]
    kind: String,
    file_content: Vec<Vec<Option<String>>>,
}

/// The job behind a handle of the query; only its owner's.
async fn owned(call: &LinkisCall, query: &QueryString) -> Result<(LinkisFileHandle, Whole), LinkisRefusal> {
    let handle = query.one("path")?.and_then(path::parse).ok_or_else(|| LinkisRefusal::words(UNKNOWN))?;
    let (LinkisFileHandle::Results(id) | LinkisFileHandle::Result(id, _) | LinkisFileHandle::Log(id)) = handle;
    let task = job::owned(call, Some(id), UNKNOWN).await?;
    Ok((handle, whole::of(&call.request, task).await?))
}

/// Where a job's results are: the tables of its steps, or else what its one script has said.
enum Results {
    Tables(Vec<result_set::Model>),
    Output(SubtaskId, i64),
    Nothing,
}

async fn results(call: &LinkisCall, whole: &Whole) -> Result<Results, LinkisRefusal> {
    let sets = result::of_steps(&call.request, &whole.subtasks).await?;
    if !sets.is_empty() {
        return Ok(Results::Tables(sets));
    }
    Ok(match whole.subtasks.first().filter(|step| step.runs > 0 && step.executor.is_process()) {
        Some(step) => Results::Output(step.id, step.log_bytes),
        None => Results::Nothing,
    })
}

/// Lists the results of a job.
#[utoipa::path(get, path = "/api/rest_j/v1/filesystem/getDirFileTrees", operation_id = "linkis.getDirFileTrees",
    tag = "history", params(("path" = String, Query, description = "`resultLocation` of the history")),
    responses((status = 200, description = "The results", body = Message<Trees>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn tree(call: LinkisCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let (handle, whole) = owned(&call, &QueryString::parse(query.as_deref())?).await?;
        if !matches!(handle, LinkisFileHandle::Results(_)) {
            return Err(LinkisRefusal::words(UNKNOWN));
        }
        let at = whole.task.finished_at.unwrap_or(whole.task.created_at);
        let parent = path::results(whole.task.id);
        let leaf = |number: usize, size: i64| {
            let name = path::name(i32::try_from(number).unwrap_or(i32::MAX));
            Leaf {
                path: format!("{parent}/{name}"),
                name,
                properties: Properties { size: size.to_string(), modifytime: (at.0 / 1000).to_string() },
                children: None,
                is_leaf: true,
                parent_path: parent.clone(),
            }
        };
        let children = match results(&call, &whole).await? {
            Results::Tables(sets) => sets.iter().enumerate().map(|(number, set)| leaf(number, set.bytes)).collect(),
            Results::Output(_, bytes) => vec![leaf(0, bytes)],
            Results::Nothing => vec![],
        };
        let tree = Tree {
            name: "result".to_owned(),
            path: parent.clone(),
            properties: None,
            children,
            is_leaf: false,
            parent_path: None,
        };
        Ok(LinkisAnswer("OK", Trees { dir_file_trees: tree }))
    };
    call.answer(found.await)
}

/// Shows a page of one result.
#[utoipa::path(get, path = "/api/rest_j/v1/filesystem/openFile", operation_id = "linkis.openFile", tag = "history",
    params(("path" = String, Query, description = "A result's path"),
        ("page" = Option<u32>, Query, description = "From 1"), ("pageSize" = Option<u32>, Query),
        ("nullValue" = Option<String>, Query, description = "`NULL` when left out; `LINKIS_NULL`: null")),
    responses((status = 200, description = "Rows", body = Message<LinkisResultPage>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn open(call: LinkisCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let query = QueryString::parse(query.as_deref())?;
        let (handle, whole) = owned(&call, &query).await?;
        let LinkisFileHandle::Result(_, number) = handle else { return Err(LinkisRefusal::words(UNKNOWN)) };
        let (page, size) = (bounded(&query, "page", 1, u32::MAX)?, bounded(&query, "pageSize", USUAL, MOST)?);
        let smaller = |error| smaller(error, size, call.request.page);
        let part = (i64::from(page - 1) * i64::from(size), i64::from(size));
        let null = match query.one("nullValue")? {
            Some("LINKIS_NULL") => None,
            other => Some(other.unwrap_or("NULL").to_owned()),
        };
        match results(&call, &whole).await? {
            Results::Tables(mut sets) => {
                let at = usize::try_from(number).ok().filter(|at| *at < sets.len());
                let set = sets.swap_remove(at.ok_or_else(|| LinkisRefusal::words(UNKNOWN))?);
                Ok(LinkisAnswer(
                    "OK",
                    table(result::page(&call.request, set, part).await.map_err(smaller)?, page, null.as_ref()),
                ))
            }
            Results::Output(step, _) if number == 0 => {
                let lines = result::output(&call.request, step, part).await.map_err(smaller)?;
                Ok(LinkisAnswer("OK", text(lines.into_iter().map(|line| vec![Some(line)]).collect(), page)))
            }
            Results::Output(..) | Results::Nothing => Err(LinkisRefusal::words(UNKNOWN)),
        }
    };
    call.answer(found.await)
}

/// A page that has too many bytes, in the words for a wrong parameter.
fn smaller(error: Error, size: u32, most: usize) -> LinkisRefusal {
    let reason = match error.value("fits") {
        Some("0") => (
            format!("one row alone has more than the {most} bytes of a page"),
            format!("单独一行就超过一页的 {most} 字节"),
        ),
        Some(fits) => (
            format!("the rows of this page have more than {most} bytes, {fits} is possible"),
            format!("本页的行超过 {most} 字节，可用的值为 {fits}"),
        ),
        None => return error.into(),
    };
    wrong("pageSize", &size.to_string(), reason).into()
}

fn table(found: result::ResultPage, page: u32, null: Option<&String>) -> LinkisResultPage {
    let column = |column: crate::rows::Column| Column {
        column_name: column.name,
        comment: column.comment,
        data_type: column.kind.name().to_lowercase(),
    };
    let cell = |cell: Option<String>| cell.or_else(|| null.cloned());
    let rows = found.rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect();
    match found.set.kind {
        ResultKind::Text => text(rows, page),
        ResultKind::Table => LinkisResultPage::of("2", found.columns.into_iter().map(column).collect(), rows, page),
    }
}

/// What an engine has said that writes text: a line a row, under the product's name for its one column.
fn text(rows: Vec<Vec<Option<String>>>, page: u32) -> LinkisResultPage {
    let column = Column { column_name: "linkis_string".into(), comment: "NULL".into(), data_type: "string".into() };
    LinkisResultPage::of("1", vec![column], rows, page)
}

impl LinkisResultPage {
    fn of(kind: &str, metadata: Vec<Column>, rows: Vec<Vec<Option<String>>>, page: u32) -> Self {
        Self { metadata, total_page: 0, total_line: rows.len(), page, kind: kind.to_owned(), file_content: rows }
    }
}

/// Shows a job's log as a whole, or its end.
#[utoipa::path(get, path = "/api/rest_j/v1/filesystem/openLog", operation_id = "linkis.openLog", tag = "history",
    params(("path" = String, Query, description = "`logPath` of the history")),
    responses((status = 200, description = "Four texts", body = Message<WholeLog>),
    (status = "4XX", description = "Refused", body = LinkisRefusalBody)))]
pub async fn open_log(call: LinkisCall, RawQuery(query): RawQuery) -> Response {
    let found = async {
        let (handle, whole) = owned(&call, &QueryString::parse(query.as_deref())?).await?;
        if !matches!(handle, LinkisFileHandle::Log(_)) {
            return Err(LinkisRefusal::words(UNKNOWN));
        }
        let mut lines = vec![accepted(&job::named(&call, &whole.task).await?, call.zone())];
        lines.extend(end(&call, &whole).await?);
        Ok(LinkisAnswer("OK", WholeLog { log: four(&lines) }))
    };
    call.answer(found.await)
}

/// The logs of all steps, one behind the other: the last lines of them, as many as a page holds.
async fn end(call: &LinkisCall, whole: &Whole) -> Result<Vec<String>, LinkisRefusal> {
    let mut left = call.request.page;
    let mut logs = vec![];
    for step in whole.subtasks.iter().rev() {
        let tail = match i64::try_from(left).unwrap_or(i64::MAX) {
            0 => LogTailLines { left_out: step.log_bytes, lines: vec![] },
            most => resolver::log::tail(&call.request, step.id.into(), most).await?,
        };
        left = tail.lines.iter().fold(left, |left, line| left.saturating_sub(written(&line.text) + 1));
        if tail.left_out > 0 {
            left = 0;
        }
        logs.push(tail);
    }
    let mut lines = vec![];
    for tail in logs.into_iter().rev() {
        if tail.left_out > 0 {
            lines.push(format!("... the first {} bytes of this log are left out", tail.left_out));
        }
        lines.extend(tail.lines.into_iter().map(|line| line.text));
    }
    Ok(lines)
}
