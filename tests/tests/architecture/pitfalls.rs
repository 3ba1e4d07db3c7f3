//! Every known pitfall of such systems that has a testable claim here has a test that carries its number.

use std::collections::BTreeSet;

use crate::source::{Source, assert_none, rust_files};

/// The numbers of `docs/pitfalls.md` that must be tested, and what each is.
const REQUIRED: [(u32, &str); 28] = [
    (1, "rows with the boundary value"),
    (2, "ties longer than a page"),
    (3, "state that grows"),
    (4, "late commits"),
    (5, "units of a lookback"),
    (6, "a mark that moves backwards"),
    (7, "rounded cursors"),
    (8, "zones of naive times"),
    (9, "text cursors"),
    (10, "unfit cursor types"),
    (11, "null cursors"),
    (12, "a row dated far ahead"),
    (13, "a changed cursor column"),
    (14, "numbers through floats"),
    (16, "half a result taken as whole"),
    (20, "folded and odd names"),
    (21, "the three nulls"),
    (25, "IDs that look equal"),
    (26, "unmatched rows that vanish"),
    (27, "an ID of two records"),
    (28, "a run that stays running"),
    (29, "a healthy long run executed twice"),
    (30, "overlapping runs"),
    (31, "a schedule that stops"),
    (32, "changes of the clock"),
    (33, "blank counters"),
    (34, "a changed schema"),
    (38, "a change of the key at rest"),
];

/// The numbers for which there is a test function `pitfall_NN_…`, declared a test right above or named by a suite.
fn tested(files: &[Source]) -> BTreeSet<u32> {
    let mut numbers = BTreeSet::new();
    let code: Vec<Vec<(usize, String)>> = files.iter().map(|file| without_omitted(file.code())).collect();
    for lines in &code {
        for (index, (_, line)) in lines.iter().enumerate() {
            let Some((before, after)) = line.split_once("fn pitfall_") else { continue };
            let only_words =
                before.split_whitespace().all(|word| matches!(word, "pub" | "async" | "pub(crate)"));
            let end = after.find(|it: char| !(it.is_alphanumeric() || it == '_')).unwrap_or(after.len());
            let name = format!("pitfall_{}", &after[..end]);
            let above = lines[..index].iter().rev().map(|(_, line)| line.trim());
            let declared = above.take_while(|line| line.starts_with("#[")).any(|line| line.contains("test"));
            let runs = declared || code.iter().flatten().any(|(_, line)| names(line, &name));
            let digits = after.split('_').next().and_then(|digits| digits.parse::<u32>().ok());
            numbers.extend(digits.filter(|_| only_words && runs));
        }
    }
    numbers
}

/// The lines outside of `omits { … }`, which names the tests of a suite that do not run.
fn without_omitted(lines: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let mut omitting = false;
    let outside = |(number, line): (usize, String)| {
        let kept = match line.split_once("omits {") {
            Some((before, _)) if !omitting => before.to_owned(),
            _ if omitting => String::new(),
            _ => line.clone(),
        };
        let rest = line.split_once("omits {").map_or(line.as_str(), |(_, rest)| rest);
        omitting = (omitting || line.contains("omits {")) && !rest.contains('}');
        (number, kept)
    };
    lines.into_iter().map(outside).collect()
}

/// Whether a line names a function without declaring it.
fn names(line: &str, name: &str) -> bool {
    let Some((before, after)) = line.split_once(name) else { return false };
    let whole = after.chars().next().is_none_or(|next| !(next.is_alphanumeric() || next == '_'));
    whole && !before.trim_end().ends_with("fn")
}

fn untested(files: &[Source]) -> Vec<String> {
    let tested = tested(files);
    let missing = REQUIRED.iter().filter(|(number, _)| !tested.contains(number));
    missing.map(|(number, what)| format!("no test named pitfall_{number:02}_…: {what}")).collect()
}

#[test]
fn every_pitfall_has_a_test() {
    assert_none("each pitfall has a test with its number", &untested(&rust_files()));
}

#[test]
fn the_check_can_fail() {
    let one = Source::new(
        "tests/systems/tests/connector/ties.rs",
        "#[test]\nfn pitfall_02_ties_longer_than_a_page() {}\n",
    );
    let missing = untested(&[one]);
    assert_eq!(missing.len(), REQUIRED.len() - 1);
    assert!(!missing.iter().any(|line| line.contains("pitfall_02_")));
    let nobody = Source::new("tests/systems/tests/connector/suite.rs", "pub async fn pitfall_02_ties() {}\n");
    assert_eq!(untested(&[nobody]).len(), REQUIRED.len());
    let suite = "pub async fn pitfall_02_ties() {}\nmod all { suite!(pitfall_02_ties,); }\n";
    assert_eq!(
        untested(&[Source::new("tests/systems/tests/connector/suite.rs", suite)]).len(),
        REQUIRED.len() - 1
    );
    let omitted =
        "pub async fn pitfall_02_ties() {}\nsuite!(\n; omits {\n a::pitfall_02_ties: \"no\",\n}\n);\n";
    assert_eq!(
        untested(&[Source::new("tests/systems/tests/connector/suite.rs", omitted)]).len(),
        REQUIRED.len()
    );
    let comment = Source::new("tests/systems/tests/connector/ties.rs", "// fn pitfall_02_ties() {}\n");
    assert_eq!(untested(&[comment]).len(), REQUIRED.len());
}
