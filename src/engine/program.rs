//! From a definition's words to the executor's: what a subtask runs, and what it must be given for that.
//!
//! The one place of the engine that knows every kind of work.

use super::port::{Equipment, Needs};
use crate::executor::{HttpJob, Program, SqlJob, VsphereJob};
use crate::task::spec::{Http, Run, Subtask, Vsphere};

/// What runs; none: its data source or vCenter is not there.
pub(super) fn program(run: Run, equipment: &mut Equipment) -> Option<Program> {
    Some(match run {
        Run::Shell(code) => Program::Shell(code),
        Run::Python(code) => Program::Python(code),
        Run::Noop { sleep } => Program::Noop { sleep },
        Run::Sql(sql) => Program::Sql(Box::new(SqlJob { statements: sql.sql, source: equipment.source.take()? })),
        Run::Http(Http { method, url, headers, body, expect, retries }) => {
            Program::Http(Box::new(HttpJob { method, url, headers, body, expect, retries }))
        }
        Run::Vsphere(Vsphere { operation, .. }) => {
            Program::Vsphere(Box::new(VsphereJob { operation, server: equipment.vcenter.take()? }))
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
