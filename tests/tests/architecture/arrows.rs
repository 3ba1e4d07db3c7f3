//! Who may know whom. Crates: their manifests say it. Modules of the server: the table below says it.

use crate::source::{Source, assert_none, repository, rust_files};

/// Our crates, and which of ours each may depend on. A crate lies in the folder of its name, or one below `tests`.
const CRATES: [(&str, &[&str]); 8] = [
    ("connector", &[]),
    ("entity", &[]),
    ("migration", &[]),
    ("server", &["connector", "entity", "migration"]),
    ("systems", &["connector"]),
    ("tests", &["connector", "entity", "migration", "server", "systems"]),
    ("web", &[]),
    ("xtask", &[]),
];

/// What every module of the server may use.
const GROUND: [&str; 8] = ["clock", "config", "custody", "db", "error", "fault", "sql", "telemetry"];

/// The modules above the ground, from the top, and which others each may use.
const MODULES: &[(&str, &[&str])] = &[
    ("cli", &["app", "auth", "domain", "graphql", "http", "jobs", "sources"]),
    ("http", &["app", "auth", "domain", "graphql"]),
    // A preview takes the very path of a run.
    ("graphql", &["app", "auth", "domain", "ingest", "sources"]),
    ("jobs", &["app", "domain", "ingest", "sources"]),
    ("ingest", &["app", "domain", "sources"]),
    ("sources", &["app", "domain"]),
    ("app", &["auth", "domain", "sources"]),
    ("domain", &["auth"]),
    ("auth", &["app"]),
    // The error type carries a refusal of the domain.
    ("error", &["domain"]),
];

/// Crates of others that belong to one part of the server.
const OUTSIDE: [(&str, &[&str]); 3] = [
    ("actix_web", &["cli", "http", "main"]),
    ("async_graphql", &["cli", "graphql", "http"]),
    ("apalis", &["jobs"]),
];

/// `server/src/graphql/node.rs` is of module `graphql`.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("server/src/")?;
    inside.split(['/', '.']).next()
}

/// Every `crate::module` that a line names, also within braces: `crate::{app::App, clock}`.
fn named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (start, _) in line.match_indices("crate::") {
        let whole = !line[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_');
        let rest = &line[start + "crate::".len()..];
        if whole {
            found.extend(heads(rest));
        }
    }
    found
}

/// The first words of a use tree: of `{a::b, c::{d, e}}` they are `a` and `c`.
fn heads(tree: &str) -> Vec<String> {
    let word =
        |text: &str| text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect::<String>();
    let Some(inside) = tree.strip_prefix('{') else { return vec![word(tree)] };
    let (mut depth, mut heads, mut expected) = (0, Vec::new(), true);
    for (at, letter) in inside.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if expected && depth == 0 && letter.is_alphabetic() => {
                heads.push(word(&inside[at..]));
                expected = false;
            }
            _ => {}
        }
    }
    heads
}

fn wrong_modules(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let Some(module) = module(&file.path).filter(|module| !matches!(*module, "lib" | "main")) else {
            continue;
        };
        let above = MODULES.iter().find(|(name, _)| *name == module).map(|(_, may)| *may);
        if above.is_none() && !GROUND.contains(&module) {
            wrong.push(format!("{}: `{module}` has no place among the arrows yet", file.path));
            continue;
        }
        let code = file.code().into_iter().map(|(_, line)| line).collect::<Vec<_>>().join(" ");
        for other in named(&code) {
            let known = GROUND.contains(&other.as_str()) || MODULES.iter().any(|(name, _)| *name == other);
            let allowed = other == module
                || GROUND.contains(&other.as_str())
                || above.is_some_and(|may| may.contains(&other.as_str()));
            if known && !allowed {
                wrong.push(format!("{}: `{module}` must not use `{other}`", file.path));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn wrong_outside(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files {
        let Some(module) = module(&file.path) else { continue };
        for (number, line) in file.code() {
            for (name, homes) in OUTSIDE {
                let used = line.contains(&format!("{name}::")) || line.contains(&format!("{name}_core::"));
                if used && !homes.contains(&module) {
                    wrong.push(format!("{}:{number}: {name} belongs to {}", file.path, homes.join(", ")));
                }
            }
        }
    }
    wrong
}

fn wrong_crates(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, may) in CRATES {
        let path = format!("{name}/Cargo.toml");
        let at = |file: &&Source| file.path == path || file.path == format!("tests/{path}");
        let Some(manifest) = files.iter().find(at) else {
            wrong.push(format!("{path} is missing"));
            continue;
        };
        for (other, _) in CRATES {
            let depends = manifest.text.lines().any(|line| {
                let named = line.trim_start().strip_prefix(other);
                named.is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
            });
            if depends && other != name && !may.contains(&other) {
                wrong.push(format!("{path}: `{name}` must not know `{other}`"));
            }
        }
    }
    wrong
}

/// The browser application may look at one file outside its folder: the contract.
fn peeping(files: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in files.iter().filter(|file| file.path.starts_with("web/") && file.rust()) {
        for (number, line) in (1..).zip(file.text.lines()) {
            let outside = line.split('"').skip(1).step_by(2).find(|text| text.contains("../"));
            if let Some(text) = outside.filter(|text| !text.ends_with("server/schema.graphql")) {
                wrong.push(format!("{}:{number}: looks at {text}", file.path));
            }
        }
    }
    wrong
}

#[test]
fn crates_know_only_whom_they_may() {
    assert_none("arrows between crates", &wrong_crates(&repository()));
}

#[test]
fn modules_of_the_server_know_only_whom_they_may() {
    assert_none("arrows between modules", &wrong_modules(&rust_files()));
}

#[test]
fn crates_of_others_stay_in_their_part() {
    assert_none("where crates of others are used", &wrong_outside(&rust_files()));
}

#[test]
fn the_browser_application_knows_only_the_contract() {
    assert_none("what the browser application reads", &peeping(&repository()));
}

#[test]
fn the_checks_can_fail() {
    let upwards =
        Source::new("server/src/domain/stream.rs", "use crate::{clock::Clock, graphql::node::{Id, jobs}};");
    assert_eq!(wrong_modules(&[upwards]), ["server/src/domain/stream.rs: `domain` must not use `graphql`"]);
    let inline = Source::new("server/src/ingest/run.rs", "fn a() { crate::jobs::push(); connector::read() }");
    assert_eq!(wrong_modules(&[inline]).len(), 1);
    let ground = Source::new("server/src/clock.rs", "use crate::domain::run;");
    assert_eq!(wrong_modules(&[ground]).len(), 1);
    assert_eq!(wrong_modules(&[Source::new("server/src/magic.rs", "")]).len(), 1);
    let fine = Source::new("server/src/http/health.rs", "use crate::app::App; // crate::jobs");
    assert_eq!(wrong_modules(&[fine]).len(), 0);

    assert_eq!(wrong_outside(&[Source::new("server/src/domain/a.rs", "use actix_web::web;")]).len(), 1);
    assert_eq!(wrong_outside(&[Source::new("server/src/jobs/a.rs", "use apalis_core::backend;")]).len(), 0);

    let manifest = |name: &str, text: &str| Source::new(&format!("{name}/Cargo.toml"), text);
    let mut files = CRATES.iter().map(|(name, _)| manifest(name, "[dependencies]\n")).collect::<Vec<_>>();
    assert_eq!(wrong_crates(&files).len(), 0);
    files[0] = manifest("connector", "[dependencies]\nentity.workspace = true\n");
    assert_eq!(wrong_crates(&files), ["connector/Cargo.toml: `connector` must not know `entity`"]);

    let page = |text: &str| Source::new("web/src/api.rs", text);
    assert_eq!(peeping(&[page("include_str!(\"../../server/src/domain/role.rs\")")]).len(), 1);
    assert_eq!(peeping(&[page("schema(\"../server/schema.graphql\")")]).len(), 0);
}
