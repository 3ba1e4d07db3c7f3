//! An HTTP/1.1 server in front of another, whose every exchange a test may answer, change or spoil, to the byte.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The most of a request that is taken.
const MOST: usize = 16 << 20;

/// One request, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The certificate the client proved itself with in TLS.
    pub certificate: Option<Vec<u8>>,
}

/// One answer, whole. Its length is told by the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names and values, without those of the connection.
    pub headers: Vec<(String, String)>,
    /// The body, compressed where a header says so.
    pub body: Vec<u8>,
}

/// What is sent for a call.
#[derive(Clone, Debug)]
pub enum Wire {
    /// The answer.
    Whole(Reply),
    /// The answer, each piece of so many bytes after a pause.
    Slow(Reply, usize, Duration),
    /// These very bytes; the connection then ends as it should.
    Close(Vec<u8>),
    /// These very bytes; the connection is then reset.
    Reset(Vec<u8>),
    /// These very bytes; then nothing more, for as long as the client waits.
    Hang(Vec<u8>),
}

/// Decides what is sent for each call.
pub trait Script: Send + Sync + 'static {
    /// What is sent for a call. An error ends the connection, and is printed.
    fn answer(&self, call: Call) -> BoxFuture<'_, Result<Wire>>;
}

/// A relay on a port of 127.0.0.1; stops with this value.
#[derive(Debug)]
pub struct Relay {
    /// Where it listens.
    pub port: u16,
    task: JoinHandle<()>,
}

impl Relay {
    /// Starts without TLS.
    pub async fn start(script: Arc<impl Script>) -> Result<Self> {
        Self::listen(script, None).await
    }

    /// Starts with TLS.
    pub async fn start_tls(script: Arc<impl Script>, tls: rustls::ServerConfig) -> Result<Self> {
        Self::listen(script, Some(tokio_rustls::TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn listen(script: Arc<impl Script>, tls: Option<tokio_rustls::TlsAcceptor>) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (script, tls) = (Arc::clone(&script), tls.clone());
                tokio::spawn(async move {
                    if let Err(error) = connection(stream, &*script, tls).await {
                        eprintln!("a connection of the relay ended: {error:#}");
                    }
                });
            }
        });
        Ok(Self { port, task })
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(
    stream: TcpStream,
    script: &dyn Script,
    tls: Option<tokio_rustls::TlsAcceptor>,
) -> Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else {
        let mut stream = stream;
        if exchange(&mut stream, script, None).await? {
            stream.set_zero_linger()?;
        }
        return Ok(());
    };
    let mut stream = tls.accept(stream).await.context("no TLS connection")?;
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.map(|certificate| certificate.to_vec());
    exchange(&mut stream, script, certificate).await?;
    stream.shutdown().await.ok();
    Ok(())
}

/// Serves the calls of a connection; tells whether it is to be reset.
async fn exchange(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    script: &dyn Script,
    certificate: Option<Vec<u8>>,
) -> Result<bool> {
    let mut buffer = Vec::new();
    while let Some(call) = read(stream, &mut buffer).await? {
        match script.answer(Call { certificate: certificate.clone(), ..call }).await? {
            Wire::Whole(reply) => stream.write_all(&reply.bytes()).await?,
            Wire::Slow(reply, size, pause) => {
                for piece in reply.bytes().chunks(size.max(1)) {
                    stream.write_all(piece).await?;
                    stream.flush().await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Wire::Close(bytes) => {
                stream.write_all(&bytes).await?;
                return Ok(false);
            }
            Wire::Reset(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                // What was written arrives before the reset, which would otherwise overtake it.
                tokio::time::sleep(Duration::from_millis(50)).await;
                return Ok(true);
            }
            Wire::Hang(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
                while stream.read(&mut [0; 1024]).await? > 0 {}
                return Ok(false);
            }
        }
        stream.flush().await?;
    }
    Ok(false)
}

/// Reads one call; nothing when the client has no more.
async fn read(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<Option<Call>> {
    let head = loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = buffer.split_off(end + 4);
            break std::mem::replace(buffer, rest);
        }
        ensure!(buffer.len() < MOST, "a request's head never ends");
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(head).context("a request's head is no text")?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some(method), Some(target), Some("HTTP/1.1")) = (words.next(), words.next(), words.next()) else {
        bail!("no request of HTTP/1.1: {head}");
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let mut call = Call { method, target, headers, ..Call::default() };
    ensure!(call.header("transfer-encoding").is_none(), "the relay takes no chunked requests");
    let length: usize = call.header("content-length").map_or(Ok(0), str::parse)?;
    ensure!(length <= MOST, "a request of {length} bytes");
    while buffer.len() < length {
        ensure!(stream.read_buf(buffer).await? > 0, "a request broke off");
    }
    let rest = buffer.split_off(length);
    call.body = std::mem::replace(buffer, rest);
    Ok(Some(call))
}

impl Call {
    /// The value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let url = reqwest::Url::parse("http://relay/").ok()?.join(&self.target).ok()?;
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }
}

impl Reply {
    /// An answer with a status and a text.
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Head and body as they are sent.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_claiming(self.body.len())
    }

    /// Head and body with a length of the body that need not be true.
    pub fn bytes_claiming(&self, length: usize) -> Vec<u8> {
        let mut bytes = format!("HTTP/1.1 {} Relayed\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(format!("content-length: {length}\r\n\r\n").as_bytes());
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
