//! The rows of one statement: its partitions in order, asked for two ahead, each read as it arrives and again where it
//! broke off, and every row accounted for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Response;
use tokio::task::JoinHandle;

use super::client::{Client, Done, valid};
use super::decode::{Decoder, Expected, Limits};
use super::head::{Envelope, garbled};
use super::refusal::Refusal;
use super::statement::Submission;
use crate::http::{self, Stall};
use crate::{Batch, ConnectorError, ErrorKind, Result};

/// Partitions asked for before they are needed. Their bytes wait at Snowflake: only what the network holds has come.
const AHEAD: usize = 2;
/// How often one partition is asked for again after it broke off.
const AGAIN: u32 = 3;
/// The wait before that; it doubles with each.
const PAUSE: Duration = Duration::from_millis(250);

/// The rows of one statement as they arrive.
pub struct Rows {
    client: Arc<Client>,
    submission: Submission,
    expected: Option<Vec<Expected>>,
    limits: Limits,
    decoder: Decoder,
    handle: Option<String>,
    /// The answer being read; nothing between two.
    body: Option<Response>,
    /// Rows of each partition, once they are told.
    partitions: Vec<u64>,
    /// Rows in all, as told.
    total: Option<u64>,
    /// The partition being read.
    partition: usize,
    /// Partitions asked for, in order, and the one to ask for next.
    ahead: VecDeque<Ahead>,
    next: usize,
    /// Whether a batch was given out.
    given: bool,
    /// How often this partition broke off.
    broke: u32,
    /// Rows of the partitions before, and how long none has come.
    before: u64,
    stall: Stall,
    over: bool,
}

/// A partition that was asked for; dropping it gives it up.
struct Ahead(JoinHandle<Result<Response>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Rows {
    /// Takes a statement that is done.
    pub fn new(
        client: Arc<Client>,
        submission: Submission,
        done: Done,
        expected: Option<Vec<Expected>>,
        limits: Limits,
    ) -> Self {
        Self {
            stall: client.stall(),
            client,
            submission,
            decoder: Decoder::new(expected.clone(), limits),
            expected,
            limits,
            handle: done.handle,
            body: Some(done.response),
            partitions: Vec::new(),
            total: None,
            partition: 0,
            ahead: VecDeque::new(),
            next: 1,
            given: false,
            broke: 0,
            before: 0,
            over: false,
        }
    }

    /// A batch of the result's columns without rows, once the result has been read.
    pub fn empty(&mut self) -> Batch {
        self.decoder.take()
    }

    /// The next batch; nothing after the last, and only when every row has come.
    ///
    /// # Errors
    /// Whatever keeps the result from being whole; `Timeout` when it goes on without a row.
    pub async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.over {
                return Ok((self.decoder.ready() > 0).then(|| self.decoder.take()));
            }
            match self.step().await {
                Ok(None) => {}
                Ok(Some(batch)) => {
                    self.given = true;
                    return Ok(Some(batch));
                }
                Err(error) if error.kind() == ErrorKind::Unavailable => self.again(error).await?,
                Err(error) => return Err(error),
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Batch>> {
        let full = self.decoder.decode()?;
        if self.partitions.is_empty()
            && let Some(told) = self.decoder.told().cloned()
        {
            self.learn(&told)?;
        }
        if full {
            self.count(false)?;
            return Ok(Some(self.decoder.take()));
        }
        self.look_ahead();
        let Some(body) = &mut self.body else {
            self.close().await?;
            return Ok(None);
        };
        if let Some(page) = http::web_page(body) {
            return Err(page);
        }
        let host = self.client.host();
        self.stall.came(self.before + self.decoder.rows());
        let more = self.stall.within(host, body.chunk()).await?;
        match more.map_err(|error| http::explain(error, host))? {
            Some(bytes) => self.decoder.push(&bytes),
            None => {
                self.body = None;
                self.decoder.end();
            }
        }
        Ok(None)
    }

    /// Takes in what the first answer tells of its partitions.
    fn learn(&mut self, envelope: &Envelope) -> Result<()> {
        let Some(meta) = &envelope.meta else {
            // An error inside a success.
            let refusal = Refusal::of(envelope).unwrap_or_default();
            let told = self.client.tell(&refusal, None);
            return Err(told.unwrap_or_else(|| garbled("the answer has neither columns nor rows")));
        };
        self.partitions = meta.partition_info.iter().map(|partition| partition.row_count).collect();
        if self.handle.is_none() {
            self.handle = envelope.statement_handle.clone().filter(|handle| valid(handle));
        }
        // The total is told apart from its parts: they must agree.
        let sum = self.partitions.iter().sum();
        if !self.partitions.is_empty() && meta.num_rows != Some(sum) {
            // Asking again for the same result does not change what it is.
            self.broke = AGAIN;
            return Err(differ(meta.num_rows, sum));
        }
        self.total = meta.num_rows;
        Ok(())
    }

    /// Asks for the partitions to come, as soon as they and the handle are known.
    fn look_ahead(&mut self) {
        let Some(handle) = &self.handle else { return };
        while self.ahead.len() < AHEAD && self.next < self.partitions.len() {
            let (client, handle, number) = (Arc::clone(&self.client), handle.clone(), self.next);
            let asked = tokio::spawn(async move { client.partition(&handle, number).await });
            self.ahead.push_back(Ahead(asked));
            self.next += 1;
        }
    }

    /// Compares the rows of this partition with what was told of it.
    fn count(&mut self, ended: bool) -> Result<()> {
        let found = self.decoder.rows();
        let Some(told) = self.partitions.get(self.partition).copied() else { return Ok(()) };
        if found == told || found < told && !ended {
            return Ok(());
        }
        // Nothing tells which row is missing or too many: passing over what was read would hide it.
        self.broke = AGAIN;
        let message = format!("partition {} came with {found} rows instead of {told}", self.partition);
        Err(ConnectorError::new(ErrorKind::Unavailable, message)
            .hint("such a result is not taken for whole; it is read again by itself")
            .incomplete())
    }

    /// Ends a partition whose answer has been read, and opens the next one.
    async fn close(&mut self) -> Result<()> {
        if self.partition == 0 {
            let envelope = self.decoder.envelope()?;
            self.learn(&envelope)?;
            if self.partitions.is_empty() && self.total != Some(self.decoder.rows()) {
                self.broke = AGAIN;
                return Err(differ(self.total, self.decoder.rows()));
            }
        }
        self.count(true)?;
        self.before += self.decoder.rows();
        self.broke = 0;
        self.partition += 1;
        self.decoder.next_partition();
        if self.partition >= self.partitions.len() {
            self.over = true;
            return Ok(());
        }
        self.look_ahead();
        self.body = Some(match self.ahead.pop_front() {
            Some(mut asked) => {
                let opened = (&mut asked.0).await.map_err(|_| gone())?;
                if opened.is_err() {
                    // It was asked for patiently; no more of that here.
                    self.broke = AGAIN;
                }
                opened?
            }
            None => return Err(garbled("the result has partitions and no handle")),
        });
        Ok(())
    }

    /// Asks again for the partition that broke off; what of it was read already is passed over.
    async fn again(&mut self, error: ConnectorError) -> Result<()> {
        self.broke += 1;
        if self.broke > AGAIN || self.over {
            return Err(error);
        }
        tokio::time::sleep(PAUSE * 2_u32.pow(self.broke)).await;
        self.body = None;
        let response = match &self.handle {
            Some(handle) if self.partition > 0 => self.client.partition(handle, self.partition).await?,
            Some(handle) => self.client.poll(handle).await?.ok_or(error)?,
            // Without a handle nothing tells whether another answer has the same rows.
            None if self.given => return Err(error),
            None => {
                let done = self.client.run(&self.submission, true).await?;
                self.decoder = Decoder::new(self.expected.clone(), self.limits);
                self.handle = done.handle;
                done.response
            }
        };
        if self.partition == 0 {
            self.partitions.clear();
        }
        self.decoder.again();
        self.body = Some(response);
        Ok(())
    }
}

/// The error for a total that is not the sum of its parts.
fn differ(total: Option<u64>, sum: u64) -> ConnectorError {
    let total = total.map_or("an unknown number of".to_owned(), |rows| rows.to_string());
    let message = format!("Snowflake told of {total} rows in all and of {sum} in the parts");
    ConnectorError::new(ErrorKind::Unavailable, message)
        .hint("such a result is not taken for whole; it is read again by itself")
        .incomplete()
}

fn gone() -> ConnectorError {
    ConnectorError::new(ErrorKind::Unavailable, "a partition was given up")
}
