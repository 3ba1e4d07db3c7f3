//! Runs of Snowflake streams as the API tells of them: what they cost, and what becomes of them when a table changes or
//! a result is not whole.

use anyhow::Result;
use serde_json::{Value, json};
use systems::snowflake::Fault;
use tests::stage::until;
use tests::worker::arrange;

use super::Home;
use crate::world::{World, text};

/// What a run cost.
async fn cost(world: &World, run: &Value) -> Result<Value> {
    let query =
        "query($id: ID!) { syncRun(id: $id) { cost { statements milliseconds rowsScanned bytesScanned } } }";
    Ok(world.ask(query, json!({ "id": run["id"] })).await?["syncRun"]["cost"].take())
}

/// The clock stands still, so a backfill that waits is told that its time has come.
async fn hasten(world: &World) -> Result<()> {
    let now = "UPDATE job SET run_at = 0 WHERE status = 'queued' AND queue = 'backfill'";
    arrange(&world.site.app.db, now).await
}

#[tokio::test]
async fn a_run_tells_the_statements_it_sent_and_an_empty_poll_sends_one() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = home.stream(&home.signed_in().await?).await?;
        home.add(0..5).await?;
        let mut sent = home.submitted().len();
        for written in ["5", "0", "0"] {
            let run = world.sync_well(&stream).await?;
            assert_eq!(run["tally"]["written"], written);
            let now = home.submitted().len();
            let told = cost(world, &run).await?;
            assert_eq!(told["statements"], json!((now - sent).to_string()), "{told}");
            // Snowflake's SQL API does not tell what was scanned.
            assert_eq!((&told["rowsScanned"], &told["bytesScanned"]), (&Value::Null, &Value::Null), "{told}");
            if written == "0" {
                assert_eq!(told["statements"], "1", "a poll that finds nothing is one statement");
            }
            sent = now;
        }
        // What a run asks besides its rows counts, too: its rows and the look that is due, at name, columns and size; with
        // another configuration name, columns and rows.
        let source = world.ask("{ sources(first: 1) { nodes { id } } }", json!({})).await?["sources"].take();
        let changed = json!({ "id": source["nodes"][0]["id"], "config": home.config() });
        for (round, wanted) in [(0, 4), (1, 3)] {
            if round == 0 {
                arrange(&world.site.app.db, "UPDATE stream SET columns_seen_at = 0").await?;
            } else {
                world.act("sourceUpdate", "", changed.clone()).await?;
            }
            home.add(5 + round..6 + round).await?;
            let sent = home.submitted().len();
            let run = world.sync_well(&stream).await?;
            assert_eq!(run["tally"]["written"], "1");
            let told = text(&cost(world, &run).await?["statements"]).parse()?;
            assert_eq!((home.submitted().len() - sent, wanted), (told, told), "round {round}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_dropped_column_pauses_the_stream_and_a_new_one_is_noted() -> Result<()> {
    let look = "query($id: ID!) { stream(id: $id) { pausedReason newColumns freshness } }";
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = home.stream(&home.signed_in().await?).await?;
        home.add(0..2).await?;
        world.sync_well(&stream).await?;
        for (breaks, mends, word) in [
            (
                "ALTER TABLE \"usage\" RENAME COLUMN \"value\" TO \"worth\"",
                "ALTER TABLE \"usage\" RENAME COLUMN \"worth\" TO \"value\"",
                "no column \"value\"",
            ),
            (
                "ALTER TABLE \"usage\" ALTER COLUMN \"value\" TYPE VARCHAR",
                "ALTER TABLE \"usage\" ALTER COLUMN \"value\" TYPE NUMBER(38,4)",
                "\"value\"",
            ),
        ] {
            home.place.run(breaks).await?;
            let run = world.sync(&stream).await?;
            assert_eq!(
                (text(&run["status"]), text(&run["error"]["kind"])),
                ("FAILED".into(), "schema".into()),
                "{breaks}: {run}"
            );
            let seen = world.ask(look, json!({ "id": stream })).await?["stream"].take();
            assert_eq!(seen["pausedReason"], run["error"]["message"]);
            assert!(
                text(&seen["pausedReason"]).contains(word) && run["error"]["action"].is_string(),
                "{run}"
            );
            home.place.run(mends).await?;
            world.sync_well(&stream).await?;
            assert!(world.ask(look, json!({ "id": stream })).await?["stream"]["pausedReason"].is_null());
        }
        home.place.run("ALTER TABLE \"usage\" ADD COLUMN \"plan\" VARCHAR").await?;
        world.site.app.clock.advance(2 * 3_600_000_000);
        let at = "'2025-12-01 12:00:00'";
        home.place
            .run(&format!("INSERT INTO \"usage\" VALUES (9, 'a-1', 'seats', 9, {at}, {at}, 'gold')"))
            .await?;
        let run = world.sync_well(&stream).await?;
        assert_eq!(run["tally"]["written"], "1", "a new column stops nothing");
        let seen = world.ask(look, json!({ "id": stream })).await?["stream"].take();
        assert_eq!((&seen["newColumns"], &seen["pausedReason"]), (&json!(["plan"]), &Value::Null), "{seen}");
        let dropped = "ALTER TABLE \"usage\" DROP COLUMN \"metric\"";
        home.place.run(dropped).await?;
        let run = world.sync(&stream).await?;
        let seen = world.ask(look, json!({ "id": stream })).await?["stream"].take();
        assert!(text(&seen["pausedReason"]).contains("no column \"metric\""), "{seen} {run}");
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_backfill_that_may_have_left_rows_out_reads_its_stretch_again_by_itself() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = home.stream(&home.signed_in().await?).await?;
        home.add(10..11).await?;
        world.sync_well(&stream).await?;
        // Rows that came late: below the watermark, where no sync sees them.
        home.add(0..8).await?;
        let server = home.place.server();
        server.fault(Fault::RowsPerPartition(3));
        server.fault(Fault::ShortPartition(1));
        let range =
            json!({ "streamId": stream, "since": "2025-12-01 00:00:00", "until": "2025-12-01 00:00:07" });
        let made = world.act("backfillStart", "syncRun { id }", range).await?;
        let id = text(&made["syncRun"]["id"]);
        until("the first attempt has failed", 60, async || {
            Ok(world.run(&id).await?["error"]["kind"] == "unavailable")
        })
        .await?;
        let waits = world.run(&id).await?;
        assert_eq!((text(&waits["status"]), &waits["attempt"]), ("QUEUED".into(), &json!(1)), "{waits}");
        assert!(text(&waits["error"]["message"]).contains("partition 1 came with 2 rows"), "{waits}");
        hasten(world).await?;
        world.settle().await?;
        let run = world.run(&id).await?;
        assert_eq!(
            (text(&run["status"]), &run["balanced"], &run["attempt"]),
            ("SUCCEEDED".into(), &json!(true), &json!(2)),
            "{run}"
        );
        let mut wanted: Vec<String> = (0..8).chain([10]).map(|id| format!("a-1 seats {id}")).collect();
        wanted.sort();
        assert_eq!(world.measured(&stream).await?, wanted);
        server.fault(Fault::RowsPerPartition(0));
    }
    Ok(())
}

#[tokio::test]
async fn pitfall_18_a_backfill_that_never_comes_whole_says_what_to_do_and_doing_it_heals() -> Result<()> {
    for home in Home::both().await? {
        let world = &home.world;
        world.identify(&world.account("Acme").await?, "a-1").await?;
        let stream = home.stream(&home.signed_in().await?).await?;
        home.add(0..8).await?;
        let server = home.place.server();
        server.fault(Fault::RowsPerPartition(3));
        let attempts = world.site.app.config.workers.attempts;
        (0..attempts).for_each(|_| server.fault(Fault::ShortPartition(2)));
        let range =
            json!({ "streamId": stream, "since": "2025-12-01 00:00:00", "until": "2025-12-01 00:00:07" });
        let made = world.act("backfillStart", "syncRun { id }", range).await?;
        let id = text(&made["syncRun"]["id"]);
        until("its attempts are used up", 120, async || {
            hasten(world).await?;
            Ok(world.run(&id).await?["status"] == "FAILED")
        })
        .await?;
        let run = world.run(&id).await?;
        assert_eq!((&run["attempt"], &run["balanced"]), (&json!(attempts), &json!(true)), "{run}");
        assert!(text(&run["error"]["action"]).starts_with("start the backfill again"), "{run}");
        let again = world.act("syncRunRetry", "syncRun { id kind }", json!({ "id": id })).await?;
        world.settle().await?;
        let run = world.run(&text(&again["syncRun"]["id"])).await?;
        assert_eq!(text(&run["status"]), "SUCCEEDED", "{run}");
        assert_eq!(world.measured(&stream).await?.len(), 8);
        server.fault(Fault::RowsPerPartition(0));
    }
    Ok(())
}
