//! The schema is the committed one, and complete.

use super::*;

#[test]
fn the_schema_is_the_committed_one() {
    let committed = include_str!("../../schema.graphql");
    let (served, committed): (Vec<_>, Vec<_>) = (sdl_lines(&sdl()), sdl_lines(committed));
    let first = served.iter().zip(&committed).position(|(served, committed)| served != committed);
    let place = first.unwrap_or(served.len().min(committed.len()));
    let near =
        |lines: &[String]| lines.iter().skip(place.saturating_sub(3)).take(8).cloned().collect::<Vec<_>>();
    assert!(
        served == committed,
        "server/schema.graphql differs from line {}: write it anew with `weir schema`\nserved: {:#?}\ncommitted: {:#?}",
        place + 1,
        near(&served),
        near(&committed)
    );
}

fn sdl_lines(text: &str) -> Vec<String> {
    text.trim_end().lines().map(str::to_owned).collect()
}

#[test]
fn everything_is_described() {
    let sdl = sdl();
    let mut before = "";
    let mut block = false;
    for line in sdl.lines() {
        let word = line.trim_start();
        // A description of several lines stands between marks of its own.
        block ^= word == "\"\"\"";
        if block {
            continue;
        }
        let named = line.starts_with("  ")
            || ["type ", "input ", "enum ", "union ", "scalar ", "interface "]
                .iter()
                .any(|it| line.starts_with(it));
        let root = ["query:", "mutation:"].iter().any(|it| word.starts_with(it));
        if named && !word.starts_with('"') && !root {
            assert!(before.trim_start().starts_with('"'), "{line:?} has no description");
        }
        before = line;
    }
}
