//! The benchmark: Weir beside plain psql, SQLite's shell and dlt on one warehouse, in one run, every result compared.

pub mod clickhouse;
pub mod cpu;
pub mod dlt;
pub mod engine;
pub mod idle;
pub mod late;
pub mod locks;
pub mod peers;
pub mod program;
pub mod promise;
pub mod report;
pub mod rounds;
pub mod seed;
pub mod shell;
pub mod snowflake;

use std::cell::{Cell, OnceCell};

use anyhow::{Context, Result};

use crate::postgres::{Database, Durability, Server};
use engine::Engine;
use peers::PeerTook;
use seed::Size;

/// A warehouse, and how it is measured.
pub struct Bench {
    /// The PostgreSQL server all databases are on, with its own defaults.
    pub server: Server,
    /// The warehouse.
    pub warehouse: Database,
    /// How large it is.
    pub size: Size,
    /// How often each measurement is made.
    pub times: usize,
    /// Room for files.
    pub folder: tempfile::TempDir,
    /// How many times slower this machine is than the one on which the absolute figures were set, once that is known.
    pub slower: OnceCell<f64>,
    /// The process of the system that is read, where that is not the PostgreSQL server.
    pub source: Cell<Option<u32>>,
    postmaster: u32,
}

/// What one thing took, on both sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Seconds on the clock.
    pub wall: f64,
    /// CPU seconds of Weir's process.
    pub own: f64,
    /// CPU seconds of PostgreSQL, as the store and, unless another system is read, as the warehouse.
    pub database: f64,
    /// CPU seconds of that other system.
    pub source: f64,
    /// The most memory the process has had resident so far, in MiB.
    pub peak_mib: f64,
    /// Rows read.
    pub rows: i64,
    /// Statements the system was sent.
    pub statements: i64,
    /// The peer's seconds on the clock.
    pub peer_wall: f64,
    /// The peer's CPU seconds, those of PostgreSQL and of the other system included.
    pub peer_cpu: f64,
}

impl Figures {
    /// Notes what the peer took.
    pub fn beside(mut self, peer: PeerTook) -> Self {
        (self.peer_wall, self.peer_cpu) = (peer.wall, peer.cpu);
        self
    }
}

impl Bench {
    /// Starts PostgreSQL and fills a warehouse with so many days of measurements.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn start(days: i64, times: usize) -> Result<Self> {
        let server = Server::start(Durability::Durable).await?;
        let warehouse = server.database().await?;
        let size = Size { days };
        seed::warehouse(&warehouse.url(), size).await?;
        let postmaster = cpu::postmaster(&server).await?;
        Ok(Self {
            server,
            warehouse,
            size,
            times,
            folder: tempfile::tempdir()?,
            slower: OnceCell::new(),
            source: Cell::new(None),
            postmaster,
        })
    }

    /// Has Weir do something and measures it.
    ///
    /// # Errors
    /// When it failed.
    pub fn ours(&self, engine: &mut Engine, command: &str) -> Result<Figures> {
        let before = (cpu::tree_seconds(self.postmaster)?, self.source_seconds()?);
        let took = engine.ask(command)?;
        let database = cpu::tree_seconds(self.postmaster)? - before.0;
        let source = self.source_seconds()? - before.1;
        eprintln!("{command}: {took:?}, database {database:.2} s, source {source:.2} s");
        Ok(Figures {
            wall: took.wall,
            own: took.cpu,
            database,
            source,
            peak_mib: took.peak_mib,
            rows: took.rows_read,
            statements: took.statements,
            ..Figures::default()
        })
    }

    /// Lets Weir poll so often, when nothing is new, and says what one poll took. The polls before it read what is new
    /// and note that it is the same again.
    ///
    /// # Errors
    /// When one failed.
    pub fn polls(&self, engine: &mut Engine, times: u32) -> Result<Figures> {
        self.ours(engine, "poll 2")?;
        let mut poll = self.ours(engine, &format!("poll {times}"))?;
        for seconds in [&mut poll.wall, &mut poll.own, &mut poll.database, &mut poll.source] {
            *seconds /= f64::from(times);
        }
        Ok(poll)
    }

    fn source_seconds(&self) -> Result<f64> {
        self.source.get().map_or(Ok(0.0), cpu::tree_seconds)
    }

    /// Has a peer do something and adds what PostgreSQL and the other system took.
    ///
    /// # Errors
    /// When it failed.
    pub fn theirs(&self, name: &str, act: impl FnOnce() -> Result<PeerTook>) -> Result<PeerTook> {
        let seconds = || Ok::<_, anyhow::Error>(cpu::tree_seconds(self.postmaster)? + self.source_seconds()?);
        let before = seconds()?;
        let mut took = act().with_context(|| format!("{name} failed"))?;
        took.cpu += seconds()? - before;
        eprintln!("{name}: {:.2} s wall, {:.2} s CPU", took.wall, took.cpu);
        Ok(took)
    }
}
