//! Decisions are made under the lock: two who decide at the same time take turns, and the second sees what the first did.

use sea_orm::ConnectionTrait;
use taskloom::engine::equip;
use taskloom::error::code;
use taskloom::resolver::task::submit::SubmissionSource;
use taskloom::resolver::{Request, definition, secret, session, source, user, vcenter};
use taskloom::vault::Hidden;
use taskloom_entity::{DataSourceKind, Role, TenantId, VcenterTrust};

use super::bench::{PASSWORD, on_both};

/// How often each story is told: a race is lost sometimes.
const ROUNDS: usize = 15;

fn hidden(text: &str) -> Hidden {
    Hidden::new(text.to_owned())
}

/// Does both at the same time.
async fn both<T: Send + 'static>(
    one: impl Future<Output = T> + Send + 'static,
    other: impl Future<Output = T> + Send + 'static,
) -> (T, T) {
    let (one, other) = (tokio::spawn(one), tokio::spawn(other));
    (one.await.unwrap(), other.await.unwrap())
}

fn at(tenant: TenantId, name: &str, address: &str, password: Option<&str>, user: &str) -> vcenter::NewVcenter {
    vcenter::NewVcenter {
        tenant: Some(tenant),
        name: name.into(),
        uuid: Some(name.into()),
        address: address.into(),
        user: user.into(),
        password: password.map(hidden),
        trust: VcenterTrust::System,
        trusted: None,
        collect: false,
        keep_days: None,
    }
}

/// Where the password of a vCenter goes: its address, and the password.
async fn goes(system: &Request, name: &str) -> (String, String) {
    let kept = vcenter::get_by_uuid(system, name).await.unwrap();
    let server = equip::vcenter(&system.vault, kept).unwrap();
    (server.address.to_string(), server.password.expose().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_of_a_vcenter_goes_to_the_address_of_before() {
    on_both(async |t| {
        let (tenant, system) = (t.tenant("home").await, t.system());
        for round in 0..ROUNDS {
            let name = format!("v{round}");
            vcenter::put(&system, at(tenant, &name, "old.example", Some("of the old"), "a"), false).await.unwrap();
            let (one, other) = (system.clone(), system.clone());
            let moves = at(tenant, &name, "new.example", Some("of the new"), "a");
            // By what this one knows the address stays, so it needs no password.
            let stays = at(tenant, &name, "old.example", None, "b");
            let (moved, stayed) = both(async move { vcenter::put(&one, moves, false).await }, async move {
                vcenter::put(&other, stays, false).await
            })
            .await;
            moved.unwrap();
            if let Err(refused) = stayed {
                assert_eq!(refused.code(), &code::INVALID_INPUT, "{refused:?}");
            }
            let (address, password) = goes(&system, &name).await;
            assert!(address.contains("new.example") && password == "of the new", "{password} goes to {address}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_register_a_vcenter_make_one() {
    on_both(async |t| {
        let (tenant, system) = (t.tenant("home").await, t.system());
        for round in 0..ROUNDS {
            let name = format!("v{round}");
            let (one, other) = (system.clone(), system.clone());
            let (first, second) = (
                at(tenant, &name, "one.example", Some("of one"), "a"),
                at(tenant, &name, "two.example", Some("of two"), "a"),
            );
            let put = both(async move { vcenter::put(&one, first, false).await }, async move {
                vcenter::put(&other, second, false).await
            });
            let (first, second) = put.await;
            let ids = [first, second].map(|put| put.unwrap().vcenter.unwrap().id);
            assert_eq!(ids[0], ids[1]);
            let (address, password) = goes(&system, &name).await;
            assert_eq!(address.contains("one.example"), password == "of one", "{password} goes to {address}");
            // And whoever deletes it beside one who changes it leaves it whole, or not at all.
            let (one, other, id) = (system.clone(), system.clone(), ids[0]);
            let again = at(tenant, &name, "three.example", Some("of three"), "a");
            let (changed, deleted) = both(
                async move { vcenter::put(&one, again, false).await.map(|put| put.vcenter.unwrap().id) },
                async move { vcenter::delete(&other, id, false).await.map(|gone| gone.id) },
            )
            .await;
            assert_eq!(deleted.unwrap(), id);
            let changed = changed.unwrap();
            let is_there = vcenter::get(&system, changed).await.is_ok();
            assert_eq!(is_there, changed != id, "changed before it was deleted, or made anew behind that");
        }
    })
    .await;
}

fn database(tenant: TenantId, name: &str, host: &str, password: Option<&str>, user: &str) -> source::NewDataSource {
    source::NewDataSource {
        tenant: Some(tenant),
        name: name.into(),
        kind: DataSourceKind::Postgresql,
        host: Some(host.into()),
        port: None,
        database: "x".into(),
        user: Some(user.into()),
        password: password.map(|password| Some(hidden(password))),
        options: Default::default(),
        engine: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_of_a_data_source_goes_to_another_host() {
    on_both(async |t| {
        let (tenant, system) = (t.tenant("home").await, t.system());
        for round in 0..ROUNDS {
            let name = format!("d{round}");
            let made = source::put(&system, database(tenant, &name, "old", Some("of the old"), "a")).await.unwrap();
            let refused = source::put(&system, database(tenant, &name, "elsewhere", None, "a")).await.unwrap_err();
            assert_eq!(refused.code(), &code::INVALID_INPUT);
            source::put(&system, database(tenant, &name, "old", None, "b")).await.unwrap();
            let (one, other) = (system.clone(), system.clone());
            let moves = database(tenant, &name, "new", Some("of the new"), "a");
            let stays = database(tenant, &name, "old", None, "c");
            let (moved, stayed) =
                both(async move { source::put(&one, moves).await }, async move { source::put(&other, stays).await })
                    .await;
            moved.unwrap();
            if let Err(refused) = stayed {
                assert_eq!(refused.code(), &code::INVALID_INPUT, "{refused:?}");
            }
            let kept = equip::source(&system.vault, source::get(&system, made.id).await.unwrap()).unwrap();
            assert_eq!(
                (kept.host.as_deref(), kept.password.as_ref().map(Hidden::expose)),
                (Some("new"), Some("of the new"))
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_remove_the_last_administrators_leave_one() {
    on_both(async |t| {
        let system = t.system();
        for round in 0..ROUNDS {
            let ids = [
                t.user(&format!("ada{round}"), Role::Admin, &[]).await,
                t.user(&format!("bob{round}"), Role::Admin, &[]).await,
            ];
            let remove = move |request: Request, way: usize, id| async move {
                match way % 3 {
                    0 => user::delete(&request, id).await,
                    1 => user::disable(&request, id).await,
                    _ => user::set_role(&request, id, Role::Viewer).await,
                }
            };
            let pair = both(remove(system.clone(), round, ids[0]), remove(system.clone(), round / 3, ids[1]));
            let (one, other) = pair.await;
            let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!(refused[0].code(), &code::LAST_ADMIN);
            // The next two must be the only ones.
            let filter = user::UserFilter { role: Some(Role::Admin), disabled: Some(false), ..Default::default() };
            let page = taskloom::store::page::Page { after: None, before: None, limit: 10, backward: false };
            let left = user::list(&system, &filter, page).await.unwrap().rows;
            assert_eq!(left.len(), 1, "{left:?}");
            let others = format!("UPDATE app_user SET disabled = TRUE WHERE id = {}", left[0].id);
            t.app.store.write().execute_unprepared(&others).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_save_a_definition_make_two_versions() {
    on_both(async |t| {
        let (tenant, system) = (t.tenant("home").await, t.system());
        let spec = |message: usize| {
            let step = serde_json::json!({"name": format!("s{message}"), "run": {"noop": {}}});
            SubmissionSource::Spec(serde_json::json!({"name": "kept", "subtasks": [step]}))
        };
        for round in 0..ROUNDS {
            let (one, other) = (system.clone(), system.clone());
            let (first, second) = (spec(round * 2), spec(round * 2 + 1));
            let saved = both(async move { definition::save(&one, first, Some(tenant)).await }, async move {
                definition::save(&other, second, Some(tenant)).await
            });
            let (first, second) = saved.await;
            let mut versions = [first.unwrap().version, second.unwrap().version];
            versions.sort_unstable();
            let next = i32::try_from(round * 2 + 1).unwrap();
            assert_eq!(versions, [next, next + 1]);
            let newest = definition::get_by_name(&system, "kept", None).await.unwrap();
            assert_eq!(newest.version, next + 1);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_make_a_secret_make_one_and_one_of_them_deletes_it() {
    on_both(async |t| {
        let (tenant, system) = (t.tenant("home").await, t.system());
        for round in 0..ROUNDS {
            let put = |value: &'static str| {
                let (request, name) = (system.clone(), format!("S{round}"));
                async move { secret::put(&request, Some(tenant), &name, &hidden(value)).await }
            };
            let (one, other) = both(put("first value"), put("second value")).await;
            let id = one.unwrap().id;
            assert_eq!(other.unwrap().id, id);
            let delete = || {
                let request = system.clone();
                async move { secret::delete(&request, id).await }
            };
            let (one, other) = both(delete(), delete()).await;
            let refused: Vec<_> = [one, other].into_iter().filter_map(Result::err).collect();
            assert_eq!(refused.len(), 1, "{refused:?}");
            assert_eq!(refused[0].code(), &code::SECRET_NOT_FOUND);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_outlives_the_password_it_was_begun_with() {
    on_both(async |t| {
        let system = t.system();
        for round in 0..5 {
            let name = format!("ann{round}");
            let ann = t.user(&name, Role::Viewer, &[]).await;
            let (one, other) = (system.clone(), system.clone());
            let signed_in = tokio::spawn(async move { session::login(&one, &name, PASSWORD, None).await });
            let changed = tokio::spawn(async move { user::set_password(&other, ann, None, "battery staple").await });
            changed.await.unwrap().unwrap();
            if let Ok(signed_in) = signed_in.await.unwrap() {
                let digest = taskloom::auth::secret::digest(&signed_in.cookie);
                let kept = taskloom::store::session::find(t.app.store.read(), &digest).await.unwrap();
                assert!(kept.is_none(), "it began with the password of before, and goes on");
            }
        }
    })
    .await;
}
