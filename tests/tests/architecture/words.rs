//! Words: the repository stands alone, and one thing has one name.

use crate::source::{Source, assert_none, repository, rust_files};

/// Traces of one machine, and hosts that belong into a registry client's settings.
const FOREIGN: [&str; 9] = [
    "/work/",
    "/root/",
    "/home/",
    "/Users/",
    "registry.npmjs.org",
    "index.crates.io",
    "static.crates.io",
    "pypi.org",
    "deb.debian.org",
];

/// Words for things that have another name here: see the glossary in `CONTRIBUTING.md`.
const OTHER_NAMES: [(&str, &str); 7] = [
    ("bookmark", "checkpoint"),
    ("data_point", "measurement"),
    ("datapoint", "measurement"),
    ("data_source", "source"),
    ("datasource", "source"),
    ("kpi", "metric"),
    ("pipeline", "stream"),
];

/// British spellings, in code that is written in American English.
const BRITISH: [(&str, &str); 9] = [
    ("authoris", "authoriz"),
    ("behaviour", "behavior"),
    ("colour", "color"),
    ("favour", "favor"),
    ("initialis", "initializ"),
    ("normalis", "normaliz"),
    ("optimis", "optimiz"),
    ("organisation", "organization"),
    ("serialis", "serializ"),
];

fn lock_file(path: &str) -> bool {
    path.ends_with(".lock") || path.ends_with("-lock.json")
}

fn foreign(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !lock_file(&file.path)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for word in FOREIGN.iter().filter(|word| line.contains(**word)) {
                found.push(format!("{}:{number}: {word}", file.path));
            }
        }
    }
    found
}

/// `DataPoint` becomes `data_point`, so that one list serves types, functions and fields.
fn snake(line: &str) -> String {
    let mut text = String::new();
    let mut before = ' ';
    for letter in line.chars() {
        if letter.is_uppercase() && before.is_lowercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
        before = letter;
    }
    text
}

fn other_names(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.code() {
            let line = snake(&line);
            for (word, ours) in OTHER_NAMES.iter().filter(|(word, _)| line.contains(word)) {
                found.push(format!("{}:{number}: `{word}` is called `{ours}` here", file.path));
            }
        }
    }
    found
}

fn british(files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.to_lowercase();
            for (word, ours) in BRITISH.iter().filter(|(word, _)| line.contains(word)) {
                found.push(format!("{}:{number}: {word}… is spelled {ours}…", file.path));
            }
        }
    }
    found
}

/// The same words where people read them: texts on screen and in errors, the schema, the documentation, the journeys.
fn other_words(files: &[Source]) -> Vec<String> {
    let read = |path: &str| [".rs", ".md", ".graphql", ".mjs", ".html"].iter().any(|end| path.ends_with(end));
    let mut found = Vec::new();
    for file in files.iter().filter(|file| read(&file.path)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let line = line.to_lowercase();
            for (word, ours) in &OTHER_NAMES {
                let spoken = line.contains(word) || line.contains(&word.replace('_', " "));
                if spoken || line.contains(&word.replace('_', "-")) {
                    found.push(format!("{}:{number}: “{word}” is called “{ours}” here", file.path));
                }
            }
        }
    }
    found
}

/// Everything but this file, which has to spell out what it forbids.
fn others(files: Vec<Source>) -> Vec<Source> {
    files.into_iter().filter(|file| file.path != "tests/tests/architecture/words.rs").collect()
}

#[test]
fn the_repository_stands_alone() {
    assert_none("no trace of a machine or registry", &foreign(&others(repository())));
}

#[test]
fn one_thing_has_one_name() {
    assert_none("the words of the glossary", &other_names(&others(rust_files())));
}

#[test]
fn one_thing_is_spoken_of_by_one_name() {
    assert_none("the words of the glossary in texts", &other_words(&others(repository())));
}

#[test]
fn one_spelling_holds() {
    let texts = others(repository()).into_iter().filter(|file| !lock_file(&file.path));
    assert_none("American spelling", &british(&texts.collect::<Vec<_>>()));
}

#[test]
fn the_checks_can_fail() {
    assert_eq!(foreign(&[Source::new("README.md", "cd /home/ada/weir")]).len(), 1);
    assert_eq!(foreign(&[Source::new("Cargo.lock", "index.crates.io")]).len(), 0);
    let code = "struct DataPoint; // a data_point\nfn bookmark() {}\nlet text = \"pipeline\";";
    assert_eq!(other_names(&[Source::new("server/src/a.rs", code)]).len(), 2);
    assert_eq!(other_words(&[Source::new("server/src/a.rs", code)]).len(), 4);
    assert_eq!(other_words(&[Source::new("web/src/a.rs", "view! { \"Add a data source\" }")]).len(), 1);
    assert_eq!(other_words(&[Source::new("server/schema.graphql", "\"A data point.\"")]).len(), 1);
    assert_eq!(british(&[Source::new("server/src/a.rs", "/// Normalises.")]).len(), 1);
}
