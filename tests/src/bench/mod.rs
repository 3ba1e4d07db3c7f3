//! The benchmark: Weir beside plain psql, SQLite's shell and dlt on one warehouse, in one run, every result compared.

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

use std::cell::OnceCell;

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
    postmaster: u32,
}

/// What one thing took, on both sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Seconds on the clock.
    pub wall: f64,
    /// CPU seconds of Weir's process.
    pub own: f64,
    /// CPU seconds of PostgreSQL, as the warehouse and as the store.
    pub database: f64,
    /// The most memory the process has had resident so far, in MiB.
    pub peak_mib: f64,
    /// The peer's seconds on the clock.
    pub peer_wall: f64,
    /// The peer's CPU seconds, PostgreSQL's included.
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
            postmaster,
        })
    }

    /// Has Weir do something and measures it.
    ///
    /// # Errors
    /// When it failed.
    pub fn ours(&self, engine: &mut Engine, command: &str) -> Result<Figures> {
        let before = cpu::tree_seconds(self.postmaster)?;
        let took = engine.ask(command)?;
        let database = cpu::tree_seconds(self.postmaster)? - before;
        eprintln!("{command}: {took:?}, database {database:.2} s");
        let (wall, own, peak_mib) = (took.wall, took.cpu, took.peak_mib);
        Ok(Figures { wall, own, database, peak_mib, ..Figures::default() })
    }

    /// Has a peer do something and adds what PostgreSQL took.
    ///
    /// # Errors
    /// When it failed.
    pub fn theirs(&self, name: &str, act: impl FnOnce() -> Result<PeerTook>) -> Result<PeerTook> {
        let before = cpu::tree_seconds(self.postmaster)?;
        let mut took = act().with_context(|| format!("{name} failed"))?;
        took.cpu += cpu::tree_seconds(self.postmaster)? - before;
        eprintln!("{name}: {:.2} s wall, {:.2} s CPU", took.wall, took.cpu);
        Ok(took)
    }
}
