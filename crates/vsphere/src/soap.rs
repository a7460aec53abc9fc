//! Calls and their answers: SOAP 1.1 over HTTP, as the vSphere Web Services API uses it.
//!
//! An answer is read only with status 200 or 500; a fault is known by its type, never by its text, which is in the
//! session's language or empty.

use std::time::{Duration, Instant};

use reqwest::header::HeaderValue;

use super::error::Error;
use super::fault::Fault;
use super::http::{Answer, Http, Request};
use super::left_out::LeftOut;
use super::xml::{Element, Malformed, Reader, Writer};

/// From this size on, in bytes, an answer is read on a thread of its own: a runtime's thread has better to do.
const LARGE: usize = 256 << 10;

/// Calls in one version of the API.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    http: Http,
    action: HeaderValue,
}

/// What came back.
pub(super) struct Heard<T> {
    pub(super) value: T,
    /// The tasks in it that could not be read.
    pub(super) left_out: LeftOut,
    /// The one of a session that the call began.
    pub(super) cookie: Option<HeaderValue>,
}

/// Who calls, and how long the server may wait on purpose.
#[derive(Clone, Copy, Default)]
pub(super) struct Caller<'a> {
    pub(super) cookie: Option<&'a HeaderValue>,
    pub(super) wait: Option<Duration>,
}

/// Reads what is in the element of the answer.
pub(super) type Read<T> = fn(&mut Reader<'_>) -> Result<T, Malformed>;

impl Wire {
    /// Calls in this version, such as `6.7`.
    pub(super) fn new(http: Http, version: &str) -> Result<Self, Error> {
        let action = HeaderValue::from_str(&format!("\"urn:vim25/{version}\""))
            .map_err(|_| Error::NotVcenter("its list of versions is none"))?;
        Ok(Self { http, action })
    }

    /// Makes a call and reads its answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        call: Writer,
        caller: Caller<'_>,
        read: Read<T>,
    ) -> Result<Heard<T>, Error> {
        let (method, began) = (call.method(), Instant::now());
        let request = Request { action: &self.action, cookie: caller.cookie, body: call.finish()?, wait: caller.wait };
        let Answer { status, cookie, body } = self.http.post(request).await?;
        tracing::debug!(method, status, bytes = body.len(), took = ?began.elapsed(), "called a vCenter");
        if !matches!(status, 200 | 500) {
            return Err(Error::Http(status));
        }
        let depth = self.http.limits().depth;
        let answer = on_thread(body, move |body| answer(body, depth, read)).await;
        match answer {
            // A server that fails on its own, or a proxy before it, says so in HTML or not at all.
            Err(Error::Malformed(_)) if status != 200 => Err(Error::Http(status)),
            answer => answer.map(|(value, left_out)| Heard { value, left_out, cookie }),
        }
    }
}

/// Reads a body, a large one aside.
async fn on_thread<T: Send + 'static>(
    body: Vec<u8>,
    read: impl FnOnce(&[u8]) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    if body.len() < LARGE {
        return read(&body);
    }
    match tokio::task::spawn_blocking(move || read(&body)).await {
        Ok(read) => read,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Only a runtime that is ending cancels it.
            Err(_) => Err(Error::RequestCanceled),
        },
    }
}

/// Reads an envelope: what the method answers, with what was left out of it, or its fault. Bytes that are no text are no
/// reason to lose the others.
pub(super) fn answer<T>(
    body: &[u8],
    depth: usize,
    read: impl Fn(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<(T, LeftOut), Error> {
    let text = String::from_utf8_lossy(body);
    let mut xml = Reader::new(&text, depth);
    let (mut value, mut fault) = (None, None);
    xml.children(|xml, root| match root.name() {
        "Envelope" => xml.children(|xml, part| match part.name() {
            "Body" => xml.children(|xml, content| {
                if content.name() == "Fault" {
                    fault = Some(read_fault(xml)?);
                } else {
                    value = Some(read(xml)?);
                }
                Ok(())
            }),
            _ => Ok(()),
        }),
        _ => Ok(()),
    })?;
    match (fault, value) {
        (Some(fault), _) => Err(fault.into()),
        (None, Some(value)) => Ok((value, xml.into_left_out())),
        (None, None) => Err(xml.malformed("is no SOAP envelope").into()),
    }
}

/// Reads a SOAP fault: its kind is the type of what is in `detail`.
fn read_fault(xml: &mut Reader<'_>) -> Result<Fault, Malformed> {
    let (mut fault, mut text) = (Fault::default(), None);
    xml.children(|xml, element| match element.name() {
        "faultstring" => {
            text = Some(xml.text()?.into_string());
            Ok(())
        }
        "detail" => xml.children(|xml, detail| {
            fault = Fault::read(xml, detail)?;
            Ok(())
        }),
        _ => Ok(()),
    })?;
    fault.localized_message = text;
    if fault.kind.is_empty() {
        "SoapFault".clone_into(&mut fault.kind);
    }
    Ok(fault)
}

/// Reads each `returnval` of an answer.
pub(super) fn each<T>(
    xml: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>, &Element<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut all = Vec::new();
    xml.children(|xml, element| {
        if element.name() == "returnval" {
            all.push(read(xml, element)?);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Reads the one `returnval` that an answer must have.
pub(super) fn one<T>(
    xml: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>, &Element<'_>) -> Result<T, Malformed>,
) -> Result<T, Malformed> {
    each(xml, read)?.pop().ok_or_else(|| xml.missing("returnval"))
}

/// Reads nothing: the answer of a method that has none.
pub(super) fn none(_: &mut Reader<'_>) -> Result<(), Malformed> {
    Ok(())
}
