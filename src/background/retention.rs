//! Removes what has been kept long enough. Nothing is removed that the settings do not name.

use crate::config::Retention;
use crate::resolver::task::Filter;
use crate::resolver::task::bulk;
use crate::resolver::{Request, retention};
use crate::task::command::Verb;

/// One round.
pub async fn run(settings: &Retention, request: &Request) {
    if let Err(error) = remove(settings, request).await {
        tracing::warn!(error = ?error, "what is old could not be removed: trying again in an hour");
    }
}

async fn remove(settings: &Retention, request: &Request) -> crate::error::Result<()> {
    let now = request.clock.now();
    retention::sessions(request).await?;
    if let Some(age) = settings.finished_tasks {
        let filter = Filter {
            finished_to: Some(now.before(age)),
            finished_from: Some(taskloom_entity::Timestamp(1)),
            ..Filter::default()
        };
        while bulk::run(request, &filter, Verb::Delete).await?.more {}
    }
    if let Some(age) = settings.events {
        retention::events(request, now.before(age)).await?;
    }
    Ok(())
}
