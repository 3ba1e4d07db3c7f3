//! SQLite as the server opens it: what its connections are set to, and many of them writing at once.

use anyhow::Result;
use sea_orm::{ConnectionTrait, Statement};
use server::db::Db;
use sqlx::SqliteConnection;
use tests::databases::Both;

const WRITERS: usize = 4;
const WRITES: usize = 100;

async fn settings(connection: &mut SqliteConnection) -> Result<(String, i64, i64)> {
    let journal = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    let patience = sqlx::query_scalar("PRAGMA busy_timeout").fetch_one(&mut *connection).await?;
    let references = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(connection).await?;
    Ok((journal, patience, references))
}

#[tokio::test]
async fn every_connection_keeps_a_log_and_waits_for_its_turn() -> Result<()> {
    let both = Both::migrated().await?;
    let (pool, writer) =
        (both.sqlite.sqlite().expect("a pool"), both.sqlite.sqlite_writer().expect("a pool"));
    let mut held = Vec::new();
    for _ in 0..WRITERS {
        held.push(pool.acquire().await?);
    }
    held.push(writer.acquire().await?);
    for connection in &mut held {
        assert_eq!(settings(connection).await?, ("wal".to_owned(), 10_000, 1));
    }
    Ok(())
}

/// Adds one to the number, by what it read before: two that read the same would lose one.
async fn add_one(db: &Db) -> Result<()> {
    let tx = db.begin().await?;
    let read = Statement::from_string(tx.get_database_backend(), "SELECT n FROM number");
    let before: i64 = tx.query_one_raw(read).await?.expect("a row").try_get("", "n")?;
    tx.execute_unprepared(&format!("UPDATE number SET n = {}", before + 1)).await?;
    Ok(tx.commit().await?)
}

#[tokio::test]
async fn many_who_write_at_once_all_come_through() -> Result<()> {
    let both = Both::empty().await?;
    let db = &both.sqlite;
    db.orm()
        .execute_unprepared("CREATE TABLE number (n INTEGER NOT NULL); INSERT INTO number VALUES (0)")
        .await?;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..WRITERS {
        let db = db.clone();
        writers.spawn(async move {
            for _ in 0..WRITES {
                add_one(&db).await?;
            }
            anyhow::Ok(())
        });
    }
    for written in writers.join_all().await {
        written?;
    }
    let pool = db.sqlite().expect("a pool");
    let sum: i64 = sqlx::query_scalar("SELECT n FROM number").fetch_one(pool).await?;
    assert_eq!(sum, i64::try_from(WRITERS * WRITES)?);
    Ok(())
}
