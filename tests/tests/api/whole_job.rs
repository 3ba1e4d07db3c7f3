//! What the whole job does with a stream of a warehouse, whatever the kind: exact values, cheap polls, changed rows,
//! changed tables, and comparisons that read only what differs again.

use anyhow::Result;
use serde_json::{Value, json};

use crate::reconcile::ended;
use crate::warehouse::{Changing, Row, Warehouse, counted, points, standing, values};
use crate::world::{World, text};

/// The first sync, in so many statements, takes every value exactly; a poll that finds nothing is one statement; a
/// changed row takes the place of what it was.
pub async fn reads_and_polls(world: &World, warehouse: &impl Changing, first: usize) -> Result<()> {
    let stream = warehouse.stream(world).await?;
    let mut rows = Row::some(0..12);
    warehouse.add(&rows).await?;
    warehouse.sent();
    let run = world.sync_well(&stream).await?;
    assert_eq!([&run["tally"]["rowsRead"], &run["tally"]["written"]], ["12", "12"], "{run}");
    assert_eq!(standing(world, &stream, &rows).await?, (12, 12));
    assert_eq!((counted(world, &run).await?, warehouse.sent()), (first, first), "every statement is counted");
    for _ in 0..2 {
        let run = world.sync_well(&stream).await?;
        // The row at the watermark is read again.
        assert_eq!([&run["tally"]["rowsRead"], &run["tally"]["written"]], ["1", "0"], "{run}");
        assert_eq!((counted(world, &run).await?, warehouse.sent()), (1, 1), "a poll is one statement");
    }
    // Both the oldest row and one that was read last.
    for id in [0, 11] {
        let place = rows.iter().position(|row| row.id == id).expect("a row");
        let changed = Row { updated: 2, value: -rows[place].value, ..rows[place] };
        warehouse.replace(changed).await?;
        rows.remove(place);
        rows.push(changed);
    }
    let run = world.sync_well(&stream).await?;
    assert_eq!([&run["tally"]["rowsRead"], &run["tally"]["written"]], ["2", "2"], "{run}");
    assert_eq!(standing(world, &stream, &rows).await?, (12, 12));
    Ok(())
}

/// A dropped column pauses the stream, with what to do, and nothing of what is stored is touched.
pub async fn pauses_when_a_column_is_dropped(world: &World, warehouse: &impl Changing) -> Result<()> {
    let stream = warehouse.stream(world).await?;
    let rows = Row::some(0..3);
    warehouse.add(&rows).await?;
    world.sync_well(&stream).await?;
    warehouse.drop_metric().await?;
    let run = world.sync(&stream).await?;
    assert_eq!(
        (text(&run["status"]), text(&run["error"]["kind"])),
        ("FAILED".to_owned(), "schema".to_owned()),
        "{run}"
    );
    let query = "query($id: ID!) { stream(id: $id) { pausedReason } }";
    let seen = world.ask(query, json!({ "id": stream })).await?["stream"].take();
    assert!(text(&seen["pausedReason"]).contains("no column \"metric\""), "{seen} {run}");
    assert!(run["error"]["action"].is_string(), "{seen} {run}");
    assert_eq!(standing(world, &stream, &rows).await?, (3, 3));
    Ok(())
}

/// A comparison finds rows that came late and reads their days alone again; the next one finds nothing.
pub async fn compares_and_reads_what_differs(world: &World, warehouse: &impl Warehouse) -> Result<()> {
    let stream = warehouse.stream(world).await?;
    let mut rows: Vec<Row> = (0..10).map(|id| Row::of(id, 1 + id / 2)).collect();
    warehouse.add(&rows).await?;
    world.sync_well(&stream).await?;
    // Late rows of the second and the fourth day, which no sync sees.
    let late = [Row::of(100, 2), Row::of(101, 4), Row::of(102, 4)];
    warehouse.add(&late).await?;
    assert_eq!(world.sync_well(&stream).await?["tally"]["written"], "0");
    world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
    let told = ended(world, &stream, 1).await?;
    assert_eq!(told["error"], Value::Null, "{told}");
    assert_eq!(
        [&told["sliceCount"], &told["differingCount"], &told["explainedCount"], &told["written"]],
        ["5", "2", "0", "3"],
        "{told}"
    );
    for (slice, (day, late)) in
        told["slices"].as_array().into_iter().flatten().zip([("02", &late[..1]), ("04", &late[1..])])
    {
        assert!(text(&slice["first"]).starts_with(&format!("2025-12-{day}")), "{slice}");
        let sum = Row { value: late.iter().map(|row| row.value).sum(), ..late[0] }.text();
        let gap = json!({ "readings": late.len().to_string(), "sum": sum, "closed": false });
        assert_eq!(slice["gap"], gap, "{slice}");
        assert_eq!(slice["rest"], json!({ "readings": "0", "closed": true }), "{slice}");
        let run = json!({ "kind": "BACKFILL", "trigger": "RECONCILE", "status": "SUCCEEDED" });
        assert_eq!(slice["run"], run);
    }
    let runs = "query($id: ID!) { syncRuns(where: { streamId: $id }, first: 20) { nodes { kind tally { rowsRead } } } }";
    let runs = world.ask(runs, json!({ "id": stream })).await?["syncRuns"]["nodes"].take();
    let runs = runs.as_array().into_iter().flatten().filter(|run| run["kind"] == "BACKFILL");
    let mut read: Vec<String> = runs.map(|run| text(&run["tally"]["rowsRead"])).collect();
    read.sort();
    assert_eq!(read, ["3", "4"], "the rows of those two days, and no others");
    rows.extend(late);
    assert_eq!(points(world, &stream).await?, values(&rows));
    world.act("reconcileStart", "reconcile { id }", json!({ "streamId": stream })).await?;
    assert_eq!(ended(world, &stream, 2).await?["differingCount"], "0", "the next one finds nothing");
    Ok(())
}
