//! Faults become errors by their type; what they say in words does not count.

use taskloom::vsphere::{Error, Filter, Reference};

use super::fixture;
use super::vcenter::{session, start};

/// What comes of a call that is answered with this.
async fn error(text: &'static str) -> Error {
    let server = start(move |request| (request.method() == "PowerOnVM_Task").then(|| text.to_owned()));
    session(&server).await.power_on(&Reference::new("VirtualMachine", "vm-1")).await.unwrap_err()
}

fn kind(error: &Error) -> &str {
    match error {
        Error::Fault { kind, .. } => kind,
        _ => "",
    }
}

#[tokio::test]
async fn defined_faults() {
    assert!(matches!(error(fixture!("definition/21-fault-not-authenticated")).await, Error::NotAuthenticated));
    assert!(matches!(error(fixture!("definition/22-fault-invalid-login-zh_CN")).await, Error::InvalidLogin));
    let denied = error(fixture!("definition/23-fault-no-permission")).await;
    assert!(matches!(denied, Error::NoPermission { privilege } if privilege == "System.View"));
    let locale = error(fixture!("definition/24-fault-invalid-locale")).await;
    assert_eq!(locale.to_string(), "InvalidLocale: The locale is not valid.");
    let version = error(fixture!("definition/25-fault-invalid-collector-version")).await;
    assert!(matches!(version, Error::InvalidCollectorVersion));
    assert!(matches!(error(fixture!("definition/26-fault-request-canceled")).await, Error::RequestCanceled));
    let missing = error(fixture!("definition/27-fault-managed-object-not-found")).await;
    assert!(matches!(missing, Error::ManagedObjectNotFound { reference } if reference == Reference::task("task-3100")));
    let state = error(fixture!("definition/28-fault-invalid-state-too-many-collectors")).await;
    assert!(kind(&state) == "InvalidState" && !state.is_passing());
    let unknown = error(fixture!("definition/29-fault-client-fault-code-unknown-method")).await;
    assert!(kind(&unknown) == "InvalidRequest" && !unknown.is_passing());
}

#[tokio::test]
async fn recorded_faults() {
    for text in [
        fixture!("recorded/002-call-before-login"),
        fixture!("recorded/501-call-after-logout"),
        fixture!("recorded/503-wait-after-logout"),
    ] {
        assert!(error(text).await.is_session_lost());
    }
    assert!(matches!(error(fixture!("recorded/003-login-wrong-password")).await, Error::InvalidLogin));
    assert!(matches!(error(fixture!("recorded/005-login-while-signed-in")).await, Error::InvalidLogin));
    assert!(matches!(error(fixture!("recorded/105-task-not-found")).await, Error::ManagedObjectNotFound { .. }));
    assert!(matches!(error(fixture!("recorded/428-read-after-destroy")).await, Error::ManagedObjectNotFound { .. }));
    assert!(matches!(error(fixture!("recorded/310-wait-for-updates-cancelled")).await, Error::RequestCanceled));
    assert_eq!(kind(&error(fixture!("recorded/400-create-collector-not-implemented")).await), "MethodNotFound");
    assert_eq!(kind(&error(fixture!("recorded/109-cancel-finished-task")).await), "MethodNotFound");
}

#[tokio::test]
async fn a_state_that_is_not_allowed_means_too_many_histories_where_one_is_opened() {
    for text in [
        fixture!("definition/28-fault-invalid-state-too-many-collectors"),
        fixture!("recorded/426-create-collector-over-limit"),
    ] {
        let server = start(move |request| (request.method() == "CreateCollectorForTasks").then(|| text.to_owned()));
        let refused = session(&server).await.history(&Filter::default()).await.unwrap_err();
        assert!(matches!(refused, Error::TooManyCollectors), "{refused}");
    }
}

#[tokio::test]
async fn an_answer_without_what_it_must_have_is_no_answer() {
    let error = error(fixture!("recorded/427-destroy-collector")).await;
    assert!(matches!(&error, Error::Malformed(malformed) if malformed.path.ends_with("Response/returnval")), "{error}");
}
