//! The statements on the `job` and `worker` tables, the same on both databases.
//!
//! Every change of a held job names its owner and attempt, so that one who lost the lease changes nothing.
//! Conditions on the status are written `status IN (…)` as in the partial indexes, which SQLite uses only for the
//! very same words.

use entity::{JobId, WorkerId};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::held::{Claimed, Key};
use crate::clock::Micros;
use crate::sql::Sql;

/// Whether one of the queues has a job that is due. Reads only, so it costs no lock where nothing is due.
pub(super) async fn any_due(
    db: &impl ConnectionTrait,
    now: Micros,
    queues: impl IntoIterator<Item = &'static str>,
) -> Result<bool, DbErr> {
    Sql::new(db, "SELECT 1 AS due FROM job WHERE status IN ('queued') AND queue IN (")
        .bind_all(queues)
        .text(") AND run_at <= ")
        .bind(now)
        .text(" LIMIT 1")
        .any(db)
        .await
}

/// Takes the first due jobs of each queue, as many as it has room for, in one statement.
///
/// Of the jobs with one lock key only the oldest is taken, and none while one runs. Two workers that would take two
/// jobs of a key in the same moment are kept apart by the unique index: the second gets an error and looks again.
pub(super) async fn claim(
    db: &impl ConnectionTrait,
    now: Micros,
    until: Micros,
    owner: WorkerId,
    room: &[(&'static str, usize)],
) -> Result<Vec<Claimed>, DbErr> {
    let mut sql = Sql::new(db, "WITH due AS MATERIALIZED (");
    for (index, (queue, count)) in room.iter().enumerate() {
        sql = sql
            .text(if index == 0 { "SELECT id FROM (" } else { " UNION ALL SELECT id FROM (" })
            .text("SELECT j.id FROM job j WHERE j.status IN ('queued') AND j.queue = ")
            .bind(*queue)
            .text(" AND j.run_at <= ")
            .bind(now)
            .text(" AND (j.lock_key IS NULL OR (")
            .text("NOT EXISTS (SELECT 1 FROM job r WHERE r.status IN ('running') AND r.lock_key = j.lock_key)")
            .text(" AND NOT EXISTS (SELECT 1 FROM job e WHERE e.status IN ('queued') AND e.lock_key = j.lock_key")
            .text(" AND e.id < j.id AND e.run_at <= ")
            .bind(now)
            .text("))) ORDER BY j.priority DESC, j.run_at LIMIT ")
            .bind(i64::try_from(*count).unwrap_or(i64::MAX))
            .postgres(" FOR UPDATE SKIP LOCKED")
            .text(&format!(") AS lane{index}"));
    }
    sql.text(") UPDATE job SET status = 'running', attempts = attempts + 1, lease_owner = ")
        .bind(owner)
        .text(", lease_until = ")
        .bind(until)
        .text(" WHERE id IN (SELECT id FROM due) RETURNING id, queue, payload, attempts, max_attempts")
        .all(db)
        .await
}

/// How a held job leaves the hands of its owner.
#[derive(Clone, Debug)]
pub(super) enum Settled {
    /// It is finished.
    Done,
    /// It goes back to the queue until a time.
    Later(Micros, Option<String>),
    /// It goes back to the queue and the attempt does not count.
    Back,
    /// It is given up.
    Dead(String),
}

/// Settles a held job. False: the lease was lost, nothing was changed.
pub(super) async fn settle(
    db: &impl ConnectionTrait,
    now: Micros,
    owner: WorkerId,
    (id, attempts): Key,
    settled: &Settled,
) -> Result<bool, DbErr> {
    Ok(settling(Sql::new(db, ""), now, owner, (id, attempts), settled).run(db).await? > 0)
}

/// The statement that settles a held job, appended to what is there.
pub(super) fn settling(
    sql: Sql,
    now: Micros,
    owner: WorkerId,
    (id, attempts): Key,
    settled: &Settled,
) -> Sql {
    let sql = sql.text("UPDATE job SET lease_owner = NULL, lease_until = NULL");
    let sql = match settled {
        Settled::Done => sql.text(", status = 'done', last_error = NULL, finished_at = ").bind(now),
        Settled::Later(at, error) => {
            sql.text(", status = 'queued', run_at = ").bind(*at).text(", last_error = ").bind(error.clone())
        }
        Settled::Back => sql.text(", status = 'queued', attempts = attempts - 1"),
        Settled::Dead(error) => sql
            .text(", status = 'dead', finished_at = ")
            .bind(now)
            .text(", last_error = ")
            .bind(error.as_str()),
    };
    sql.text(" WHERE id = ")
        .bind(id)
        .text(" AND lease_owner = ")
        .bind(owner)
        .text(" AND attempts = ")
        .bind(attempts)
        .text(" AND status IN ('running')")
}

#[derive(FromQueryResult)]
struct Renewed {
    id: JobId,
    attempts: i32,
}

/// Renews the leases on held jobs and returns those that still were held.
pub(super) async fn renew(
    db: &impl ConnectionTrait,
    until: Micros,
    owner: WorkerId,
    keys: &[Key],
) -> Result<Vec<Key>, DbErr> {
    let renewed: Vec<Renewed> = Sql::new(db, "UPDATE job SET lease_until = ")
        .bind(until)
        .text(" WHERE status IN ('running') AND lease_owner = ")
        .bind(owner)
        .text(" AND id IN (")
        .bind_all(keys.iter().map(|(id, _)| *id))
        .text(") RETURNING id, attempts")
        .all(db)
        .await?;
    Ok(renewed.into_iter().map(|row| (row.id, row.attempts)).collect())
}

/// Takes jobs from workers that stopped renewing: back to the queue, or to the dead when no attempt is left.
pub(super) async fn reap(db: &impl ConnectionTrait, now: Micros) -> Result<u64, DbErr> {
    let any =
        Sql::new(db, "SELECT 1 AS due FROM job WHERE status IN ('running') AND lease_until < ").bind(now);
    if !any.text(" LIMIT 1").any(db).await? {
        return Ok(0);
    }
    Sql::new(db, "UPDATE job SET lease_owner = NULL, lease_until = NULL")
        .text(", last_error = 'its worker stopped renewing the lease'")
        .text(", status = CASE WHEN attempts >= max_attempts THEN 'dead' ELSE 'queued' END")
        .text(", finished_at = CASE WHEN attempts >= max_attempts THEN ")
        .bind(now)
        .text(" END WHERE status IN ('running') AND lease_until < ")
        .bind(now)
        .run(db)
        .await
}

/// Says that a worker process is alive.
pub(super) async fn sign_in(
    db: &impl ConnectionTrait,
    now: Micros,
    worker: WorkerId,
    name: &str,
) -> Result<(), DbErr> {
    Sql::new(db, "INSERT INTO worker (id, name, started_at, seen_at) VALUES (")
        .bind(worker)
        .text(", ")
        .bind(name)
        .text(", ")
        .bind(now)
        .text(", ")
        .bind(now)
        .text(") ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at")
        .run(db)
        .await
        .map(drop)
}

/// Says that a worker process has ended.
pub(super) async fn sign_out(db: &impl ConnectionTrait, worker: WorkerId) -> Result<(), DbErr> {
    Sql::new(db, "DELETE FROM worker WHERE id = ").bind(worker).run(db).await.map(drop)
}
