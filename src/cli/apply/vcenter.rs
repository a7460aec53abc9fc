//! vCenters: what of them differs, as the server says, and the calls that change it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::bail;
use serde_json::{Value, json};

use super::super::client::document::{self, HasHistory, PutVcenter, Tenants, VcenterList, VcenterRow};
use super::super::client::{ClientError, GraphqlClient};
use super::Prune;
use super::desired::DesiredVcenter;
use super::plan::{Plan, PlanAction, PlanCall, PlanStep};
use crate::document::word;
use crate::vsphere::Trust;

/// How many are read at a time.
const PAGE: u32 = 100;

/// What would become of the server's vCenters. Everything is asked, and nothing changed.
///
/// # Errors
/// All that the server refuses; that something would be removed with a history.
pub(super) async fn plan(
    client: &GraphqlClient,
    wanted: &[DesiredVcenter],
    prune: Prune,
    plan: &mut Plan,
) -> anyhow::Result<()> {
    let tenants = tenants(client, wanted).await?;
    let mut refused = RefusedVcenters::default();
    let mut spoken = Spoken::new();
    for vcenter in wanted {
        let variables = match variables(vcenter, &tenants) {
            Ok(variables) => variables,
            Err(reason) => {
                refused.add(title(vcenter), reason);
                continue;
            }
        };
        let mut question = variables.clone();
        question["dryRun"] = true.into();
        let would = match client.ask::<PutVcenter>(document::PUT_VCENTER, &question).await {
            Ok(would) => would.put_vcenter,
            Err(error @ ClientError::Refused(_)) if !error.is_passing() => {
                refused.add(title(vcenter), error.to_string());
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if let Some(tenant) = would.tenant
            && !spoken.entry(tenant.id).or_insert_with(|| (prefix(vcenter), BTreeSet::new())).1.insert(&vcenter.name)
        {
            refused.add(title(vcenter), format!("is in the file twice: `{}` is your own tenant", tenant.name));
        }
        plan.push(step(vcenter, &would.changes, variables));
    }
    refused.check()?;
    if prune != Prune::No {
        self::prune(client, &spoken, prune, plan).await?;
    }
    Ok(())
}

/// The tenants whose vCenters the file speaks of, by their ids: how it calls each, and which vCenters these are.
type Spoken<'w> = BTreeMap<String, (String, BTreeSet<&'w str>)>;

/// What was refused: of which things, by the reason.
#[derive(Default)]
struct RefusedVcenters(Vec<(Vec<String>, String)>);

impl RefusedVcenters {
    fn add(&mut self, what: String, reason: String) {
        match self.0.iter_mut().find(|(_, other)| *other == reason) {
            Some((things, _)) => things.push(what),
            None => self.0.push((vec![what], reason)),
        }
    }

    fn check(self) -> anyhow::Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let lines = self.0.into_iter().map(|(things, reason)| format!("\n  {}: {reason}", things.join(", ")));
        bail!("nothing was changed, for the server refuses this:{}", lines.collect::<String>())
    }
}

/// `vcenter lab`, `vcenter ops/lab`.
fn title(vcenter: &DesiredVcenter) -> String {
    format!("vcenter {}{}", prefix(vcenter), vcenter.name)
}

fn prefix(vcenter: &DesiredVcenter) -> String {
    vcenter.tenant.as_ref().map(|tenant| format!("{tenant}/")).unwrap_or_default()
}

fn step(vcenter: &DesiredVcenter, changes: &[String], variables: Value) -> PlanStep {
    let mark = match changes {
        [] => PlanAction::Keep,
        [only] if only == "name" => PlanAction::Add,
        _ => PlanAction::Change,
    };
    let detail = if mark == PlanAction::Change { changes.join(", ") } else { String::new() };
    let call = (mark != PlanAction::Keep).then_some(PlanCall { document: document::PUT_VCENTER, variables });
    PlanStep { mark, what: title(vcenter), detail, call }
}

/// The ids of the server's tenants by name, if the file names any.
async fn tenants(client: &GraphqlClient, wanted: &[DesiredVcenter]) -> Result<BTreeMap<String, String>, ClientError> {
    let mut ids = BTreeMap::new();
    let mut after = None::<String>;
    while wanted.iter().any(|vcenter| vcenter.tenant.is_some()) {
        let page: Tenants = client.ask(document::TENANTS, &json!({"first": PAGE, "after": after})).await?;
        ids.extend(page.tenants.nodes.into_iter().map(|tenant| (tenant.name, tenant.id)));
        after = page.tenants.page_info.next();
        if after.is_none() {
            break;
        }
    }
    Ok(ids)
}

/// What `putVcenter` is told.
fn variables(vcenter: &DesiredVcenter, tenants: &BTreeMap<String, String>) -> Result<Value, String> {
    let (trust, trusted) = match &vcenter.trust {
        Trust::SystemRoots => ("SYSTEM", None),
        Trust::Ca(pem) => ("CA", Some(pem.clone())),
        Trust::Thumbprint(thumbprint) => ("THUMBPRINT", Some(thumbprint.to_string())),
    };
    let tenant = vcenter.tenant.as_ref().map(|name| {
        let near = || word::suggest(name, tenants.keys().map(String::as_str));
        tenants.get(name).ok_or_else(|| format!("there is no tenant `{name}`{}", near().unwrap_or_default()))
    });
    Ok(json!({"input": {
        "name": vcenter.name,
        "address": vcenter.address,
        "user": vcenter.user,
        "password": vcenter.password.as_ref().map(|password| password.expose()),
        "trust": trust,
        "trusted": trusted,
        "collect": vcenter.collect,
        "keepDays": vcenter.keep_days,
        "uuid": vcenter.uuid,
        "tenantId": tenant.transpose()?,
    }}))
}

/// What the file does not name, of the tenants it speaks of.
async fn prune(client: &GraphqlClient, spoken: &Spoken<'_>, prune: Prune, plan: &mut Plan) -> anyhow::Result<()> {
    let mut historic = vec![];
    for vcenter in list(client).await? {
        let tenant = vcenter.tenant.as_ref().and_then(|tenant| spoken.get(&tenant.id));
        let Some((prefix, _)) = tenant.filter(|(_, names)| !names.contains(vcenter.name.as_str())) else { continue };
        let asked: HasHistory = client.ask(document::HAS_HISTORY, &json!({"id": vcenter.id})).await?;
        let history = !asked.vsphere_tasks.nodes.is_empty();
        let what = format!("vcenter {prefix}{}", vcenter.name);
        if history && prune != Prune::WithHistory {
            historic.push(what.clone());
        }
        let input = json!({"id": vcenter.id, "withHistory": history});
        plan.push(PlanStep {
            mark: PlanAction::Remove,
            what,
            detail: if history { "with the history of its tasks".to_owned() } else { String::new() },
            call: Some(PlanCall { document: document::DELETE_VCENTER, variables: json!({ "input": input }) }),
        });
    }
    if !historic.is_empty() {
        bail!(
            "nothing was changed, for these have a history of tasks that would be lost: {}\n  --prune-history removes \
             it with them; `collect: false` in the file keeps it without going on",
            historic.join(", ")
        );
    }
    Ok(())
}

async fn list(client: &GraphqlClient) -> Result<Vec<VcenterRow>, ClientError> {
    let (mut all, mut after) = (vec![], None::<String>);
    loop {
        let page: VcenterList = client.ask(document::VCENTERS, &json!({"first": PAGE, "after": after})).await?;
        all.extend(page.vcenters.nodes);
        after = page.vcenters.page_info.next();
        if after.is_none() {
            return Ok(all);
        }
    }
}
