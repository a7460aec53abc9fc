//! A network between a server and a vCenter that can be cut.

use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Passes connections on; it ends with this value.
pub(super) struct Proxy {
    /// Where it listens.
    pub(super) address: String,
    open: Arc<Mutex<JoinSet<()>>>,
    accept: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// In front of what `url` names.
    pub(super) async fn before(url: &str) -> Self {
        let target = url.trim_start_matches("https://").trim_end_matches("/sdk").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let open: Arc<Mutex<JoinSet<()>>> = Arc::default();
        let connections = open.clone();
        let accept = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let target = target.clone();
                connections.lock().unwrap().spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(target).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self { address, open, accept }
    }

    /// Breaks every connection; how many there were.
    pub(super) fn cut(&self) -> usize {
        let mut open = self.open.lock().unwrap();
        while open.try_join_next().is_some() {}
        let count = open.len();
        open.abort_all();
        count
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}
