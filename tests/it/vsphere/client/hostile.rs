//! Servers that are no vCenters, that never end, send too much, or send what should hurt.

use std::io::{self, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use taskloom::vsphere::{Address, Client, Error, Filter, Limits, Malformed, Obstacle, Reference, Trust};

use super::fixture;
use super::server::{Server, send};
use super::vcenter::{address, answer, connect, hasty, respond, session, small, start};

/// Answers the list of versions with this text.
fn versions(text: &'static [u8], headers: &'static str) -> Server {
    Server::start(None, move |_, out| send(out, 200, headers, text))
}

async fn refused(server: &Server) -> Error {
    connect(server).await.unwrap_err()
}

#[tokio::test]
async fn servers_of_other_things_are_no_vcenters() {
    for text in ["<html><body>It works!</body></html>", "", "{\"error\": 1}", "\u{0}\u{1}", "<a><b></a>"] {
        let error = refused(&versions(text.as_bytes(), "")).await;
        assert!(matches!(error, Error::NotVcenter(_)) && !error.is_passing(), "{text}: {error}");
    }
    for status in [301, 302, 401, 403, 404] {
        let server = Server::start(None, move |_, out| send(out, status, "Location: http://127.0.0.1:1/sdk\r\n", b""));
        assert!(matches!(refused(&server).await, Error::NotVcenter(_)), "{status}");
    }
    let unready = refused(&Server::start(None, |_, out| send(out, 503, "", b"no healthy upstream"))).await;
    assert!(matches!(unready, Error::Http(503)) && unready.is_passing());
    let host = start(|request| {
        (request.method() == "RetrieveServiceContent")
            .then(|| fixture!("recorded/001-retrieve-service-content").replace(">VirtualCenter<", ">HostAgent<"))
    });
    assert!(refused(&host).await.to_string().contains("ESXi"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let other = start(|_| None);
    let elsewhere = format!("Location: http://{}/sdk\r\n", other.address);
    let server = Server::start(None, move |request, out| match request.method() {
        "CurrentTime" => send(out, 307, &elsewhere, b""),
        _ => respond(request, out, &|_| None),
    });
    let error = session(&server).await.server_clock().await.unwrap_err();
    assert!(matches!(error, Error::Http(307)) && !error.is_passing());
    assert!(other.received().is_empty());
}

async fn unreachable(address: &str, limits: Limits) -> Error {
    Client::connect(&Address::parse(address).unwrap(), &Trust::SystemRoots, limits).await.unwrap_err()
}

#[tokio::test]
async fn nobody_there() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (host, obstacle) in
        [(format!("http://{closed}"), Obstacle::Refused), ("http://nobody.invalid".into(), Obstacle::Name)]
    {
        let error = unreachable(&host, small()).await;
        assert!(matches!(&error, Error::Unreachable(is, _) if *is == obstacle), "{error:?}");
        assert!(error.is_passing() && !format!("{error:?}").contains("http://"), "{error:?}");
    }
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let limits = Limits { connect: Duration::from_millis(300), ..small() };
    let error = unreachable(&format!("https://{}", deaf.local_addr().unwrap()), limits).await;
    assert!(matches!(error, Error::Unreachable(Obstacle::Timeout, _)), "{error:?}");
    let server = Server::start(None, |_, out| out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"));
    assert!(matches!(refused(&server).await, Error::Unreachable(Obstacle::Broken, _)));
}

async fn too_slow(answer: impl Fn(&mut dyn Write) -> io::Result<()> + Send + Sync + 'static) -> bool {
    let server = Server::start(None, move |_, out| answer(out));
    matches!(Client::connect(&address(&server), &Trust::SystemRoots, hasty()).await, Err(Error::TooSlow))
}

fn pause(seconds: f32) -> io::Result<()> {
    thread::sleep(Duration::from_secs_f32(seconds));
    Ok(())
}

#[tokio::test]
async fn a_server_that_says_nothing_is_too_slow() {
    assert!(too_slow(|_| pause(60.0)).await);
    let half = |out: &mut dyn Write| {
        out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")?;
        out.flush()?;
        pause(60.0)
    };
    assert!(too_slow(half).await);
}

#[tokio::test]
async fn an_answer_that_never_ends_is_too_slow() {
    let drip = |out: &mut dyn Write| {
        out.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        (0..1000).try_for_each(|_| {
            out.write_all(b" ")?;
            out.flush()?;
            pause(0.05)
        })
    };
    assert!(too_slow(drip).await);
}

#[tokio::test]
async fn an_answer_of_a_gigabyte_is_too_large() {
    let announced =
        Server::start(None, |_, out| out.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n"));
    assert!(matches!(refused(&announced).await, Error::TooLarge));
    let flood = |out: &mut dyn Write| {
        out.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let block = [b' '; 64 << 10];
        (0..16_384).try_for_each(|_| out.write_all(&block))
    };
    let stranger = Server::start(None, move |_, out| flood(out));
    assert!(matches!(refused(&stranger).await, Error::TooLarge));
    let later = Server::start(None, move |request, out| match request.method() {
        "CurrentTime" => flood(out),
        _ => respond(request, out, &|_| None),
    });
    let error = session(&later).await.server_clock().await.unwrap_err();
    assert!(matches!(error, Error::TooLarge) && !error.is_passing());
}

#[tokio::test]
async fn a_compressed_bomb_is_as_large_as_it_unpacks() {
    let bomb = include_bytes!("fixtures/bomb.xml.gz");
    assert!(bomb.len() < 2048);
    let server = versions(bomb, "content-encoding: gzip\r\n");
    assert!(matches!(refused(&server).await, Error::TooLarge));
    assert_eq!(server.received()[0].header("accept-encoding"), Some("gzip"));
    let limits = Limits { stranger_bytes: 2 << 20, ..small() };
    let unpacked = Client::connect(&address(&server), &Trust::SystemRoots, limits).await.unwrap_err();
    assert!(matches!(unpacked, Error::NotVcenter(_)), "{unpacked:?}");
    let garbage = versions(b"no gzip at all", "content-encoding: gzip\r\n");
    assert!(matches!(refused(&garbage).await, Error::NotVcenter(_)));
}

/// What the client says of this answer, sent with this status.
async fn clock(status: u16, body: impl Into<Vec<u8>>) -> Error {
    let body = body.into();
    let server = Server::start(None, move |request, out| match request.method() {
        "CurrentTime" => send(out, status, "", &body),
        _ => respond(request, out, &|_| None),
    });
    session(&server).await.server_clock().await.unwrap_err()
}

#[tokio::test]
async fn garbage_in_a_session_is_malformed() {
    for body in [&b""[..], b"\0\x01\xff", b"<html><body>ok</body></html>", b"{}", b"<a><b></a>", b"<Envelope><Body>"] {
        let error = clock(200, body).await;
        assert!(matches!(error, Error::Malformed(_)) && !error.is_passing(), "{error}");
    }
    let wrong = answer("CurrentTime", "<returnval>secret yesterday</returnval>");
    let error = clock(200, wrong).await;
    let Error::Malformed(Malformed { path, why, .. }) = &error else { panic!("{error}") };
    assert_eq!(path, "Envelope/Body/CurrentTimeResponse/returnval");
    assert_eq!(*why, "has a value that it cannot have");
    assert!(!error.to_string().contains("secret"), "{error}");
    let error = clock(200, answer("CurrentTime", "")).await;
    assert!(matches!(error, Error::Malformed(Malformed { path, .. }) if path.ends_with("Response/returnval")));
}

#[tokio::test]
async fn statuses_without_an_answer_are_told_as_such() {
    for (status, passing) in [(401, false), (403, false), (404, false), (429, true), (502, true), (503, true)] {
        let error = clock(status, "<html>no</html>").await;
        assert!(matches!(error, Error::Http(is) if is == status) && error.is_passing() == passing, "{error}");
    }
    assert!(matches!(clock(500, "<html>Internal Server Error</html>").await, Error::Http(500)));
}

#[tokio::test]
async fn an_entity_bomb_does_not_go_off() {
    let entities = (1..20).map(|level| format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10)));
    let bomb = format!("<!DOCTYPE b [<!ENTITY e0 \"ha\">{}]><b>&e19;</b>", entities.collect::<String>());
    let error = clock(200, bomb).await;
    let has = "has a document type definition";
    assert!(matches!(&error, Error::Malformed(malformed) if malformed.why == has), "{error}");
}

#[tokio::test]
async fn many_attributes_cost_no_more_than_their_bytes() {
    let many = (0..100_000).map(|number| format!(" a{number}=\"\"")).collect::<String>();
    let spaces = (0..100_000).map(|number| format!(" xmlns:a{number}=\"urn:{number}\"")).collect::<String>();
    // Were it quadratic, this would not end.
    for attributes in [many, spaces] {
        let inside = format!("<returnval{attributes} type=\"Task\">task-1</returnval>");
        let page = answer("PowerOnVM_Task", &inside);
        let server = start(move |request| (request.method() == "PowerOnVM_Task").then(|| page.clone()));
        let client = Client::connect(&address(&server), &Trust::SystemRoots, Limits::default()).await.unwrap();
        let session = client.sign_in("user", "pass", "en").await.unwrap();
        let task = session.power_on(&Reference::new("VirtualMachine", "vm-1")).await;
        assert!(matches!(&task, Err(Error::Malformed(_))) || task.unwrap().value == "task-1");
    }
}

#[tokio::test]
async fn a_wait_has_the_time_it_asked_for_and_no_more() {
    let server = Server::start(None, |request, out| match request.method() {
        "WaitForUpdatesEx" => pause(60.0),
        "CreateFilter" => send(out, 200, "", made("CreateFilter", "PropertyFilter").as_bytes()),
        "CreatePropertyCollector" => {
            send(out, 200, "", made("CreatePropertyCollector", "PropertyCollector").as_bytes())
        }
        "CreateListView" => send(out, 200, "", made("CreateListView", "ListView").as_bytes()),
        "CreateCollectorForTasks" => {
            send(out, 200, "", made("CreateCollectorForTasks", "TaskHistoryCollector").as_bytes())
        }
        _ => respond(request, out, &|_| None),
    });
    let client = Client::connect(&address(&server), &Trust::SystemRoots, hasty()).await.unwrap();
    let mut follow = client.sign_in("user", "pass", "en").await.unwrap().follow(100).await.unwrap();
    let began = Instant::now();
    let slow = follow.wait(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(slow, Error::TooSlow) && slow.is_passing(), "{slow}");
    assert!(began.elapsed() >= Duration::from_millis(1600), "{:?}", began.elapsed());
}

fn made(method: &str, kind: &str) -> String {
    answer(method, &format!("<returnval type=\"{kind}\">made</returnval>"))
}

#[tokio::test]
async fn bytes_that_are_no_text_are_replaced_and_the_rest_is_read() {
    let page = fixture!("definition/08-read-next-tasks-every-reason");
    let bytes = page.replace("centos7", "cent\u{1}7").into_bytes();
    let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let server = Server::start(None, move |request, out| match request.method() {
        "ReadNextTasks" => send(out, 200, "", &bytes),
        "CreateCollectorForTasks" => {
            send(out, 200, "", fixture!("recorded/401-create-collector-unfiltered").as_bytes())
        }
        _ => respond(request, out, &|_| None),
    });
    let mut history = session(&server).await.history(&Filter::default()).await.unwrap();
    let tasks = history.next(1000).await.unwrap();
    assert_eq!(tasks.len(), 8);
    assert!(tasks.iter().any(|task| task.entity_name.as_deref() == Some("cent\u{fffd}7")), "{tasks:?}");
}

#[tokio::test]
async fn thousands_of_tasks_that_nobody_can_read_are_counted() {
    let task = "<returnval><key>task-1</key><state>melting</state></returnval>";
    let page = answer("ReadNextTasks", &task.repeat(5000));
    let end = answer("ReadNextTasks", "");
    let reads = std::sync::atomic::AtomicUsize::new(0);
    let server = start(move |request| match request.method() {
        "ReadNextTasks" if reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => Some(page.clone()),
        "ReadNextTasks" => Some(end.clone()),
        "CreateCollectorForTasks" => Some(fixture!("recorded/401-create-collector-unfiltered").into()),
        _ => None,
    });
    let session = session(&server).await;
    assert!(session.history(&Filter::default()).await.unwrap().next(1000).await.unwrap().is_empty());
    let left_out = session.left_out();
    assert_eq!((left_out.tasks.len(), left_out.more), (1000, 4000));
}

#[tokio::test]
async fn an_inventory_with_what_cannot_be_read_is_read() {
    let object = |name: &str, value: &str| {
        format!(
            "<objects>{value}<propSet><name>name</name><val xsi:type=\"xsd:string\">{name}</val></propSet></objects>"
        )
    };
    let vm = |value: &str| format!("<obj type=\"VirtualMachine\">{value}</obj>");
    let all = [
        object("one", &vm("vm-1")),
        object("nobody", ""),
        object("long", &vm(&"x".repeat(3000))),
        object("&strange;", &vm("vm-2")),
        object("a\0b", &vm("vm-3")),
    ];
    let found = answer("RetrievePropertiesEx", &format!("<returnval>{}</returnval>", all.concat()));
    let server = start(move |request| match request.method() {
        "RetrievePropertiesEx" => Some(found.clone()),
        "CreateContainerView" => Some(made("CreateContainerView", "ContainerView")),
        "DestroyView" => Some(answer("DestroyView", "")),
        _ => None,
    });
    let machines = session(&server).await.machines().await.unwrap();
    let machines: Vec<_> = machines.iter().map(|vm| (vm.reference.value.as_str(), vm.name.as_str())).collect();
    assert_eq!(machines, [("vm-1", "one"), ("vm-2", ""), ("vm-3", "a\u{fffd}b")]);
}

#[tokio::test]
async fn a_large_answer_is_read_aside() {
    let task = fixture!("definition/08-read-next-tasks-every-reason");
    let (start_at, end) = (task.find("<returnval>").unwrap(), task.rfind("</ReadNextTasksResponse>").unwrap());
    let page = answer("ReadNextTasks", &task[start_at..end].repeat(100));
    assert!(page.len() > 400_000);
    let server = start(move |request| match request.method() {
        "ReadNextTasks" => Some(page.clone()),
        "CreateCollectorForTasks" => Some(fixture!("recorded/401-create-collector-unfiltered").into()),
        _ => None,
    });
    let mut history = session(&server).await.history(&Filter::default()).await.unwrap();
    assert_eq!(history.next(1000).await.unwrap().len(), 800);
}
