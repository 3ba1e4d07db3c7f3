//! Answers that are no rows: the server's own errors, and what stands in front of it.

use futures::StreamExt;
use reqwest::{Response, StatusCode, header};

use super::body;
use super::exception::Exception;
use crate::http::{self, ERROR_BYTES, ERROR_TIME, Stall};
use crate::{ConnectorError, ErrorKind};

/// The most bytes of an error that are kept.
const KEPT: usize = 64 * 1024;

/// Who refused a statement.
pub enum Refusal {
    /// The server.
    Server(Exception),
    /// Something on the way to it.
    Way(ConnectorError),
}

/// Reads an answer that is no rows.
pub async fn read(response: Response, code: Option<u32>, host: &str) -> Refusal {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut said = Vec::new();
    if let Ok(mut pieces) = body::take(response) {
        let (mut stall, mut came) = (Stall::after(ERROR_TIME), 0);
        while came < ERROR_BYTES
            && let Ok(Some(Ok(piece))) = stall.within(host, pieces.next()).await
        {
            // Rows may come first: the end is what tells.
            came += piece.len();
            said.extend_from_slice(&piece);
            said.drain(..said.len().saturating_sub(KEPT));
        }
    }
    let tag = headers.get("x-clickhouse-exception-tag").and_then(|tag| tag.to_str().ok());
    let exception = Exception::find(&said, tag, code);
    if exception.code != 0 {
        return Refusal::Server(exception);
    }
    if status == StatusCode::OK {
        return Refusal::Way(page(host).detail(brief(&exception.text)));
    }
    let refused = http::refused(host, status, &headers, brief(&exception.text));
    Refusal::Way(match status.as_u16() {
        403 => refused
            .hint("what stands in front of the server refuses: let Weir's address into its access list"),
        404 => other(host, status, &exception.text),
        _ if refused.kind() == ErrorKind::Protocol => other(host, status, &exception.text),
        _ => refused,
    })
}

/// Tells whether an answer is a page of a proxy's rather than rows.
pub fn html(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

/// The error for a web page with a status of success.
fn page(host: &str) -> ConnectorError {
    ConnectorError::new(ErrorKind::Unavailable, format!("{host:?} answered with a web page instead of data"))
        .hint("a proxy or a maintenance page may stand in front of it; check the host name")
}

/// The error for what is no ClickHouse.
fn other(host: &str, status: StatusCode, said: &str) -> ConnectorError {
    let message = format!("the host {host:?} answered with HTTP status {}", status.as_u16());
    ConnectorError::new(ErrorKind::Protocol, message)
        .detail(brief(said))
        .hint("check that host, port and path are those of ClickHouse's HTTP interface")
}

fn brief(text: &str) -> &str {
    text.char_indices().nth(300).map_or(text, |(end, _)| &text[..end])
}
