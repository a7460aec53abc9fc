//! What a route of a dialect would cost by hand: one axum handler that lists tasks as `/api/v2/tasks/instances` does, with
//! SeaORM and serde and nothing between. `benches/dialects.py` starts it beside the server, on the same database, and
//! holds its answers against the server's.
//!
//! Usage: `handwritten DATABASE_URL PORT`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for people at a terminal")]

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use chrono::{DateTime, SubsecRound};
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use taskloom_entity::{Operation, SubtaskState, TaskId, TaskState, Timestamp, subtask, task, token};

#[derive(Deserialize)]
struct Ask {
    page: u64,
    size: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Numbers {
    number: u64,
    size: u64,
    total_elements: u64,
    total_pages: u64,
}

#[derive(Serialize)]
struct Page {
    contents: Vec<Task>,
    page: Numbers,
}

#[derive(Serialize)]
struct Creator {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    creator: Creator,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_time: Option<String>,
    id: i64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    status: &'static str,
    subtasks: Vec<Subtask>,
}

#[derive(Serialize)]
struct Subtask {
    description: String,
    id: i64,
    name: String,
    operation: Operation,
    status: SubtaskState,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    data: Page,
    duration: u64,
    server: &'static str,
    status: u16,
    successful: bool,
    timestamp: String,
    trace_id: String,
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut options = ConnectOptions::new(&arguments[1]);
    options.max_connections(10).sqlx_logging(false);
    let base = Database::connect(options).await.unwrap();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", arguments[2])).await.unwrap();
    println!("ready");
    axum::serve(listener, Router::new().route("/api/v2/tasks/instances", get(list)).with_state(base)).await.unwrap();
}

async fn list(State(base): State<DatabaseConnection>, headers: HeaderMap, Query(ask): Query<Ask>) -> Response {
    let began = std::time::Instant::now();
    if !is_known(&base, &headers).await {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let total = task::Entity::find().count(&base).await.unwrap();
    let newest = task::Entity::find().order_by_desc(task::Column::Id);
    let tasks = newest.offset((ask.page - 1) * ask.size).limit(ask.size).all(&base).await.unwrap();
    let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
    let steps = subtask::Entity::find().filter(subtask::Column::TaskId.is_in(ids));
    let steps = steps.order_by_asc(subtask::Column::TaskId).order_by_asc(subtask::Column::Seq);
    let mut steps = steps.all(&base).await.unwrap();
    let contents = tasks.into_iter().map(|task| {
        // They are ordered by task: each task's own are one run of them.
        let from = steps.partition_point(|step| step.task_id < task.id);
        let own = steps.split_off(from);
        shown(task, own)
    });
    let page = Page {
        contents: contents.collect(),
        page: Numbers {
            number: ask.page,
            size: ask.size,
            total_elements: total,
            total_pages: total.div_ceil(ask.size),
        },
    };
    let now = Timestamp(chrono::Utc::now().timestamp_micros());
    let answer = Answer {
        data: page,
        duration: u64::try_from(began.elapsed().as_millis()).unwrap(),
        server: "handwritten",
        status: 200,
        successful: true,
        timestamp: written(now),
        trace_id: uuid::Uuid::now_v7().simple().to_string(),
    };
    Json(answer).into_response()
}

async fn is_known(base: &DatabaseConnection, headers: &HeaderMap) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(sent) = sent.and_then(|value| value.strip_prefix("Bearer ")) else { return false };
    let digest = hex::encode(Sha256::digest(sent));
    token::Entity::find().filter(token::Column::Digest.eq(digest)).one(base).await.unwrap().is_some()
}

fn shown(task: task::Model, steps: Vec<subtask::Model>) -> Task {
    let status = match task.state {
        TaskState::Pending | TaskState::Running | TaskState::Paused | TaskState::Canceling => "RUNNING",
        TaskState::Failed | TaskState::Canceled => "FAILED",
        TaskState::Successful | TaskState::RolledBack => "SUCCESSFUL",
    };
    let step = |step: subtask::Model| Subtask {
        description: step.description,
        id: step.id.0,
        name: step.name,
        operation: step.operation,
        status: step.state,
    };
    Task {
        creator: Creator { id: task.creator_id.map(|id| id.0), name: task.creator },
        finish_time: task.finished_at.map(written),
        id: task.id.0,
        name: task.name,
        start_time: task.started_at.map(written),
        status,
        subtasks: steps.into_iter().map(step).collect(),
    }
}

fn written(at: Timestamp) -> String {
    let at = DateTime::from_timestamp_micros(at.0).unwrap().trunc_subsecs(3);
    let fraction = at.format("%.3f").to_string();
    format!("{}{}+00:00", at.format("%Y-%m-%dT%H:%M:%S"), fraction.trim_end_matches('0').trim_end_matches('.'))
}
