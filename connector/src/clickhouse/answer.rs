//! The answer of one statement: batches as the bytes arrive, and an end only when it is clean.

use futures::StreamExt;
use serde::Deserialize;

use super::body::{self, Pieces};
use super::decode::Decoder;
use super::running::Running;
use crate::http::Stall;
use crate::{Batch, Cost, Result};

/// The rows of one statement as they arrive. Dropping it closes the connection and stops the statement.
pub struct Answer {
    pieces: Pieces,
    host: String,
    decoder: Decoder,
    stall: Stall,
    ended: bool,
    scanned: Scanned,
    cost: Cost,
    running: Running,
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
    pub fn new(
        response: reqwest::Response,
        host: &str,
        decoder: Decoder,
        stall: Stall,
        cost: &Cost,
        running: Running,
    ) -> Result<Self> {
        let told = summary(&response).unwrap_or_default();
        let mut scanned = Scanned { told, ..Scanned::default() };
        scanned.count(cost);
        let pieces = body::take(response)?;
        let (host, cost) = (host.to_owned(), cost.clone());
        Ok(Self { pieces, host, decoder, stall, ended: false, scanned, cost, running })
    }

    /// A batch of the result's columns without rows, once its first bytes have been decoded.
    pub fn empty(&mut self) -> Batch {
        self.decoder.take()
    }

    /// The next batch; nothing after the last, and only after a clean end.
    ///
    /// # Errors
    /// Whatever keeps the result from being whole; `Timeout` when it goes on without a row.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.decoder.decode()? {
                return Ok(Some(self.taken()));
            }
            if self.ended {
                return Ok((self.decoder.ready() > 0).then(|| self.taken()));
            }
            self.stall.came(self.scanned.came.0 + self.decoder.ready() as u64);
            let more = self.stall.within(&self.host, self.pieces.next());
            match self.cost.timed(more).await? {
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
                    self.running.over();
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::ErrorKind;
    use crate::clickhouse::decode::Limits;

    /// A host that sends a row, and then bytes of the next one for ever.
    async fn dripping() -> std::io::Result<std::net::SocketAddr> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            let (mut client, _) = listener.accept().await?;
            let _asked = client.read(&mut [0; 4_096]).await?;
            client.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            // One column `c` of texts: `x`, and one of a terabyte.
            client.write_all(b"13\r\n\x01\x01c\x06String\x01x\x80\x80\x80\x80\x80\x20y\r\n").await?;
            loop {
                client.write_all(b"1\r\ny\r\n").await?;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            #[expect(unreachable_code, reason = "the type of what ends it")]
            std::io::Result::Ok(())
        });
        Ok(address)
    }

    #[tokio::test]
    async fn a_result_that_goes_on_without_a_row_is_given_up() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let address = dripping().await.expect("a host");
        let response = reqwest::get(format!("http://{address}/")).await.expect("an answer");
        let limits = Limits { rows: 1_000, bytes: 1 << 20, cell: 1 << 20 };
        let decoder = Decoder::new(None, limits, None);
        let stall = Stall::after(Duration::from_millis(300));
        let answer = Answer::new(response, "db", decoder, stall, &Cost::default(), Running::default());
        let mut answer = answer.expect("rows");
        let error = answer.next().await.expect_err("no second row");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    }
}
