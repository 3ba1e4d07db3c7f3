//! The answer of one statement: batches as the bytes arrive, and an end only when it is clean.

use futures::StreamExt;
use serde::Deserialize;

use super::body::{self, Pieces};
use super::decode::Decoder;
use crate::{Batch, Cost, Result};

/// The rows of one statement as they arrive. Dropping it closes the connection.
pub struct Answer {
    pieces: Pieces,
    host: String,
    decoder: Decoder,
    ended: bool,
    scanned: Scanned,
    cost: Cost,
}

/// What the statement has looked at, at least, as far as it was counted: the server tells what it knew when it sent the
/// first byte, which is all for a result that fits its buffer; of a larger one, what came is counted too.
#[derive(Clone, Copy, Debug, Default)]
struct Scanned {
    told: (u64, u64),
    came: (u64, u64),
    counted: (u64, u64),
}

impl Scanned {
    fn count(&mut self, cost: &Cost) {
        let now = (self.told.0.max(self.came.0), self.told.1.max(self.came.1));
        cost.add_rows(now.0 - self.counted.0);
        cost.add_bytes(now.1 - self.counted.1);
        self.counted = now;
    }
}

/// The header `X-ClickHouse-Summary`; its numbers are texts.
#[derive(Deserialize)]
struct Summary {
    read_rows: String,
    read_bytes: String,
}

fn summary(response: &reqwest::Response) -> Option<(u64, u64)> {
    let told: Summary =
        serde_json::from_slice(response.headers().get("x-clickhouse-summary")?.as_bytes()).ok()?;
    Some((told.read_rows.parse().ok()?, told.read_bytes.parse().ok()?))
}

impl Answer {
    /// Takes the body of an answer that began well.
    ///
    /// # Errors
    /// `Protocol` when its end could not be told.
    pub fn new(response: reqwest::Response, host: &str, decoder: Decoder, cost: &Cost) -> Result<Self> {
        let told = summary(&response).unwrap_or_default();
        let mut scanned = Scanned { told, ..Scanned::default() };
        scanned.count(cost);
        let pieces = body::take(response)?;
        Ok(Self { pieces, host: host.to_owned(), decoder, ended: false, scanned, cost: cost.clone() })
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
                return Ok(Some(self.taken()));
            }
            if self.ended {
                return Ok((self.decoder.ready() > 0).then(|| self.taken()));
            }
            match self.cost.timed(self.pieces.next()).await {
                Some(Ok(piece)) => {
                    self.scanned.came.1 += piece.len() as u64;
                    self.decoder.push(&piece);
                }
                Some(Err(error)) => {
                    // The server's own words, if they came before the connection broke, say more.
                    self.decoder.end();
                    while let Ok(true) = self.decoder.decode() {
                        self.decoder.take();
                    }
                    return Err(match self.decoder.failure() {
                        Some(exception) => exception.explain(),
                        None => body::broken(error, &self.host),
                    });
                }
                None => {
                    self.ended = true;
                    self.decoder.end();
                }
            }
        }
    }

    fn taken(&mut self) -> Batch {
        let batch = self.decoder.take();
        self.scanned.came.0 += batch.rows() as u64;
        self.scanned.count(&self.cost);
        batch
    }
}
