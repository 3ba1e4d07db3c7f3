//! A table in memory whose reads a test watches and holds back, and named places where a test makes the engine wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use connector::memory::MemoryTable;
use connector::{
    Batch, BatchStream, Check, Connector, Cursor, Moment, ReadRequest, Slice, SliceRequest, Table, TableRef,
    Watermark,
};
use futures::StreamExt;
use server::fault::Faults;
use tokio::sync::Semaphore;

/// How long anything waits before the test fails rather than hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// What a reader has asked of a table.
#[derive(Debug, Default)]
struct Asked {
    reads: AtomicUsize,
    batches: AtomicUsize,
    others: AtomicUsize,
}

/// A table in memory that hands over as many batches as the test allows, and counts what it is asked.
#[derive(Clone, Debug)]
pub struct Gate {
    table: MemoryTable,
    allowed: Arc<Semaphore>,
    asked: Arc<Asked>,
}

impl Gate {
    /// Hands over nothing yet.
    pub fn closed(table: &MemoryTable) -> Self {
        Self { table: table.clone(), allowed: Arc::new(Semaphore::new(0)), asked: Arc::default() }
    }

    /// Only counts.
    pub fn open(table: &MemoryTable) -> Self {
        let gate = Self::closed(table);
        gate.lift();
        gate
    }

    /// Lets so many more batches through.
    pub fn allow(&self, batches: usize) {
        self.allowed.add_permits(batches);
    }

    /// Holds nothing back any more.
    pub fn lift(&self) {
        self.allowed.close();
    }

    /// The reads begun so far.
    pub fn reads(&self) -> usize {
        self.asked.reads.load(Ordering::SeqCst)
    }

    /// The batches handed over so far.
    pub fn batches(&self) -> usize {
        self.asked.batches.load(Ordering::SeqCst)
    }

    /// Everything else that was asked so far: the clock, the columns, a check.
    pub fn others(&self) -> usize {
        self.asked.others.load(Ordering::SeqCst)
    }

    fn other(&self) {
        self.asked.others.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Connector for Gate {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        self.other();
        self.table.check(table, cursor).await
    }

    async fn discover(&self) -> connector::Result<Vec<Table>> {
        self.other();
        self.table.discover().await
    }

    async fn describe(&self, table: &TableRef) -> connector::Result<Table> {
        self.other();
        self.table.describe(table).await
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> connector::Result<Batch> {
        self.other();
        self.table.preview(table, columns, limit).await
    }

    async fn clock(&self) -> connector::Result<Moment> {
        self.other();
        self.table.clock().await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> connector::Result<Option<Watermark>> {
        self.other();
        self.table.newest(table, cursor).await
    }

    async fn slices(&self, request: SliceRequest) -> connector::Result<Vec<Slice>> {
        self.other();
        self.table.slices(request).await
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        self.asked.reads.fetch_add(1, Ordering::SeqCst);
        let (allowed, asked) = (Arc::clone(&self.allowed), Arc::clone(&self.asked));
        Box::pin(self.table.read(request).then(move |batch| {
            let (allowed, asked) = (Arc::clone(&allowed), Arc::clone(&asked));
            async move {
                // A semaphore that is closed holds nothing back.
                if let Ok(permit) = allowed.acquire().await {
                    permit.forget();
                }
                asked.batches.fetch_add(1, Ordering::SeqCst);
                batch
            }
        }))
    }
}

/// Makes the engine wait at a named place until it is let go, or dropped. It holds a thread of the runtime meanwhile, so
/// the test needs several.
#[derive(Debug)]
pub struct Hold {
    reached: Arc<Semaphore>,
    gone: Arc<(Mutex<bool>, Condvar)>,
}

impl Hold {
    /// Waits at the given pass, counted from one, of a place.
    pub fn at(place: &'static str, pass: usize) -> (Faults, Self) {
        let (reached, gone) = (Arc::new(Semaphore::new(0)), Arc::new((Mutex::new(false), Condvar::new())));
        let (passed, tell, wait) = (AtomicUsize::new(0), Arc::clone(&reached), Arc::clone(&gone));
        let faults = Faults::when(move |at| {
            if at == place && passed.fetch_add(1, Ordering::SeqCst) + 1 == pass {
                tell.add_permits(1);
                // The thread's other tasks go on elsewhere meanwhile.
                tokio::task::block_in_place(|| {
                    let held = wait.0.lock().unwrap_or_else(PoisonError::into_inner);
                    drop(wait.1.wait_timeout_while(held, LIMIT, |gone| !*gone));
                });
            }
            false
        });
        (faults, Self { reached, gone })
    }

    /// Waits until the engine stands there.
    pub async fn reached(&self) -> Result<()> {
        let permit = tokio::time::timeout(LIMIT, self.reached.acquire()).await;
        permit.context("the engine never came to the place where it is to wait")??.forget();
        Ok(())
    }

    /// Lets it go on.
    pub fn release(&self) {
        *self.gone.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.gone.1.notify_all();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.release();
    }
}
