//! How long others wait to write on SQLite, while Weir does everything it does with many rows. It fails when nobody could
//! write while a phase went on: the lock was held from its first row to its last.

#![expect(clippy::print_stdout, reason = "figures go to standard output, one JSON object a line")]

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Executor};

use super::promise::Promise;
use crate::bulk::{Bulk, Phase, Size};

/// 300,000 measurements, 20,000 rows that wait, 5,000 accounts.
const SIZE: Size = Size { accounts: 5_000, measured: 300_000, waiting: 20_000 };
/// Between two tries to write.
const PAUSE: Duration = Duration::from_micros(200);

/// The waits of one phase.
#[derive(Debug, Default)]
struct Waits {
    writes: u64,
    longest: Duration,
    /// Waits over 100 ms.
    long: u64,
}

/// Goes through all phases and prints the longest wait of each.
///
/// # Errors
/// When a phase fails or lets nobody write.
pub async fn run() -> Result<Vec<Promise>> {
    let mut bulk = Bulk::start(SIZE, |_| {}).await?;
    let url = bulk.site.app.config.database.url.expose_secret().to_owned();
    let (mut longest, mut shut) = (Duration::ZERO, Vec::new());
    for phase in Phase::ALL {
        let stop = Arc::new(AtomicBool::new(false));
        let watch = tokio::spawn(watch(url.clone(), stop.clone()));
        let begun = Instant::now();
        let went = bulk.go(phase).await;
        let took = begun.elapsed();
        stop.store(true, Ordering::Relaxed);
        let waits = watch.await??;
        went?;
        longest = longest.max(waits.longest);
        if waits.writes == 0 {
            shut.push(phase);
        }
        let line = json!({
            "what": "waits for SQLite's write lock",
            "phase": format!("{phase:?}"),
            "seconds": milliseconds(took) / 1_000.0,
            "longest_ms": milliseconds(waits.longest),
            "over_100_ms": waits.long,
            "writes_in_between": waits.writes,
        });
        println!("{line}");
    }
    println!("{}", json!({ "what": "longest wait for SQLite's write lock", "ms": milliseconds(longest) }));
    ensure!(shut.is_empty(), "nobody could write during {shut:?}");
    let waited = "the longest wait for SQLite's write lock, in milliseconds";
    Ok(vec![Promise::new(waited, milliseconds(longest), 100.0)])
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// Takes the write lock and gives it back, again and again, asking at a pace of its own: SQLite's would wait longer
/// than it has to.
async fn watch(url: String, stop: Arc<AtomicBool>) -> Result<Waits> {
    let options = SqliteConnectOptions::from_str(&url)?.busy_timeout(Duration::ZERO);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let mut waits = Waits::default();
    while !stop.load(Ordering::Relaxed) {
        let begun = Instant::now();
        loop {
            match connection.execute("BEGIN IMMEDIATE; ROLLBACK").await {
                Ok(_) => break,
                Err(sqlx::Error::Database(error)) if error.message().contains("locked") => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let waited = begun.elapsed();
        waits.writes += 1;
        waits.longest = waits.longest.max(waited);
        waits.long += u64::from(waited > Duration::from_millis(100));
        tokio::time::sleep(PAUSE).await;
    }
    connection.close().await?;
    Ok(waits)
}
