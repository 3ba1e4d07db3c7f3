//! The answer of one statement: batches as the bytes arrive, and an end only when it is clean.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::decode::Decoder;
use crate::{Batch, Result, http};

/// The rows of one statement as they arrive. Dropping it closes the connection.
pub struct Answer {
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    host: String,
    decoder: Decoder,
    ended: bool,
}

impl Answer {
    /// Takes the body of an answer that began well.
    pub fn new(response: reqwest::Response, host: &str, decoder: Decoder) -> Self {
        Self { chunks: Box::pin(response.bytes_stream()), host: host.to_owned(), decoder, ended: false }
    }

    /// A batch of the result's columns without rows, once its first bytes have been decoded.
    pub fn empty(&mut self) -> Batch {
        self.decoder.take()
    }

    /// The next batch; nothing after the last, and only after a clean end.
    ///
    /// # Errors
    /// Whatever keeps the result from being whole.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.decoder.decode()? {
                return Ok(Some(self.decoder.take()));
            }
            if self.ended {
                return Ok((self.decoder.ready() > 0).then(|| self.decoder.take()));
            }
            match self.chunks.next().await {
                Some(Ok(chunk)) => self.decoder.push(&chunk),
                Some(Err(error)) => {
                    // The server's own words, if they came before the connection broke, say more.
                    self.decoder.end();
                    while let Ok(true) = self.decoder.decode() {
                        self.decoder.take();
                    }
                    return Err(match self.decoder.failure() {
                        Some(exception) => exception.explain(),
                        None => http::explain(error, &self.host),
                    });
                }
                None => {
                    self.ended = true;
                    self.decoder.end();
                }
            }
        }
    }
}
