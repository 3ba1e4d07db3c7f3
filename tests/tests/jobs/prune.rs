//! What pruning deletes and what it leaves.

use anyhow::Result;
use entity::{RunTrigger, StreamId, sync_run};
use sea_orm::EntityTrait;
use server::clock::DAY;
use server::domain::sync_run::{Request, start};
use server::jobs;
use server::sql::Sql;
use tests::stage::Stage;
use tests::worker::{Deed, arrange};
use tokio_util::sync::CancellationToken;

use crate::{add, job_of, now};

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_deleted_by_their_age_and_no_sooner() -> Result<()> {
    Stage::each(async |stage| {
        let app = stage.app(|config| config.retention.job_days = 7).await?;
        let jobs: Vec<_> = (0..1_300).map(|_| job_of("old", Deed::Work(0))).collect();
        add(&stage, &jobs).await?;
        let old = now() - 8 * DAY;
        arrange(
            &stage.db,
            &format!("UPDATE job SET status = 'done', finished_at = {old}, created_at = {old}"),
        )
        .await?;
        add(
            &stage,
            &[job_of("fresh", Deed::Work(0)), job_of("dead", Deed::Work(0)), job_of("live", Deed::Work(0))],
        )
        .await?;
        let done = now() - 3_000_000;
        arrange(
            &stage.db,
            &format!("UPDATE job SET status = 'done', finished_at = {done} WHERE payload LIKE '%fresh%'"),
        )
        .await?;
        arrange(
            &stage.db,
            &format!("UPDATE job SET status = 'dead', finished_at = {old} WHERE payload LIKE '%dead%'"),
        )
        .await?;
        arrange(
            &stage.db,
            &format!("UPDATE job SET created_at = {old}, run_at = {old} WHERE payload LIKE '%live%'"),
        )
        .await?;
        let pruned = jobs::prune(&app, &CancellationToken::new()).await?;
        assert_eq!(pruned.jobs, 1_301);
        let left: Vec<_> = crate::jobs(&stage).await?.into_iter().map(|job| job.payload).collect();
        assert_eq!(left.len(), 2, "three seconds old, and waiting for a week: {left:?}");
        let again = jobs::prune(&app, &CancellationToken::new()).await?;
        assert_eq!(again, jobs::Pruned::default());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_deleted_by_their_age_but_the_newest_of_a_stream_stays() -> Result<()> {
    Stage::each(async |stage| {
        let app = stage.app(|config| config.retention.run_days = 90).await?;
        let organization = stage.organization().await?;
        let mut made = Vec::new();
        for name in ["one", "two"] {
            let stream = stage.stream(organization, name, |_| {}).await?;
            for _ in 0..3 {
                made.push((stream, ended_run(&stage, organization.0, stream).await?));
            }
        }
        age(&stage, &made[..2], 91).await?;
        age(&stage, &made[3..], 91).await?;
        let pruned = jobs::prune(&app, &CancellationToken::new()).await?;
        assert_eq!(pruned.runs, 4);
        let mut left: Vec<_> =
            sync_run::Entity::find().all(app.db.orm()).await?.iter().map(|it| it.number).collect();
        left.sort_unstable();
        assert_eq!(left, [3, 6], "the fresh one, and the last one of a stream however old");
        Ok(())
    })
    .await
}

async fn ended_run(
    stage: &Stage,
    organization: entity::OrganizationId,
    stream: StreamId,
) -> Result<entity::SyncRunId> {
    let request = Request::sync(organization, stream, RunTrigger::Manual);
    let run = start(stage.db.orm(), now(), request).await?.run;
    arrange(&stage.db, &format!("UPDATE sync_run SET status = 'succeeded', finished_at = {}", now())).await?;
    Ok(run.id)
}

/// Makes runs older: their time is in their end, their start, and the first half of their ID.
async fn age(stage: &Stage, runs: &[(StreamId, entity::SyncRunId)], days: i64) -> Result<()> {
    let then = now() - days * DAY;
    for (stream, run) in runs {
        let time = u128::from((then / 1000).unsigned_abs()) << 80;
        let old = uuid::Uuid::from_u128(run.0.as_u128() & ((1 << 80) - 1) | time);
        let db = stage.db.orm();
        let moved = Sql::new(db, "UPDATE sync_run SET finished_at = ").bind(then).text(", id = ").bind(old);
        moved.text(" WHERE id = ").bind(*run).run(db).await?;
        let last =
            Sql::new(db, "UPDATE stream SET last_run_id = ").bind(old).text(" WHERE id = ").bind(*stream);
        last.text(" AND last_run_id = ").bind(*run).run(db).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ignored_rows_revisions_and_workers_are_deleted_by_their_age() -> Result<()> {
    Stage::each(async |stage| {
        let app = stage.app(|_| {}).await?;
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "one", |_| {}).await?;
        let (old, fresh) = (now() - 400 * DAY, now() - DAY);
        group(&stage, organization.0, stream, 1, "ignored", &[old, old, fresh]).await?;
        group(&stage, organization.0, stream, 2, "open", &[old]).await?;
        for at in [old, old, fresh] {
            arrange(&stage.db, &format!(
                "INSERT INTO measurement_revision (series_id, measured_at, value, cursor, run, row_key, reason, \
                 replaced_by_run, replaced_at) VALUES (1, {at}, '1', 1, 1, '[]', 'replaced', 2, {at})"
            ))
            .await?;
        }
        let db = stage.db.orm();
        for at in [old, fresh + DAY] {
            let insert = Sql::new(db, "INSERT INTO worker (id, name, started_at, seen_at) VALUES (");
            insert.bind(entity::WorkerId::new()).text(", 'w', 0, ").bind(at).text(")").run(db).await?;
        }
        let pruned = jobs::prune(&app, &CancellationToken::new()).await?;
        assert_eq!((pruned.ignored, pruned.revisions, pruned.workers), (2, 2, 1));
        let groups = entity::unmatched_group::Entity::find().all(db).await?;
        let mut waiting: Vec<_> = groups.iter().map(|group| (group.id.0, group.waiting)).collect();
        waiting.sort_unstable();
        assert_eq!(waiting, [(1, 1), (2, 1)], "the count of a group is what it holds");
        Ok(())
    })
    .await
}

async fn group(
    stage: &Stage,
    organization: entity::OrganizationId,
    stream: StreamId,
    id: i64,
    status: &str,
    rows: &[i64],
) -> Result<()> {
    let db = stage.db.orm();
    Sql::new(db, "INSERT INTO unmatched_group (id, organization_id, stream_id, reason, external_account, ")
        .text("external_metric, waiting, first_seen_at, last_seen_at, status, version) VALUES (")
        .bind(id)
        .text(", ")
        .bind(organization)
        .text(", ")
        .bind(stream)
        .text(", 'account_unknown', ")
        .bind(id.to_string())
        .text(", 'm', ")
        .bind(rows.len() as i64)
        .text(", 0, 0, ")
        .bind(status)
        .text(", 1)")
        .run(db)
        .await?;
    for (number, at) in rows.iter().enumerate() {
        Sql::new(
            db,
            "INSERT INTO waiting_row (organization_id, stream_id, row_key, kind, group_id, run, cursor, ",
        )
        .text("\"row\", created_at) VALUES (")
        .bind(organization)
        .text(", ")
        .bind(stream)
        .text(", ")
        .bind(format!("[{id},{number}]"))
        .text(", 'unmatched', ")
        .bind(id)
        .text(", 1, 1, '{}', ")
        .bind(*at)
        .text(")")
        .run(db)
        .await?;
    }
    Ok(())
}
