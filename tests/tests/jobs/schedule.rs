//! The scheduler: streams that are due get one run, whoever looks.

use std::collections::BTreeMap;

use anyhow::Result;
use entity::{RunStatus, RunTrigger, StreamId, stream, sync_run};
use sea_orm::EntityTrait;
use server::clock::Clock;
use server::jobs::schedule::{Tick, start_due};
use tests::stage::{Stage, until};
use tests::worker::arrange;

use crate::now;
use crate::working::Working;

const FIVE_MINUTES: &str = r#"{"kind":"interval","minutes":5}"#;

fn due(at: i64) -> impl FnOnce(&mut stream::Model) {
    move |model| {
        model.schedule = FIVE_MINUTES.to_owned();
        model.next_due_at = Some(at);
    }
}

async fn streams(stage: &Stage) -> Result<BTreeMap<StreamId, stream::Model>> {
    let streams = stream::Entity::find().all(stage.db.orm()).await?;
    Ok(streams.into_iter().map(|stream| (stream.id, stream)).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_makes_one_run_however_many_processes_look() -> Result<()> {
    Stage::each(async |stage| {
        let organizations = [stage.organization().await?, stage.organization().await?];
        for number in 0..60 {
            stage.stream(organizations[number % 2], &format!("batches 0 {number}"), due(1)).await?;
        }
        let clock = Clock::fixed(now());
        let app = async || stage.app_at(clock.clone(), |_| {}).await;
        let apps = [app().await?, app().await?, app().await?];
        for tick in 1..=4 {
            let looks = apps.iter().flat_map(|app| [start_due(app), start_due(app)]);
            let started = futures::future::try_join_all(looks).await?;
            assert_eq!(started.iter().map(|it| it.started).sum::<u64>(), 60, "tick {tick}");
            assert_eq!(start_due(&apps[0]).await?, Tick::default(), "nothing is due twice");
            arrange(&stage.db, "UPDATE sync_run SET status = 'succeeded' WHERE status = 'queued'").await?;
            arrange(&stage.db, "UPDATE stream SET next_due_at = 1").await?;
        }
        let runs = sync_run::Entity::find().all(stage.db.orm()).await?;
        assert_eq!((runs.len(), crate::jobs(&stage).await?.len()), (240, 240));
        for (organization, _) in organizations {
            let of = runs.iter().filter(|run| run.organization_id == organization);
            let mut numbers: Vec<_> = of.map(|run| run.number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=120).collect::<Vec<_>>(), "numbers are small and without gaps");
        }
        let last: BTreeMap<_, _> = runs.iter().map(|run| (run.id, run.stream_id)).collect();
        assert!(
            streams(&stage).await?.values().all(|it| it.last_run_id.map(|run| last[&run]) == Some(it.id))
        );
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_streams_are_started_in_a_few_transactions_and_spread_from_then_on() -> Result<()> {
    Stage::each(async |stage| {
        let organization = stage.organization().await?;
        for number in 0..1_000 {
            stage.stream(organization, &format!("batches 0 {number}"), due(1)).await?;
        }
        let mut app = stage.app(|_| {}).await?;
        let at = now();
        app.clock = Clock::fixed(at);
        let first = start_due(&app).await?;
        let second = start_due(&app).await?;
        assert_eq!((first.started, second.started), (500, 500));
        assert_eq!(start_due(&app).await?, Tick::default());
        let mut seconds = BTreeMap::new();
        for stream in streams(&stage).await?.values() {
            let next = stream.next_due_at.expect("due again");
            assert!(next > at - 60_000_000 && next <= at + 300_000_000);
            *seconds.entry(next / 1_000_000).or_insert(0) += 1;
        }
        assert!(seconds.values().all(|count| *count < 20), "they do not all come back in one second");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_streams_that_may_run_are_started_and_none_twice() -> Result<()> {
    Stage::each(async |stage| {
        let at = now();
        let usual = stage.organization().await?;
        let (off, paused) = (stage.organization().await?, stage.organization().await?);
        let wanted = stage.stream(usual, "wanted", due(1)).await?;
        let running = stage.stream(usual, "running", due(1)).await?;
        let disabled =
            stage.stream(usual, "disabled", |model| (due(1)(model), model.enabled = false).1).await?;
        let later = stage.stream(usual, "later", due(at + 60_000_000)).await?;
        let switched_off = stage.stream(off, "off", due(1)).await?;
        let source_paused = stage.stream(paused, "paused", due(1)).await?;
        for (table, column, organization) in [
            ("organization", "ingestion_enabled = false WHERE id", off.0),
            ("source", "state = 'paused' WHERE organization_id", paused.0),
        ] {
            let db = stage.db.orm();
            let set = server::sql::Sql::new(db, &format!("UPDATE {table} SET {column} = "));
            set.bind(organization).run(db).await?;
        }
        let live = crate::working::ask(&stage, usual.0, running).await?;
        let app = stage.app_at(Clock::fixed(at), |_| {}).await?;
        assert_eq!(start_due(&app).await?, Tick { due: 4, started: 1 });
        let runs = sync_run::Entity::find().all(stage.db.orm()).await?;
        let mut of: Vec<_> = runs.iter().map(|run| (run.stream_id, run.trigger, run.status)).collect();
        of.sort_unstable();
        let mut expected = [
            (wanted, RunTrigger::Schedule, RunStatus::Queued),
            (running, RunTrigger::Manual, RunStatus::Queued),
        ];
        expected.sort_unstable();
        assert_eq!(of, expected);
        let streams = streams(&stage).await?;
        assert_eq!(streams[&running].last_run_id, Some(live.id));
        for moved in [wanted, running, switched_off, source_paused] {
            assert!(
                streams[&moved].next_due_at > Some(at),
                "{} waits for its next time",
                streams[&moved].name
            );
        }
        assert_eq!(streams[&disabled].next_due_at, Some(1));
        assert!(streams[&later].last_run_id.is_none());
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn pitfall_31_a_schedule_does_not_stop_without_a_trace() -> Result<()> {
    Stage::each(async |stage| {
        let at = now();
        let organization = stage.organization().await?;
        // Due times that were missed, for years or since a moment ago; one that was lost; one nobody can read.
        let overdue = stage.stream(organization, "overdue", due(1)).await?;
        let lost = stage
            .stream(organization, "lost", |model| {
                model.schedule = r#"{"kind":"cron","expression":"* * * * *","zone":"UTC"}"#.to_owned();
            })
            .await?;
        let broken = stage
            .stream(organization, "broken", |model| {
                model.schedule = "{}".to_owned();
                model.next_due_at = Some(1);
            })
            .await?;
        // No other due time comes while one looks.
        let working = Working::at(&stage, Clock::fixed(at), 15).await?;
        until("the overdue stream has run once", 30, async || {
            let runs = sync_run::Entity::find().all(stage.db.orm()).await?;
            Ok(runs.iter().filter(|it| it.stream_id == overdue && it.status == RunStatus::Succeeded).count()
                == 1)
        })
        .await?;
        until("the lost due time is found again", 30, async || {
            Ok(streams(&stage).await?[&lost].next_due_at.is_some())
        })
        .await?;
        let found = streams(&stage).await?;
        assert!(found[&overdue].next_due_at > Some(at), "years of missed times make one run");
        assert_eq!(
            found[&broken].next_due_at, None,
            "what cannot be read is left alone and does not block the rest"
        );
        working.finish().await;
        Ok(())
    })
    .await
}
