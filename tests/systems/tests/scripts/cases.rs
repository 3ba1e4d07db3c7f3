//! Every script of every kind, for every way to sign in, with the same eight names in it.

use anyhow::{Context, Result};
use connector::setup::{Given, Language, Setup};
use connector::{TableRef, kinds};
use serde_json::{Value, json};

use crate::shell;

/// What the eight names are for, in their order.
pub const USER: usize = 0;
const ROLE: usize = 1;
const WAREHOUSE: usize = 2;
const CATALOG: usize = 3;
const SCHEMA: usize = 4;
const SECOND_SCHEMA: usize = 5;
const TABLE: usize = 6;
const SECOND_TABLE: usize = 7;

/// A public key as it is shown to customers; it is no secret.
const KEY: &str = "MIIBojANBgkqhkiG9w0BAQEFAAOCAY8AMIIBigKCAYEA+/z==";

/// Eight names.
pub type Names = [String; 8];

/// One script.
pub struct Script {
    /// Its language, as sqlglot calls it.
    pub dialect: &'static str,
    /// Way to sign in and part, for messages.
    pub what: String,
    /// Its statements, each ended by a semicolon.
    pub text: String,
    /// Its shell lines as words, where it is a shell's.
    pub commands: Vec<Vec<String>>,
    /// How many remarks are in it.
    pub remarks: usize,
}

/// Names that are nothing but names, and occur in no statement otherwise.
pub fn plain() -> Names {
    std::array::from_fn(|slot| format!("QZ{slot}ZQ"))
}

/// How a system is to understand a name: Snowflake takes a user's plain name in any case.
pub fn meant(dialect: &str, slot: usize, name: &str) -> String {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
    if dialect == "snowflake" && slot == USER && plain { name.to_uppercase() } else { name.to_owned() }
}

fn tables(names: &Names) -> Vec<TableRef> {
    let table = |schema: usize, name: usize| TableRef {
        catalog: None,
        schema: Some(names[schema].clone()),
        name: names[name].clone(),
    };
    vec![table(SCHEMA, TABLE), table(SCHEMA, SECOND_TABLE), table(SECOND_SCHEMA, TABLE)]
}

/// The configurations of each kind, one for each way to sign in.
fn configurations(names: &Names) -> Vec<(&'static str, &'static str, Value)> {
    let snowflake = |way: &str| {
        json!({"account": "MYORG-ACCOUNT1", "user": names[USER], "role": names[ROLE],
            "warehouse": names[WAREHOUSE], "database": names[CATALOG], "signIn": way})
    };
    let clickhouse = |way: &str| json!({"host": "db.example", "user": names[USER], "database": names[CATALOG], "signIn": way});
    let databricks = |sign_in: Value| {
        json!({"host": "dbc-1.cloud.databricks.com", "warehouse": "abc", "catalog": names[CATALOG],
            "signIn": sign_in})
    };
    let bigquery = |way: &str| json!({"project": "acme-pays", "dataProject": names[CATALOG], "signIn": way});
    vec![
        ("snowflake", "key pair", snowflake("keyPair")),
        ("snowflake", "token", snowflake("token")),
        ("postgres", "password", json!({"host": "db", "database": names[CATALOG], "user": names[USER]})),
        ("clickhouse", "password", clickhouse("password")),
        ("clickhouse", "certificate", clickhouse("certificate")),
        ("clickhouse", "token", clickhouse("token")),
        ("databricks", "OAuth", databricks(json!({"oauth": {"clientId": names[USER]}}))),
        ("databricks", "token", databricks(json!("token"))),
        ("bigquery", "key", bigquery("key")),
        ("bigquery", "Weir's account", bigquery("weir")),
    ]
}

/// A name as a kind can have it. Snowflake's configuration refuses letters that cannot be seen; a dataset or
/// table of BigQuery has no backtick, backslash or dot either.
pub fn possible(kind: &str, slot: usize, name: &str) -> String {
    let unseen = |letter: char| letter.is_control() || letter == '\u{2028}';
    match kind {
        "bigquery" => name.replace(|letter: char| unseen(letter) || matches!(letter, '`' | '\\' | '.'), "_"),
        "snowflake" if slot <= CATALOG => name.replace(unseen, "_"),
        _ => name.to_owned(),
    }
}

/// All scripts with these names, always in the same order.
pub fn scripts(names: &Names) -> Result<Vec<Script>> {
    let mut found = Vec::new();
    let all = configurations(names).into_iter().map(|(kind, way, _)| (kind, way)).enumerate();
    for (at, (kind, way)) in all {
        let named: Names = std::array::from_fn(|slot| possible(kind, slot, &names[slot]));
        let config = configurations(&named).swap_remove(at).2;
        let given = Given { public_key: Some(KEY), google_account: Some("weir@operator.iam.example") };
        let setup = kinds::setup(kind, &config, &tables(&named), given)?.context("no scripts")?;
        let mut add = |part: &str, text: String| -> Result<()> {
            let (text, commands) = match setup.language {
                Language::Sql => (text, Vec::new()),
                Language::Shell => {
                    let commands = shell::commands(&text)?;
                    (shell::statements(&commands).collect(), commands)
                }
            };
            let remarks = text.lines().filter(|line| line.starts_with("--")).count();
            found.push(Script {
                dialect: kind,
                what: format!("{kind}, {way}, {part}"),
                text,
                commands,
                remarks,
            });
            Ok(())
        };
        add("grant", setup.grant.clone())?;
        add("revoke", setup.revoke.clone())?;
        if let Some(said) = token_statement(&setup) {
            add("token", said)?;
        }
        for slot in [1, 2] {
            if let Some(key) = kinds::key_setup(kind, &config, slot, KEY)? {
                add("install", key.install)?;
                add("verify", key.verify)?;
                add("remove", key.remove)?;
            }
        }
    }
    Ok(found)
}

/// The statement that a remark of the script tells, since its answer holds a secret.
pub fn token_statement(setup: &Setup) -> Option<String> {
    let remark = setup.grant.lines().find(|line| line.starts_with("-- ") && line.contains(": ALTER USER"))?;
    remark.split_once(": ").map(|(_, statement)| statement.to_owned())
}
