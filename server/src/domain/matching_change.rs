//! Tells the matcher that something it depends on has changed, in the transaction that changes it.
//!
//! Two things happen together with the change or not at all: the organization's matching version grows, so that a
//! sync in hand notices, and a rematch is queued for the rows that wait.

use entity::id::{AccountId, MetricId, OrganizationId, StreamId, UnmatchedGroupId, WaitingRowId};
use entity::match_state;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::domain::job::{self, NewJob};
use crate::error::{Error, Result};
use crate::sql::Sql;

/// The queue the rematch jobs wait in.
pub const QUEUE: &str = "rematch";

/// Which waiting rows a change may free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scope {
    /// Any row.
    Everything,
    /// Any row, once the external IDs of a space are normalized by its new rule.
    Space {
        /// The ID space.
        space: String,
    },
    /// No row: groups that ignore rules put out of sight, or no longer do.
    Ignored,
    /// Rows of one stream.
    Stream {
        /// The stream.
        stream: StreamId,
    },
    /// Rows that name one of these external accounts, as normalized in the space.
    ExternalAccounts {
        /// The ID space.
        space: String,
        /// The normalized IDs.
        normalized: Vec<String>,
    },
    /// Rows of one account, whose links or state changed.
    Account {
        /// The account.
        account: AccountId,
        /// Only rows of this metric.
        metric: Option<MetricId>,
    },
    /// Rows of these groups.
    Groups {
        /// The groups.
        groups: Vec<UnmatchedGroupId>,
    },
    /// Rejected rows of one stream.
    Rejected {
        /// The stream.
        stream: StreamId,
        /// Only these rows; all of them when empty.
        rows: Vec<WaitingRowId>,
    },
}

/// What a rematch job carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rematch {
    /// Whose rows.
    pub organization: OrganizationId,
    /// Which rows.
    pub scope: Scope,
}

/// Announces a change of what matching depends on.
///
/// # Errors
/// When the database fails.
pub async fn announce(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    scope: Scope,
    now: Micros,
) -> Result<()> {
    bump(db, organization).await?;
    enqueue(db, organization, scope, now).await
}

/// Makes the matching version grow, for changes that free no row.
///
/// # Errors
/// When the database fails.
pub async fn bump(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<()> {
    let bumped = match_state::Entity::update_many()
        .col_expr(match_state::Column::Version, Expr::col(match_state::Column::Version).add(1))
        .filter(match_state::Column::OrganizationId.eq(organization))
        .exec(db)
        .await?;
    if bumped.rows_affected == 0 {
        let first = match_state::ActiveModel { organization_id: Set(organization), version: Set(1) };
        first.insert(db).await?;
    }
    Ok(())
}

/// Keeps everybody from matching until the transaction ends, for changes that must not meet a batch in hand.
///
/// # Errors
/// When the database fails.
pub async fn hold_off(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<()> {
    let state = Sql::new(db, "SELECT version FROM match_state WHERE organization_id = ").bind(organization);
    state.postgres(" FOR UPDATE").any(db).await?;
    Ok(())
}

/// The version of what decides matching.
///
/// # Errors
/// When the database fails.
pub async fn version(db: &impl ConnectionTrait, organization: OrganizationId) -> Result<i64> {
    let found = match_state::Entity::find_by_id(organization).one(db).await?;
    Ok(found.map_or(0, |state| state.version))
}

/// Queues a rematch without a change, for rows a person wants tried again.
///
/// Rematches carry no deduplication key: one that is running may have passed the row this one is about. Of
/// everything, one that has not started is enough.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    scope: Scope,
    now: Micros,
) -> Result<()> {
    let repeatable = matches!(scope, Scope::Everything | Scope::Ignored);
    let payload = serde_json::to_string(&Rematch { organization, scope })
        .map_err(|error| Error::internal("writing a rematch", error))?;
    let lock = format!("{QUEUE}:{organization}");
    if repeatable && waits(db, now, &lock, &payload).await? {
        return Ok(());
    }
    let job = NewJob::raw(QUEUE, payload).lock(lock).priority(1).tireless();
    job::enqueue(db, now, &[job]).await?;
    Ok(())
}

/// Tells whether the same rematch waits and will start only after this transaction.
async fn waits(db: &impl ConnectionTrait, now: Micros, lock: &str, payload: &str) -> Result<bool> {
    let same = Sql::new(db, "SELECT id FROM job WHERE status IN ('queued') AND lock_key = ").bind(lock);
    let same = same.text(" AND run_at <= ").bind(now).text(" AND payload = ").bind(payload).text(" LIMIT 1");
    // A worker passes over a job that is locked; a job that a worker has locked is passed over here.
    Ok(same.postgres(" FOR SHARE SKIP LOCKED").any(db).await?)
}
