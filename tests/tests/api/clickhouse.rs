//! ClickHouse sources on the real engine: what a run costs, and the comparison of a stream with its table.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use systems::clickhouse::{Database, User};
use tests::worker::arrange;

use crate::reconcile::ended;
use crate::world::{World, text};

/// Rows of one day: an ID, the day of December, and the hour it was updated in.
async fn add(database: &Database, rows: &[(i64, u32, u32)]) -> Result<()> {
    let row = |(id, day, hour): &(i64, u32, u32)| {
        let at = format!("'2025-12-{day:02} {hour:02}:00:00.000001'");
        format!("({id}, 'a-1', 'seats', {id}, {at}, {at})")
    };
    let rows: Vec<String> = rows.iter().map(row).collect();
    database.run(&format!("INSERT INTO usage VALUES {}", rows.join(", "))).await?;
    Ok(())
}

/// A stream of a table of the engine, as a user who may only read.
async fn stream(world: &World, database: &Database) -> Result<String> {
    database
        .run(
            "CREATE TABLE usage (id Int64, account_id String, metric String, value Decimal(38, 4), \
             measured_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY id",
        )
        .await?;
    let config = json!({ "clickhouse": {
        "host": "127.0.0.1", "port": database.server.port, "secure": false, "database": database.name,
        "user": User::Reader.name(), "password": database.server.password(User::Reader),
    } });
    let made = json!({ "name": "Engine", "config": config });
    let source = text(&world.act("sourceCreate", "source { id }", made).await?["source"]["id"]);
    let input = world.stream_input(
        &source,
        json!({
            "table": { "schema": database.name, "name": "usage" },
            "mapping": {
                "account": "account_id", "metric": "metric", "value": "value", "measuredAt": "measured_at",
            },
            "cursor": { "column": "updated_at", "kind": "ZONED", "lookback": "0" },
            "externalIdSettingId": world.setting("IDs").await?,
        }),
    );
    world.identify(&world.account("Acme").await?, "a-1").await?;
    Ok(text(&world.act("streamCreate", "stream { id }", input).await?["stream"]["id"]))
}

#[tokio::test]
async fn a_run_tells_what_the_engine_scanned_and_an_empty_poll_is_one_statement() -> Result<()> {
    for world in World::reaching().await? {
        let database = Database::empty().await?;
        let stream = stream(&world, &database).await?;
        let rows: Vec<(i64, u32, u32)> = (0..12).map(|id| (id, 1, id as u32)).collect();
        add(&database, &rows).await?;
        let cost = async |run: &Value| -> Result<[i64; 4]> {
            let query = "query($id: ID!) { syncRun(id: $id) { cost { statements milliseconds rowsScanned bytesScanned } } }";
            let told = world.ask(query, json!({ "id": run["id"] })).await?["syncRun"]["cost"].take();
            let number = |field: &str| text(&told[field]).parse().with_context(|| format!("{field}: {told}"));
            Ok([
                number("statements")?,
                number("milliseconds")?,
                number("rowsScanned")?,
                number("bytesScanned")?,
            ])
        };
        let first = world.sync_well(&stream).await?;
        assert_eq!(first["tally"]["written"], "12");
        let [statements, milliseconds, scanned, bytes] = cost(&first).await?;
        ensure!(statements >= 1 && milliseconds >= 0, "{statements} statements in {milliseconds} ms");
        // Six columns of twelve rows, most of them eight bytes or more.
        ensure!(scanned >= 12 && bytes >= 12 * 40, "{scanned} rows, {bytes} bytes scanned");
        world.sync_well(&stream).await?;
        let poll = world.sync_well(&stream).await?;
        assert_eq!((&poll["tally"]["written"], &poll["tally"]["rowsRead"]), (&json!("0"), &json!("1")));
        let [statements, _, scanned, _] = cost(&poll).await?;
        assert_eq!(statements, 1, "a poll that finds nothing");
        ensure!(scanned >= 1, "the engine tells what it scanned");
        // Now and then the table is looked at, which is a statement more.
        arrange(&world.site.app.db, "UPDATE stream SET columns_seen_at = 0").await?;
        add(&database, &[(20, 1, 20)]).await?;
        let news = world.sync_well(&stream).await?;
        assert_eq!(news["tally"]["written"], "1");
        assert_eq!(cost(&news).await?[0], 2, "the rows, and the look at the table");
    }
    Ok(())
}

#[tokio::test]
async fn a_comparison_reads_only_the_days_that_differ_again() -> Result<()> {
    for world in World::reaching().await? {
        let database = Database::empty().await?;
        let stream = stream(&world, &database).await?;
        let rows: Vec<(i64, u32, u32)> = (0..10).map(|id| (id, 1 + (id / 2) as u32, id as u32)).collect();
        add(&database, &rows).await?;
        world.sync_well(&stream).await?;
        // Late rows of the second and the fourth day, which no sync sees.
        add(&database, &[(100, 2, 20), (101, 4, 20), (102, 4, 21)]).await?;
        assert_eq!(world.sync_well(&stream).await?["tally"]["written"], "0");
        world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
        let told = ended(&world, &stream, 1).await?;
        assert_eq!(told["error"], Value::Null, "{told}");
        assert_eq!(
            [&told["sliceCount"], &told["differingCount"], &told["explainedCount"], &told["written"]],
            ["5", "2", "0", "3"],
            "{told}"
        );
        for (slice, (day, readings, sum)) in
            told["slices"].as_array().into_iter().flatten().zip([("02", "1", "100"), ("04", "2", "203")])
        {
            assert!(text(&slice["first"]).starts_with(&format!("2025-12-{day}")), "{slice}");
            assert_eq!(slice["gap"], json!({ "readings": readings, "sum": sum, "closed": false }));
            assert_eq!(slice["rest"], json!({ "readings": "0", "closed": true }));
            let run = json!({ "kind": "BACKFILL", "trigger": "RECONCILE", "status": "SUCCEEDED" });
            assert_eq!(slice["run"], run);
        }
        let runs = "query($id: ID!) { syncRuns(where: { streamId: $id }, first: 20) { nodes { kind tally { rowsRead } } } }";
        let runs = world.ask(runs, json!({ "id": stream })).await?["syncRuns"]["nodes"].take();
        let runs = runs.as_array().into_iter().flatten().filter(|run| run["kind"] == "BACKFILL");
        let mut read: Vec<String> = runs.map(|run| text(&run["tally"]["rowsRead"])).collect();
        read.sort();
        assert_eq!(read, ["3", "4"], "the rows of those two days, and no others");
        assert_eq!(world.measured(&stream).await?.len(), 13);
        world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
        assert_eq!(ended(&world, &stream, 2).await?["differingCount"], "0", "the next one finds nothing");
    }
    Ok(())
}
