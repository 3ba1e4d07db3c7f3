//! The body of an answer as it arrives, unpacked.
//!
//! It is unpacked here rather than by the client, which would also take away what tells where an answer ends.

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::GzipDecoder;
use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use reqwest::{Response, header};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::{ConnectorError, ErrorKind, Result, http};

/// The one compression that is asked for.
pub const GZIP: &str = "gzip";
/// Bytes unpacked at once.
const PIECE: usize = 64 * 1024;

/// A body, piece by piece.
pub type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Takes the body of an answer.
///
/// # Errors
/// `Protocol` when its end could not be told from a broken connection, or it is packed in another way than asked for.
pub fn take(response: Response) -> Result<Pieces> {
    let packed = response.headers().get(header::CONTENT_ENCODING).map(|value| value.as_bytes() == b"gzip");
    let framed = [header::TRANSFER_ENCODING, header::CONTENT_LENGTH];
    let framed = framed.iter().any(|name| response.headers().contains_key(name));
    let pieces = response.bytes_stream().map_err(io::Error::other);
    match packed {
        Some(true) => {
            let mut unpacked = GzipDecoder::new(StreamReader::new(pieces));
            unpacked.multiple_members(true);
            Ok(Box::pin(ReaderStream::with_capacity(unpacked, PIECE)))
        }
        None if framed => Ok(Box::pin(pieces)),
        None => Err(ConnectorError::new(
            ErrorKind::Protocol,
            "the answer's end cannot be told from a broken connection",
        )
        .hint("let the proxy in front of ClickHouse speak HTTP/1.1 with chunked answers")),
        Some(false) => Err(ConnectorError::new(
            ErrorKind::Protocol,
            "the answer is compressed in a way nobody asked for",
        )
        .hint("let the proxy in front of ClickHouse leave answers as they are")),
    }
}

/// Tells why a body ended too early.
pub fn broken(error: io::Error, host: &str) -> ConnectorError {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => http::explain(error, host),
        Err(error) => {
            let message = format!("the answer of {host:?} broke off before its end");
            ConnectorError::new(ErrorKind::Unavailable, message).detail(error.to_string())
        }
    }
}
