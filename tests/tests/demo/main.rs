//! The demo from start to end: the real program, driven over its public interface, on both databases.

mod streams;

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::Result;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tests::demo::usage::{REJECTED, REPEATED, ROWS, UNKNOWN, UNLINKED_ROWS};

fn once(more: &[&str]) -> Value {
    let demo = Path::new(env!("CARGO_BIN_EXE_demo"));
    let weir = demo.with_file_name("weir");
    assert!(weir.exists(), "build the server first: cargo build --bins");
    let output = Command::new(demo)
        .arg("--weir")
        .arg(weir)
        .arg("--once")
        .args(more)
        .output()
        .expect("the demo starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the demo failed: {said}\n{}", String::from_utf8_lossy(&output.stdout));
    let text = String::from_utf8(output.stdout).expect("the report is text");
    assert_eq!(text.lines().count(), 1, "one JSON object and nothing else: {text}");
    serde_json::from_str(&text).expect("the report is JSON")
}

/// How many rows wait for each reason in the SQLite database of a demo that has ended.
async fn reasons(folder: &Path) -> Result<BTreeMap<String, i64>> {
    let options = SqliteConnectOptions::new().filename(folder.join("weir/weir.db"));
    let mut weir = SqliteConnection::connect_with(&options).await?;
    let sum = "SELECT reason, SUM(waiting) FROM unmatched_group WHERE status = 'open' GROUP BY reason";
    Ok(sqlx::query_as::<_, (String, i64)>(sum).fetch_all(&mut weir).await?.into_iter().collect())
}

fn every_row_is_accounted_for(report: &Value) {
    let number =
        |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name} is a number in {report}"));
    let count = |rows: usize| u64::try_from(rows).expect("a count");
    assert_eq!(report["balanced"], true, "{report}");
    assert!(number("rows_read") > count(ROWS), "the long table and the wide one: {report}");
    assert_eq!(number("rejected"), count(REJECTED), "{report}");
    assert!(number("unmatched") + number("ignored") >= count(UNKNOWN + UNLINKED_ROWS), "{report}");
    assert!((90..=400).contains(&number("ignored")), "the rows of one account: {report}");
    assert_eq!(number("repeated"), count(REPEATED), "{report}");
    let placed =
        ["written", "unchanged", "superseded", "unmatched", "ignored"].map(number).iter().sum::<u64>();
    assert_eq!(placed, number("readings"), "{report}");
}

#[tokio::test]
async fn the_demo_balances_on_sqlite_and_shows_every_reason_to_wait() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = once(&["--data", &folder.path().display().to_string()]);
    every_row_is_accounted_for(&report);
    let reasons = reasons(folder.path()).await?;
    let named: Vec<&str> = reasons.keys().map(String::as_str).collect();
    assert_eq!(named, ["account_ambiguous", "account_unknown", "link_disabled", "metric_unlinked"]);
    assert!((90..=400).contains(&reasons["account_ambiguous"]), "the rows of one ID: {reasons:?}");
    let ignored = report["ignored"].as_i64().unwrap_or_default();
    let strangers = reasons["account_ambiguous"] + reasons["account_unknown"] + ignored;
    assert!(strangers >= i64::try_from(UNKNOWN)?, "{reasons:?}");
    assert_eq!(
        reasons.values().sum::<i64>(),
        report["unmatched"].as_i64().unwrap_or_default(),
        "{reasons:?}"
    );
    Ok(())
}

#[test]
fn the_demo_balances_on_postgres() {
    every_row_is_accounted_for(&once(&["--postgres"]));
}

#[test]
fn a_folder_in_use_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("letter"), "mine").expect("a file");
    let demo = Command::new(env!("CARGO_BIN_EXE_demo"))
        .args(["--weir", "weir", "--once", "--data"])
        .arg(folder.path())
        .output()
        .expect("the demo starts");
    assert!(!demo.status.success());
    let said = String::from_utf8_lossy(&demo.stderr);
    assert!(said.contains("is not empty"), "{said}");
}
