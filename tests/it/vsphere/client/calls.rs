//! What is sent: sign-in, cookies, escapes, pages and their tokens.

use taskloom::vsphere::{Client, Error, Filter, Reason, Reference, TaskState, Trust};

use super::fixture;
use super::vcenter::{COOKIE, address, answer, connect, session, small, start};

#[tokio::test]
async fn signs_in_and_keeps_the_cookie_with_its_quotes() {
    let server = start(|request| match request.method() {
        "CurrentTime" => Some(fixture!("recorded/008-current-time").into()),
        _ => None,
    });
    let session = session(&server).await;
    assert_eq!(session.signed_in().locale, "zh_CN");
    let clock = session.server_clock().await.unwrap();
    assert_eq!(clock.to_rfc3339(), "2026-11-21T01:43:11.439755+00:00");
    session.sign_out().await.unwrap();
    let received = server.received();
    assert_eq!(server.methods(), ["RetrieveServiceContent", "Login", "CurrentTime", "Logout"]);
    assert!(received[0].line.starts_with("GET /sdk/vimServiceVersions.xml "), "{received:?}");
    assert!(received[1..].iter().all(|one| one.header("soapaction") == Some("\"urn:vim25/6.7\"")), "{received:?}");
    let cookies = received.iter().map(|one| one.header("cookie")).collect::<Vec<_>>();
    assert_eq!(cookies, [None, None, None, Some(COOKIE), Some(COOKIE)]);
    let shown = format!("{session:?}");
    assert!(!shown.contains("5f1e"), "{shown}");
}

#[tokio::test]
async fn escapes_what_people_chose() {
    let server = start(|_| None);
    let client = connect(&server).await.unwrap();
    let password = "a&b<c>\"d'\r\n\té😀";
    client.sign_in("VSPHERE.LOCAL\\<admin>", password, "en").await.unwrap();
    let received = server.received();
    let login = received.last().unwrap();
    let sent = "<userName>VSPHERE.LOCAL\\&lt;admin&gt;</userName>\
                <password>a&amp;b&lt;c&gt;&quot;d&apos;&#13;&#10;&#9;é😀</password><locale>en</locale>";
    assert!(login.body.contains(sent), "{}", login.body);
}

#[tokio::test]
async fn refuses_what_xml_cannot_carry_before_it_is_sent() {
    let server = start(|_| None);
    let client = connect(&server).await.unwrap();
    for password in ["a\0b", "a\u{1b}b", "a\u{ffff}b"] {
        let refused = client.sign_in("user", password, "en").await.unwrap_err();
        assert_eq!(refused.to_string(), "password has a character that XML cannot carry; leave it out");
    }
    assert_eq!(server.methods(), ["RetrieveServiceContent"]);
}

#[tokio::test]
async fn signs_in_without_a_language_that_is_not_known() {
    let server = start(|request| match request.method() {
        "Login" if request.body.contains("<locale>zh_CN<") => {
            Some(fixture!("definition/24-fault-invalid-locale").into())
        }
        _ => None,
    });
    session(&server).await;
    assert!(!server.received().last().unwrap().body.contains("<locale>"));
    assert_eq!(server.methods(), ["RetrieveServiceContent", "Login", "Login"]);
}

#[tokio::test]
async fn a_wrong_password_is_sent_once() {
    let server = start(|request| match request.method() {
        "Login" => Some(fixture!("definition/22-fault-invalid-login-zh_CN").into()),
        _ => None,
    });
    let client = connect(&server).await.unwrap();
    let refused = client.sign_in("user", "secret", "en").await.unwrap_err();
    assert!(matches!(refused, Error::InvalidLogin) && !refused.is_passing());
    assert!(!format!("{refused} {refused:?}").contains("secret"));
    assert_eq!(server.methods(), ["RetrieveServiceContent", "Login"]);
}

#[tokio::test]
async fn reads_a_history_and_gives_it_back() {
    let server = start(|request| match request.method() {
        "CreateCollectorForTasks" => Some(fixture!("recorded/401-create-collector-unfiltered").into()),
        "ReadNextTasks" => Some(fixture!("definition/08-read-next-tasks-every-reason").into()),
        "DestroyCollector" => Some(fixture!("recorded/427-destroy-collector").into()),
        _ => None,
    });
    let time = "2026-03-02T08:15:04.113Z".parse().unwrap();
    let states = vec![TaskState::Queued, TaskState::Running];
    let filter = Filter { states, completed_since: Some(time), event_chain_ids: vec![-7, 8] };
    let mut history = session(&server).await.history(&filter).await.unwrap();
    assert_eq!(history.next(5000).await.unwrap().len(), 8);
    history.close().await;
    let received = server.received();
    let [.., create, read, _] = &received[..] else { panic!("{received:?}") };
    let sent = "<filter><time><timeType>completedTime</timeType><beginTime>2026-03-02T08:15:04.113000Z</beginTime></time>\
                <state>queued</state><state>running</state><eventChainId>-7</eventChainId><eventChainId>8</eventChainId></filter>";
    assert!(create.body.contains(sent), "{}", create.body);
    assert!(read.body.contains("<maxCount>1000</maxCount>"), "{}", read.body);
}

#[tokio::test]
async fn follows_tokens_to_the_end() {
    let server = start(|request| match request.method() {
        "RetrievePropertiesEx" => Some(fixture!("definition/19-retrieve-continues-with-token").into()),
        "ContinueRetrievePropertiesEx" => Some(
            fixture!("recorded/219-recent-tasks-with-info-by-traversal")
                .replace("RetrievePropertiesExResponse", "ContinueRetrievePropertiesExResponse"),
        ),
        _ => None,
    });
    let tasks = session(&server).await.recent_tasks().await.unwrap();
    assert_eq!(tasks.len(), 6);
    assert!(tasks.iter().all(|task| matches!(task.reason, Reason::User { .. })));
    assert!(server.received().last().unwrap().body.contains("<token>0</token>"));
}

#[tokio::test]
async fn a_task_that_has_gone_and_a_hidden_one() {
    let server = start(|request| match request.method() {
        "RetrievePropertiesEx" if request.body.contains("task-999999<") => {
            Some(fixture!("recorded/105-task-not-found").into())
        }
        "RetrievePropertiesEx" if request.body.contains("task-1<") => {
            Some(fixture!("definition/23-fault-no-permission").into())
        }
        "RetrievePropertiesEx" => Some(fixture!("definition/02-task-running-with-progress").into()),
        _ => None,
    });
    let session = session(&server).await;
    let gone = session.task(&Reference::task("task-999999")).await;
    assert!(matches!(gone, Err(Error::ManagedObjectNotFound { reference }) if reference.value == "task-999999"));
    assert_eq!(session.task(&Reference::task("task-3251")).await.unwrap().progress, Some(37));
    let hidden = session.task(&Reference::task("task-1")).await;
    assert!(matches!(hidden, Err(Error::NoPermission { privilege }) if privilege == "System.View"));
}

#[tokio::test]
async fn a_lost_session_is_told_whatever_form_it_takes() {
    let server = start(|request| match request.method() {
        "RetrievePropertiesEx" => Some(fixture!("definition/20-retrieve-with-session-lost").into()),
        "Login" | "RetrieveServiceContent" | "" => None,
        _ => Some(fixture!("definition/21-fault-not-authenticated").into()),
    });
    let session = session(&server).await;
    assert!(session.recent_tasks().await.unwrap_err().is_session_lost());
    assert!(!session.alive().await.unwrap());
    assert!(session.catalogue().await.unwrap_err().is_session_lost());
    assert!(session.server_clock().await.unwrap_err().is_session_lost());
    // There is nothing left to end.
    session.sign_out().await.unwrap();
}

#[tokio::test]
async fn reads_the_catalogue_and_the_inventory() {
    let server = start(|request| match request.method() {
        "RetrievePropertiesEx" if request.body.contains("<pathSet>description<") => {
            Some(fixture!("definition/01-task-description-catalogue-zh_CN").into())
        }
        "RetrievePropertiesEx" if request.body.contains("ContainerView") => {
            Some(fixture!("recorded/103-names-of-entities-first-page").into())
        }
        "RetrievePropertiesEx" => {
            let name = "<propSet><name>name</name><val xsi:type=\"xsd:string\">Datacenters</val></propSet>";
            let root = format!("<returnval><objects><obj type=\"Folder\">group-d1</obj>{name}</objects></returnval>");
            Some(answer("RetrievePropertiesEx", &root))
        }
        "CreateContainerView" => Some(answer("CreateContainerView", "<returnval type=\"ContainerView\">v</returnval>")),
        "DestroyView" => Some(answer("DestroyView", "")),
        _ => None,
    });
    let session = session(&server).await;
    assert_eq!(session.catalogue().await.unwrap().len(), 11);
    let inventory = session.inventory().await.unwrap();
    assert_eq!((inventory.len(), inventory[0].name.as_str(), &inventory[0].parent), (15, "Datacenters", &None));
    assert_eq!((inventory[3].name.as_str(), &inventory[3].host), ("DC0_H0_VM0", &None));
    assert_eq!(inventory[3].parent, Some(Reference::new("Folder", "folder-3")));
    assert_eq!(server.methods().last().map(String::as_str), Some("DestroyView"));
}

#[tokio::test]
async fn nothing_is_believed_only_of_a_living_session() {
    // A traversal finds nothing when the session was lost, and says nothing of it.
    let nothing = answer("RetrievePropertiesEx", "");
    for (current, lives) in [
        (fixture!("recorded/507-current-session-when-signed-out"), false),
        (fixture!("recorded/007-current-session"), true),
    ] {
        let nothing = nothing.clone();
        let server = start(move |request| match request.method() {
            "RetrievePropertiesEx" if request.body.contains("<pathSet>currentSession<") => Some(current.into()),
            "RetrievePropertiesEx" => Some(nothing.clone()),
            _ => None,
        });
        let session = session(&server).await;
        assert_eq!(session.alive().await.unwrap(), lives);
        match session.recent_tasks().await {
            Ok(tasks) => assert!(lives && tasks.is_empty()),
            Err(error) => assert!(!lives && error.is_session_lost(), "{error}"),
        }
    }
}

#[tokio::test]
async fn speaks_the_newest_version_that_both_know() {
    for (list, is) in [
        (fixture!("recorded/000-service-versions"), "6.7.3"),
        (fixture!("definition/30-service-versions-6.7"), "6.7"),
        (fixture!("definition/31-service-versions-7.0"), "6.7"),
        (fixture!("definition/32-service-versions-8.0"), "6.7"),
        (fixture!("definition/33-service-versions-9.0"), "6.7"),
    ] {
        let server = start(move |request| request.method().is_empty().then(|| list.to_owned()));
        let client = Client::connect(&address(&server), &Trust::SystemRoots, small()).await.unwrap();
        assert_eq!(client.version(), is);
        let action = format!("\"urn:vim25/{is}\"");
        assert_eq!(server.received().last().unwrap().header("soapaction"), Some(action.as_str()));
    }
}

#[tokio::test]
async fn tells_what_the_vcenter_is() {
    let client = connect(&start(|_| None)).await.unwrap();
    let about = client.about();
    assert_eq!(about.instance_uuid, "dbed6e0c-bd88-4ef6-b594-21283e1c677f");
    assert_eq!((about.version.as_str(), about.api_version.as_str()), ("6.5.0", "6.7.3"));
    assert_eq!((about.api_type.as_str(), about.product_line_id.as_str()), ("VirtualCenter", "vpx"));
    assert!(about.vendor.starts_with("VMware") && about.full_name.contains("vCenter"));
}

#[tokio::test]
async fn a_lost_session_in_a_good_answer_as_recorded() {
    for text in [
        fixture!("recorded/502-properties-after-logout"),
        fixture!("recorded/506-properties-after-idle-timeout"),
        fixture!("definition/20-retrieve-with-session-lost"),
    ] {
        let server = start(move |request| (request.method() == "RetrievePropertiesEx").then(|| text.to_owned()));
        let session = session(&server).await;
        assert!(session.recent_tasks().await.unwrap_err().is_session_lost());
        assert!(session.task(&Reference::task("task-1")).await.unwrap_err().is_session_lost());
        assert!(session.snapshots(&Reference::new("VirtualMachine", "vm-1")).await.unwrap_err().is_session_lost());
    }
}
