//! Every field of the roots by every role: nothing is open but what says so, and each refused change is recorded.

use std::collections::BTreeSet;

use taskloom_entity::Role;

use super::bench::{Bench, on_both};
use super::field::{Field, Things, changes, questions, subscriptions};
use super::streams;

#[tokio::test]
async fn every_field_is_closed_but_to_its_role() {
    on_both(async |t| {
        let home = t.tenant("home").await;
        let mut callers = vec![(None, t.anonymous())];
        for (name, role) in [("vera", Role::Viewer), ("max", Role::Manager), ("ada", Role::Admin)] {
            callers.push((Some(role), t.caller(name, role, &[home]).await));
        }
        let of = Things::unknown();
        for (run, (role, caller)) in callers.iter().enumerate() {
            for field in questions(&of).into_iter().chain(changes(&of, run)) {
                let before = acts(&t, &field).await;
                let code = caller.refused(&field.document).await;
                let after = acts(&t, &field).await;
                let what = format!("{} asks for {}: {code:?}", role.map_or("nobody", Role::name), field.name);
                if let Some(refused) = refusal(&field, *role) {
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

#[tokio::test]
async fn every_subscription_is_closed_but_to_its_role() {
    on_both(async |t| {
        for field in subscriptions(&Things::unknown()) {
            let answer = streams::first(&t, serde_json::json!(null), &field.document).await;
            let code = answer.pointer("/errors/0/extensions/code").and_then(|code| code.as_str());
            assert_eq!(code, refusal(&field, None), "{}: {answer}", field.name);
        }
    })
    .await;
}

#[tokio::test]
async fn the_matrix_names_every_field() {
    on_both(async |t| {
        let of = Things::unknown();
        for (root, tested) in
            [("queryType", questions(&of)), ("mutationType", changes(&of, 0)), ("subscriptionType", subscriptions(&of))]
        {
            let answer = t.anonymous().ask(&format!("{{ __schema {{ {root} {{ fields {{ name }} }} }} }}")).await;
            let fields = answer.at(&format!("/data/__schema/{root}/fields")).as_array().unwrap().iter();
            let known: BTreeSet<&str> = fields.map(|field| field["name"].as_str().unwrap()).collect();
            let tested: BTreeSet<&str> = tested.iter().map(|field| field.name).collect();
            assert_eq!(known, tested);
        }
    })
    .await;
}

/// What a field answers who may not ask for it.
fn refusal(field: &Field, role: Option<Role>) -> Option<&'static str> {
    match (field.role, role) {
        (Some(_), None) => Some("UNAUTHENTICATED"),
        (Some(wanted), Some(own)) if own < wanted => Some("FORBIDDEN"),
        _ => None,
    }
}

async fn acts(t: &Bench, field: &Field) -> Vec<String> {
    match &field.action {
        Some(action) => t.acts(action).await,
        None => vec![],
    }
}
