//! What an OCP client asks: the ids of a path, and the filters, order and page of a list.

use taskloom_entity::{SubtaskId, TaskId, TaskState, TaskType};
use utoipa::IntoParams;

use super::super::query::{QueryString, Wrong, wrong};
use super::error::OcpRefusal;
use crate::resolver::task::{TaskFilter, TaskOrder};

/// A list as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct OcpListRequest {
    /// Which tasks.
    pub filter: TaskFilter,
    /// One order within the other.
    pub orders: Vec<(TaskOrder, bool)>,
    /// From 1.
    pub page: u32,
    /// Rows of a page.
    pub size: u32,
}

/// The parameters of the list, for the description.
#[expect(dead_code, reason = "described here, read by `parse`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OcpListParameters {
    /// A part of the task's name, in any case of its letters.
    #[param(example = "Prepare host")]
    name: Option<String>,
    /// May be repeated, or hold several separated by commas.
    #[param(explode = true, inline)]
    status: Option<Vec<super::wire::OcpTaskStatus>>,
    /// Which kind of task.
    #[param(inline)]
    r#type: Option<super::wire::Type>,
    /// A part of the cluster's name, in any case of its letters.
    #[param(rename = "clusterName", example = "meta")]
    cluster_name: Option<String>,
    /// The cluster's number.
    #[param(rename = "clusterId")]
    cluster_id: Option<i64>,
    /// The tenant's name; with `clusterId`.
    #[param(rename = "tenantName")]
    tenant_name: Option<String>,
    /// The tenant's number.
    #[param(rename = "tenantId")]
    tenant_id: Option<i64>,
    /// The host's number.
    #[param(rename = "hostId")]
    host_id: Option<i64>,
    /// From 1.
    #[param(minimum = 1, maximum = 2_147_483_647)]
    page: Option<i32>,
    /// 10 when left out.
    #[param(minimum = 1, maximum = 2000)]
    size: Option<i32>,
    /// `column,asc` or `column,desc` over `id`, `name`, `status`, `type`, `startTime`, `finishTime` and `createTime`; may
    /// be repeated. `id,desc` when left out.
    #[param(explode = true, example = json!(["id,asc"]))]
    sort: Option<Vec<String>>,
}

/// The path of a task.
#[expect(dead_code, reason = "described here, read by `task_id`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TaskPath {
    /// The task's number.
    #[param(rename = "taskInstanceId", example = 1000)]
    task_instance_id: i64,
}

/// The path of a subtask.
#[expect(dead_code, reason = "described here, read by `subtask`")]
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SubtaskPath {
    /// The task's number.
    #[param(rename = "taskInstanceId", example = 1000)]
    task_instance_id: i64,
    /// The subtask's number.
    #[param(rename = "subtaskInstanceId", example = 10001)]
    subtask_instance_id: i64,
}

const SIZE: u32 = 10;
const MOST: u32 = 2000;
/// The product counts pages in 32 bits.
const PAGES: u32 = i32::MAX as u32;

impl OcpListRequest {
    /// How many rows lie before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        u64::from(self.page - 1) * u64::from(self.size)
    }
}

/// Reads the query of a list; names that nobody knows are passed over.
///
/// # Errors
/// When a parameter cannot be meant so.
pub fn parse(raw: Option<&str>) -> Result<OcpListRequest, Wrong> {
    let query = QueryString::parse(raw)?;
    let text = |name| Ok(query.one(name)?.map(str::to_owned));
    let mut filter = TaskFilter {
        name: text("name")?,
        // The product misspells it; both are known.
        cluster_contains: text("clusterName")?.or(text("cluterName")?),
        cluster_id: query.number("clusterId")?,
        target_tenant: text("tenantName")?,
        target_tenant_id: query.number("tenantId")?,
        host_id: query.number("hostId")?,
        ..TaskFilter::default()
    };
    if let (Some(name), None) = (&filter.target_tenant, filter.cluster_id) {
        return Err(wrong("tenantName", name, ("it needs clusterId beside it", "需要同时给出 clusterId")));
    }
    for status in query.all("status").flat_map(|value| value.split(',')).map(str::trim).filter(|one| !one.is_empty()) {
        filter.states.get_or_insert_default().extend(states(status)?);
    }
    if let Some(name) = query.one("type")? {
        filter.types.get_or_insert_default().push(task_type(name)?);
    }
    let orders: Vec<_> = query.all("sort").map(order).collect::<Result<_, _>>()?;
    Ok(OcpListRequest {
        filter,
        orders: if orders.is_empty() { vec![(TaskOrder::Id, true)] } else { orders },
        page: bounded(&query, "page", 1, PAGES)?,
        size: bounded(&query, "size", SIZE, MOST)?,
    })
}

fn bounded(query: &QueryString, name: &str, usual: u32, most: u32) -> Result<u32, Wrong> {
    let given: Option<u32> = query.number(name)?;
    match given.unwrap_or(usual) {
        number if (1..=most).contains(&number) => Ok(number),
        number => Err(wrong(
            name,
            &number.to_string(),
            (format!("1 to {most} is possible"), format!("取值范围为 1 到 {most}")),
        )),
    }
}

fn states(status: &str) -> Result<&'static [TaskState], Wrong> {
    Ok(match status {
        "RUNNING" => &[TaskState::Pending, TaskState::Running, TaskState::Paused, TaskState::Canceling],
        "FAILED" => &[TaskState::Failed, TaskState::Canceled],
        "SUCCESSFUL" => &[TaskState::Successful, TaskState::RolledBack],
        _ => {
            return Err(wrong(
                "status",
                status,
                ("RUNNING, FAILED and SUCCESSFUL are known", "可用的值为 RUNNING、FAILED 和 SUCCESSFUL"),
            ));
        }
    })
}

fn task_type(name: &str) -> Result<TaskType, Wrong> {
    Ok(match name {
        "MANUAL" => TaskType::Manual,
        "SYS_ONECE" | "SYS_ONCE" => TaskType::SysOnce,
        "SCHEDULED" => TaskType::Scheduled,
        "SYS_SCHEDULED" => TaskType::SysScheduled,
        _ => {
            return Err({
                let known = "MANUAL, SYS_ONECE, SCHEDULED and SYS_SCHEDULED are known";
                wrong("type", name, (known, "可用的值为 MANUAL、SYS_ONECE、SCHEDULED 和 SYS_SCHEDULED"))
            });
        }
    })
}

fn order(sort: &str) -> Result<(TaskOrder, bool), Wrong> {
    let refused = || {
        let en = "`column,asc` or `column,desc` is expected, the column one of id, name, status, type, startTime, finishTime \
                  or createTime";
        let zh = "应为 列名,asc 或 列名,desc，列名为 id、name、status、type、startTime、finishTime 或 createTime";
        wrong("sort", sort, (en, zh))
    };
    let (column, direction) = sort.split_once(',').unwrap_or((sort, "asc"));
    let by = match column.trim() {
        "id" => TaskOrder::Id,
        "name" => TaskOrder::Name,
        "status" => TaskOrder::Outcome,
        "type" => TaskOrder::Type,
        "startTime" => TaskOrder::StartedAt,
        "finishTime" => TaskOrder::FinishedAt,
        "createTime" => TaskOrder::CreatedAt,
        _ => return Err(refused()),
    };
    match direction.trim().to_ascii_lowercase().as_str() {
        "asc" => Ok((by, false)),
        "desc" => Ok((by, true)),
        _ => Err(refused()),
    }
}

/// The task of a path.
///
/// # Errors
/// When it is no 64-bit number.
pub fn task_id(text: &str) -> Result<TaskId, OcpRefusal> {
    number("taskInstanceId", text).map(TaskId)
}

/// The subtask of a path, within its task.
///
/// # Errors
/// When one of them is no 64-bit number.
pub fn subtask([task, subtask]: &[String; 2]) -> Result<(TaskId, SubtaskId), OcpRefusal> {
    Ok((task_id(task)?, SubtaskId(number("subtaskInstanceId", subtask)?)))
}

fn number(name: &'static str, text: &str) -> Result<i64, OcpRefusal> {
    text.parse().map_err(|_| OcpRefusal::NoNumber { name, value: text.chars().take(100).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let ask = parse(Some(
            "name=Prepare%20host&status=RUNNING,FAILED&status=SUCCESSFUL&type=SYS_ONCE&cluterName=Meta&clusterId=100\
             &tenantName=SYS&tenantId=7&hostId=8&page=3&size=2000&sort=status,desc&sort=id,asc&other=1",
        ))
        .unwrap();
        assert_eq!(ask.filter.states.as_ref().map(Vec::len), Some(8));
        assert_eq!(ask.filter.types, Some(vec![TaskType::SysOnce]));
        assert_eq!(ask.filter.cluster_contains.as_deref(), Some("Meta"));
        assert_eq!(
            (ask.filter.cluster_id, ask.filter.target_tenant_id, ask.filter.host_id),
            (Some(100), Some(7), Some(8))
        );
        assert_eq!(ask.orders, [(TaskOrder::Outcome, true), (TaskOrder::Id, false)]);
        assert_eq!((ask.offset(), ask.size), (4000, 2000));
        let usual = parse(None).unwrap();
        assert_eq!((usual.page, usual.size, usual.orders), (1, 10, vec![(TaskOrder::Id, true)]));
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_value() {
        for (query, name, value) in [
            ("page=0", "page", "0"),
            ("page=-1", "page", "-1"),
            ("page=2147483648", "page", "2147483648"),
            ("size=2001", "size", "2001"),
            ("size=1&size=2", "size", "2"),
            ("size=ten", "size", "ten"),
            ("status=DONE", "status", "DONE"),
            ("type=ODD", "type", "ODD"),
            ("sort=owner,asc", "sort", "owner,asc"),
            ("sort=id,up", "sort", "id,up"),
            ("clusterId=0x64", "clusterId", "0x64"),
            ("hostId=9223372036854775808", "hostId", "9223372036854775808"),
            ("tenantName=SYS", "tenantName", "SYS"),
            ("name=%00", "name", "%00"),
        ] {
            let refused = parse(Some(query)).unwrap_err();
            assert_eq!((refused.name.as_str(), refused.value.as_str()), (name, value), "{query}");
        }
    }

    #[test]
    fn an_id_is_a_64_bit_number() {
        assert_eq!(task_id("1000").unwrap(), TaskId(1000));
        assert_eq!(task_id("-1").unwrap(), TaskId(-1));
        for text in ["", "x", "0x10", "9223372036854775808", "1.0", " 1"] {
            task_id(text).unwrap_err();
        }
    }
}
