//! From a definition's words to the executor's: what a subtask runs, and what it must be given for that.
//!
//! The one place of the worker that knows every kind of work.

use super::access::AttemptAccess;
use super::port::AttemptNeeds;
use crate::executor::{Program, http, sql, vsphere};
use crate::task::spec::{Http, Run, Subtask, Vsphere};

/// What runs.
///
/// # Errors
/// When its data source or vCenter is not there.
pub(super) fn program(run: Run, access: &mut AttemptAccess) -> Result<Program, String> {
    const MISSING: &str = "it has no data source and no vCenter";
    Ok(match run {
        Run::Shell(code) => Program::Shell(code),
        Run::Python(code) => Program::Python(code),
        Run::Noop { sleep } => Program::Noop { sleep },
        Run::Sql(sql) => {
            let source = access.source.take().ok_or(MISSING)?;
            Program::Sql(Box::new(sql::Job { statements: sql.sql, source }))
        }
        Run::Http(Http { method, url, headers, body, expect, retries }) => {
            Program::Http(Box::new(http::Job { method, url, headers, body, expect, retries }))
        }
        Run::Vsphere(Vsphere { operation, .. }) => {
            let server = access.vcenter.take().ok_or(MISSING)?;
            Program::Vsphere(Box::new(vsphere::Job { operation, server }))
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
