//! No promise is forgotten: every system runs every test of the suites, or says why it does not.

use std::collections::BTreeSet;

use connector::kinds;

use crate::systems;

/// What one system runs and what it leaves out.
pub struct Promises {
    /// The kind, or `memory`.
    pub kind: &'static str,
    /// Suite and test of each that is run; nothing in the place of one that is not.
    pub kept: &'static [Option<(&'static str, &'static str)>],
    /// Suite and test of each that is not, and why.
    pub omitted: &'static [(&'static str, &'static str, &'static str)],
}

/// The suites, as they are written.
const SUITES: [(&str, &str); 7] = [
    ("cursors", include_str!("suite/cursors.rs")),
    ("limits", include_str!("suite/limits.rs")),
    ("order", include_str!("suite/order.rs")),
    ("places", include_str!("suite/places.rs")),
    ("refusals", include_str!("suite/refusals.rs")),
    ("slices", include_str!("suite/slices.rs")),
    ("values", include_str!("suite/values.rs")),
];

/// The tests of a suite: its public functions over any system.
fn tests_of(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("\npub async fn ").skip(1);
    after.filter_map(|rest| rest.split_once("<S: System>").map(|(name, _)| name))
}

/// What is wrong with the promises of some systems, compared with all there are.
fn wrong(suites: &[(&str, &str)], systems: &[&Promises]) -> Vec<String> {
    let every: BTreeSet<(&str, &str)> =
        suites.iter().flat_map(|(suite, text)| tests_of(text).map(|test| (*suite, test))).collect();
    let mut wrong = Vec::new();
    for system in systems {
        let kind = system.kind;
        let mut named = BTreeSet::new();
        let omitted = system.omitted.iter().map(|(suite, test, _)| (*suite, *test));
        for (suite, test) in system.kept.iter().copied().flatten().chain(omitted) {
            if !every.contains(&(suite, test)) {
                wrong.push(format!("{kind}: there is no {suite}::{test}"));
            }
            if !named.insert((suite, test)) {
                wrong.push(format!("{kind}: {suite}::{test} is named twice"));
            }
        }
        let forgotten = every.difference(&named);
        wrong.extend(forgotten.map(|(suite, test)| format!("{kind}: {suite}::{test} is forgotten")));
        let silent = system.omitted.iter().filter(|(_, _, reason)| reason.split_whitespace().count() < 3);
        wrong.extend(
            silent.map(|(suite, test, _)| format!("{kind}: {suite}::{test} is omitted for no reason")),
        );
    }
    wrong
}

#[test]
fn every_system_keeps_every_promise_or_says_why_not() {
    let wrong = wrong(&SUITES, &systems::ALL);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_suite_is_read_and_every_kind_has_a_system() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/connector/suite");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the suites are there")
        .map(|entry| {
            entry.expect("a file").path().file_stem().unwrap_or_default().to_string_lossy().into_owned()
        })
        .filter(|name| name != "mod")
        .collect();
    assert_eq!(files, SUITES.iter().map(|(suite, _)| (*suite).to_owned()).collect());
    for (suite, text) in SUITES {
        assert!(tests_of(text).count() > 0, "{suite} has tests");
        assert_eq!(
            tests_of(text).count(),
            text.matches("\npub async fn ").count(),
            "{suite}: all its functions are tests"
        );
    }
    let kinds: BTreeSet<&str> = systems::ALL.iter().map(|system| system.kind).collect();
    assert_eq!(kinds, kinds::names().chain(["memory"]).collect());
}

#[test]
fn the_check_can_fail() {
    let text = "//! A suite.\n\npub async fn one<S: System>(system: &S) {}\n\npub async fn two<S: System>(\n    system: &S,\n) {}\n";
    let of = |kept, omitted| Promises { kind: "tape", kept, omitted };
    let suites = [("order", text)];
    let fine = of(&[Some(("order", "one"))], &[("order", "two", "a tape has no order")]);
    assert_eq!(wrong(&suites, &[&fine]), Vec::<String>::new());
    let forgets = of(&[Some(("order", "one"))], &[]);
    assert_eq!(wrong(&suites, &[&forgets]), ["tape: order::two is forgotten"]);
    let stale = of(&[Some(("order", "one")), Some(("order", "two")), Some(("order", "gone"))], &[]);
    assert_eq!(wrong(&suites, &[&stale]), ["tape: there is no order::gone"]);
    let both =
        of(&[Some(("order", "one")), Some(("order", "two"))], &[("order", "two", "a tape has no order")]);
    assert_eq!(wrong(&suites, &[&both]), ["tape: order::two is named twice"]);
    let silent = of(&[Some(("order", "one"))], &[("order", "two", "no")]);
    assert_eq!(wrong(&suites, &[&silent]), ["tape: order::two is omitted for no reason"]);
}
