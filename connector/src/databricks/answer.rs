//! The result of one statement: its chunks in order, one opened ahead, and an end only when every row has come.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::Response;
use tokio::task::JoinHandle;

use super::client::{self, Client, Request};
use super::decode::{Decoder, Limits};
use super::dialect::Expected;
use super::links::Link;
use super::reply::{Part, Reply};
use super::run::gone;
use crate::http::{Stall, explain, patiently};
use crate::{Batch, ConnectorError, ErrorKind, Result};

/// How much of a chunk that is here is decoded at once.
const PIECE: usize = 64 * 1024;
/// How often one chunk may break off.
const BREAKS: u32 = 4;

/// The rows of one statement. Dropping it stops what is being fetched.
pub struct Answer {
    client: Arc<Client>,
    id: String,
    decoder: Decoder,
    total_rows: u64,
    chunks: u64,
    /// The chunk to open next, and rows of those before the current one.
    next: u64,
    before: u64,
    first: Option<Part>,
    current: Option<Chunk>,
    ahead: Option<Ahead>,
    stall: Stall,
    over: bool,
}

/// A chunk being read.
struct Chunk {
    index: u64,
    /// Rows before it and in it, as the workspace tells.
    offset: u64,
    rows: u64,
    body: Body,
    breaks: u32,
}

enum Body {
    Here(Bytes),
    Coming(Box<Response>),
}

/// A chunk being opened while the one before is read; nothing of its body is held here.
struct Ahead(JoinHandle<Result<Chunk>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Answer {
    /// Takes the last answer about a statement that has succeeded.
    ///
    /// # Errors
    /// `Schema` when its columns are not those expected, `Protocol` when rows were left out.
    pub fn new(
        client: Arc<Client>,
        id: String,
        reply: Reply,
        columns: Vec<Expected>,
        limits: Limits,
    ) -> Result<Self> {
        let mut manifest = reply.manifest.unwrap_or_default();
        manifest.check(&columns)?;
        if manifest.truncated == Some(true) {
            let message = "the workspace cut the result: it is larger than it gives out";
            return Err(
                ConnectorError::new(ErrorKind::Protocol, message).hint("read fewer columns or rows at once")
            );
        }
        let total_rows = manifest.total_row_count.unwrap_or(0);
        if total_rows == 0 && reply.result.as_ref().is_some_and(Part::any) {
            return Err(incomplete("it has rows, and none are told".to_owned()));
        }
        // One chunk goes without saying.
        let chunks = manifest.total_chunk_count.unwrap_or(0).max(u64::from(total_rows > 0));
        let chunks = if total_rows == 0 { 0 } else { chunks };
        let decoder = Decoder::new(columns, limits);
        let (first, current, ahead) = (reply.result, None, None);
        Ok(Self {
            stall: Stall::of_rows(client.policy()),
            client,
            id,
            decoder,
            total_rows,
            chunks,
            next: 0,
            before: 0,
            first,
            current,
            ahead,
            over: false,
        })
    }

    /// How many rows there are in all.
    pub fn total_rows(&self) -> u64 {
        self.total_rows
    }

    /// A batch of the result's columns without rows.
    pub fn empty(&mut self) -> Batch {
        self.decoder.take()
    }

    /// The next batch; nothing after the last, and only when every row has come.
    ///
    /// # Errors
    /// Whatever keeps the result from being whole; `Timeout` when it goes on without a row.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        while !self.over {
            if self.current.is_none() {
                if self.next == self.chunks {
                    self.whole()?;
                    self.over = true;
                    break;
                }
                self.open().await?;
            }
            if self.decoder.decode()? {
                return Ok(Some(self.decoder.take()));
            }
            self.feed().await?;
        }
        Ok((self.decoder.ready() > 0).then(|| self.decoder.take()))
    }

    /// Opens the next chunk, and begins to open the one after.
    async fn open(&mut self) -> Result<()> {
        let index = self.next;
        let chunk = match self.ahead.take() {
            Some(mut ahead) => (&mut ahead.0).await.map_err(|_| {
                ConnectorError::new(ErrorKind::Unavailable, "a part of the result could not be fetched")
            })??,
            None => open(&self.client, &self.id, index, self.first.take()).await?,
        };
        if chunk.offset != self.before {
            return Err(incomplete(format!(
                "part {index} of the result begins at row {} instead of {}",
                chunk.offset, self.before
            )));
        }
        self.next += 1;
        if self.next < self.chunks && matches!(chunk.body, Body::Coming(_)) {
            let (client, id, index) = (Arc::clone(&self.client), self.id.clone(), self.next);
            self.ahead = Some(Ahead(tokio::spawn(async move { open(&client, &id, index, None).await })));
        }
        self.decoder.begin();
        self.current = Some(chunk);
        Ok(())
    }

    /// Hands the decoder more of the current chunk, or closes it.
    async fn feed(&mut self) -> Result<()> {
        let Some(chunk) = &mut self.current else { return Ok(()) };
        self.stall.came(self.before + self.decoder.rows());
        let piece = match &mut chunk.body {
            Body::Here(bytes) if bytes.is_empty() => None,
            Body::Here(bytes) => Some(bytes.split_to(PIECE.min(bytes.len()))),
            Body::Coming(response) => match self.stall.within(self.client.host(), response.chunk()).await? {
                Ok(piece) => piece,
                Err(error) => {
                    let error = explain(error, self.client.host());
                    return self.again(error).await;
                }
            },
        };
        if let Some(piece) = piece {
            self.decoder.push(&piece);
            return Ok(());
        }
        if !self.decoder.ended() {
            let error =
                ConnectorError::new(ErrorKind::Unavailable, "a part of the result broke off before its end");
            return self.again(error).await;
        }
        let (came, told) = (self.decoder.rows(), chunk.rows);
        if came != told {
            return Err(incomplete(format!(
                "part {} of the result has {came} rows instead of {told}",
                chunk.index
            )));
        }
        self.before += came;
        self.current = None;
        Ok(())
    }

    /// Fetches the current chunk once more, by a new link.
    async fn again(&mut self, error: ConnectorError) -> Result<()> {
        let Some(broken) = self.current.take() else { return Err(error) };
        if broken.breaks >= BREAKS || matches!(broken.body, Body::Here(_)) {
            return Err(error);
        }
        let chunk = open(&self.client, &self.id, broken.index, None).await?;
        self.decoder.again();
        self.current = Some(Chunk { breaks: broken.breaks + 1, ..chunk });
        Ok(())
    }

    fn whole(&self) -> Result<()> {
        if self.before == self.total_rows {
            return Ok(());
        }
        Err(incomplete(format!("{} of {} rows came", self.before, self.total_rows)))
    }
}

fn incomplete(what: String) -> ConnectorError {
    ConnectorError::new(ErrorKind::Unavailable, format!("the result is not whole: {what}")).incomplete()
}

/// Opens a chunk; a link that has ended is asked for again.
async fn open(client: &Client, id: &str, index: u64, known: Option<Part>) -> Result<Chunk> {
    let mut known = known;
    let opened = patiently(|_| {
        let known = known.take();
        async move {
            let part = match known {
                Some(part) => Ok(part),
                None => ask(client, id, index).await,
            };
            let mut part = match part {
                Ok(part) => part,
                // It was asked for patiently already.
                Err(error) => return Ok(Err(error)),
            };
            if let Some(rows) = part.rows() {
                let told = part.chunk_index.unwrap_or(0);
                if told != index {
                    return Err(incomplete(format!("part {told} came instead of part {index}")));
                }
                let (offset, rows_told) = (part.row_offset.unwrap_or(0), part.row_count.unwrap_or(0));
                return Ok(Ok(Chunk { index, offset, rows: rows_told, body: Body::Here(rows), breaks: 0 }));
            }
            let Some(link) = part.link(index) else {
                return Err(incomplete(format!("there is neither data nor a link for part {index}")));
            };
            let Link { row_offset, row_count, .. } = link;
            let body = Body::Coming(Box::new(client.links().open(&link).await?));
            let (offset, rows) = (row_offset.unwrap_or(0), row_count.unwrap_or(0));
            Ok(Ok(Chunk { index, offset, rows, body, breaks: 0 }))
        }
    });
    opened.await?
}

async fn ask(client: &Client, id: &str, index: u64) -> Result<Part> {
    let chunk = index.to_string();
    let request = Request {
        doing: "give a part of a result",
        path: &["api", "2.0", "sql", "statements", id, "result", "chunks", &chunk],
        query: &[],
        body: None,
        most: client::ROWS,
    };
    gone(client.call(request).await)?.json()
}
