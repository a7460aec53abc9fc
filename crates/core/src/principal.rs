//! The caller of an operation: who, how much it may do, whose rows it may see.
//!
//! The invariant: a principal without a role gets no scope, and without a scope no query can be asked.

use std::sync::Arc;

use crate::error::{Error, Result, code};
use crate::{Role, TenantId, Timestamp, TokenId, UserId};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nobody signed in.
    Anonymous,
    /// A user, by whatever credentials.
    User {
        /// Its id.
        id: UserId,
        /// Its name when it signed in.
        name: Arc<str>,
    },
    /// A part of Taskloom itself, such as `retention`.
    System(&'static str),
}

/// What proved who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Nothing: anonymous, or the process itself.
    Nothing,
    /// The user's password with this request.
    Password,
    /// An API token.
    Token(TokenId),
    /// A session cookie, by its digest.
    Session(Arc<str>),
}

/// The tenants whose rows a principal may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Those of every tenant.
    All,
    /// Those of these tenants, ascending; none at all when there are none.
    Tenants(Arc<[TenantId]>),
}

impl Scope {
    /// Whether the rows of `tenant` may be seen.
    #[must_use]
    pub fn covers(&self, tenant: TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Tenants(tenants) => tenants.contains(&tenant),
        }
    }
}

/// The caller of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    subject: Subject,
    via: Via,
    role: Option<Role>,
    tenants: Arc<[TenantId]>,
    scope: Scope,
    expires_at: Option<Timestamp>,
    subscriptions: Option<usize>,
}

impl Principal {
    /// Nobody: may do nothing that needs a role.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            subject: Subject::Anonymous,
            via: Via::Nothing,
            role: None,
            tenants: Arc::from([]),
            scope: Scope::Tenants(Arc::from([])),
            expires_at: None,
            subscriptions: None,
        }
    }

    /// A part of Taskloom itself: may do everything.
    #[must_use]
    pub fn system(name: &'static str) -> Self {
        Self {
            subject: Subject::System(name),
            via: Via::Nothing,
            role: Some(Role::Admin),
            tenants: Arc::from([]),
            scope: Scope::All,
            expires_at: None,
            subscriptions: None,
        }
    }

    /// Somebody without credentials whom the settings let in, into one tenant.
    #[must_use]
    pub fn guest(role: Role, tenant: Option<TenantId>) -> Self {
        let tenants: Arc<[TenantId]> = tenant.into_iter().collect();
        Self { role: Some(role), scope: Scope::Tenants(tenants.clone()), tenants, ..Self::anonymous() }
    }

    /// A user who belongs to `tenants`. The installation's ADMIN sees every tenant; everybody else, an ADMIN with a
    /// lesser token included, the own ones.
    #[must_use]
    pub fn user(id: UserId, name: &str, role: Role, mut tenants: Vec<TenantId>) -> Self {
        tenants.sort_unstable();
        let tenants: Arc<[TenantId]> = tenants.into();
        Self {
            subject: Subject::User { id, name: name.into() },
            via: Via::Password,
            role: Some(role),
            scope: if role == Role::Admin { Scope::All } else { Scope::Tenants(tenants.clone()) },
            tenants,
            expires_at: None,
            subscriptions: None,
        }
    }

    /// The same principal, proved by `via`, until `expires_at` where that has an end.
    #[must_use]
    pub fn proved(mut self, via: Via, expires_at: Option<Timestamp>) -> Self {
        self.via = via;
        self.expires_at = expires_at;
        self
    }

    /// The same principal with an allowance of subscriptions of its own.
    #[must_use]
    pub fn allowed(self, subscriptions: Option<usize>) -> Self {
        Self { subscriptions, ..self }
    }

    /// The scope of a caller who has at least `role`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody signed in, `FORBIDDEN` with the wanted role otherwise.
    pub fn require(&self, role: Role) -> Result<&Scope> {
        match self.role {
            None => Err(Error::new(&code::UNAUTHENTICATED)),
            Some(own) if own < role => Err(Error::new(&code::FORBIDDEN).with("role", role)),
            Some(_) => Ok(&self.scope),
        }
    }

    /// Nobody in particular with the same rights: what is read as it depends on the scope alone.
    #[must_use]
    pub fn without_subject(self) -> Self {
        Self { subject: Subject::Anonymous, ..self }
    }

    /// Whether both are the same caller with the same rights, however long each still has them.
    #[must_use]
    pub fn may_as(&self, other: &Self) -> bool {
        self.subject == other.subject && self.role == other.role && self.tenants == other.tenants
    }

    /// Who calls.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The user who calls; none for anonymous and the system.
    #[must_use]
    pub fn user_id(&self) -> Option<UserId> {
        match self.subject {
            Subject::User { id, .. } => Some(id),
            Subject::Anonymous | Subject::System(_) => None,
        }
    }

    /// The name for the audit log and for creators: a user's name, `anonymous`, `system:retention`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.subject {
            Subject::Anonymous => "anonymous".into(),
            Subject::User { name, .. } => name.to_string(),
            Subject::System(part) => format!("system:{part}"),
        }
    }

    /// What proved who calls.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// How much it may do.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The tenant that owns what the caller makes without naming one: the oldest it belongs to.
    #[must_use]
    pub fn home(&self) -> Option<TenantId> {
        self.tenants.first().copied()
    }

    /// How many subscriptions it may have open; none: as many as everybody.
    #[must_use]
    pub fn subscriptions(&self) -> Option<usize> {
        self.subscriptions
    }

    /// When the credentials end; a subscription may not outlive it.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(role: Role) -> Principal {
        Principal::user(UserId(7), "ann", role, vec![TenantId(3), TenantId(1)])
    }

    #[test]
    fn a_role_implies_those_below_it_and_no_other() {
        for (at, own) in [Role::Viewer, Role::Manager, Role::Admin].into_iter().enumerate() {
            for (wanted_at, wanted) in [Role::Viewer, Role::Manager, Role::Admin].into_iter().enumerate() {
                assert_eq!(user(own).require(wanted).is_ok(), at >= wanted_at, "{own} asked for {wanted}");
            }
        }
    }

    #[test]
    fn nobody_gets_no_scope() {
        let refused = Principal::anonymous().require(Role::Viewer).unwrap_err();
        assert_eq!(refused.code(), &code::UNAUTHENTICATED);
        let refused = user(Role::Viewer).require(Role::Manager).unwrap_err();
        assert_eq!(refused.to_string(), "this needs the role MANAGER");
    }

    #[test]
    fn only_an_admin_sees_every_tenant() {
        assert_eq!(user(Role::Admin).require(Role::Viewer).unwrap(), &Scope::All);
        let manager = user(Role::Manager);
        let scope = manager.require(Role::Viewer).unwrap();
        assert!(scope.covers(TenantId(1)) && scope.covers(TenantId(3)) && !scope.covers(TenantId(2)));
        assert_eq!(manager.home(), Some(TenantId(1)));
    }
}
