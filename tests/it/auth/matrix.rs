//! Every field of the roots by every role: nothing is open but what says so, and each refused change is recorded.

use std::collections::BTreeSet;

use taskloom_entity::Role;

use super::bench::{Bench, id, on_both};

/// Who may: none, everybody.
struct Field {
    name: &'static str,
    role: Option<Role>,
    document: String,
    /// The verb in the audit log; none: it changes nothing.
    action: Option<&'static str>,
}

/// No row has such an id, so who is let through finds nothing and breaks nothing.
const NOBODY: i64 = 999_999;

fn fields(run: usize) -> Vec<Field> {
    let (user, tenant, token) = (id("User", NOBODY), id("Tenant", NOBODY), id("Token", NOBODY));
    let read = |name, role, arguments: String, selection: &str| Field {
        name,
        role,
        document: format!("{{ {name}{arguments} {{ {selection} }} }}"),
        action: None,
    };
    let write = |name, role, input: String, selection: &str, action| Field {
        name,
        role,
        document: format!("mutation {{ {name}(input: {{{input}}}) {{ {selection} }} }}"),
        action: Some(action),
    };
    let (viewer, admin) = (Some(Role::Viewer), Some(Role::Admin));
    let of_user = format!("id: \"{user}\"");
    let member = format!("id: \"{tenant}\", userId: \"{user}\"");
    let strong = "password: \"long enough\"";
    vec![
        read("me", None, String::new(), "id"),
        read("user", viewer, format!("(id: \"{user}\")"), "id"),
        read("users", viewer, String::new(), "totalCount nodes { id tenants { id } }"),
        read("tenant", viewer, format!("(id: \"{tenant}\")"), "id"),
        read("tenants", viewer, String::new(), "totalCount nodes { id }"),
        read("tokens", viewer, String::new(), "totalCount nodes { id user { id } }"),
        read("audit", admin, String::new(), "totalCount nodes { id user { id } tenant { id } }"),
        write("createUser", admin, format!("name: \"new{run}\", role: VIEWER"), "user { id }", "user.create"),
        write("setUserPassword", admin, format!("{of_user}, {strong}"), "user { id }", "user.setPassword"),
        write("setUserRole", admin, format!("{of_user}, role: VIEWER"), "user { id }", "user.setRole"),
        write("disableUser", admin, of_user.clone(), "user { id }", "user.disable"),
        write("enableUser", admin, of_user.clone(), "user { id }", "user.enable"),
        write("deleteUser", admin, of_user, "user { id }", "user.delete"),
        write("createTenant", admin, format!("name: \"new{run}\""), "tenant { id }", "tenant.create"),
        write("addTenantMember", admin, member.clone(), "tenant { id }", "tenant.addMember"),
        write("removeTenantMember", admin, member, "tenant { id }", "tenant.removeMember"),
        write("createToken", viewer, "name: \"new\", role: VIEWER".into(), "secret", "token.create"),
        write("revokeToken", viewer, format!("id: \"{token}\""), "token { id }", "token.revoke"),
        write("login", None, "name: \"nobody\", password: \"wrong\"".into(), "user { id }", "session.login"),
        Field {
            name: "logout",
            role: viewer,
            document: "mutation { logout { user { id } } }".into(),
            action: Some("session.logout"),
        },
    ]
}

#[tokio::test]
async fn every_field_is_closed_but_to_its_role() {
    on_both(async |t| {
        let home = t.tenant("home").await;
        let mut callers = vec![(None, t.anonymous())];
        for (name, role) in [("vera", Role::Viewer), ("max", Role::Manager), ("ada", Role::Admin)] {
            callers.push((Some(role), t.caller(name, role, &[home]).await));
        }
        for (run, (role, caller)) in callers.iter().enumerate() {
            for field in fields(run) {
                let refused = match (field.role, role) {
                    (Some(_), None) => Some("UNAUTHENTICATED"),
                    (Some(wanted), Some(own)) if *own < wanted => Some("FORBIDDEN"),
                    _ => None,
                };
                let before = acts(&t, &field).await;
                let code = caller.refused(&field.document).await;
                let after = acts(&t, &field).await;
                let what = format!("{} asks for {}: {code:?}", role.map_or("nobody", Role::name), field.name);
                if let Some(refused) = refused {
                    assert_eq!(code.as_deref(), Some(refused), "{what}");
                    assert_eq!(after.len(), before.len() + usize::from(field.action.is_some()), "{what}");
                    assert!(after.last().is_none_or(|last| last.starts_with(refused)), "{what}: {after:?}");
                } else {
                    assert!(!matches!(code.as_deref(), Some("UNAUTHENTICATED" | "FORBIDDEN")), "{what}");
                }
            }
        }
    })
    .await;
}

async fn acts(t: &Bench, field: &Field) -> Vec<String> {
    match field.action {
        Some(action) => t.acts(action).await,
        None => vec![],
    }
}

#[tokio::test]
async fn the_matrix_names_every_field() {
    on_both(async |t| {
        let asked = "{ __schema { queryType { fields { name } } mutationType { fields { name } } } }";
        let answer = t.anonymous().ask(asked).await;
        let names = |pointer: &str| {
            let fields = answer.at(pointer).as_array().unwrap().iter();
            fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut known = names("/data/__schema/queryType/fields");
        known.extend(names("/data/__schema/mutationType/fields"));
        let known: BTreeSet<String> = known.into_iter().collect();
        let tested: BTreeSet<String> = fields(0).iter().map(|field| field.name.to_owned()).collect();
        assert_eq!(known, tested);
    })
    .await;
}
