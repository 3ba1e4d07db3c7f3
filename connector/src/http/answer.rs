//! Answers of bounded size, read as JSON.

use std::pin::pin;
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use reqwest::header::{self, HeaderMap};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use super::explain;
use super::stall::{ERROR_BYTES, ERROR_TIME, Stall};
use crate::{ConnectorError, ErrorKind, Result, wall};

/// The most of an answer's words that is shown.
const WORDS: usize = 300;

/// A whole answer.
pub(crate) struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, decompressed.
    pub body: BytesMut,
    host: String,
}

impl Answer {
    /// Reads an answer to its end; of one that tells an error, what comes within a minute, and no more than `most` bytes.
    ///
    /// # Errors
    /// `Unavailable` when it breaks off, `Timeout` when it does not end, `Protocol` when it is larger than `most` bytes
    /// once decompressed.
    pub async fn read(mut response: Response, host: &str, most: usize) -> Result<Self> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let pieces = response.bytes_stream().map_err(|error| explain(error, host));
        let body = if status.is_client_error() || status.is_server_error() {
            beginning(pieces, Stall::after(ERROR_TIME), host, most.min(ERROR_BYTES)).await?
        } else {
            whole(pieces, Stall::whole(), host, most).await?
        };
        Ok(Self { status, headers, body, host: host.to_owned() })
    }

    /// The body as JSON of that shape.
    ///
    /// # Errors
    /// `Unavailable` when it is not all there, or a page of HTML came instead, as proxies and sign-in portals send it;
    /// else `Protocol`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            if self.html() {
                let message = format!("{:?} answered with a web page instead of data", self.host);
                return ConnectorError::new(ErrorKind::Unavailable, message)
                    .detail(self.words())
                    .hint("a proxy or a maintenance page may stand in front of it; check the host name");
            }
            if error.is_eof() {
                let message = format!("the answer of {:?} broke off before its end", self.host);
                return ConnectorError::new(ErrorKind::Unavailable, message).detail(error.to_string());
            }
            let message = format!("the answer of {:?} cannot be understood", self.host);
            // What serde says names places and shapes; the words themselves may be rows.
            ConnectorError::new(ErrorKind::Protocol, message).detail(error.to_string())
        })
    }

    /// The first words of the body, for people.
    pub fn words(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4 * WORDS)]);
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(WORDS).collect()
    }

    /// The clock of whoever answered, in seconds since 1970, from the `Date` header.
    pub fn clock(&self) -> Option<i64> {
        clock(&self.headers)
    }

    /// How many seconds the service's clock is ahead of this machine's, from the `Date` header.
    pub fn clock_offset(&self) -> Option<i64> {
        clock_offset(&self.headers)
    }

    fn html(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        kind.is_some_and(|kind| kind.starts_with("text/html"))
            || self.body.trim_ascii_start().starts_with(b"<")
    }
}

/// All of a body.
async fn whole(
    pieces: impl Stream<Item = Result<Bytes>>,
    mut stall: Stall,
    host: &str,
    most: usize,
) -> Result<BytesMut> {
    let (mut body, mut pieces) = (BytesMut::new(), pin!(pieces));
    while let Some(piece) = stall.within(host, pieces.next()).await? {
        let piece = piece?;
        if body.len() + piece.len() > most {
            let message = format!("the answer of {host:?} is larger than {most} bytes");
            return Err(ConnectorError::new(ErrorKind::Protocol, message));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// The beginning of a body, as far as it comes in time: enough to tell what is wrong.
async fn beginning(
    pieces: impl Stream<Item = Result<Bytes>>,
    mut stall: Stall,
    host: &str,
    most: usize,
) -> Result<BytesMut> {
    let (mut body, mut pieces) = (BytesMut::new(), pin!(pieces));
    while body.len() < most
        && let Ok(Some(piece)) = stall.within(host, pieces.next()).await
    {
        body.extend_from_slice(&piece?);
    }
    body.truncate(most);
    Ok(body)
}

/// The clock of whoever answered, in seconds since 1970, from the `Date` header.
fn clock(headers: &HeaderMap) -> Option<i64> {
    let told = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    i64::try_from(told.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// How many seconds the clock of whoever answered is ahead of this machine's, from the `Date` header.
pub(crate) fn clock_offset(headers: &HeaderMap) -> Option<i64> {
    Some(clock(headers)? - wall::seconds())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::stream;

    use super::*;

    /// A body that begins, and then goes on for ever without an end.
    fn endless(begin: &'static [u8]) -> impl Stream<Item = Result<Bytes>> {
        let more = stream::repeat(()).then(async |()| {
            tokio::time::sleep(Duration::from_millis(5)).await;
            Ok(Bytes::from_static(b" "))
        });
        stream::iter([Ok(Bytes::from_static(begin))]).chain(more)
    }

    fn soon() -> Stall {
        Stall::after(Duration::from_millis(200))
    }

    #[tokio::test]
    async fn an_answer_that_never_ends_is_given_up() {
        let error = whole(endless(b"{}"), soon(), "db", 1 << 20).await.expect_err("no end");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
        let error = whole(endless(b"{}"), Stall::whole(), "db", 4).await.expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error:?}");
    }

    #[tokio::test]
    async fn an_error_that_never_ends_is_told_by_what_has_come() {
        let body = beginning(endless(b"no such user"), soon(), "db", 1 << 20).await.expect("a beginning");
        assert!(body.starts_with(b"no such user"), "{body:?}");
        let body = beginning(endless(b"no such user"), Stall::whole(), "db", 7).await.expect("a beginning");
        assert_eq!(&body[..], b"no such");
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_not_whole() {
        let broken = || ConnectorError::new(ErrorKind::Unavailable, "broke off");
        let pieces = || stream::iter([Ok(Bytes::from_static(b"{")), Err(broken())]);
        assert_eq!(whole(pieces(), soon(), "db", 9).await, Err(broken()));
        assert_eq!(beginning(pieces(), soon(), "db", 9).await, Err(broken()));
    }
}
