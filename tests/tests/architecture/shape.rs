//! How files look: short, named after one subject, and saying it in their first line.

use crate::source::{Source, assert_none, repository, rust_files};

const MOST_LINES: usize = 350;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 10] =
    ["util", "utils", "common", "helper", "helpers", "misc", "shared", "stuff", "lib2", "tools"];

fn too_long(files: &[Source]) -> Vec<String> {
    let long = files.iter().map(|file| (file, file.text.lines().count()));
    long.filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| {
            format!("{} has {lines} lines: it has more than one subject, split it", file.path)
        })
        .collect()
}

fn without_subject(files: &[Source]) -> Vec<String> {
    let silent = files.iter().filter(|file| !file.text.starts_with("//! "));
    silent.map(|file| format!("{} does not say its subject in its first line (//!)", file.path)).collect()
}

fn emptily_named(files: &[Source]) -> Vec<String> {
    let empty = files.iter().filter(|file| {
        let path = file.path.trim_end_matches(".rs");
        path.split('/').any(|part| EMPTY_NAMES.contains(&part))
    });
    empty.map(|file| format!("{}: name it after what it is about", file.path)).collect()
}

fn unfinished(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
            if words.into_iter().any(|word| matches!(word, "TODO" | "FIXME" | "XXX" | "HACK")) {
                found.push(format!("{}:{number}: unfinished work belongs in the tracker", file.path));
            }
        }
    }
    found
}

/// Everything but this folder, which has to spell out what it forbids.
fn beside_this_folder(files: Vec<Source>) -> Vec<Source> {
    files.into_iter().filter(|file| !file.path.starts_with("tests/tests/architecture/")).collect()
}

#[test]
fn no_file_is_longer_than_350_lines() {
    assert_none("files are short", &too_long(&rust_files()));
}

#[test]
fn every_file_says_its_subject_first() {
    assert_none("the first line is `//! ` and the subject", &without_subject(&rust_files()));
}

#[test]
fn modules_are_named_after_their_subject() {
    assert_none("no module is called util and the like", &emptily_named(&rust_files()));
}

#[test]
fn nothing_is_marked_unfinished() {
    let files = beside_this_folder(repository());
    let ours =
        files.into_iter().filter(|file| !file.path.ends_with("-lock.json") && !file.path.ends_with(".lock"));
    assert_none("no marks of unfinished work", &unfinished(&ours.collect::<Vec<_>>()));
}

#[test]
fn the_checks_can_fail() {
    let long = Source::new("server/src/a.rs", &"//! A.\n".repeat(MOST_LINES + 1));
    assert_eq!(too_long(&[long]).len(), 1);
    assert_eq!(too_long(&[Source::new("server/src/a.rs", &"//! A.\n".repeat(MOST_LINES))]).len(), 0);
    assert_eq!(without_subject(&[Source::new("server/src/a.rs", "use std::fs;\n")]).len(), 1);
    assert_eq!(
        emptily_named(&[Source::new("server/src/util/a.rs", ""), Source::new("web/src/helpers.rs", "")])
            .len(),
        2
    );
    assert_eq!(emptily_named(&[Source::new("server/src/utility_bill.rs", "")]).len(), 0);
    assert_eq!(unfinished(&[Source::new("a.rs", "// TODO: later"), Source::new("b.md", "XXX")]).len(), 2);
}
