//! From a definition's words to the executor's: what a subtask runs with all values filled in, and what it must be
//! given for that.
//!
//! The one place of the engine that knows every kind of work.

use serde_json::{Map, Value};

use super::fill::TemplateValues;
use super::port::{Equipment, Needs};
use crate::executor::program::{CloneTarget, HttpBody, HttpJob, MachineAction, Program, SqlJob, VsphereJob};
use crate::task::spec::vsphere::Operation;
use crate::task::spec::{Http, Run, Subtask, Vsphere};
use crate::vault::Hidden;

/// What runs.
///
/// # Errors
/// When its data source or vCenter is not there, or a text names a value that is not.
pub(super) fn program(run: Run, parameters: &Map<String, Value>, equipment: &mut Equipment) -> Result<Program, String> {
    const MISSING: &str = "it has no data source and no vCenter";
    Ok(match run {
        Run::Shell(code) => Program::Shell(code),
        Run::Python(code) => Program::Python(code),
        Run::Noop { sleep } => Program::Noop { sleep },
        Run::Sql(sql) => {
            let source = equipment.source.take().ok_or(MISSING)?;
            Program::Sql(Box::new(SqlJob { statements: sql.sql, source }))
        }
        Run::Http(request) => {
            let values = TemplateValues { parameters, secrets: &equipment.secrets };
            Program::Http(Box::new(http(request, &values)?))
        }
        Run::Vsphere(Vsphere { mut operation, .. }) => {
            let server = equipment.vcenter.take().ok_or(MISSING)?;
            let values = TemplateValues { parameters, secrets: &equipment.secrets };
            for text in operation.texts() {
                *text = values.text(text)?;
            }
            let (title, vm) = (operation.title(), operation.vm().to_owned());
            Program::Vsphere(Box::new(VsphereJob { title, vm, action: action(operation), server }))
        }
    })
}

/// What is to be asked for by name.
pub(super) fn needs(subtask: &Subtask, run: &Run) -> Needs {
    let mut needs = Needs { secrets: subtask.secrets.clone(), ..Needs::default() };
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
