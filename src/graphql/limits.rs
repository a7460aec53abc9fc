//! The limits of the graph: by the settings, and by what its own fields are called. What has no setting is as it is by
//! default.

use crate::config::{Graphql, Settings, Strangers};
use crate::gql::limits::{Bounds, OperationLimits, Sizes};

/// Each label of a filter is a join.
const LABELS: usize = 10;

/// The limits of these settings.
#[must_use]
pub fn of(settings: &Settings) -> OperationLimits {
    let Settings { graphql, strangers, server, .. } = settings;
    OperationLimits {
        users: graphql.into(),
        strangers: strangers.into(),
        nesting: graphql.nesting as usize,
        complexity: graphql.complexity as usize,
        page: server.page_bytes.len(),
        objects: graphql.objects as usize,
        answer: graphql.answer.len(),
        objects_per_minute: graphql.objects_per_minute as usize,
        answer_per_minute: graphql.answer_per_minute.len(),
        ..OperationLimits::default()
    }
}

/// These limits with what the graph's own names mean to them.
pub(super) fn named(limits: &OperationLimits) -> OperationLimits {
    let bounds = Bounds { lists: &[("labels", LABELS)], questions: &["filter"], ..limits.bounds };
    OperationLimits { paged: "logs, results and documents", bounds, ..limits.clone() }
}

impl From<&Graphql> for Sizes {
    fn from(settings: &Graphql) -> Self {
        Self {
            bytes: settings.document.len(),
            tokens: settings.tokens as usize,
            depth: settings.depth as usize,
            selections: settings.selections as usize,
            aliases: settings.aliases as usize,
            ..Self::USERS
        }
    }
}

impl From<&Strangers> for Sizes {
    fn from(settings: &Strangers) -> Self {
        Self {
            bytes: settings.document.len(),
            tokens: settings.tokens as usize,
            depth: settings.depth as usize,
            selections: settings.selections as usize,
            aliases: settings.aliases as usize,
            roots: settings.roots as usize,
            directives: settings.directives as usize,
            variables: settings.variables as usize,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_begin_as_the_limits_do() {
        assert_eq!(of(&Settings::defaults("data")), OperationLimits::default());
    }
}
