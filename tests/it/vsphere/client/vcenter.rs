//! A server that begins as a vCenter does, and goes on as a test wants.

use std::io::{self, Write};
use std::time::Duration;

use taskloom::vsphere::{Address, Client, Error, Limits, Session, Trust};

use super::fixture;
use super::server::{Received, Server, send};

/// A cookie as vCenters write it: the quotes are part of the value.
pub(super) const COOKIE: &str = "vmware_soap_session=\"5f1e-aa=\"";

/// Answers versions, the service content and sign-ins; for all other calls, the test's answer or a fault.
pub(super) fn start(other: impl Fn(&Received) -> Option<String> + Send + Sync + 'static) -> Server {
    Server::start(None, move |request, out| respond(request, out, &other))
}

pub(super) fn respond(
    request: &Received,
    out: &mut dyn Write,
    other: &dyn Fn(&Received) -> Option<String>,
) -> io::Result<()> {
    if let Some(answer) = other(request) {
        return answered(out, "", &answer);
    }
    let cookie = format!("Set-Cookie: other=1\r\nSet-Cookie: {COOKIE}; Path=/; HttpOnly; Secure\r\n");
    match request.method() {
        "" => send(out, 200, "", fixture!("definition/32-service-versions-8.0").as_bytes()),
        "RetrieveServiceContent" => answered(out, "", fixture!("recorded/001-retrieve-service-content")),
        "Login" => answered(out, &cookie, fixture!("recorded/004-login")),
        "Logout" => answered(out, "", fixture!("recorded/500-logout")),
        _ => answered(out, "", fixture!("definition/29-fault-client-fault-code-unknown-method")),
    }
}

fn answered(out: &mut dyn Write, headers: &str, body: &str) -> io::Result<()> {
    let status = if body.contains(":Fault>") { 500 } else { 200 };
    send(out, status, headers, body.as_bytes())
}

/// The answer of a method.
pub(super) fn answer(method: &str, inside: &str) -> String {
    format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\">\
         <soapenv:Body><{method}Response xmlns=\"urn:vim25\">{inside}</{method}Response></soapenv:Body></soapenv:Envelope>"
    )
}

pub(super) fn address(server: &Server) -> Address {
    Address::parse(&format!("http://{}", server.address)).unwrap()
}

/// Limits that a test can fill.
pub(super) fn small() -> Limits {
    Limits { answer_bytes: 1 << 20, stranger_bytes: 64 << 10, ..Limits::default() }
}

/// Limits that a test can wait for.
pub(super) fn hasty() -> Limits {
    Limits { call: Duration::from_millis(900), wait_margin: Duration::from_millis(600), ..Limits::default() }
}

pub(super) async fn connect(server: &Server) -> Result<Client, Error> {
    Client::connect(&address(server), &Trust::SystemRoots, small()).await
}

pub(super) async fn session(server: &Server) -> Session {
    connect(server).await.unwrap().sign_in("user", "pass", "zh_CN").await.unwrap()
}
