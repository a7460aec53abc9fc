//! Server-sent events of a GraphQL subscription (npm `graphql-sse`, distinct connections): `next` events with an
//! answer each, then `complete`. What ends without `complete` was cut.

use std::collections::VecDeque;

use futures::stream::{self, Stream, StreamExt};
use reqwest::{Response, Url};
use serde::de::DeserializeOwned;

use super::{ClientError, GraphqlAnswer};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An answer, as JSON.
    Next(String),
    /// No more answers.
    Complete,
}

/// Cuts bytes into events, wherever the network has cut them.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    rest: Vec<u8>,
    name: String,
    data: String,
}

impl Decoder {
    /// The events that are whole with these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        self.rest.extend_from_slice(bytes);
        let mut events = vec![];
        while let Some(end) = memchr::memchr(b'\n', &self.rest) {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\n', '\r'])));
        }
        events
    }

    /// An empty line ends an event; a line that begins with a colon is a comment that keeps the connection.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let (name, data) = (std::mem::take(&mut self.name), std::mem::take(&mut self.data));
            return match name.as_str() {
                "next" => Some(Event::Next(data)),
                "complete" => Some(Event::Complete),
                _ => None,
            };
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
        None
    }
}

struct EventStreamState {
    server: Url,
    response: Response,
    decoder: Decoder,
    ready: VecDeque<Event>,
    over: bool,
}

/// The answers of a response.
pub(super) fn stream<T: DeserializeOwned + 'static>(
    server: Url,
    response: Response,
    decoder: Decoder,
) -> impl Stream<Item = Result<T, ClientError>> + Unpin + use<T> {
    let state = EventStreamState { server, response, decoder, ready: VecDeque::new(), over: false };
    stream::unfold(state, async |mut state| {
        let item = next(&mut state).await?;
        state.over = item.is_err();
        Some((item, state))
    })
    .boxed()
}

async fn next<T: DeserializeOwned>(state: &mut EventStreamState) -> Option<Result<T, ClientError>> {
    while !state.over {
        match state.ready.pop_front() {
            Some(Event::Complete) => return None,
            Some(Event::Next(data)) => {
                let answer: Result<GraphqlAnswer, _> = serde_json::from_str(&data);
                return Some(answer.map_err(|_| foreign(state, &data)).and_then(|answer| answer.data(&state.server)));
            }
            None => {}
        }
        match state.response.chunk().await {
            Ok(Some(bytes)) => state.ready.extend(state.decoder.feed(&bytes)),
            Ok(None) => return Some(Err(foreign(state, "the stream ended before its end"))),
            Err(source) => {
                let server = state.server.clone();
                return Some(Err(ClientError::Unreachable { server, source: source.without_url() }));
            }
        }
    }
    None
}

/// A stream that was cut is an answer of 500: it may be asked for again.
fn foreign(state: &EventStreamState, text: &str) -> ClientError {
    ClientError::Foreign { server: state.server.clone(), status: 500, text: text.chars().take(200).collect() }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Event};

    const TEXT: &[u8] = b":\n\nevent: next\ndata: {\"data\":\ndata: {}}\n\n: ping\r\n\r\nevent:complete\ndata:\n\n";

    #[test]
    fn events_are_whole_wherever_they_were_cut() {
        let wanted = [Event::Next("{\"data\":\n{}}".into()), Event::Complete];
        for cut in 0..TEXT.len() {
            let mut decoder = Decoder::default();
            let mut events = decoder.feed(&TEXT[..cut]);
            events.extend(decoder.feed(&TEXT[cut..]));
            assert_eq!(events, wanted, "cut at {cut}");
        }
    }
}
