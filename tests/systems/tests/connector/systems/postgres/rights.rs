//! What the server refuses, told for people.

use anyhow::{Context, Result, ensure};
use connector::{ConnectorError, CursorKind, ErrorKind, Retry};
use serde_json::json;
use systems::ports::Refusing;

use super::{Postgres, SECRET};
use crate::reading::{read, refused, request};
use crate::suite::refusals::decent;
use crate::system::System;

async fn checked(system: &Postgres, changes: serde_json::Value, secret: &str) -> Result<ConnectorError> {
    let check = system.connector_with(changes, secret)?.check(None, None).await;
    let error = check.steps.last().and_then(|step| step.error.clone()).context("the check passed")?;
    decent(&error, Some(secret))?;
    ensure!(error.action().is_some(), "no hint: {error:?}");
    Ok(error)
}

#[tokio::test]
async fn wrong_connections_are_told_apart() -> Result<()> {
    let system = Postgres::start().await?;
    let wrong = checked(&system, json!({}), "another-secret-1b7d").await?;
    ensure!(wrong.kind() == ErrorKind::Auth && wrong.retry() == Retry::Never, "{wrong:?}");
    let nobody = checked(&system, json!({ "user": "nobody" }), SECRET).await?;
    ensure!(nobody.kind() == ErrorKind::Auth, "{nobody:?}");
    let database = checked(&system, json!({ "database": "missing" }), SECRET).await?;
    ensure!(database.kind() == ErrorKind::NotFound, "{database:?}");
    let refusing = Refusing::new()?;
    let closed = checked(&system, json!({ "port": refusing.port()? }), SECRET).await?;
    ensure!(closed.kind() == ErrorKind::Unavailable && closed.retry() == Retry::Later(None), "{closed:?}");
    let tls = checked(&system, json!({ "sslMode": "require" }), SECRET).await?;
    ensure!(tls.kind() == ErrorKind::Config, "{tls:?}");
    let private = checked(&system, json!({ "host": "10.1.2.3" }), SECRET).await?;
    ensure!(private.kind() == ErrorKind::Config, "{private:?}");
    Ok(())
}

#[tokio::test]
async fn wrong_configurations_name_the_field_or_what_would_be_right() -> Result<()> {
    let system = Postgres::start().await?;
    for (changes, named) in [
        (json!({ "host": "" }), "host"),
        (json!({ "host": "/var/run/postgresql" }), "host"),
        (json!({ "user": "" }), "user"),
        (json!({ "database": "" }), "database"),
        (json!({ "port": 0 }), "port"),
        (json!({ "port": 70_000 }), "70000"),
        (json!({ "sslMode": "sometimes" }), "verify-full"),
        (json!({ "caCertificate": "hello" }), "caCertificate"),
        (json!({ "password": SECRET }), "password"),
        (json!({ "options": "-c default_transaction_read_only=off" }), "options"),
    ] {
        let error =
            system.connector_with(changes, SECRET).err().with_context(|| format!("{named} passed"))?;
        let error = error.downcast_ref::<ConnectorError>().context("a connector error")?;
        ensure!(error.kind() == ErrorKind::Config, "{error:?}");
        ensure!(error.to_string().to_lowercase().contains(&named.to_lowercase()), "{named}: {error}");
        ensure!(!format!("{error:?}").contains(SECRET), "the secret is in the error");
    }
    Ok(())
}

#[tokio::test]
async fn a_missing_right_is_named() -> Result<()> {
    let system = Postgres::start().await?;
    let reader = system.database.name.clone();
    system
        .database
        .run(&format!(
            "CREATE TABLE closed (id int PRIMARY KEY, v int, w int); REVOKE ALL ON closed FROM \"{reader}\"; \
             CREATE TABLE half (id int PRIMARY KEY, v int, w int); REVOKE ALL ON half FROM \"{reader}\"; \
             GRANT SELECT (id, v) ON half TO \"{reader}\"; INSERT INTO half VALUES (1, 2, 3); \
             CREATE SCHEMA away; CREATE TABLE away.t (id int PRIMARY KEY)"
        ))
        .await?;
    let connector = system.connector()?;
    let names: Vec<String> = connector.discover().await?.into_iter().map(|table| table.table.name).collect();
    ensure!(names == ["half"], "{names:?}");
    let away = connector::TableRef { schema: Some("away".to_owned()), ..Postgres::table("t") };
    for table in [Postgres::table("closed"), away] {
        let (rows, error) =
            refused(&*connector, request(&table, &["id"], ("id", CursorKind::Int), &["id"])).await?;
        ensure!(rows.is_empty() && error.kind() == ErrorKind::Permission, "{error:?}");
        ensure!(error.message().contains(&table.name), "{error:?}");
        ensure!(error.action().is_some_and(|hint| hint.contains("GRANT")), "{error:?}");
        decent(&error, Some(SECRET))?;
        let check = connector.check(Some(&table), Some("id")).await;
        let failed = check.steps.last().and_then(|step| step.error.as_ref()).context("the check passed")?;
        ensure!(failed.kind() == ErrorKind::Permission, "{failed:?}");
    }
    let table = Postgres::table("half");
    let granted = request(&table, &["id", "v"], ("id", CursorKind::Int), &["id"]);
    ensure!(read(&*connector, granted).await?.len() == 1, "granted columns are enough");
    let (_, error) =
        refused(&*connector, request(&table, &["id", "w"], ("id", CursorKind::Int), &["id"])).await?;
    ensure!(error.kind() == ErrorKind::Permission, "{error:?}");
    Ok(())
}

#[tokio::test]
async fn a_reader_with_the_right_to_write_writes_nothing() -> Result<()> {
    let system = Postgres::start().await?;
    let reader = &system.database.name;
    system
        .database
        .run(&format!(
            "CREATE TABLE log (n int); CREATE TABLE base (id int PRIMARY KEY); INSERT INTO base VALUES (1); \
             GRANT ALL ON log, base TO \"{reader}\"; \
             CREATE FUNCTION note(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES ($1); RETURN $1; END'; \
             CREATE VIEW sly AS SELECT note(id) AS id FROM base"
        ))
        .await?;
    let connector = system.connector()?;
    let asked = request(&Postgres::table("sly"), &["id"], ("id", CursorKind::Int), &["id"]);
    let (rows, error) = refused(&*connector, asked).await?;
    ensure!(rows.is_empty() && error.retry() == Retry::Never, "{error:?}");
    let log = request(&Postgres::table("log"), &["n"], ("n", CursorKind::Int), &[]);
    ensure!(read(&*connector, log).await?.is_empty());
    Ok(())
}
