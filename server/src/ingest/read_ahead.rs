//! Reading the next batch while the one before is written.

use std::sync::Arc;

use connector::{Batch, Connector};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::error::Result;

/// Batches read in a task of their own, one ahead of the one being written. Dropped, the read is cancelled.
pub struct ReadAhead {
    batches: mpsc::Receiver<connector::Result<Batch>>,
    looked_at: Option<connector::Result<Batch>>,
    _task: AbortOnDropHandle<()>,
}

impl ReadAhead {
    /// The next batch or error; `None` after the last.
    pub async fn next(&mut self) -> Option<connector::Result<Batch>> {
        match self.looked_at.take() {
            Some(batch) => Some(batch),
            None => self.batches.recv().await,
        }
    }

    /// Waits for what comes next and tells whether it is the end. A batch or error is kept for [`ReadAhead::next`].
    pub async fn next_is_end(&mut self) -> Result<bool> {
        self.looked_at = self.next().await;
        Ok(self.looked_at.is_none())
    }
}

/// Begins a read.
pub fn read_ahead(connector: &Arc<dyn Connector>, request: connector::ReadRequest) -> ReadAhead {
    let (sender, batches) = mpsc::channel(1);
    let mut stream = connector.read(request);
    let task = tokio::spawn(async move {
        while let Some(batch) = stream.next().await {
            let failed = batch.is_err();
            if sender.send(batch).await.is_err() || failed {
                break;
            }
        }
    });
    ReadAhead { batches, looked_at: None, _task: AbortOnDropHandle::new(task) }
}
