//! A job as it is submitted: two forms of one body, decoded into a submission of one step.

use std::time::Duration;

use chrono::NaiveDate;
use serde_json::{Map, Value, json};
use taskloom_entity::TaskType;

use super::envelope::LinkisRefusal;
use super::variable;
use crate::resolver::task::submit::{Submission, SubmissionSource, TargetOf};
use crate::text::unstorable;

/// A job that makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// What is run, variables put in.
    pub code: String,
    /// By which kind of engine.
    pub run: LinkisEngineKind,
    /// The engine as it was named: `shell`, `spark`.
    pub engine: String,
    /// The engine with its version as it was named: `spark-2.4.3`.
    pub engine_type: String,
    /// The kind of code as it was named.
    pub run_type: String,
    /// The application that submits: `IDE`.
    pub creator: String,
    /// Kept to be shown.
    pub application: String,
    variables: Map<String, Value>,
    timeout: Option<String>,
    body: Map<String, Value>,
}

/// What runs a job's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkisEngineKind {
    Shell,
    Python,
    /// The data source that stands for its engine.
    Sql,
    /// One HTTP request, described in JSON.
    Http,
}

const NO_CODE: &str = "The param executionCode cannot be empty (参数 executionCode 不能为空)";
const NO_LABELS: &str = "params cannot be empty ,  labels is null.";
const NO_ENGINE: &str = "engineType label cannot be empty (engineType标签不能为空)";
const NO_RUN_TYPE: &str = "runType cannot be empty (runType不能为空)";
const WRONG_TIMEOUT: &str = "params.configuration.runtime.timeout must be a number of seconds above 0, or a duration such as 1m, of at most 366 days (参数 timeout 应为大于0的秒数，或如 1m 的时长，最长366天)";
const UNKNOWN_RUN_TYPE: &str = "Only code with runtype supported (仅支持运行类型的代码)";

/// What a definition takes at the most.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// Reads a body of either form; `user` submits it on the day `today` of the server.
///
/// # Errors
/// The product's refusals, by their numbers.
pub fn parse(body: &[u8], user: &str, today: NaiveDate) -> Result<Job, LinkisRefusal> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    if let Some(path) = unstorable(&body) {
        return Err(LinkisRefusal::words(format!("{path} must not hold NUL({path}不能包含NUL)")));
    }
    let Value::Object(body) = body else {
        return Err(LinkisRefusal::words("The request body must be a JSON object(请求体必须是JSON对象)"));
    };
    let new_form = body.get("executionContent").and_then(Value::as_object);
    let text = |of: &Map<String, Value>, key: &str| {
        of.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let code = new_form.map_or_else(|| body.get("executionCode"), |content| content.get("code"));
    let code = code.and_then(Value::as_str).filter(|code| !code.trim().is_empty());
    let code = code.ok_or_else(|| LinkisRefusal::Coded(20007, NO_CODE.to_owned()))?;
    // Empty ones are none.
    let labels = body.get("labels").and_then(Value::as_object).filter(|labels| !labels.is_empty());
    if new_form.is_some() && labels.is_none() {
        return Err(LinkisRefusal::Coded(20008, NO_LABELS.to_owned()));
    }
    let label = |key| labels.and_then(|labels| text(labels, key));
    let application = text(&body, "executeApplicationName");
    let named = match (label("engineType"), new_form) {
        (None, None) => application.clone(),
        (label, _) => label,
    };
    let Some(engine_type) = named else {
        return Err(match (labels, new_form) {
            (None, None) => LinkisRefusal::Coded(20008, NO_LABELS.to_owned()),
            _ => LinkisRefusal::Coded(20009, NO_ENGINE.to_owned()),
        });
    };
    let engine = engine_type.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let usual = match engine.as_str() {
        "shell" | "python" => engine.clone(),
        _ => "sql".to_owned(),
    };
    let run_type = match new_form {
        Some(content) => text(content, "runType").ok_or_else(|| LinkisRefusal::Coded(20009, NO_RUN_TYPE.to_owned()))?,
        None => text(&body, "runType").unwrap_or(usual),
    };
    let run = run(&run_type).ok_or_else(|| LinkisRefusal::Coded(20010, UNKNOWN_RUN_TYPE.to_owned()))?;
    let creator = creator(label("userCreator"), user, text(&body, "requestApplicationName"), new_form.is_some())?;
    let params = params(&body)?;
    let variables = section(params, &["variable"]).cloned().unwrap_or_default();
    Ok(Job {
        code: variable::put_in(code, &variables, today),
        run,
        application: application.unwrap_or_else(|| engine.clone()),
        engine,
        engine_type,
        run_type,
        creator,
        timeout: section(params, &["configuration", "runtime"]).map(timeout).transpose()?.flatten(),
        variables,
        body: body.clone(),
    })
}

fn run(run_type: &str) -> Option<LinkisEngineKind> {
    Some(match run_type.to_ascii_lowercase().as_str() {
        "shell" | "sh" => LinkisEngineKind::Shell,
        "python" | "py" | "pyspark" => LinkisEngineKind::Python,
        "sql" | "jdbc" | "hql" | "psql" | "tsql" => LinkisEngineKind::Sql,
        "http" => LinkisEngineKind::Http,
        _ => return None,
    })
}

/// The application behind `user-creator`; the user must be the caller.
fn creator(
    label: Option<String>,
    user: &str,
    application: Option<String>,
    new_form: bool,
) -> Result<String, LinkisRefusal> {
    let Some(label) = label else {
        return Ok(application.filter(|_| !new_form).unwrap_or_else(|| "IDE".to_owned()));
    };
    match (label.strip_prefix(user).and_then(|rest| rest.strip_prefix('-')), label.split_once('-')) {
        (Some(creator), _) if !creator.is_empty() => Ok(creator.to_owned()),
        (None, None) => Ok(label),
        (_, of) => {
            let of = of.map_or(label.as_str(), |(of, _)| of);
            let words =
                format!("The user {of} of the label userCreator is not {user} (标签userCreator的用户与登录用户不一致)");
            Err(LinkisRefusal::Coded(20005, words))
        }
    }
}

fn params(body: &Map<String, Value>) -> Result<Option<&Map<String, Value>>, LinkisRefusal> {
    match body.get("params") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(params)) => Ok(Some(params)),
        Some(_) => Err(LinkisRefusal::words("params must be a JSON object(params必须是JSON对象)")),
    }
}

fn section<'a>(params: Option<&'a Map<String, Value>>, path: &[&str]) -> Option<&'a Map<String, Value>> {
    path.iter().try_fold(params?, |of, key| of.get(*key)?.as_object())
}

/// The time limit of the job: seconds as a number or a text, or a duration such as `1m`; nothing else.
fn timeout(runtime: &Map<String, Value>) -> Result<Option<String>, LinkisRefusal> {
    let seconds = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let limit = match runtime.get("timeout") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64().and_then(seconds),
        Some(Value::String(text)) => match text.trim().parse() {
            Ok(number) => seconds(number),
            Err(_) => humantime::parse_duration(text.trim()).ok(),
        },
        Some(_) => None,
    };
    match limit.filter(|limit| !limit.is_zero() && *limit <= LONGEST) {
        Some(limit) => Ok(Some(humantime::format_duration(limit).to_string())),
        None => Err(LinkisRefusal::Coded(20009, WRONG_TIMEOUT.to_owned())),
    }
}

impl Job {
    /// The submission. `source` is the data source of its engine, where it needs one.
    ///
    /// # Errors
    /// When the code of an `http` job is no JSON.
    pub fn submission(self, source: Option<&str>) -> Result<Submission, LinkisRefusal> {
        let run = match self.run {
            LinkisEngineKind::Shell => json!({"shell": self.code}),
            LinkisEngineKind::Python => json!({"python": self.code}),
            LinkisEngineKind::Sql => json!({"sql": self.code, "source": source}),
            LinkisEngineKind::Http => {
                let request: Value = serde_json::from_str(&self.code).map_err(|_| {
                    LinkisRefusal::words("The code of an http job must be a JSON object(http作业的代码必须是JSON对象)")
                })?;
                json!({"http": request})
            }
        };
        let mut step = json!({"name": self.engine, "run": run});
        if let Some(timeout) = self.timeout {
            step["timeout"] = timeout.into();
        }
        let label = |key: &str, value: &str| (format!("linkis.{key}"), value.chars().take(64).collect());
        let labels = vec![label("creator", &self.creator), label("application", &self.application)];
        let mut origin = self.body;
        for (key, value) in [("runType", self.run_type), ("engineType", self.engine_type), ("creator", self.creator)] {
            origin.insert(format!("linkis.{key}"), value.into());
        }
        Ok(Submission {
            source: SubmissionSource::Spec(json!({"name": format!("{} job", self.engine), "subtasks": [step]})),
            name: None,
            parameters: (!self.variables.is_empty()).then_some(Value::Object(self.variables)),
            idempotency_key: None,
            target: TargetOf::default(),
            labels,
            priority: None,
            tenant_id: None,
            task_type: TaskType::Manual,
            submission: Some(Value::Object(origin)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: NaiveDate = NaiveDate::from_ymd_opt(2024, 3, 1).unwrap();

    fn refused(body: &Value) -> (i32, String) {
        let refusal = parse(body.to_string().as_bytes(), "ann", DAY).unwrap_err();
        let (status, message, data) = refusal.encode("h:1");
        assert_eq!(status, 1);
        (data.pointer("/errorMsg/errCode").and_then(Value::as_i64).unwrap_or(0).try_into().unwrap(), message)
    }

    #[test]
    fn both_forms_are_one_job() {
        let old = json!({
            "executionCode": "echo ${day}", "runType": "sh", "executeApplicationName": "shell", "labels": null,
            "requestApplicationName": "Visualis", "params": {"variable": {"day": "mon", "n": 3}}, "method": "ignored",
        });
        let job = parse(old.to_string().as_bytes(), "ann", DAY).unwrap();
        assert_eq!(
            (job.code.as_str(), job.run, job.creator.as_str()),
            ("echo mon", LinkisEngineKind::Shell, "Visualis")
        );
        let new = json!({
            "executionContent": {"code": "select ${n}, ${other}", "runType": "sql"},
            "labels": {"engineType": "spark-2.4.3", "userCreator": "ann-IDE", "unknown": 1},
            "params": {"variable": {"n": 3}, "configuration": {"runtime": {"timeout": 5}}},
        });
        let job = parse(new.to_string().as_bytes(), "ann", DAY).unwrap();
        assert_eq!(
            (job.code.as_str(), job.run, job.engine.as_str()),
            ("select 3, ${other}", LinkisEngineKind::Sql, "spark")
        );
        assert_eq!((job.creator.as_str(), job.timeout.as_deref()), ("IDE", Some("5s")));
        // What names nothing is filled in.
        let bare = json!({"executionCode": "1", "executeApplicationName": "python", "runType": " "});
        let job = parse(bare.to_string().as_bytes(), "ann", DAY).unwrap();
        assert_eq!((job.run, job.creator.as_str()), (LinkisEngineKind::Python, "IDE"));
    }

    #[test]
    fn a_time_limit_is_meant_or_refused() {
        let with = |timeout: Value| {
            let params = json!({"configuration": {"runtime": {"timeout": timeout, "wds.linkis.rm.x": 1}}});
            json!({"executionCode": "x", "executeApplicationName": "shell", "params": params})
        };
        for (sent, limit) in [
            (json!(5), Some("5s")),
            (json!(1.5), Some("1s 500ms")),
            (json!("1.5"), Some("1s 500ms")),
            (json!(" 90 "), Some("1m 30s")),
            (json!("30s"), Some("30s")),
            (json!("1m"), Some("1m")),
            (json!("1h 30m"), Some("1h 30m")),
            (Value::Null, None),
        ] {
            let job = parse(with(sent.clone()).to_string().as_bytes(), "ann", DAY).unwrap();
            assert_eq!(job.timeout.as_deref(), limit, "{sent}");
        }
        for wrong in [
            json!(0),
            json!(-1),
            json!("0s"),
            json!(""),
            json!("soon"),
            json!("inf"),
            json!(1e300),
            json!(true),
            json!([5]),
        ] {
            let (number, message) = refused(&with(wrong.clone()));
            assert!(number == 20009 && message.contains("timeout"), "{wrong}: {message}");
        }
    }

    #[test]
    fn what_is_missing_is_refused_by_its_number() {
        let new = |content: Value, labels: Value| json!({"executionContent": content, "labels": labels});
        let code = json!({"code": "x", "runType": "sh"});
        assert_eq!(refused(&json!({"executionCode": " "})).0, 20007);
        assert_eq!(refused(&new(json!({"runType": "sh"}), json!({}))).0, 20007);
        assert_eq!(refused(&new(code.clone(), Value::Null)).0, 20008);
        assert_eq!(refused(&new(code.clone(), json!({}))).0, 20008);
        assert_eq!(refused(&new(code.clone(), json!({"userCreator": "ann-IDE"}))).0, 20009);
        assert_eq!(refused(&new(json!({"code": "x"}), json!({"engineType": "shell-1"}))).0, 20009);
        assert_eq!(refused(&new(json!({"code": "x", "runType": "cobol"}), json!({"engineType": "shell-1"}))).0, 20010);
        assert_eq!(refused(&json!({"executionCode": "x"})).0, 20008);
        assert_eq!(refused(&json!({"executionCode": "x", "labels": {}})).0, 20008);
        assert_eq!(refused(&json!({"executionCode": "x", "labels": {"userCreator": "ann-IDE"}})).0, 20009);
        assert_eq!(refused(&new(code, json!({"engineType": "shell-1", "userCreator": "bob-IDE"}))).0, 20005);
        for wrong in
            [json!([]), json!("x"), json!({"executionCode": "x", "executeApplicationName": "sh", "params": "x"})]
        {
            let (number, message) = refused(&wrong);
            assert_eq!(number, 0, "{message}");
        }
        assert!(parse(b"\xff", "ann", DAY).is_err());
    }
}
