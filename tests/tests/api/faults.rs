//! The faults of networks and services through the whole job: the proxy of faults stands between Weir and each kind that
//! speaks HTTP. No row is lost and none is there twice, the checkpoint never passes a row that is not stored, the run
//! says what happened, and the next attempt heals.

use anyhow::{Result, ensure};
use serde_json::json;
use systems::bigquery::{Pages, Place};
use systems::clickhouse::{Database, Statements};
use systems::databricks::{Chunks, Server as Workspace, Storage};
use systems::faults::{Fault, Faults, Protocol};
use systems::snowflake::{Fault as Setting, Partitions, Server as Snowflake};

use crate::warehouse::{
    Row, Warehouse, attempt, bigquery, clickhouse, databricks, finished, snowflake, standing,
};
use crate::world::{World, text};

/// Times that are longer than anybody tries.
const ALWAYS: usize = 10_000;
/// Rows of a page.
const PAGE: usize = 7;

/// What a fault that lasts comes to.
struct Told {
    fault: Fault,
    /// The kind of the run's error.
    kind: &'static str,
    /// A word of it, of several any.
    word: &'static str,
    /// Whether it shows only when rows may be missing among those that were stored: their stretch is then read again.
    late: bool,
}

/// A reset in the middle of a body.
const RESET: Told = Told { fault: Fault::Reset, kind: "unavailable", word: "broke", late: false };
/// A sign-in that ends in the middle of a run, which somebody must look at.
const SIGNED_OUT: Told =
    Told { fault: Fault::Status(401, None), kind: "auth", word: "401|refused", late: false };

/// A total of rows that is not true.
fn lie(late: bool) -> Told {
    Told { fault: Fault::LyingTotal, kind: "unavailable", word: "rows", late }
}

/// A page that comes once more instead of the next.
fn repeated(word: &'static str, late: bool) -> Told {
    Told { fault: Fault::RepeatedPage, kind: "unavailable", word, late }
}

/// Which page of a result a fault meets first: where there are pages, one in the middle of it.
fn first_met(fault: Fault, paged: bool) -> usize {
    usize::from(paged && fault != Fault::LyingTotal)
}

/// Goes through one fault on one database.
async fn healed(
    (world, warehouse): (&World, &impl Warehouse),
    stream: &str,
    rows: &mut Vec<Row>,
    (faults, paged): (&Faults, bool),
    Told { fault, kind, word, late }: &Told,
) -> Result<()> {
    let before = rows.len();
    let first = i64::try_from(before)?;
    let mut more = async |ids: std::ops::Range<i64>| -> Result<()> {
        let more = Row::some(ids);
        warehouse.add(&more).await?;
        rows.extend(more);
        Ok(())
    };
    more(first..first + 20).await?;
    faults.happened();
    faults.plan(first_met(*fault, paged), *fault, ALWAYS);
    if paged && *fault != Fault::LyingTotal {
        // Nor does it help to begin anew.
        faults.plan_again(0, *fault);
    }
    let run = attempt(world, stream).await?;
    let met = faults.happened();
    ensure!(!met.is_empty() && met.iter().all(|met| met == fault), "{fault:?}: met {met:?}, {run}");
    assert_eq!(text(&run["error"]["kind"]), *kind, "{fault:?}: {run}");
    let said = text(&run["error"]["message"]);
    assert!(word.split('|').any(|word| said.contains(word)), "{fault:?}: {run}");
    // What somebody must act upon is over; the rest is tried again.
    let waits = *kind != "auth";
    assert_eq!(text(&run["status"]), if waits { "QUEUED" } else { "FAILED" }, "{fault:?}: {run}");
    // Rows come meanwhile, too.
    let (stored, at) = standing(world, stream, rows).await?;
    assert!(at >= before, "{fault:?}: the checkpoint went back behind row {before}, to {at}");
    if *late {
        assert_eq!(at, before, "{fault:?}: nobody knows which row is missing: the stretch is read again");
    } else {
        assert_eq!(at, stored, "{fault:?}: what came is kept, and the checkpoint is where it ends");
        assert!(stored < rows.len(), "{fault:?}: all rows came in spite of it");
    }
    let last = i64::try_from(rows.len())?;
    let later = Row::some(last..last + 4);
    warehouse.add(&later).await?;
    rows.extend(later);
    faults.lift();
    let run = if waits { finished(world, &run).await? } else { world.sync(stream).await? };
    assert_eq!(
        (text(&run["status"]), &run["balanced"]),
        ("SUCCEEDED".to_owned(), &json!(true)),
        "{fault:?}: {run}"
    );
    assert_eq!(standing(world, stream, rows).await?, (rows.len(), rows.len()), "{fault:?}");
    let run = world.sync_well(stream).await?;
    assert_eq!(run["tally"]["written"], "0", "{fault:?}: nothing is left to read: {run}");
    Ok(())
}

/// Goes through faults one after the other on each database.
async fn all(
    homes: Vec<(World, impl Warehouse)>,
    (faults, paged): (&Faults, bool),
    wanted: &[Told],
) -> Result<()> {
    for (world, warehouse) in &homes {
        let stream = warehouse.stream(world).await?;
        let mut rows = Row::some(0..3);
        warehouse.add(&rows).await?;
        world.sync_well(&stream).await?;
        for told in wanted {
            healed((world, warehouse), &stream, &mut rows, (faults, paged), told).await?;
        }
    }
    Ok(())
}

/// Stands before a port, and keeps what stands there.
async fn before(kept: &mut Option<Faults>, port: u16, protocol: impl Protocol) -> Result<u16> {
    let faults = Faults::before(port, protocol).await?;
    let port = faults.port;
    *kept = Some(faults);
    Ok(port)
}

#[tokio::test]
async fn faults_of_bigquery_lose_no_row_and_the_next_attempt_heals() -> Result<()> {
    let mut faults = None;
    let pages = Pages { marker: "`metric`", rows: PAGE as u64 };
    let homes =
        bigquery::homes(async |place: &Place| before(&mut faults, place.gate.port, pages).await).await?;
    let faults = faults.expect("it stands there");
    all(homes, (&faults, true), &[RESET, repeated("page", false), lie(false), SIGNED_OUT]).await
}

#[tokio::test]
async fn faults_of_clickhouse_lose_no_row_and_the_next_attempt_heals() -> Result<()> {
    let mut faults = None;
    let statements = Statements { marker: "`metric`", within: b"seats" };
    let homes = clickhouse::homes(async |database: &Database| {
        before(&mut faults, database.server.port, statements).await
    })
    .await?;
    let faults = faults.expect("it stands there");
    all(homes, (&faults, false), &[RESET, SIGNED_OUT]).await
}

#[tokio::test]
async fn faults_of_databricks_lose_no_row_and_the_next_attempt_heals() -> Result<()> {
    let mut faults = None;
    let homes = databricks::homes(async |server: &Workspace| {
        server.chunk_rows(PAGE);
        server.inline_bytes(300);
        before(&mut faults, server.port(), Chunks).await
    })
    .await?;
    let faults = faults.expect("it stands there");
    all(homes, (&faults, true), &[RESET, repeated("part 1", true), lie(true), SIGNED_OUT]).await
}

#[tokio::test]
async fn faults_of_the_object_store_of_databricks_lose_no_row_and_the_next_attempt_heals() -> Result<()> {
    let mut faults = None;
    let homes = databricks::homes(async |server: &Workspace| {
        server.chunk_rows(PAGE);
        server.inline_bytes(300);
        let port = before(&mut faults, server.storage(), Storage).await?;
        server.links_lead_to(port);
        Ok(server.port())
    })
    .await?;
    let faults = faults.expect("it stands there");
    all(homes, (&faults, true), &[RESET, repeated("out of order", true)]).await
}

#[tokio::test]
async fn faults_of_snowflake_lose_no_row_and_the_next_attempt_heals() -> Result<()> {
    let mut faults = None;
    let partitions = Partitions { marker: "\\\"metric\\\"" };
    let homes = snowflake::homes(async |server: &Snowflake| {
        server.fault(Setting::RowsPerPartition(PAGE));
        before(&mut faults, server.port(), partitions).await
    })
    .await?;
    let faults = faults.expect("it stands there");
    all(homes, (&faults, true), &[RESET, repeated("out of order", true), lie(true), SIGNED_OUT]).await
}
