//! A TCP proxy that cuts or counts what a server sends, or listens to what it is sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Hears what the client of one connection sends, piece by piece.
pub type Ear = Box<dyn FnMut(&[u8]) + Send>;

/// Forwards connections on a port of 127.0.0.1 to another; stops with this value.
#[derive(Debug)]
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    received: Arc<AtomicU64>,
    limit: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts a proxy to `target` on 127.0.0.1 that forwards everything.
    pub async fn start(target: u16) -> Result<Self> {
        Self::hearing(target, || Box::new(|_| {})).await
    }

    /// The same with an ear on each connection.
    pub async fn hearing(target: u16, ear: impl Fn() -> Ear + Send + 'static) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let (received, limit) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(u64::MAX)));
        let (count, most) = (received.clone(), limit.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target, (count.clone(), most.clone()), ear()));
            }
        });
        Ok(Self { port, received, limit, task })
    }

    /// The bytes the server has sent through all connections so far.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }

    /// From now on the server's side is cut, without a farewell, after `bytes` more bytes of answers.
    pub fn cut_after(&self, bytes: u64) {
        self.limit.store(self.received() + bytes, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(
    client: TcpStream,
    target: u16,
    (count, limit): (Arc<AtomicU64>, Arc<AtomicU64>),
    mut ear: Ear,
) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from_client.read(&mut buffer).await?;
            if read == 0 {
                return std::io::Result::Ok(());
            }
            ear(&buffer[..read]);
            to_server.write_all(&buffer[..read]).await?;
        }
    };
    let down = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from_server.read(&mut buffer).await?;
            let before = count.fetch_add(read as u64, Ordering::SeqCst);
            let left = limit.load(Ordering::SeqCst).saturating_sub(before).min(read as u64);
            to_client.write_all(&buffer[..usize::try_from(left).unwrap_or(read)]).await?;
            if read == 0 || left < read as u64 {
                return std::io::Result::Ok(());
            }
        }
    };
    // Whichever side ends first ends both, like a cable that is pulled.
    tokio::select! { _ = up => {}, _ = down => {} }
}
