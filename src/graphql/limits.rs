//! The limits as the settings say. What has no setting is as it is by default.

use super::{Limits, Sizes};
use crate::config::{Graphql, Settings, Strangers};

impl Limits {
    /// Those of these settings.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let Settings { graphql, strangers, server, .. } = settings;
        Self {
            users: graphql.into(),
            strangers: strangers.into(),
            nesting: graphql.nesting as usize,
            complexity: graphql.complexity as usize,
            page: server.page_bytes.len(),
            objects: graphql.objects as usize,
            answer: graphql.answer.len(),
            objects_per_minute: graphql.objects_per_minute as usize,
            answer_per_minute: graphql.answer_per_minute.len(),
            ..Self::default()
        }
    }
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
    use super::super::Limits;
    use crate::config::Settings;

    #[test]
    fn the_settings_begin_as_the_limits_do() {
        assert_eq!(Limits::of(&Settings::defaults("data")), Limits::default());
    }
}
