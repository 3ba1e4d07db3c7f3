//! The pages of one result, each asked for while the one before is handed over, and each tied to it by one row.
//!
//! `pageToken` would ask for what follows without saying what that is. Here every page is asked for by the number of
//! its first row, and that row is the last of the page before: a page that is repeated or left out on the way shows
//! before any of its rows is handed over. The token still tells whether the service has more.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::client::Client;
use super::decode::{Decoder, First};
use super::job::{Job, Page};
use super::refusal::Refusal;
use crate::{ConnectorError, ErrorKind, Result};

/// A result that is being fetched.
pub struct Pages {
    client: Arc<Client>,
    job: Arc<Job>,
    total: u64,
    taken: u64,
    /// Whether the page before brought nothing new.
    idle: bool,
    next: Next,
}

enum Next {
    Here(Box<Page>, First),
    Ahead(Ahead, First),
    End,
}

/// A page being fetched; given up when dropped.
struct Ahead(JoinHandle<std::result::Result<Page, Refusal>>);

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Pages {
    /// Starts with the first page of a job.
    ///
    /// # Errors
    /// `Protocol` when it does not say how many rows there are.
    pub fn new(client: Arc<Client>, job: Job, page: Page, first: First) -> Result<Self> {
        let total = page.reply.total_rows.ok_or_else(|| {
            ConnectorError::new(ErrorKind::Protocol, "BigQuery did not say how many rows the result has")
        })?;
        Ok(Self {
            client,
            job: Arc::new(job),
            total,
            taken: 0,
            idle: false,
            next: Next::Here(Box::new(page), first),
        })
    }

    /// How many rows the result has.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Decodes the next page; `false` when all rows came.
    ///
    /// # Errors
    /// What was refused, or what keeps the result from being whole.
    pub async fn next(&mut self, decoder: &mut Decoder) -> std::result::Result<bool, Refusal> {
        let (page, first) = match std::mem::replace(&mut self.next, Next::End) {
            Next::End => return Ok(false),
            Next::Here(page, first) => (*page, first),
            Next::Ahead(mut ahead, first) => {
                let fetched = (&mut ahead.0).await.unwrap_or_else(|_| {
                    Err(ConnectorError::new(ErrorKind::Unavailable, "a page of the result was given up")
                        .into())
                });
                (fetched?, first)
            }
        };
        let Page { reply, body } = page;
        if !reply.job_complete || reply.total_rows.is_some_and(|total| total != self.total) {
            return Err(self.torn("and a page says otherwise").into());
        }
        let came = decoder.page(&body, first.clone())?;
        self.taken += came;
        if self.taken > self.total {
            return Err(self.torn("and more came").into());
        }
        if self.taken < self.total {
            let more = reply.page_token.as_ref().is_some_and(|token| !token.is_empty());
            if !more || (came == 0 && self.idle) {
                return Err(self.torn("and no more came").into());
            }
            self.idle = came == 0;
            self.ahead(first);
        }
        Ok(true)
    }

    /// Asks for the next page, from the last row on. A row may be so large that it fills a page; then the next one is
    /// asked for without it.
    fn ahead(&mut self, before: First) {
        let (start, first) = match (self.taken, self.idle) {
            (0, _) => (0, before),
            (taken, true) => (taken, First::New),
            (taken, false) => (taken - 1, First::Again),
        };
        let (client, job) = (self.client.clone(), self.job.clone());
        let fetch = async move { job.page(&client, start).await };
        self.next = Next::Ahead(Ahead(tokio::spawn(fetch)), first);
    }

    fn torn(&self, how: &str) -> ConnectorError {
        let message = format!(
            "the result has {} rows, of which {} came, {how}",
            self.total,
            self.taken.min(self.total)
        );
        ConnectorError::new(ErrorKind::Unavailable, message)
            .hint("nothing was lost: the next run goes on from the last row that came")
    }
}
