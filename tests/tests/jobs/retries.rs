//! Runs that fail: which are tried again, when, and what people see.

use anyhow::Result;
use entity::{RunStatus, source, stream, sync_run};
use sea_orm::EntityTrait;
use tests::stage::{Stage, until};
use tests::trace;
use tests::worker::arrange;

use crate::working::{Working, ask, ended, seen};

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_tried_again_with_growing_waits_kept_on_the_run() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "unavailable", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        let working = Working::start(&stage).await?;
        let second = ("it waits for its second attempt", 20);
        let waiting = seen(&stage, &run, second, |run| run.retry_at.is_some()).await?;
        assert_eq!((waiting.status, waiting.attempt), (RunStatus::Queued, 1));
        assert_eq!(waiting.error_kind.as_deref(), Some("unavailable"));
        let run = ended(&stage, &run, 40).await?;
        // Nothing comes round again by itself on a manual stream: someone must act.
        assert_eq!((run.status, run.attempt, run.retry_at), (RunStatus::Failed, 3, None));
        assert_eq!(run.error_message.as_deref(), Some("the outside is not well"));
        assert_eq!(run.error_action.as_deref(), Some("make it well"));
        let times: Vec<_> = trace::read(&stage.db).await?.into_iter().map(|event| event.at).collect();
        assert!(times.len() == 3, "{times:?}");
        assert!(times[1] - times[0] >= 800_000 && times[2] - times[1] >= 1_600_000, "{times:?}");
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_the_source_names_is_honored_and_asking_again_cuts_it_short() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "limited 4 3600", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        let working = Working::start(&stage).await?;
        let third = ("it waits for its third attempt", 40);
        let waits = |run: &sync_run::Model| run.attempt == 2 && run.retry_at.is_some();
        let waiting = seen(&stage, &run, third, waits).await?;
        let times: Vec<_> = trace::read(&stage.db).await?.into_iter().map(|event| event.at).collect();
        assert!(times[1] - times[0] >= 4_000_000, "{times:?}");
        assert!(waiting.retry_at.unwrap_or_default() >= times[1] + 3_600_000_000, "{waiting:?}");
        assert_eq!(ask(&stage, organization.0, stream).await?.id, run.id, "it joins the run that waits");
        let run = ended(&stage, &run, 20).await?;
        assert_eq!((run.status, run.attempt), (RunStatus::Failed, 3));
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_heals_by_itself_is_incomplete() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let hourly = |model: &mut stream::Model| {
            model.schedule = r#"{"kind":"hourly","minute":0}"#.to_owned();
            model.next_due_at = Some(crate::now() + 3_600_000_000);
        };
        let stream = stage.stream(organization, "unavailable", hourly).await?;
        let run = ask(&stage, organization.0, stream).await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 40).await?;
        assert_eq!((run.status, run.attempt), (RunStatus::Incomplete, 3));
        assert!(run.error_message.is_some() && run.finished_at.is_some());
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_ends_the_run_and_shows_on_the_source_until_a_run_succeeds() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "auth", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 20).await?;
        assert_eq!(
            (run.status, run.attempt),
            (RunStatus::Failed, 1),
            "no second try with a refused credential"
        );
        let shown = || async {
            let source = source::Entity::find_by_id(organization).one(stage.db.orm()).await?;
            Ok::<_, anyhow::Error>(source.and_then(|source| source.last_error))
        };
        assert!(shown().await?.is_some_and(|error| error.contains(r#""kind":"auth""#)));
        arrange(&stage.db, "UPDATE stream SET name = 'batches 1 1'").await?;
        let run = ask(&stage, organization.0, stream).await?;
        let run = ended(&stage, &run, 20).await?;
        assert_eq!((run.status, run.error_kind), (RunStatus::Succeeded, None));
        assert_eq!(shown().await?, None);
        let found = stream::Entity::find().one(stage.db.orm()).await?.expect("the stream");
        assert_eq!((found.last_run_id, found.last_succeeded_at.is_some()), (Some(run.id), true));
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_table_pauses_its_stream_until_a_run_succeeds() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let due = |model: &mut stream::Model| {
            model.schedule = r#"{"kind":"cron","expression":"* * * * *","zone":"UTC"}"#.to_owned();
            model.next_due_at = Some(1);
        };
        let id = stage.stream(organization, "schema", due).await?;
        let working = Working::start(&stage).await?;
        let paused = || async {
            let stream = stream::Entity::find().one(stage.db.orm()).await?.expect("the stream");
            Ok::<_, anyhow::Error>(stream.paused_reason)
        };
        until("the stream is paused", 20, async || Ok(paused().await?.is_some())).await?;
        arrange(&stage.db, "UPDATE stream SET next_due_at = 1").await?;
        until("its time has gone by", 20, async || {
            Ok(stream::Entity::find().one(stage.db.orm()).await?.expect("it").next_due_at > Some(1))
        })
        .await?;
        assert_eq!(sync_run::Entity::find().all(stage.db.orm()).await?.len(), 1, "a paused stream waits");
        arrange(&stage.db, "UPDATE stream SET name = 'batches 1 1'").await?;
        let run = ask(&stage, organization.0, id).await?;
        assert_eq!(ended(&stage, &run, 20).await?.status, RunStatus::Succeeded);
        assert_eq!(paused().await?, None, "a run that succeeds ends the pause");
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_33_a_run_that_loses_a_row_fails_and_counts_are_never_blank() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "unbalanced", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        assert_eq!((run.rows_read, run.written, run.unmatched, run.batches), (0, 0, 0, 0));
        assert_eq!(run.balanced, None, "nothing is known yet");
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 20).await?;
        assert_eq!((run.status, run.balanced), (RunStatus::Failed, Some(false)));
        assert_eq!(run.error_kind.as_deref(), Some("unbalanced"));
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_panics_leaves_no_run_running() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "panic", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 40).await?;
        assert_eq!((run.status, run.attempt), (RunStatus::Failed, 3));
        assert_eq!(run.error_kind.as_deref(), Some("internal"));
        assert!(
            !run.error_message.unwrap_or_default().contains("as the stream's name says"),
            "inner text stays inside"
        );
        working.finish().await;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_kills_its_workers_is_given_up() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        let stream = stage.stream(organization, "batches 1 1", |_| {}).await?;
        let run = ask(&stage, organization.0, stream).await?;
        // Three workers took it and died.
        arrange(&stage.db, "UPDATE sync_run SET status = 'running', attempt = 3, fence = 3, lease_until = 1")
            .await?;
        let working = Working::start(&stage).await?;
        let run = ended(&stage, &run, 20).await?;
        assert_eq!((run.status, run.error_kind.as_deref()), (RunStatus::Failed, Some("worker_lost")));
        assert!(trace::read(&stage.db).await?.is_empty());
        working.finish().await;
        Ok(())
    })
    .await
}
