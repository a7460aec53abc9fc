//! From a definition's words to the executor's: what a subtask runs with all values filled in, and what it must be
//! given for that.
//!
//! The one place of the worker that knows every kind of work.

use serde_json::{Map, Value};
use taskloom_core::task::spec::vsphere::Operation;
use taskloom_core::task::spec::{Http, Run, Subtask, Vsphere};
use taskloom_executor::program::{CloneTarget, HttpBody, HttpJob, MachineAction, Program, SqlJob, VsphereJob};
use taskloom_vault::Hidden;

use super::access::AttemptAccess;
use super::fill::TemplateValues;
use super::port::AttemptNeeds;

/// What runs.
///
/// # Errors
/// When its data source or vCenter is not there, or a text names a value that is not.
pub(super) fn program(
    run: Run,
    parameters: &Map<String, Value>,
    access: &mut AttemptAccess,
) -> Result<Program, String> {
    const MISSING: &str = "it has no data source and no vCenter";
    Ok(match run {
        Run::Shell(code) => Program::Shell(code),
        Run::Python(code) => Program::Python(code),
        Run::Noop { sleep } => Program::Noop { sleep },
        Run::Sql(sql) => {
            let source = access.source.take().ok_or(MISSING)?;
            Program::Sql(Box::new(SqlJob { statements: sql.sql, source }))
        }
        Run::Http(request) => {
            let values = TemplateValues { parameters, secrets: &access.secrets };
            Program::Http(Box::new(http(request, &values)?))
        }
        Run::Vsphere(Vsphere { mut operation, .. }) => {
            let server = access.vcenter.take().ok_or(MISSING)?;
            let values = TemplateValues { parameters, secrets: &access.secrets };
            for text in operation.texts() {
                *text = values.text(text)?;
            }
            let (title, vm) = (operation.title(), operation.vm().to_owned());
            Program::Vsphere(Box::new(VsphereJob { title, vm, action: action(operation), server }))
        }
    })
}

/// What is to be asked for by name.
pub(super) fn needs(subtask: &Subtask, run: &Run) -> AttemptNeeds {
    let mut needs = AttemptNeeds { secrets: subtask.secrets.clone(), ..AttemptNeeds::default() };
    match run {
        Run::Sql(sql) => needs.source = Some(sql.source.clone()),
        Run::Vsphere(vsphere) => needs.vcenter = Some(vsphere.vcenter.clone()),
        Run::Shell(_) | Run::Python(_) | Run::Noop { .. } | Run::Http(_) => {}
    }
    needs
}

/// The invariant: a secret gets into the request as a value, never as a part of the address's structure.
fn http(request: Http, values: &TemplateValues<'_>) -> Result<HttpJob, String> {
    let Http { method, url, headers, body, expect, retries } = request;
    let headers = headers.into_iter().map(|(name, text)| Ok((name, Hidden::new(values.text(&text)?))));
    let body = match body {
        None => None,
        Some(Value::String(text)) => Some(HttpBody::Text(Hidden::new(values.text(&text)?))),
        Some(json) => Some(HttpBody::Json(Hidden::new(values.json(&json)?.to_string()))),
    };
    let (url, headers) = (Hidden::new(values.url(&url)?), headers.collect::<Result<_, String>>()?);
    Ok(HttpJob { method, url, headers, body, expect, retries })
}

fn action(operation: Operation) -> MachineAction {
    match operation {
        Operation::PowerOn(_) => MachineAction::PowerOn,
        Operation::PowerOff(_) => MachineAction::PowerOff,
        Operation::Reset(_) => MachineAction::Reset,
        Operation::Suspend(_) => MachineAction::Suspend,
        Operation::Destroy(_) => MachineAction::Destroy,
        Operation::Snapshot(new) => MachineAction::Snapshot {
            name: new.name,
            description: new.description,
            memory: new.memory,
            quiesce: new.quiesce,
        },
        Operation::Revert(back) => MachineAction::Revert(back.snapshot),
        Operation::RemoveSnapshot(old) => {
            MachineAction::RemoveSnapshot { snapshot: old.snapshot, children: old.children }
        }
        Operation::Reconfigure(new) => MachineAction::Reconfigure {
            cpus: new.cpus,
            memory_mb: new.memory_mb,
            name: new.name,
            annotation: new.annotation,
        },
        Operation::Clone(new) => MachineAction::Clone(Box::new(CloneTarget {
            name: new.name,
            folder: new.folder,
            pool: new.pool,
            host: new.host,
            datastore: new.datastore,
            power_on: new.power_on,
            template: new.template,
        })),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use taskloom_core::task::spec::Sql;

    use super::*;

    #[test]
    fn a_request_is_filled_in_and_tells_no_secret_by_accident() {
        let request = Http {
            method: "POST".to_owned(),
            url: "https://h/${param.path}?t=${secret.token}".to_owned(),
            headers: vec![("Authorization".to_owned(), "Bearer ${secret.token}".to_owned())],
            body: Some(json!({"t": "${secret.token}", "n": 1})),
            expect: vec![],
            retries: 0,
        };
        let secrets = vec![("token".to_owned(), Hidden::new("sword fish".to_owned()))];
        let mut access = AttemptAccess { secrets, ..AttemptAccess::default() };
        let parameters = json!({"path": "a/b"}).as_object().unwrap().clone();
        let program = program(Run::Http(request), &parameters, &mut access).unwrap();
        assert!(!format!("{program:?}").contains("fish"), "{program:?}");
        let Program::Http(job) = program else { panic!("another kind") };
        assert_eq!(job.url.expose(), "https://h/a%2Fb?t=sword%20fish");
        assert_eq!(job.headers[0].1.expose(), "Bearer sword fish");
        assert_eq!(job.body, Some(HttpBody::Json(Hidden::new(r#"{"t":"sword fish","n":1}"#.to_owned()))));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let of = |run| program(run, &Map::new(), &mut AttemptAccess::default()).unwrap_err();
        let sql = Run::Sql(Sql { sql: "select 1".to_owned(), source: "gone".to_owned() });
        assert_eq!(of(sql), "it has no data source and no vCenter");
        let url = "https://h/${param.path}".to_owned();
        let request = Http { method: "GET".to_owned(), url, headers: vec![], body: None, expect: vec![], retries: 0 };
        assert_eq!(of(Run::Http(request)), "there is no parameter `path`");
    }
}
