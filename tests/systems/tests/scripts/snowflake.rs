//! Snowflake's scripts on the strict server, run by the account's administrator.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use connector::guard::Policy;
use connector::setup::{Given, Setup};
use connector::{Connector, CursorKind, ErrorKind, TableRef, kinds};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlparser::dialect::SnowflakeDialect;
use systems::snowflake::{Pair, Place, Server};

use crate::cases::token_statement;
use crate::looking::count;
use crate::statements::statements;

const DATABASE: &str = "dä. \"B\"";
const SCHEMA: &str = "select";
const TABLE: &str = "it's; -- a\n\"table\"";

/// An account with a table, and nobody who may read it.
struct Site {
    server: Server,
    place: Place,
    sign_in: &'static str,
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Site {
    async fn new(sign_in: &'static str) -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        let schema = format!("{}.{}", quote(DATABASE), quote(SCHEMA));
        let name = format!("{schema}.{}", quote(TABLE));
        for statement in [
            format!("CREATE DATABASE {}", quote(DATABASE)),
            format!("CREATE SCHEMA {schema}"),
            format!("CREATE TABLE {name} (ID NUMBER(38,0))"),
            format!("INSERT INTO {name} VALUES (1), (2), (3)"),
            format!("CREATE TABLE {schema}.OTHER (ID NUMBER(38,0))"),
        ] {
            place.run(&statement).await?;
        }
        Ok(Self { server, place, sign_in })
    }

    fn table(&self, name: &str) -> TableRef {
        TableRef { catalog: None, schema: Some(SCHEMA.to_owned()), name: name.to_owned() }
    }

    fn config(&self) -> Value {
        json!({"account": self.server.account(), "user": "weir \"reads\"", "role": "it's a\\ rôle",
            "warehouse": "order", "database": DATABASE, "signIn": self.sign_in})
    }

    fn scripts(&self, public_key: Option<&str>) -> Result<Setup> {
        let given = Given { public_key, google_account: None };
        kinds::setup("snowflake", &self.config(), &[self.table(TABLE)], given)?.context("no scripts")
    }

    async fn run(&self, script: &str) -> Result<()> {
        for statement in statements(&SnowflakeDialect {}, script)? {
            self.place.run(&statement).await?;
        }
        Ok(())
    }

    fn open(&self, secret: &str) -> Result<Arc<dyn Connector>> {
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("snowflake".to_owned(), self.server.url().parse()?)].into(),
            ..Policy::default()
        };
        Ok(kinds::open("snowflake", &self.config(), Some(SecretString::from(secret)), &policy)?)
    }

    /// What the role may do, as the account lists it.
    async fn rights(&self) -> Result<Vec<String>> {
        let rows = self.place.query(&format!("SHOW GRANTS TO ROLE {}", quote("it's a\\ rôle"))).await?;
        // created_on, privilege, granted_on, name
        let line = |row: Vec<systems::snowflake::Value>| -> Option<String> {
            Some(format!("{} {} {}", row.get(1)?.as_text()?, row.get(2)?.as_text()?, row.get(3)?.as_text()?))
        };
        rows.into_iter().map(line).collect::<Option<_>>().context("a listing of another shape")
    }

    /// Whether it reads, and only what it was granted.
    async fn reads(&self, secret: &str) -> Result<()> {
        let connector = self.open(secret)?;
        let table = self.table(TABLE);
        let check = connector.check(Some(&table), Some("ID")).await;
        ensure!(check.passed(), "{check:?}");
        ensure!(count(&*connector, &table, ("ID", CursorKind::Int)).await? == 3);
        let other = count(&*connector, &self.table("OTHER"), ("ID", CursorKind::Int)).await;
        let kind = other.as_ref().err().map(connector::ConnectorError::kind);
        ensure!(matches!(kind, Some(ErrorKind::NotFound | ErrorKind::Permission)), "{other:?}");
        let listed = connector.discover().await?;
        ensure!(listed.len() == 1 && listed[0].table.name == TABLE, "{listed:?}");
        let schema = format!("{}.{}", quote(DATABASE), quote(SCHEMA));
        let mut wanted = [
            format!("SELECT TABLE {schema}.{}", quote(TABLE)),
            format!("USAGE DATABASE {}", quote(DATABASE)),
            format!("USAGE SCHEMA {schema}"),
            format!("USAGE WAREHOUSE {}", quote("order")),
        ];
        let mut found = self.rights().await?;
        wanted.sort();
        found.sort();
        ensure!(found == wanted, "{found:#?}");
        Ok(())
    }

    /// Whether it reads nothing any more, and by the statements left to a person nothing is left of it.
    async fn gone(&self, secret: &str, revoke: &str) -> Result<()> {
        let check = self.open(secret)?.check(None, None).await;
        let failed = check.steps.last().and_then(|step| step.error.as_ref()).context("it still works")?;
        ensure!(matches!(failed.kind(), ErrorKind::Auth | ErrorKind::Permission), "{failed:?}");
        ensure!(self.rights().await?.is_empty(), "the role still has rights");
        self.place.run("SHOW WAREHOUSES LIKE 'order'").await?;
        for statement in revoke.lines().filter_map(|line| line.strip_prefix("-- DROP")) {
            self.place.run(&format!("DROP{}", statement.trim_end_matches(';'))).await?;
        }
        for sql in ["DESC USER \"weir \"\"reads\"\"\"", "DROP WAREHOUSE \"order\""] {
            let refused = self.place.run(sql).await.expect_err("it is still there");
            ensure!(refused.to_string().contains("does not exist"), "{refused}");
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_key_pair_reads_by_the_script_and_is_changed_by_the_statements() -> Result<()> {
    let site = Site::new("keyPair").await?;
    let (first, second) =
        tokio::task::spawn_blocking(|| (Pair::named("reader"), Pair::named("stranger"))).await?;
    let (first, second) = (first?, second?);
    let scripts = site.scripts(Some(&first.public))?;
    site.run(&scripts.grant).await?;
    site.reads(&first.private_pem).await?;
    // Once more, as a person does who is not sure.
    site.run(&scripts.grant).await?;
    ensure!(site.open(&second.private_pem)?.discover().await.is_err(), "any key signs in");
    let key = |slot, pair: &Pair| kinds::key_setup("snowflake", &site.config(), slot, &pair.public);
    let (old, new) = (key(1, &first)?.context("keys")?, key(2, &second)?.context("keys")?);
    site.run(&new.install).await?;
    let told = site.place.query(new.verify.trim_end_matches(';')).await?;
    let told = format!("{told:?}");
    ensure!(told.contains(&first.fingerprint) && told.contains(&second.fingerprint), "{told}");
    for pair in [&first, &second] {
        site.reads(&pair.private_pem).await?;
    }
    site.run(&old.remove).await?;
    site.reads(&second.private_pem).await?;
    ensure!(site.open(&first.private_pem)?.discover().await.is_err(), "a key that was removed signs in");
    site.run(&scripts.revoke).await?;
    site.gone(&second.private_pem, &scripts.revoke).await
}

#[tokio::test]
async fn a_token_reads_by_the_script() -> Result<()> {
    let site = Site::new("token").await?;
    let scripts = site.scripts(None)?;
    site.run(&scripts.grant).await?;
    let said = token_statement(&scripts).context("how to make a token is not told")?;
    let made = site.place.query(said.trim_end_matches(';')).await?;
    let secret = made.first().and_then(|row| row.get(1)?.as_text()).context("no token")?.to_owned();
    site.reads(&secret).await?;
    site.run(&scripts.revoke).await?;
    site.gone(&secret, &scripts.revoke).await
}
