//! What is written of a comparison as it goes on. Each change names the version it was read at.

use std::collections::HashMap;

use connector::Spent;
use entity::{OrganizationId, ReconcileId, StreamId, SyncRunId, reconcile, reconcile_slice};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Set};

use super::{Gap, Reconcile, Totals};
use crate::clock::Micros;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// Rows inserted in one statement.
const ROWS: usize = 500;

/// A slice that differs.
#[derive(Clone, Debug)]
pub struct Differing {
    /// Which slice.
    pub number: i64,
    /// What the table holds.
    pub table: Totals,
    /// What it holds beyond what we do.
    pub gap: Gap,
}

/// Why a comparison ended before it should, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub action: Option<String>,
}

/// Finds a comparison that has not ended; none when it has, or is gone.
///
/// # Errors
/// What the database says.
pub async fn find_live(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    id: ReconcileId,
) -> Result<Option<Reconcile>> {
    let found = reconcile::Entity::find_by_id((organization, id)).one(db).await?;
    Ok(found.filter(|found| found.finished_at.is_none()))
}

/// The slices that differed and are to be read again, in order.
///
/// # Errors
/// What the database says.
pub async fn slices(db: &impl ConnectionTrait, of: &Reconcile) -> Result<Vec<reconcile_slice::Model>> {
    let column = reconcile_slice::Column::OrganizationId;
    Ok(reconcile_slice::Entity::find()
        .filter(column.eq(of.organization_id))
        .filter(reconcile_slice::Column::ReconcileId.eq(of.id))
        .order_by_asc(reconcile_slice::Column::Number)
        .all(db)
        .await?)
}

#[derive(FromQueryResult)]
struct Explained {
    number: i64,
    rest: String,
}

/// The gaps that were left when slices of a stream, as it is now, were last read again.
///
/// # Errors
/// What the database says.
pub async fn explained(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    (stream, version): (StreamId, i32),
    (first, last): (i64, i64),
) -> Result<HashMap<i64, Gap>> {
    let rows: Vec<Explained> =
        Sql::new(db, "SELECT s.number, s.rest FROM reconcile_slice s JOIN reconcile r")
            .text(" ON r.organization_id = s.organization_id AND r.id = s.reconcile_id")
            .text(" WHERE s.organization_id = ")
            .bind(organization)
            .text(" AND s.stream_id = ")
            .bind(stream)
            .text(" AND s.number BETWEEN ")
            .bind(first)
            .text(" AND ")
            .bind(last)
            .text(" AND s.rest IS NOT NULL AND r.finished_at IS NOT NULL AND r.stream_version = ")
            .bind(version)
            .text(" ORDER BY s.reconcile_id")
            .all(db)
            .await?;
    // The last one wins: IDs are in the order of their making.
    Ok(rows.into_iter().filter_map(|row| Some((row.number, Gap::parse(&row.rest)?))).collect())
}

/// Appends the condition that nobody has changed it since it was read.
fn unchanged(sql: Sql, of: &Reconcile) -> Sql {
    sql.text(", version = version + 1 WHERE organization_id = ")
        .bind(of.organization_id)
        .text(" AND id = ")
        .bind(of.id)
        .text(" AND version = ")
        .bind(of.version)
        .text(" AND finished_at IS NULL")
}

async fn changed(sql: Sql, db: &impl ConnectionTrait, of: &mut Reconcile) -> Result<()> {
    if unchanged(sql, of).run(db).await? == 0 {
        return Err(Error::LeaseLost);
    }
    of.version += 1;
    Ok(())
}

/// Counts another attempt at comparing.
///
/// # Errors
/// [`Error::LeaseLost`] when another worker went on with it; so for all below.
pub async fn attempt(db: &impl ConnectionTrait, of: &mut Reconcile) -> Result<()> {
    changed(Sql::new(db, "UPDATE reconcile SET attempt = attempt + 1"), db, of).await?;
    of.attempt += 1;
    Ok(())
}

/// Adds what asking for the table's sums cost at the source.
///
/// # Errors
/// As [`attempt`].
pub async fn spent(db: &impl ConnectionTrait, of: &mut Reconcile, spent: Spent) -> Result<()> {
    let Spent { statements, micros, rows, bytes } = spent;
    let mut sql = Sql::new(db, "UPDATE reconcile SET ");
    let counts = [
        ("source_statements", statements, &mut of.source_statements),
        ("source_micros", micros, &mut of.source_micros),
        ("source_rows", rows, &mut of.source_rows),
        ("source_bytes", bytes, &mut of.source_bytes),
    ];
    for (place, (column, count, total)) in counts.into_iter().enumerate() {
        *total = total.saturating_add(i64::try_from(count).unwrap_or(i64::MAX));
        let comma = if place == 0 { "" } else { ", " };
        sql = sql.text(&format!("{comma}{column} = ")).bind(*total);
    }
    changed(sql, db, of).await
}

/// Notes what was compared and what differs, in the caller's transaction: the bounds, how many slices hold something,
/// and how many of those that differ are explained.
///
/// # Errors
/// As [`attempt`].
pub async fn compared(
    db: &impl ConnectionTrait,
    now: Micros,
    of: &mut Reconcile,
    stream_version: i32,
    (since, until): (&str, &str),
    (all, explained): (usize, usize),
    differing: &[Differing],
) -> Result<()> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let set = Sql::new(db, "UPDATE reconcile SET compared_at = ")
        .bind(now)
        .text(", stream_version = ")
        .bind(stream_version)
        .text(", since = ")
        .bind(since)
        .text(", until = ")
        .bind(until)
        .text(", slices = ")
        .bind(count(all))
        .text(", differing = ")
        .bind(count(differing.len()))
        .text(", explained = ")
        .bind(count(explained))
        .text(", error_message = NULL, error_action = NULL");
    changed(set, db, of).await?;
    let row = |slice: &Differing| reconcile_slice::ActiveModel {
        organization_id: Set(of.organization_id),
        reconcile_id: Set(of.id),
        number: Set(slice.number),
        stream_id: Set(of.stream_id),
        readings: Set(slice.table.readings),
        total: Set(slice.table.sum.as_ref().map(|sum| sum.digits())),
        newest: Set(slice.table.newest),
        gap: Set(slice.gap.to_json()),
        rest: Set(None),
        run_id: Set(None),
    };
    for some in differing.chunks(ROWS) {
        reconcile_slice::Entity::insert_many(some.iter().map(row)).exec_without_returning(db).await?;
    }
    (of.compared_at, of.stream_version) = (Some(now), stream_version);
    (of.since, of.until) = (Some(since.to_owned()), Some(until.to_owned()));
    Ok(())
}

/// Notes the run that reads a stretch of slices again, in the transaction that starts it.
///
/// # Errors
/// As [`attempt`].
pub async fn stretch_started(
    db: &impl ConnectionTrait,
    of: &mut Reconcile,
    (first, last): (i64, i64),
    run: SyncRunId,
) -> Result<()> {
    changed(Sql::new(db, "UPDATE reconcile SET slices = slices"), db, of).await?;
    Sql::new(db, "UPDATE reconcile_slice SET run_id = ")
        .bind(run)
        .text(" WHERE organization_id = ")
        .bind(of.organization_id)
        .text(" AND reconcile_id = ")
        .bind(of.id)
        .text(" AND number BETWEEN ")
        .bind(first)
        .text(" AND ")
        .bind(last)
        .run(db)
        .await?;
    Ok(())
}

/// Ends a comparison with what is left of each slice that was read again, in the caller's transaction.
///
/// # Errors
/// As [`attempt`].
pub async fn finish(
    db: &impl ConnectionTrait,
    now: Micros,
    of: &mut Reconcile,
    written: i64,
    rests: &[(i64, Gap)],
    failure: Option<&Failure>,
) -> Result<()> {
    let set =
        Sql::new(db, "UPDATE reconcile SET finished_at = ").bind(now).text(", written = ").bind(written);
    changed(failed(set, failure), db, of).await?;
    for (number, rest) in rests {
        Sql::new(db, "UPDATE reconcile_slice SET rest = ")
            .bind(rest.to_json())
            .text(" WHERE organization_id = ")
            .bind(of.organization_id)
            .text(" AND reconcile_id = ")
            .bind(of.id)
            .text(" AND number = ")
            .bind(*number)
            .run(db)
            .await?;
    }
    Ok(())
}

/// Notes what went wrong; for good, or until it is tried again.
///
/// # Errors
/// As [`attempt`].
pub async fn fail(
    db: &impl ConnectionTrait,
    of: &mut Reconcile,
    ended: Option<Micros>,
    failure: &Failure,
) -> Result<()> {
    let set = Sql::new(db, "UPDATE reconcile SET finished_at = ").bind(ended);
    changed(failed(set, Some(failure)), db, of).await
}

fn failed(sql: Sql, failure: Option<&Failure>) -> Sql {
    sql.text(", error_message = ")
        .bind(failure.map(|it| it.message.clone()))
        .text(", error_action = ")
        .bind(failure.and_then(|it| it.action.clone()))
}
