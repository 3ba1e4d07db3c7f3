//! The harness itself: servers start, tests share them, databases are apart.

use anyhow::Result;
use server::db::{Backend, Db};
use sqlx::{Connection, PgConnection, Row};
use tests::{clickhouse, postgres};

#[tokio::test]
async fn postgres_databases_are_apart() -> Result<()> {
    let (one, two) = (postgres::Database::empty().await?, postgres::Database::empty().await?);
    one.run("CREATE TABLE t AS SELECT 1 AS x").await?;
    let mut connection = PgConnection::connect(&two.url()).await?;
    let row = sqlx::query("SELECT to_regclass('t') IS NULL AS absent, current_setting('server_version_num')::int >= 150000 AS recent")
        .fetch_one(&mut connection)
        .await?;
    assert!(row.get::<bool, _>("absent"));
    assert!(row.get::<bool, _>("recent"));
    // Weir finds it recent enough too.
    assert_eq!(Db::connect(&two.url().into(), 2).await?.backend(), Backend::Postgres);
    Ok(())
}

#[tokio::test]
async fn postgres_template_is_filled_once() -> Result<()> {
    let server = postgres::Server::start(postgres::Durability::Scratch).await?;
    for round in 0..2 {
        let database = server
            .database_from("harness_template", |url| async move {
                assert_eq!(round, 0, "filled a second time");
                let mut connection = PgConnection::connect(&url).await?;
                sqlx::query("CREATE TABLE seed AS SELECT 42 AS x").execute(&mut connection).await?;
                Ok(connection.close().await?)
            })
            .await?;
        let mut connection = PgConnection::connect(&database.url()).await?;
        let seed: i32 = sqlx::query_scalar("SELECT x FROM seed").fetch_one(&mut connection).await?;
        assert_eq!(seed, 42);
    }
    Ok(())
}

#[tokio::test]
async fn clickhouse_databases_are_apart() -> Result<()> {
    let (one, two) = (clickhouse::Database::empty().await?, clickhouse::Database::empty().await?);
    one.run("CREATE TABLE t (x UInt8) ENGINE = Memory").await?;
    assert_eq!(one.run("EXISTS t").await?.trim(), "1");
    assert_eq!(two.run("EXISTS t").await?.trim(), "0");
    Ok(())
}
