//! The demo's streams one by one, and what the warehouse goes on to bring them.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::json;
use systems::ports::free_port;
use tests::demo::account::accounts;
use tests::demo::calendar::{Day, now};
use tests::demo::changes::Changes;
use tests::demo::client::Client;
use tests::demo::customer::{self, FOUNDER, Stream};
use tests::demo::metric::WIDE;
use tests::demo::report::{self, Report};
use tests::demo::server::{Server, Settings};
use tests::demo::usage::usage;
use tests::demo::warehouse::Warehouse;
use tests::demo::wide::{Row, weeks};

const SEED: u64 = 7;
const STEPS: i64 = 3;

/// How many null cells the last run of a stream counted.
async fn null_cells(client: &Client, stream: &Stream) -> Result<u64> {
    let query = "query($id: ID!) { stream(id: $id) { lastRun { tally { nullCells } } } }";
    let told = client.ask(query, json!({ "id": stream.id })).await?;
    let cells = told["stream"]["lastRun"]["tally"]["nullCells"].as_str();
    Ok(cells.with_context(|| format!("no count in {told}"))?.parse()?)
}

/// Every cell of the wide table is a reading or an empty cell, and those of customers somebody knows are written.
fn wide_is_whole(report: &Report, cells: u64, rows: &[Row]) {
    let count = |rows: usize| u64::try_from(rows).expect("a count");
    let empty = |rows: &[&Row]| rows.iter().filter(|row| row.nps.is_none()).count();
    let all: Vec<&Row> = rows.iter().collect();
    let strange: Vec<&Row> = rows.iter().filter(|row| row.account.starts_with("77000")).collect();
    let readings = |rows: &[&Row]| count(rows.len() * WIDE.len() - empty(rows));
    assert!(report.balanced && !strange.is_empty() && cells > 0, "{report:?}");
    assert_eq!((report.rows_read, report.rejected, report.repeated), (count(rows.len()), 0, 0), "{report:?}");
    assert_eq!(cells, count(empty(&all)), "weeks without answers");
    assert_eq!(report.readings, readings(&all), "{report:?}");
    assert_eq!(report.unmatched, readings(&strange), "{report:?}");
    assert_eq!(report.written, readings(&all) - readings(&strange), "{report:?}");
}

async fn play(server: &Server, path: &Path) -> Result<()> {
    let (customers, now) = (accounts(SEED), now());
    let (usage, rows) = (usage(SEED, &customers, now), weeks(SEED, &customers, now));
    let warehouse = Warehouse::create(path, &usage, &rows).await?;
    let client = Client::set_up(&server.url, &server.setup_token().await?, FOUNDER).await?;
    customer::bring_records(&client, &customers, &usage.lines, Day::of(now).year()).await?;
    let streams = customer::connect(&client, path).await?;
    let [contract, product, health] = &streams[..] else { panic!("three streams: {streams:?}") };

    let first = report::sync(&client, std::slice::from_ref(health)).await?;
    wide_is_whole(&first, null_cells(&client, health).await?, &rows);

    let long = [contract.clone(), product.clone()];
    assert!(report::sync(&client, &long).await?.balanced);
    let idle = report::sync(&client, &long).await?;
    assert!(idle.balanced && idle.written == 0, "nothing has changed: {idle:?}");

    let mut changes = Changes::new(SEED, &usage.lines, now);
    for step in 0..STEPS {
        changes.step(&warehouse, now + step).await?;
    }
    for stream in long {
        let later = report::sync(&client, std::slice::from_ref(&stream)).await?;
        assert!(later.balanced && later.rows_read > 0 && later.written > 0, "{}: {later:?}", stream.name);
    }
    Ok(())
}

#[tokio::test]
async fn the_wide_table_is_read_whole_and_what_changes_later_is_read_and_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        program: Path::new(env!("CARGO_BIN_EXE_demo")).with_file_name("weir"),
        data: folder.path().join("weir"),
        port: free_port()?,
        database: None,
        folder: folder.path().to_owned(),
        more: Vec::new(),
    };
    let server = Server::start(&settings).await?;
    play(&server, &folder.path().join("warehouse.db")).await?;
    server.stop().await
}
