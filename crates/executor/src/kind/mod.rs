//! The kinds of work. A kind knows the layers below (`drive`, `output`, `process`) and no other kind; [`run`] alone knows
//! them all. A further kind is a file here, an arm of [`run`], and a variant of [`Program`].

mod http;
mod noop;
mod script;
pub mod sql;
mod vsphere;

use taskloom_vault::Hidden;

use super::context::WorkContext;
use super::drive::TimeLimit;
use super::error::ExecutorError;
use super::folder::Script;
use super::mask::Mask;
use super::means::{HostMeans, WorkVoice};
use super::orders::Orders;
use super::program::Program;
use super::work::{Finished, Work};

/// Runs a work of any kind to its end, as soon as its orders let it begin.
pub(super) async fn run(
    work: Work,
    means: HostMeans,
    mut orders: Orders,
    voice: WorkVoice,
) -> Result<Finished, ExecutorError> {
    if let Some(reason) = orders.go().await {
        return Ok(Finished::bare(reason.outcome(), None));
    }
    let context = context(&work, &means, voice).await?;
    match work.program.clone() {
        Program::Shell(code) => script::run(work, Script::shell(code), (means, context), orders).await,
        Program::Python(code) => script::run(work, Script::python(code), (means, context), orders).await,
        Program::Noop { sleep } => Ok(noop::run(sleep, context.limit, orders).await),
        Program::Sql(job) => {
            let place = sql::StatementsPlace { launcher: means.launcher, work: &work.name, limits: work.limits };
            sql::run(&job, context, orders, place).await
        }
        Program::Http(job) => Ok(http::run(&job, context, orders).await),
        Program::Vsphere(job) => Ok(vsphere::run(&job, context, orders).await),
    }
}

async fn context(work: &Work, means: &HostMeans, voice: WorkVoice) -> Result<WorkContext, ExecutorError> {
    Ok(WorkContext {
        policy: means.policy.clone(),
        mask: mask(work).await?,
        parameters: work.parameters.as_object().cloned().unwrap_or_default(),
        limit: TimeLimit { timeout: work.timeout, grace: work.grace },
        reports: voice.reports,
        clock: voice.clock,
    })
}

/// What is unreadable in all that a work says. For many large secrets that is work which others must not wait for.
async fn mask(work: &Work) -> Result<Mask, ExecutorError> {
    let values = work.secrets.iter().map(|(_, value)| value);
    let secrets: Vec<Hidden> = values.chain(work.program.password()).cloned().collect();
    if secrets.is_empty() {
        return Ok(Mask::default());
    }
    tokio::task::spawn_blocking(move || Mask::of(&secrets)).await.map_err(ExecutorError::Vanished)
}
