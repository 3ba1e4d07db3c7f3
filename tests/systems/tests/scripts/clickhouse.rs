//! ClickHouse's scripts: each statement put to the real engine, and users such as the scripts make reading from it.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use connector::guard::Policy;
use connector::setup::{Given, Setup};
use connector::{Connector, CursorKind, ErrorKind, TableRef, kinds};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlparser::dialect::ClickHouseDialect;
use systems::authority::Authority;
use systems::clickhouse::{Front, Server};
use systems::relay::Relay;
use systems::run;

use crate::access::{Access, Proof};
use crate::looking::{count, table};
use crate::statements::statements;

const SCHEMA: &str = "dä ta; --";
const TABLE: &str = "it's `order`";
const PASSWORD: &str = "let in by the front";
/// The ways to sign in, each with a user of its own who keeps its rights, and one who loses them again.
const WAYS: [(&str, &str, &str); 3] = [
    ("password", "weir", "weir_gone"),
    ("certificate", "weir_certified", "weir_certified_gone"),
    ("token", "weir_token", "weir_token_gone"),
];

fn config(way: &str, user: &str) -> Value {
    json!({"host": "127.0.0.1", "user": user, "database": SCHEMA, "signIn": way})
}

fn scripts(way: &str, user: &str) -> Result<Setup> {
    let tables = [TableRef { schema: None, ..table("", TABLE) }];
    kinds::setup("clickhouse", &config(way, user), &tables, Given::default())?.context("no scripts")
}

fn apply(access: &mut Access, script: &str) -> Result<()> {
    statements(&ClickHouseDialect {}, script)?.iter().try_for_each(|statement| access.run(statement))
}

/// What the scripts leave: the rights of those who keep them, and those who lost them as they were before.
fn granted() -> Result<Access> {
    let mut access = Access::default();
    for (way, kept, gone) in WAYS {
        if way == "token" {
            access.users.insert(kept.to_owned(), Proof::Other);
            access.users.insert(gone.to_owned(), Proof::Other);
        }
        let before = access.clone();
        let setup = scripts(way, gone)?;
        apply(&mut access, &setup.grant)?;
        ensure!(access != before, "{way}: the script grants nothing");
        apply(&mut access, &setup.revoke)?;
        ensure!(access == before, "{way}: something is left: {access:#?}");
        apply(&mut access, &scripts(way, kept)?.grant)?;
    }
    for (way, kept, _) in WAYS {
        let wanted = match way {
            "password" => Proof::Password("replace this password".to_owned()),
            "certificate" => Proof::Certificate(kept.to_owned()),
            _ => Proof::Other,
        };
        ensure!(access.users.get(kept) == Some(&wanted), "{access:#?}");
    }
    Ok(access)
}

/// An engine with the users of the scripts, and the tables.
async fn site() -> Result<Server> {
    let server = Server::with_users("clickhouse-scripts", &granted()?.xml(PASSWORD)).await?;
    // The engine is the whole run's, and a table it is just filling exists already.
    let _lock = tokio::task::spawn_blocking(|| run::lock("clickhouse-scripts-tables")).await??;
    for statement in [
        format!("CREATE DATABASE IF NOT EXISTS `{SCHEMA}`"),
        format!(
            "CREATE TABLE IF NOT EXISTS `{SCHEMA}`.`{}` (c UInt64, at DateTime64(9, 'UTC')) ENGINE = MergeTree \
             ORDER BY c AS SELECT number AS c, toDateTime64(number, 9, 'UTC') AS at FROM numbers(5)",
            TABLE.replace('`', "\\`")
        ),
        format!("CREATE TABLE IF NOT EXISTS `{SCHEMA}`.other (c UInt64) ENGINE = MergeTree ORDER BY c"),
    ] {
        server.run("default", &statement).await?;
    }
    Ok(server)
}

/// The check passes in all steps, the table is read, and nothing else is.
async fn reads(connector: &dyn Connector) -> Result<()> {
    let table = table(SCHEMA, TABLE);
    let check = connector.check(Some(&table), Some("at")).await;
    ensure!(check.passed(), "{check:?}");
    ensure!(count(connector, &table, ("at", CursorKind::Zoned)).await? == 5);
    let listed = connector.discover().await?;
    ensure!(listed.len() == 1 && listed[0].table == table, "{listed:?}");
    let other =
        count(connector, &TableRef { name: "other".to_owned(), ..table }, ("c", CursorKind::Int)).await;
    let kind = other.as_ref().err().map(connector::ConnectorError::kind);
    ensure!(matches!(kind, Some(ErrorKind::Permission | ErrorKind::NotFound)), "{other:?}");
    Ok(())
}

/// What the engine says to a statement of a user with a password.
async fn said(server: &Server, user: &str, password: &str, sql: &str) -> Result<String> {
    let sent = reqwest::Client::new()
        .post(server.url())
        .header("X-ClickHouse-User", user)
        .header("X-ClickHouse-Key", password)
        .body(sql.to_owned());
    Ok(sent.send().await?.text().await?)
}

#[tokio::test]
async fn a_user_with_a_password_reads_and_nothing_else() -> Result<()> {
    let server = site().await?;
    let open = |user: &str, password: &str| {
        let mut config = config("password", user);
        (config["secure"], config["port"]) = (false.into(), server.port.into());
        let policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
        let opened = kinds::open("clickhouse", &config, Some(SecretString::from(password)), &policy);
        opened.map_err(anyhow::Error::from)
    };
    reads(&*open("weir", "replace this password")?).await?;
    let table = format!("`{SCHEMA}`.`{}`", TABLE.replace('`', "\\`"));
    for sql in [
        format!("INSERT INTO {table} VALUES (9, now())"),
        format!("ALTER TABLE {table} DELETE WHERE 1"),
        format!("TRUNCATE TABLE {table}"),
        format!("DROP TABLE {table}"),
        format!("CREATE TABLE `{SCHEMA}`.mine (c UInt64) ENGINE = Memory"),
        "CREATE DATABASE mine".to_owned(),
        "CREATE USER mine".to_owned(),
        format!("SELECT * FROM `{SCHEMA}`.other"),
        "SET readonly = 0".to_owned(),
        "SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')".to_owned(),
    ] {
        let text = said(&server, "weir", "replace this password", &sql).await?;
        // Not enough rights, or read only.
        ensure!(text.contains("(ACCESS_DENIED)") || text.contains("(READONLY)"), "{sql}: {text}");
    }
    let asked = "SELECT getSetting('readonly'), getSetting('max_execution_time')";
    let found = said(&server, "weir", "replace this password", asked).await?;
    ensure!(found.trim() == "2\t600", "{found}");
    let limits =
        "SELECT max_queries, max_errors, duration FROM system.quotas_usage WHERE quota_name = 'weir_quota'";
    ensure!(server.run("default", limits).await?.trim() == "20000\t2000\t3600");
    let failed =
        open("weir_gone", "replace this password")?.discover().await.expect_err("there is no such user");
    ensure!(failed.kind() == ErrorKind::Auth, "{failed:?}");
    Ok(())
}

#[tokio::test]
async fn a_user_with_a_certificate_reads_and_nothing_else() -> Result<()> {
    let (server, authority) = (site().await?, Authority::new("Tests")?);
    let Some(Proof::Certificate(name)) = granted()?.users.remove("weir_certified") else {
        anyhow::bail!("the script names no certificate");
    };
    let issued = authority.client(&name)?;
    let front = Front::new(&server)?
        .admitting("weir_certified", PASSWORD)
        .knowing(issued.certificate, "weir_certified");
    let relay = Relay::start_tls(Arc::new(front), authority.server()?).await?;
    let mut config = config("certificate", "weir_certified");
    (config["port"], config["caCertificate"]) = (relay.port.into(), authority.pem.as_str().into());
    let policy = Policy { networks: vec!["127.0.0.0/8".parse()?], ..Policy::default() };
    let connector = kinds::open("clickhouse", &config, Some(SecretString::from(issued.pem)), &policy)?;
    reads(&*connector).await
}

#[tokio::test]
async fn a_user_of_a_token_reads_and_after_that_no_more() -> Result<()> {
    let server = site().await?;
    let key = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048)?;
    let signs = EncodingKey::from_rsa_pem(key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
    let proves = key.to_public_key().to_public_key_pem(LineEnding::LF)?;
    let front = Front::new(&server)?
        .admitting("weir_token", PASSWORD)
        .admitting("weir_token_gone", PASSWORD)
        .trusting(DecodingKey::from_rsa_pem(proves.as_bytes())?);
    let relay = Relay::start(Arc::new(front)).await?;
    let base = format!("http://127.0.0.1:{}/", relay.port).parse()?;
    let networks = vec!["127.0.0.0/8".parse()?];
    let policy =
        Policy { networks, base_urls: [("clickhouse".to_owned(), base)].into(), ..Policy::default() };
    let open = |user: &str| -> Result<Arc<dyn Connector>> {
        let claims = json!({"sub": user, "exp": 4_000_000_000_i64});
        let token = jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &signs)?;
        let mut config = config("token", user);
        config["host"] = "abc.eu-central-1.aws.clickhouse.cloud".into();
        Ok(kinds::open("clickhouse", &config, Some(SecretString::from(token)), &policy)?)
    };
    reads(&*open("weir_token")?).await?;
    // The user stays, since others may use it, and reads nothing.
    let gone = open("weir_token_gone")?;
    ensure!(gone.check(None, None).await.passed(), "the user was there before");
    ensure!(gone.discover().await?.is_empty(), "it still sees tables");
    let refused = count(&*gone, &table(SCHEMA, TABLE), ("c", CursorKind::Int)).await;
    let kind = refused.as_ref().err().map(connector::ConnectorError::kind);
    ensure!(matches!(kind, Some(ErrorKind::Permission | ErrorKind::NotFound)), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn the_engine_reads_every_statement_whatever_the_names() -> Result<()> {
    let server = site().await?;
    // What it refuses for want of somewhere to keep users, or of that user: after all has been read and looked at.
    let late = ["ACCESS_STORAGE_FOR_INSERTION_NOT_FOUND", "ACCESS_STORAGE_READONLY", "UNKNOWN_ROLE"];
    for user in ["weir", "it's \"R\" `x` \\", "a.b; -- c", "Ünï 日本", "select", "lower\nline"] {
        for (way, _, _) in WAYS {
            let scripts = scripts(way, user)?;
            for statement in
                statements(&ClickHouseDialect {}, &format!("{}{}", scripts.grant, scripts.revoke))?
            {
                match server.run("default", &statement).await {
                    Ok(_) => ensure!(statement.contains("IF EXISTS"), "{statement} is done"),
                    Err(error) => {
                        let text = error.to_string();
                        ensure!(late.iter().any(|code| text.contains(&format!("({code})"))), "{text}");
                        // The whole name, as the engine writes it.
                        let name = user.replace('\\', "\\\\").replace('`', "\\`").replace('\n', "\\n");
                        let (_, said) = text.split_once("DB::Exception").context("no word of the engine")?;
                        ensure!(said.contains(&format!("`{name}")), "{text}");
                    }
                }
            }
        }
    }
    Ok(())
}

#[test]
fn the_servers_own_administrator_is_left_alone() -> Result<()> {
    for (way, _, _) in WAYS {
        let setup = scripts(way, "default")?;
        let mut access = Access::default();
        access.users.insert("default".to_owned(), Proof::Other);
        if way == "token" {
            access.users.insert("weir".to_owned(), Proof::Other);
        }
        apply(&mut access, &setup.grant)?;
        ensure!(access.users.contains_key("weir") && setup.grant.contains("instead"), "{}", setup.grant);
        let whose = access.profiles.values().chain(access.quotas.values()).map(|(_, user)| user);
        ensure!(whose.chain(access.grants.iter().map(|(_, user)| user)).all(|user| user == "weir"));
        apply(&mut access, &setup.revoke)?;
        ensure!(access.users.contains_key("default") && access.profiles.is_empty(), "{access:#?}");
    }
    Ok(())
}
