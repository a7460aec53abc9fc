//! Servers that are no vCenters.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

use super::client::server::{Server, send};

/// A web page behind TLS.
pub(super) struct Page {
    /// Where it is.
    pub(super) address: String,
    /// The thumbprint of its certificate.
    pub(super) sha256: String,
    _server: Server,
}

/// Shows a page to whoever asks, whatever they ask.
pub(super) fn page() -> Page {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let der = made.cert.der().clone();
    let sha256 = Sha256::digest(&der).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let settings = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let settings = settings.with_no_client_auth().with_single_cert(vec![der], key).unwrap();
    let server = Server::start(Some(settings), |_, out| {
        send(out, 200, "content-type: text/html\r\n", b"<!DOCTYPE html><html><body>It works!</body></html>")
    });
    Page { address: server.address.to_string(), sha256, _server: server }
}

/// Takes connections and says nothing.
pub(super) async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        let mut open = vec![];
        while let Ok((stream, _)) = listener.accept().await {
            open.push(stream);
        }
    });
    address
}
