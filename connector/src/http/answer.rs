//! Answers of bounded size, read as JSON.

use std::time::SystemTime;

use bytes::BytesMut;
use reqwest::header::{self, HeaderMap};
use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;

use super::explain;
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
    /// Reads an answer to its end.
    ///
    /// # Errors
    /// `Unavailable` when it breaks off, `Protocol` when it is larger than `most` bytes once decompressed.
    pub async fn read(mut response: Response, host: &str, most: usize) -> Result<Self> {
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| explain(error, host))? {
            if body.len() + chunk.len() > most {
                let message = format!("the answer of {host:?} is larger than {most} bytes");
                return Err(ConnectorError::new(ErrorKind::Protocol, message));
            }
            body.extend_from_slice(&chunk);
        }
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

/// The clock of whoever answered, in seconds since 1970, from the `Date` header.
fn clock(headers: &HeaderMap) -> Option<i64> {
    let told = httpdate::parse_http_date(headers.get(header::DATE)?.to_str().ok()?).ok()?;
    i64::try_from(told.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()
}

/// How many seconds the clock of whoever answered is ahead of this machine's, from the `Date` header.
pub(crate) fn clock_offset(headers: &HeaderMap) -> Option<i64> {
    Some(clock(headers)? - wall::seconds())
}
