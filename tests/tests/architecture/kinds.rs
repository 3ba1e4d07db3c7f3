//! A kind of system is named in its own folder, in the lists of kinds, and nowhere else: adding one touches no other code.

use std::collections::BTreeSet;

use crate::source::{Source, assert_none, rust_files};

/// Where all kinds are listed: for the engine, in the contract, and as forms. A path may be the beginning of several.
const LISTS: [&str; 5] = [
    "connector/src/kinds.rs",
    "connector/src/lib.rs",
    "server/src/graphql/source_config",
    "web/src/pages/source",
    "web/src/vocabulary",
];
/// Kinds that are also what Weir stores its own data in; outside `connector` and `web` the words mean that.
const ALSO_OUR_STORAGE: [&str; 2] = ["postgres", "sqlite"];

/// The kinds there are: the folders of `connector/src`.
fn kinds(files: &[Source]) -> BTreeSet<String> {
    let folders = files.iter().filter_map(|file| {
        let (kind, rest) = file.path.strip_prefix("connector/src/")?.split_once('/')?;
        (rest == "mod.rs").then(|| kind.to_owned())
    });
    folders.collect()
}

fn named_elsewhere(files: &[Source]) -> Vec<String> {
    let kinds = kinds(files);
    let mut found = Vec::new();
    for file in files {
        let product = ["connector/src/", "entity/src/", "server/src/", "web/src/"];
        if !product.iter().any(|folder| file.path.starts_with(folder))
            || LISTS.iter().any(|list| file.path.starts_with(list))
        {
            continue;
        }
        for kind in &kinds {
            let home = file.path.starts_with(&format!("connector/src/{kind}/"));
            let ours = ALSO_OUR_STORAGE.contains(&kind.as_str())
                && (file.path.starts_with("server/") || file.path.starts_with("entity/"));
            if home || ours {
                continue;
            }
            let lines = file.code();
            let named = lines.iter().filter(|(_, line)| line.to_lowercase().contains(kind.as_str()));
            found.extend(named.map(|(number, _)| format!("{}:{number}: names the kind `{kind}`", file.path)));
        }
    }
    found
}

#[test]
fn kinds_are_named_only_at_home_and_in_the_lists() {
    assert_none("kinds are named only at home and in the lists", &named_elsewhere(&rust_files()));
}

#[test]
fn the_check_can_fail() {
    let home = Source::new("connector/src/clickhouse/mod.rs", "pub struct Clickhouse;");
    let elsewhere = Source::new("server/src/ingest/run.rs", "match kind { Kind::Clickhouse => {} }");
    let list = Source::new("connector/src/kinds.rs", "mod clickhouse;");
    let storage = Source::new("connector/src/sqlite/mod.rs", "pub struct Sqlite;");
    let own = Source::new("server/src/db.rs", "fn sqlite() {}");
    let files = [home, elsewhere, list, storage, own];
    assert_eq!(named_elsewhere(&files), ["server/src/ingest/run.rs:1: names the kind `clickhouse`"]);
}
