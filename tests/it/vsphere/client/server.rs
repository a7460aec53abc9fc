//! A small HTTP server on threads of its own, plain or with TLS. Keeps what it received; closes after each answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Clone, Debug)]
pub(in crate::vsphere) struct Received {
    /// `POST /sdk HTTP/1.1`
    pub(in crate::vsphere) line: String,
    headers: Vec<(String, String)>,
    pub(in crate::vsphere) body: String,
}

pub(in crate::vsphere) struct Server {
    pub(in crate::vsphere) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

/// Writes an answer, well-formed or not.
pub(in crate::vsphere) type Handler = dyn Fn(&Received, &mut dyn Write) -> io::Result<()> + Send + Sync;

impl Received {
    pub(in crate::vsphere) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The method that is called, or nothing.
    pub(in crate::vsphere) fn method(&self) -> &str {
        let body = self.body.split_once("<soapenv:Body><").map_or("", |(_, body)| body);
        body.split_once(' ').map_or("", |(method, _)| method)
    }
}

impl Server {
    pub(in crate::vsphere) fn start(
        tls: Option<ServerConfig>,
        handler: impl Fn(&Received, &mut dyn Write) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, received) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (kept, handler, tls): (_, Arc<Handler>, _) = (Arc::clone(&received), Arc::new(handler), tls.map(Arc::new));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, handler, tls) = (Arc::clone(&kept), Arc::clone(&handler), tls.clone());
                thread::spawn(move || match tls {
                    None => serve(stream, &kept, &*handler),
                    Some(tls) => serve(encrypted(tls, stream), &kept, &*handler),
                });
            }
        });
        Self { address, received }
    }

    /// All that was received until now.
    pub(in crate::vsphere) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The methods that were called until now.
    pub(in crate::vsphere) fn methods(&self) -> Vec<String> {
        self.received().iter().map(|request| request.method().to_owned()).filter(|name| !name.is_empty()).collect()
    }
}

fn encrypted(tls: Arc<ServerConfig>, stream: TcpStream) -> StreamOwned<ServerConnection, TcpStream> {
    StreamOwned::new(ServerConnection::new(tls).unwrap(), stream)
}

fn serve(stream: impl Read + Write, kept: &Mutex<Vec<Received>>, handler: &Handler) {
    let mut stream = BufReader::new(stream);
    // A client that went away is no fault of the server's.
    if let Ok(request) = receive(&mut stream) {
        kept.lock().unwrap().push(request.clone());
        let _ = handler(&request, stream.get_mut());
        let _ = stream.get_mut().flush();
    }
}

fn receive(stream: &mut impl BufRead) -> io::Result<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let pair = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers = lines[1..].iter().filter_map(pair).collect::<Vec<_>>();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Received { line: lines.swap_remove(0), headers, body: String::from_utf8(body).unwrap() })
}

/// Writes a whole answer. `headers` has a line for each, with its end.
pub(in crate::vsphere) fn send(out: &mut dyn Write, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    write!(out, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n")?;
    out.write_all(body)
}
