//! Every statement read by sqlglot, a parser of many dialects that is not ours.
//!
//! Two things are looked at. What sqlglot takes a statement for must be what is written down here, with any names. And
//! since it keeps many administrative statements as mere text (`Command`) or does not know them, a statement with hard
//! names must be the tokens of the same one with plain names, each name one token: so no name ends early, swallows what
//! follows, or is taken for anything else.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;
use systems::python;

use crate::cases::{self, Names, Script, meant, possible};

/// How sqlglot 30.24.0 reads the statements, by how they begin. Other kinds than `Command` and `refused` it knows to the
/// last word. Those two are checked by their tokens here, and run on an engine or a strict stand-in by the other tests.
const KNOWN: [(&str, &str, &str); 34] = [
    ("snowflake", "CREATE ROLE", "Command"),
    ("snowflake", "CREATE WAREHOUSE", "Create"),
    ("snowflake", "CREATE USER", "Command"),
    ("snowflake", "ALTER USER", "Command"),
    // sqlglot has no DESCRIBE of users.
    ("snowflake", "DESC USER", "refused"),
    ("snowflake", "GRANT USAGE ON WAREHOUSE", "Grant"),
    ("snowflake", "GRANT USAGE ON DATABASE", "Grant"),
    ("snowflake", "GRANT USAGE ON SCHEMA", "Grant"),
    ("snowflake", "GRANT SELECT ON TABLE", "Grant"),
    ("snowflake", "GRANT ROLE", "Command"),
    ("snowflake", "REVOKE SELECT ON TABLE", "Revoke"),
    ("snowflake", "REVOKE USAGE ON SCHEMA", "Revoke"),
    ("snowflake", "REVOKE USAGE ON DATABASE", "Revoke"),
    ("snowflake", "REVOKE USAGE ON WAREHOUSE", "Revoke"),
    ("snowflake", "REVOKE ROLE", "Command"),
    ("postgres", "CREATE ROLE", "Command"),
    ("postgres", "ALTER ROLE", "Command"),
    ("postgres", "GRANT", "Grant"),
    ("postgres", "REVOKE", "Revoke"),
    ("postgres", "DROP ROLE", "Command"),
    ("clickhouse", "CREATE USER", "Command"),
    ("clickhouse", "CREATE SETTINGS PROFILE", "Command"),
    ("clickhouse", "CREATE QUOTA", "Command"),
    ("clickhouse", "GRANT SELECT", "Grant"),
    ("clickhouse", "REVOKE SELECT", "Revoke"),
    ("clickhouse", "DROP", "Command"),
    ("databricks", "GRANT USE CATALOG", "Command"),
    ("databricks", "GRANT USE SCHEMA", "Grant"),
    ("databricks", "GRANT SELECT", "Grant"),
    ("databricks", "REVOKE USE CATALOG", "Command"),
    ("databricks", "REVOKE USE SCHEMA", "Revoke"),
    ("databricks", "REVOKE SELECT", "Revoke"),
    ("bigquery", "GRANT `roles/bigquery.dataViewer` ON TABLE", "Grant"),
    ("bigquery", "REVOKE `roles/bigquery.dataViewer` ON TABLE", "Revoke"),
];

#[derive(Deserialize)]
struct Statement {
    text: String,
    kind: String,
    tokens: Vec<(String, String)>,
    names: Vec<String>,
    remarks: usize,
}

/// Names that break what quotes badly.
fn hard() -> Vec<(&'static str, Names)> {
    // In order, as scripts name schemas and tables in order.
    let reserved = ["from", "grant", "group", "order", "select", "table", "user", "where"];
    let each = |shape: fn(usize) -> String| -> Names { std::array::from_fn(shape) };
    vec![
        ("quotes", each(|slot| format!("it's {slot} \"quoted\" `so` \\' \\\" \\` ''\"\"``"))),
        ("a quote at the ends", each(|slot| format!("\"'`{slot}`'\""))),
        ("a backslash at the end", each(|slot| format!("ends{slot}\\"))),
        ("blanks and dots", each(|slot| format!("a. b.c {slot}"))),
        ("unicode", each(|slot| format!("Ünï{slot} 日本語 🦀 \u{202e}x"))),
        ("reserved words", std::array::from_fn(|slot| reserved[slot].to_owned())),
        ("lower case", each(|slot| format!("lower{slot}"))),
        ("remarks and ends", each(|slot| format!("x{slot}; -- /* */ # $$ $a$ DROP TABLE t; --"))),
        ("ends of lines", each(|slot| format!("line{slot}\nDROP TABLE t;\r-- \u{85}\u{2028}x"))),
    ]
}

async fn read(scripts: &[Script]) -> Result<Vec<Vec<Statement>>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("scripts.json");
    let given: Vec<_> = scripts.iter().map(|it| json!({"dialect": it.dialect, "text": it.text})).collect();
    std::fs::write(&file, serde_json::to_vec(&given)?)?;
    let file = file.to_str().context("a folder with a plain name")?;
    let told = python::run("sqlglot", include_str!("sqlglot.py"), &[file]).await?;
    Ok(serde_json::from_str(&told)?)
}

/// What sqlglot is known to take a statement for.
fn known(dialect: &str, text: &str) -> Option<usize> {
    KNOWN.iter().position(|(of, start, _)| *of == dialect && text.starts_with(start))
}

#[tokio::test]
async fn every_statement_is_what_it_is_taken_for() -> Result<()> {
    let plain = cases::plain();
    let scripts = cases::scripts(&plain)?;
    let mut met = BTreeSet::new();
    for (script, statements) in scripts.iter().zip(read(&scripts).await?) {
        ensure!(!statements.is_empty(), "{}: nothing to run", script.what);
        for statement in statements {
            let (what, text) = (&script.what, &statement.text);
            let at = known(script.dialect, text).with_context(|| format!("{what}: {text} is new"))?;
            met.insert(at);
            ensure!(statement.kind == KNOWN[at].2, "{what}: {text} is taken for {}", statement.kind);
        }
    }
    let unused: Vec<_> = (0..KNOWN.len()).filter(|at| !met.contains(at)).map(|at| KNOWN[at]).collect();
    ensure!(unused.is_empty(), "no script has these any more: {unused:?}");
    Ok(())
}

/// The text of a token with hard names where plain ones were.
fn renamed(text: &str, dialect: &str, plain: &Names, hard: &Names) -> String {
    plain.iter().enumerate().fold(text.to_owned(), |text, (slot, name)| {
        text.replace(name, &meant(dialect, slot, &possible(dialect, slot, &hard[slot])))
    })
}

#[tokio::test]
async fn no_name_is_more_or_less_than_one_name() -> Result<()> {
    let plain = cases::plain();
    let scripts = cases::scripts(&plain)?;
    let wanted = read(&scripts).await?;
    for (sort, names) in hard() {
        let others = cases::scripts(&names)?;
        ensure!(others.len() == scripts.len(), "{sort}: another number of scripts");
        let found = read(&others).await?;
        for (((script, other), wanted), found) in scripts.iter().zip(&others).zip(&wanted).zip(&found) {
            let what = format!("{sort}: {}:\n{}", script.what, other.text);
            ensure!(wanted.len() == found.len(), "another number of statements, {what}");
            ensure!(script.remarks == other.remarks, "another number of remarks, {what}");
            let dialect = script.dialect;
            for (wanted, found) in wanted.iter().zip(found) {
                let tokens: Vec<_> = wanted
                    .tokens
                    .iter()
                    .map(|(kind, text)| (kind.clone(), renamed(text, dialect, &plain, &names)))
                    .collect();
                ensure!(tokens == found.tokens, "{tokens:?} are {:?}, {what}", found.tokens);
                ensure!(wanted.kind == found.kind, "{} is {}, {what}", wanted.kind, found.kind);
                ensure!(wanted.remarks == found.remarks, "a remark has become code, {what}");
                let named: Vec<String> =
                    wanted.names.iter().map(|name| renamed(name, dialect, &plain, &names)).collect();
                ensure!(named == found.names, "{named:?} are {:?}, {what}", found.names);
            }
            let commands: Vec<Vec<String>> = script
                .commands
                .iter()
                .map(|words| words[..words.len() - 1].iter())
                .map(|words| words.map(|word| renamed(word, dialect, &plain, &names)).collect())
                .collect();
            let heard: Vec<Vec<String>> =
                other.commands.iter().map(|words| words[..words.len() - 1].to_vec()).collect();
            ensure!(commands == heard, "{commands:?} are {heard:?}, {what}");
        }
    }
    Ok(())
}
