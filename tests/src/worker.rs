//! Worker processes for tests: jobs whose payload says what they do, and a sync engine whose streams do.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use connector::{ConnectorError, ErrorKind};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};
use server::app::App;
use server::clock::Clock;
use server::db::Db;
use server::domain::backoff::Backoff;
use server::domain::job::Jobs;
use server::domain::sync_run::Claim;
use server::error::{Error, Result as Done};
use server::jobs::{Ending, Engine, Lane, Node, Outcome, Settings, StopReason, Taken};
use server::sql::Sql;
use tokio_util::sync::CancellationToken;

use crate::stage::Stage;
use crate::trace;

/// The queue of the test jobs.
pub const QUEUE: &str = "test";

/// What a test job does. It always traces `begin <attempt>` first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Act {
    /// What the trace calls it.
    pub name: String,
    /// What it does.
    pub deed: Deed,
}

/// Deeds of jobs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Deed {
    /// Works for so many milliseconds and traces `end`; stops early, released, when told to.
    Work(u64),
    /// Holds a thread of the runtime for so many milliseconds, then adds an effect if the lease still holds.
    Block(u64),
    /// Works on although told to stop.
    Deaf(u64),
    /// Panics.
    Panic,
    /// Fails with an error that may pass.
    Fail,
    /// Fails because the outside asks to wait so many seconds.
    Limited(u64),
    /// Fails with an error no retry mends.
    Abort,
}

impl Act {
    /// The payload of a job that does it.
    pub fn payload(name: &str, deed: Deed) -> String {
        serde_json::to_string(&Self { name: name.to_owned(), deed }).expect("plain data")
    }
}

/// The settings of a test node.
pub fn settings(lease: Duration, poll: Duration, at_once: usize) -> Settings {
    Settings {
        lanes: vec![Lane { queue: QUEUE, at_once }],
        lease,
        poll,
        backoff: Backoff { first: 1_000_000, most: 4_000_000 },
        grace: Duration::from_secs(10),
    }
}

/// A node on a database that does what the jobs say.
pub fn node(db: &Db, bell: &Jobs, settings: Settings, stop: &CancellationToken) -> Node {
    let node = Node::new(settings, db.clone(), Clock::system(), bell.clone(), stop.clone());
    let (db, owner) = (db.clone(), node.owner());
    node.perform(Arc::new(move |taken| {
        let (db, owner) = (db.clone(), owner.to_string());
        Box::pin(async move { act(&db, &owner, &taken).await })
    }))
}

async fn act(db: &Db, owner: &str, taken: &Taken) -> Done<Outcome> {
    let act: Act = serde_json::from_str(&taken.job.payload)
        .map_err(|error| Error::invalid("payload", error.to_string()))?;
    let now = || Clock::system().now();
    trace::add(db.orm(), now(), &act.name, &format!("begin {}", taken.job.attempts)).await?;
    match act.deed {
        Deed::Work(milliseconds) => tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(milliseconds)) => {}
            () = taken.stop().cancelled() => {
                return Ok(match taken.stop_reason() {
                    Some(StopReason::LeaseLost) => Outcome::Lost,
                    _ => Outcome::Released,
                });
            }
        },
        Deed::Deaf(milliseconds) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Deed::Block(milliseconds) => {
            std::thread::sleep(Duration::from_millis(milliseconds));
            return effect(db, owner, taken, &act.name).await;
        }
        Deed::Panic => panic!("as the job says"),
        Deed::Fail => return Err(Error::internal("do what the job says", "it says fail")),
        Deed::Limited(seconds) => {
            let error = ConnectorError::new(ErrorKind::RateLimited, "slow down");
            return Err(error.after(Duration::from_secs(seconds)).into());
        }
        Deed::Abort => return Err(Error::invalid("job", "says abort")),
    }
    trace::add(db.orm(), now(), &act.name, "end").await?;
    Ok(Outcome::Done)
}

/// An effect as the engine has it: in one transaction with the check that the lease still holds.
async fn effect(db: &Db, owner: &str, taken: &Taken, name: &str) -> Done<Outcome> {
    let owner: entity::WorkerId = owner.parse().map_err(|error| Error::internal("read own ID", error))?;
    let tx = db.begin().await?;
    let held = Sql::new(&tx, "UPDATE job SET attempts = attempts WHERE status = 'running' AND id = ")
        .bind(taken.job.id)
        .text(" AND attempts = ")
        .bind(taken.job.attempts)
        .text(" AND lease_owner = ")
        .bind(owner);
    if held.run(&tx).await? == 0 {
        return Ok(Outcome::Done);
    }
    trace::add(&tx, Clock::system().now(), name, "effect").await?;
    tx.commit().await?;
    Ok(Outcome::Done)
}

/// An engine that does what the stream's name says: `batches N MS` stores N batches of one row, each under the run's
/// fence, MS milliseconds apart; `limited S T` is told to wait S seconds by its first attempt and T by the later ones;
/// `unbalanced` loses a row; `panic` panics; any other word is a kind of failure.
#[derive(Debug)]
pub struct Scripted;

#[async_trait]
impl Engine for Scripted {
    async fn run(&self, app: &App, claim: &Claim, stop: &CancellationToken) -> Done<Ending> {
        let key = (claim.organization(), claim.run.stream_id);
        let stream = entity::stream::Entity::find_by_id(key).one(app.db.orm()).await?;
        let name = stream.ok_or(Error::NotFound("stream"))?.name;
        trace::add(app.db.orm(), app.clock.now(), &name, &format!("attempt {}", claim.run.attempt)).await?;
        let fail = |kind| {
            Err(Error::from(ConnectorError::new(kind, "the outside is not well").hint("make it well")))
        };
        let mut words = name.split(' ');
        match words.next().unwrap_or_default() {
            "batches" => {
                let mut number = || words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
                let (count, pause): (i64, u64) = (number(), number().unsigned_abs());
                batches(app, claim, stop, &name, count, Duration::from_millis(pause)).await
            }
            "unbalanced" => {
                let lost =
                    Sql::new(app.db.orm(), "UPDATE sync_run SET rows_read = rows_read + 1 WHERE id = ");
                lost.bind(claim.id()).run(app.db.orm()).await?;
                Ok(Ending::Done)
            }
            "panic" => panic!("as the stream's name says"),
            "limited" => {
                let wait = words.nth(usize::from(claim.run.attempt > 1)).and_then(|word| word.parse().ok());
                let wait = Duration::from_secs(wait.unwrap_or_default());
                Err(ConnectorError::new(ErrorKind::RateLimited, "slow down").after(wait).into())
            }
            "unavailable" => fail(ErrorKind::Unavailable),
            "auth" => fail(ErrorKind::Auth),
            "schema" => fail(ErrorKind::Schema),
            _ => Ok(Ending::Done),
        }
    }
}

async fn batches(
    app: &App,
    claim: &Claim,
    stop: &CancellationToken,
    name: &str,
    count: i64,
    pause: Duration,
) -> Done<Ending> {
    for _ in claim.run.batches..count {
        tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Ending::Stopped),
            () = tokio::time::sleep(pause) => {}
        }
        let tx = app.db.begin().await?;
        let counted = "UPDATE sync_run SET batches = batches + 1, rows_read = rows_read + 1, rows_mapped = rows_mapped + 1 \
                       WHERE status = 'running' AND id = ";
        let held = Sql::new(&tx, counted).bind(claim.id()).text(" AND fence = ").bind(claim.fence());
        if held.run(&tx).await? == 0 {
            return Err(Error::LeaseLost);
        }
        trace::add(&tx, app.clock.now(), name, "batch").await?;
        tx.commit().await?;
    }
    Ok(Ending::Done)
}

/// A worker process of its own. Killed with this value.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts the program `node` (see `src/bin/node.rs`) with these arguments on a database.
    pub fn start(program: &str, stage: &Stage, arguments: &[&str]) -> Result<Self> {
        Self::start_on(program, &stage.url, stage.folder.path(), arguments)
    }

    /// Starts it on the database of this URL, with the key ring in this folder.
    pub fn start_on(program: &str, url: &str, folder: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command
            .args(["--url", url])
            .arg("--data")
            .arg(folder)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        Ok(Self(command.spawn().with_context(|| format!("cannot start {program}"))?))
    }

    /// Ends it as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        self.0.wait()?;
        Ok(())
    }

    /// Asks it to end and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status()?;
        let status = self.0.wait()?;
        anyhow::ensure!(status.success(), "a worker ended with {status}");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Runs one statement that a test needs for its scene.
pub async fn arrange(db: &Db, statement: &str) -> Result<()> {
    db.orm().execute_unprepared(statement).await.with_context(|| format!("cannot run {statement}"))?;
    Ok(())
}
