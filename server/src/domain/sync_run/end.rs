//! How a holder gives a run up: for good, for later, or for another worker.

use connector::{ErrorKind, Spent};
use entity::{RunKind, RunStatus};
use sea_orm::ConnectionTrait;

use super::Claim;
use super::lease::must_hold;
use crate::clock::Micros;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::sql::{Change, Sql, together};

/// What went wrong with a run, for the people who read it. Holds no secret and no inner text of ours.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Which sort of trouble.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub action: Option<String>,
    /// What the outside system said.
    pub detail: Option<String>,
}

impl Problem {
    /// Makes a problem from its sort and a sentence.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Self { kind: kind.to_owned(), message: message.into(), action: None, detail: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn action(mut self, action: impl Into<String>) -> Self {
        self.action = Some(action.into());
        self
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Connector(error) => Self {
                kind: kind_word(error.kind()).to_owned(),
                message: error.message().to_owned(),
                action: error.action().map(str::to_owned),
                detail: error.system_text().map(str::to_owned),
            },
            Error::Internal(_) => Self::new("internal", "something went wrong inside Weir")
                .action("look in the server's log for this run's number"),
            Error::Invalid { .. } | Error::Refused(_) => Self::new("invalid", error.to_string()),
            Error::LeaseLost => Self::new("lease_lost", error.to_string()),
            Error::NotFound(_) | Error::Conflict(_) | Error::Stale(_) | Error::Forbidden(_) => {
                Self::new("conflict", error.to_string())
            }
        }
    }
}

fn kind_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "config",
        ErrorKind::Auth => "auth",
        ErrorKind::Permission => "permission",
        ErrorKind::NotFound => "not_found",
        ErrorKind::Schema => "schema",
        ErrorKind::RateLimited => "rate_limited",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Protocol => "protocol",
    }
}

/// How a run ends.
#[derive(Clone, Debug)]
pub enum End {
    /// Everything was read.
    Succeeded,
    /// There was nothing to do.
    Skipped,
    /// A person stopped it.
    Cancelled,
    /// Its attempts are used up, and the stream's next run goes on where it stopped: no one needs to act.
    Incomplete(Problem),
    /// Someone must act.
    Failed(Problem),
}

/// What must hold of every finished run: the two sums that account for each row and each reading.
const SUMS: &str = "rows_read = rows_mapped + rows_rejected + rows_repeated \
                    AND readings = written + unchanged + superseded + unmatched + ignored";

/// What a run has read last and not counted yet: rows it had read before, every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    /// How many.
    pub repeated: u64,
    /// Those of them without a cursor.
    pub null_cursors: u64,
    /// About how many bytes they have.
    pub bytes: u64,
    /// The watermark the run began at.
    pub before: Option<String>,
    /// What the source spent that was not counted yet.
    pub spent: Spent,
}

impl End {
    /// The status a run ends in, and what is to be said of it.
    fn told(self) -> (RunStatus, Option<Problem>) {
        match self {
            Self::Succeeded => (RunStatus::Succeeded, None),
            Self::Skipped => (RunStatus::Skipped, None),
            Self::Cancelled => (RunStatus::Cancelled, None),
            Self::Incomplete(problem) => (RunStatus::Incomplete, Some(problem)),
            Self::Failed(problem) => (RunStatus::Failed, Some(problem)),
        }
    }
}

/// Ends a run. Every row must be accounted for: a run whose sums do not balance does not succeed, and says so.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the run; else what the database says.
pub async fn finish(db: &Db, now: Micros, claim: &Claim, end: End) -> Result<RunStatus> {
    finish_with(db, now, claim, end, &Rest::default(), &[]).await
}

/// The same, counts the rest, and makes more changes with it.
///
/// # Errors
/// As [`finish`].
pub async fn finish_with(
    db: &Db,
    now: Micros,
    claim: &Claim,
    end: End,
    rest: &Rest,
    more: &[Change<'_>],
) -> Result<RunStatus> {
    let (wanted, problem) = end.told();
    let set = |sql: Sql, balanced: bool, status: RunStatus, problem: Option<&Problem>| {
        let set = sql.text("UPDATE sync_run SET balanced = ").bind(balanced).text(", status = ");
        let set = counted(set.bind(status.as_str()).text(", finished_at = ").bind(now), rest);
        claim.holds(given_up(set, problem, None))
    };
    let even = |sql: Sql| set(sql, true, wanted, problem.as_ref()).text(" AND ").text(SUMS);
    let (fresh, righted) = (|sql: Sql| fresh(sql, now, claim), |sql: Sql| righted(sql, claim));
    let mut others: Vec<Change<'_>> = more.to_vec();
    if wanted == RunStatus::Succeeded && claim.run.kind == RunKind::Sync {
        others.extend([&fresh as Change<'_>, &righted]);
    }
    if together(db, &even, &others).await? {
        return Ok(wanted);
    }
    let unbalanced = || {
        Problem::new("unbalanced", "the rows read do not add up to the rows accounted for")
            .action("report this: it is a fault in Weir; what is stored is not affected")
    };
    // A run that failed for another reason keeps it.
    let problem = problem.clone().filter(|_| wanted == RunStatus::Failed).unwrap_or_else(unbalanced);
    let uneven = |sql: Sql| set(sql, false, RunStatus::Failed, Some(&problem));
    if together(db, &uneven, more).await? { Ok(RunStatus::Failed) } else { Err(Error::LeaseLost) }
}

/// Adds the rest, which adds the same to both sides of the sum of rows.
fn counted(set: Sql, rest: &Rest) -> Sql {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    set.text(", rows_read = rows_read + ")
        .bind(count(rest.repeated))
        .text(", rows_repeated = rows_repeated + ")
        .bind(count(rest.repeated))
        .text(", null_cursors = null_cursors + ")
        .bind(count(rest.null_cursors))
        .text(", bytes_read = bytes_read + ")
        .bind(count(rest.bytes))
        .text(", source_statements = source_statements + ")
        .bind(count(rest.spent.statements))
        .text(", source_micros = source_micros + ")
        .bind(count(rest.spent.micros))
        .text(", source_rows = source_rows + ")
        .bind(count(rest.spent.rows))
        .text(", source_bytes = source_bytes + ")
        .bind(count(rest.spent.bytes))
        .text(", cursor_before = coalesce(cursor_before, ")
        .bind(rest.before.clone())
        .text("), cursor_after = coalesce(cursor_after, ")
        .bind(rest.before.clone())
        .text(")")
}

/// A sync succeeded: its stream is fresh, and reading it goes on.
fn fresh(sql: Sql, now: Micros, claim: &Claim) -> Sql {
    sql.text("UPDATE stream SET paused_reason = NULL, last_succeeded_at = ")
        .bind(now)
        .text(" WHERE organization_id = ")
        .bind(claim.organization())
        .text(" AND id = ")
        .bind(claim.run.stream_id)
}

/// And what was shown as wrong with its source is right again.
fn righted(sql: Sql, claim: &Claim) -> Sql {
    sql.text("UPDATE source SET last_error = NULL WHERE last_error IS NOT NULL AND organization_id = ")
        .bind(claim.organization())
        .text(" AND id = (SELECT source_id FROM stream WHERE organization_id = ")
        .bind(claim.organization())
        .text(" AND id = ")
        .bind(claim.run.stream_id)
        .text(")")
}

/// Puts a run back in the queue until `at`, with what went wrong. Its job must be told the same time.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the run; else what the database says.
pub async fn retry_later(
    db: &impl ConnectionTrait,
    claim: &Claim,
    at: Micros,
    problem: &Problem,
) -> Result<()> {
    let set = Sql::new(db, "UPDATE sync_run SET status = 'queued'");
    must_hold(claim.holds(given_up(set, Some(problem), Some(at))).run(db).await?)
}

/// Gives a run back unfinished, without fault: the attempt does not count, and any worker may go on with it.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker holds the run; else what the database says.
pub async fn release(db: &impl ConnectionTrait, claim: &Claim) -> Result<()> {
    let set = Sql::new(db, "UPDATE sync_run SET status = 'queued', attempt = attempt - 1")
        .text(", lease_owner = NULL, lease_until = NULL");
    must_hold(claim.holds(set).run(db).await?)
}

/// Sets what a run that is given up keeps: no lease, the problem or none, the time of the next attempt or none.
fn given_up(sql: Sql, problem: Option<&Problem>, retry_at: Option<Micros>) -> Sql {
    let part = |pick: fn(&Problem) -> Option<String>| problem.and_then(pick);
    sql.text(", lease_owner = NULL, lease_until = NULL, retry_at = ")
        .bind(retry_at)
        .text(", error_kind = ")
        .bind(part(|it| Some(it.kind.clone())))
        .text(", error_message = ")
        .bind(part(|it| Some(it.message.clone())))
        .text(", error_action = ")
        .bind(part(|it| it.action.clone()))
        .text(", error_detail = ")
        .bind(part(|it| it.detail.clone()))
}
