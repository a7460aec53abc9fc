//! Something to look at: definitions to try retry, skip and rollback on, and tasks that have run and run now.

use taskloom_entity::TaskType;

use crate::error::Result;
use crate::resolver::page::Page;
use crate::resolver::task::submit::{Submission, SubmissionSource, TargetOf};
use crate::resolver::{self, Request};

const DEFINITIONS: [&str; 3] =
    [include_str!("rolling-upgrade.yaml"), include_str!("data-check.yaml"), include_str!("failing-release.yaml")];

/// Fills an installation that has no definitions yet.
///
/// # Errors
/// When the database does not answer.
pub async fn fill(request: &Request) -> Result<()> {
    let first = Page { after: None, before: None, limit: 1, backward: false };
    if !resolver::definition::list(request, None, first).await?.rows.is_empty() {
        return Ok(());
    }
    let tenants = resolver::tenant::list(request, first).await?;
    let tenant = tenants.rows.first().map(|tenant| tenant.id);
    for text in DEFINITIONS {
        resolver::definition::save(request, SubmissionSource::Text(text.to_owned()), tenant).await?;
    }
    let tasks = [
        ("rolling-upgrade", serde_json::json!({"cluster": "ob-east", "version": "4.3.1"}), "ob-east"),
        ("data-check", serde_json::json!({"tables": 3}), "ob-east"),
        ("failing-release", serde_json::json!({}), "ob-west"),
    ];
    for (name, parameters, cluster) in tasks {
        let new = Submission {
            source: SubmissionSource::Named(name.to_owned()),
            name: None,
            parameters: Some(parameters),
            idempotency_key: None,
            target: TargetOf { cluster: Some(cluster.to_owned()), ..TargetOf::default() },
            labels: vec![("demo".to_owned(), "true".to_owned())],
            priority: None,
            tenant_id: tenant,
            task_type: TaskType::Manual,
            submission: None,
        };
        resolver::task::submit(request, new).await?;
    }
    Ok(())
}
