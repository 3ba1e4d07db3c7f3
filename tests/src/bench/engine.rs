//! Weir's side: the engine in a process of its own, told what to do line by line.

#![expect(clippy::print_stdout, reason = "answers go to standard output, one JSON object a line")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use connector::{Connector, Cost, Cursor, CursorKind, NullCursors, ReadRequest, RunTag, TableRef};
use entity::{RunKind, StreamId};
use futures::StreamExt;
use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use server::ingest::tally::Tally;
use server::ingest::{Outcome, Range};
use server::jobs::{self, Reader};
use tokio_util::sync::CancellationToken;

use super::cpu;
use crate::stand::{Origin, Stand, StreamSpec, balanced};

/// What the command `read` reads.
pub const COLUMNS: [&str; 5] = ["id", "account", "metric", "value", "updated_at"];

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
    /// Statements the system was sent.
    pub statements: i64,
}

/// Weir in another process.
pub struct Engine {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    /// Starts it on a database that has an organization and a stream already, or makes them, with a PostgreSQL warehouse.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(weir: &str, warehouse: &str) -> Result<Self> {
        Self::reading(weir, &Origin::postgres(warehouse)?)
    }

    /// The same with any system.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn reading(weir: &str, origin: &Origin) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["engine", "--weir", weir, "--origin", &serde_json::to_string(origin)?])
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
pub async fn serve(weir: &str, origin: &Origin) -> Result<()> {
    let stand = Stand::reading(weir, origin).await?;
    let source = stand.connector().await?;
    let stream = stand.stream_of(&StreamSpec::usage_of(&origin.table)?).await?;
    let stop = CancellationToken::new();
    let _stop = stop.clone().drop_guard();
    let mut works = false;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let (start, cpu) = (Instant::now(), cpu::own_seconds(std::process::id())?);
        let mut took = Took::default();
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["ready"] => {}
            ["sync"] => took = sync(&stand, &source, stream).await?,
            ["read"] => took = read(&source, &origin.table).await?,
            ["poll", times] => {
                let mut statements = 0;
                for _ in 0..times.parse()? {
                    took = sync(&stand, &source, stream).await?;
                    statements += took.statements;
                }
                took.statements = statements;
            }
            ["replay"] => took = of(&stand.replay().await?),
            ["link"] => stand.link_all().await?,
            ["streams", count] => {
                for _ in 0..count.parse()? {
                    stand.stream_of(&StreamSpec::quiet()).await?;
                }
            }
            ["due"] => {
                if !std::mem::replace(&mut works, true) {
                    jobs::start(&stand.app, Arc::new(Reader), &stop);
                }
                due(&stand).await?;
            }
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

/// Lets the connector alone read five columns of the whole table, as the engine would, and drops the rows.
async fn read(source: &Arc<dyn Connector>, table: &TableRef) -> Result<Took> {
    let settings = server::config::Config::load(None)?.sync;
    let request = ReadRequest {
        table: table.clone(),
        columns: COLUMNS.map(str::to_owned).to_vec(),
        cursor: Cursor { column: "updated_at".to_owned(), kind: CursorKind::Zoned },
        key: vec!["id".to_owned()],
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: settings.batch_rows,
        batch_bytes: settings.batch_bytes,
        cell_bytes: settings.cell_bytes,
        tag: RunTag::default(),
        cost: Cost::default(),
    };
    let (mut rows, mut batches) = (0, source.read(request));
    while let Some(batch) = batches.next().await {
        rows += i64::try_from(batch?.rows())?;
    }
    Ok(Took { rows_read: rows, ..Took::default() })
}

/// Makes the quiet streams due and waits until the workers have run them all.
async fn due(stand: &Stand) -> Result<()> {
    let db = stand.app.db.orm();
    let made = "UPDATE stream SET next_due_at = 1 WHERE table_ref LIKE '%quiet%'";
    let made = db.execute_unprepared(made).await?.rows_affected();
    loop {
        // Seldom: the question counts as ours.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = "SELECT 1 FROM stream WHERE next_due_at = 1 UNION ALL \
                    SELECT 1 FROM sync_run WHERE status IN ('queued', 'running') LIMIT 1";
        if db.query_one_raw(Statement::from_string(db.get_database_backend(), left)).await?.is_none() {
            break;
        }
    }
    let done = "SELECT count(*) AS done FROM sync_run r JOIN stream s ON s.last_run_id = r.id \
                WHERE s.table_ref LIKE '%quiet%' AND r.status = 'succeeded'";
    let done = db.query_one_raw(Statement::from_string(db.get_database_backend(), done)).await?;
    let done: i64 = done.context("an aggregate has a row")?.try_get("", "done")?;
    anyhow::ensure!(u64::try_from(done)? == made, "{done} of {made} runs succeeded");
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
        statements: run.source_statements,
        ..Took::default()
    })
}
