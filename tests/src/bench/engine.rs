//! Weir's side: the engine in a process of its own, told what to do line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use connector::guard::Policy;
use connector::{Connector, kinds};
use entity::{RunKind, StreamId};
use serde::{Deserialize, Serialize};
use server::ingest::tally::Tally;
use server::ingest::{Outcome, Range};
use tokio_util::sync::CancellationToken;

use super::cpu;
use crate::stand::{Stand, StreamSpec, balanced};

/// What one command took.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Took {
    /// Seconds on the clock.
    pub wall: f64,
    /// CPU seconds of the process.
    pub cpu: f64,
    /// The most memory the process has had resident so far, in MiB.
    pub peak_mib: f64,
    /// Rows read.
    pub rows_read: i64,
    /// Measurements written.
    pub written: i64,
    /// Readings unchanged.
    pub unchanged: i64,
    /// Readings that wait.
    pub unmatched: i64,
}

/// Weir in another process.
pub struct Engine {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    /// Starts it on a database that has an organization and a stream already, or makes them.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(weir: &str, warehouse: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["engine", "--weir", weir, "--warehouse", warehouse])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let commands = child.stdin.take().context("a pipe to the engine")?;
        let answers = BufReader::new(child.stdout.take().context("a pipe from the engine")?);
        let mut engine = Self { child, commands, answers };
        engine.ask("ready")?;
        Ok(engine)
    }

    /// Sends a command and waits for what it took.
    ///
    /// # Errors
    /// When the engine failed; its own words are on standard error.
    pub fn ask(&mut self, command: &str) -> Result<Took> {
        writeln!(self.commands, "{command}")?;
        self.commands.flush()?;
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("the engine ended at {command:?}");
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = writeln!(self.commands, "quit");
        let _ = self.child.wait();
    }
}

/// The other process: carries out commands until told to quit.
///
/// # Errors
/// What went wrong with a command.
pub async fn serve(weir: &str, warehouse: &str) -> Result<()> {
    let stand = Stand::on(weir).await?;
    let url = reqwest::Url::parse(warehouse)?;
    let config = serde_json::json!({
        "host": url.host_str(), "port": url.port(), "user": url.username(), "sslMode": "disable",
        "database": url.path().trim_start_matches('/'),
    });
    let networks = vec!["127.0.0.0/8".parse()?];
    let policy = Policy { networks, ..Policy::default() };
    let password = url.password().map(|text| text.to_owned().into());
    let source = kinds::open("postgres", &config, password, &policy)?;
    let stream = stand.stream_of(&StreamSpec::usage()).await?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (start, cpu) = (Instant::now(), cpu::own_seconds(std::process::id())?);
        let mut took = Took::default();
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["ready"] => {}
            ["sync"] => took = sync(&stand, &source, stream).await?,
            ["poll", times] => {
                for _ in 0..times.parse()? {
                    took = sync(&stand, &source, stream).await?;
                }
            }
            ["replay"] => took = of(&stand.replay().await?),
            ["link"] => stand.link_all().await?,
            ["quit"] => return Ok(()),
            other => bail!("no command {other:?}"),
        }
        took.wall = start.elapsed().as_secs_f64();
        took.cpu = cpu::own_seconds(std::process::id())? - cpu;
        took.peak_mib = cpu::peak_mib(std::process::id())?;
        println!("{}", serde_json::to_string(&took)?);
    }
    Ok(())
}

fn of(tally: &Tally) -> Took {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Took {
        rows_read: count(tally.readings),
        written: count(tally.written),
        unchanged: count(tally.unchanged),
        ..Took::default()
    }
}

async fn sync(stand: &Stand, source: &Arc<dyn Connector>, stream: StreamId) -> Result<Took> {
    let lease = stand.claim(stream, RunKind::Sync).await?;
    let stop = CancellationToken::new();
    let outcome =
        server::ingest::run(&stand.app, Arc::clone(source), &lease, stream, &Range::New, &stop).await?;
    anyhow::ensure!(outcome == Outcome::Done, "the run ended {outcome:?}");
    let run = stand.finish(&lease).await?;
    balanced(&run)?;
    Ok(Took {
        rows_read: run.rows_read,
        written: run.written,
        unchanged: run.unchanged,
        unmatched: run.unmatched,
        ..Took::default()
    })
}
