//! Which tests to run, and how many of them ran.

use std::fs;

use anyhow::{Context, Result, bail};

/// What `--only` names: one part of the whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Formatting, clippy, dependency rules.
    Lint,
    /// The tests inside the crates, beside the code.
    Unit,
    /// The browser journeys.
    Web,
    /// One binary of `tests/tests/` or `tests/systems/tests/`.
    Binary(String),
}

impl Part {
    /// Reads a name, which must be `lint`, `unit`, `web` or a folder or file of `tests/tests/` or
    /// `tests/systems/tests/`.
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "lint" => Self::Lint,
            "unit" => Self::Unit,
            "web" => Self::Web,
            other => {
                let known = binaries()?;
                if !known.iter().any(|binary| binary == other) {
                    bail!("no part `{other}`; there are lint, unit, web, {}", known.join(", "));
                }
                Self::Binary(other.to_owned())
            }
        })
    }
}

fn binaries() -> Result<Vec<String>> {
    let mut names = Vec::new();
    let list = |folder: &str| fs::read_dir(folder).with_context(|| format!("list {folder}"));
    for entry in list("tests/tests")?.chain(list("tests/systems/tests")?) {
        let path = entry?.path();
        let is_binary =
            path.join("main.rs").is_file() || path.extension().is_some_and(|ending| ending == "rs");
        if let Some(name) = path.file_stem().filter(|_| is_binary) {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// How many tests passed and failed, read from what the runners print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

impl Count {
    /// Takes in one line: nextest's summary, cargo test's `test result:`, or node's `# pass` and `# fail`.
    pub fn see(&mut self, line: &str) {
        let line = plain(line);
        let line = line.trim_start_matches(['#', 'ℹ', ' ']);
        if line.starts_with("Summary [") || line.starts_with("test result:") {
            self.passed += before(line, " passed");
            self.failed += before(line, " failed");
        } else if let Some(number) = line.strip_prefix("pass ") {
            self.passed += number.trim().parse::<u64>().unwrap_or(0);
        } else if let Some(number) = line.strip_prefix("fail ") {
            self.failed += number.trim().parse::<u64>().unwrap_or(0);
        }
    }
}

/// The number right before a word.
fn before(line: &str, word: &str) -> u64 {
    let Some((head, _)) = line.split_once(word) else { return 0 };
    head.rsplit(|letter: char| !letter.is_ascii_digit())
        .next()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// A line without terminal colors.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((head, tail)) = rest.split_once('\u{1b}') {
        text.push_str(head);
        rest = tail.split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::Count;

    fn count(lines: &[&str]) -> (u64, u64) {
        let mut count = Count::default();
        lines.iter().for_each(|line| count.see(line));
        (count.passed, count.failed)
    }

    #[test]
    fn counts_nextest() {
        let line = "     Summary [   3.005s] 412 tests run: 410 passed (2 slow), 2 failed, 1 skipped";
        assert_eq!(count(&[line]), (410, 2));
        let colored = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.2s] \u{1b}[1m7\u{1b}[0m tests run: \u{1b}[1m7\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m";
        assert_eq!(count(&[colored]), (7, 0));
    }

    #[test]
    fn counts_cargo_test_over_binaries() {
        let first = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        let second = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(count(&[first, "running 4 tests", second]), (15, 1));
    }

    #[test]
    fn counts_node() {
        assert_eq!(count(&["# tests 7", "# pass 6", "# fail 1"]), (6, 1));
        assert_eq!(count(&["ℹ pass 6", "ℹ fail 0"]), (6, 0));
    }
}
