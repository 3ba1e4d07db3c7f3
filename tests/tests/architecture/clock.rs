//! One clock: nothing asks the machine for the time but the file that wraps it.

use crate::source::{Source, assert_none, rust_files};

/// Ways to ask for the time.
const DIRECT: [&str; 6] =
    ["SystemTime::now", "Instant::now", "Utc::now", "Local::now", "OffsetDateTime::now", "CURRENT_TIMESTAMP"];
/// Who may: the clocks themselves, and those who only measure how long something took.
const MAY: [&str; 4] =
    ["connector/src/check.rs", "connector/src/wall.rs", "server/src/clock.rs", "server/src/telemetry.rs"];
/// The crates that are the product. Tests wait for real processes, and the contributor's tool times its stages.
const PRODUCT: [&str; 4] = ["connector/src/", "entity/src/", "migration/src/", "server/src/"];

fn direct_uses(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        let product = PRODUCT.iter().any(|folder| file.path.starts_with(folder));
        if !product || MAY.contains(&file.path.as_str()) {
            continue;
        }
        for (number, line) in file.code() {
            if let Some(way) = DIRECT.iter().find(|way| line.contains(**way)) {
                found.push(format!("{}:{number}: {way}: ask the App's Clock", file.path));
            }
        }
    }
    found
}

#[test]
fn nothing_asks_the_machine_for_the_time() {
    assert_none("time comes from the clock that is handed in", &direct_uses(&rust_files()));
}

#[test]
fn the_check_can_fail() {
    let text =
        "fn a() -> Instant { std::time::Instant::now() }\n// Utc::now in a comment\nlet b = \"Utc::now\";";
    assert_eq!(direct_uses(&[Source::new("server/src/jobs/sync.rs", text)]).len(), 1);
    assert_eq!(direct_uses(&[Source::new("server/src/clock.rs", text)]).len(), 0);
    assert_eq!(direct_uses(&[Source::new("tests/src/run.rs", text)]).len(), 0);
}
