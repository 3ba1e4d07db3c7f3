//! Reads that cannot be done, told by kind, with the object's name and a hint, and without secrets.

use anyhow::{Result, ensure};
use connector::{ConnectorError, CursorKind, ErrorKind, Retry, TableRef};

use crate::reading::{mark, read, refused, request};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

/// What holds of every refusal.
pub fn decent(error: &ConnectorError, secret: Option<&str>) -> Result<()> {
    let message = error.message();
    ensure!(
        message.chars().next().is_some_and(|first| !first.is_uppercase()),
        "{message:?} begins in upper case"
    );
    ensure!(!message.ends_with('.'), "{message:?} ends in a stop");
    if let Some(secret) = secret {
        ensure!(!format!("{error:?} {error}").contains(secret), "the secret is in the error");
    }
    Ok(())
}

async fn table<S: System>(system: &S) -> Result<TableRef> {
    let columns = [key("id", Holds::Int), column("label", Holds::Text), column("more", Holds::Int)];
    let rows = [vec![Value::number(1), Value::text("a"), Value::number(2)]];
    filled(system, "present", &columns, &rows).await
}

pub async fn a_missing_table_is_not_found<S: System>(system: &S) -> Result<()> {
    let table = TableRef { name: "absent".to_owned(), ..table(system).await? };
    let connector = system.connector()?;
    let (rows, error) =
        refused(&*connector, request(&table, &["id"], ("id", CursorKind::Int), &["id"])).await?;
    ensure!(rows.is_empty());
    let described = connector.describe(&table).await.err();
    let previewed = connector.preview(&table, &["id".to_owned()], 1).await.err();
    for error in [Some(error), described, previewed] {
        let error = error.ok_or_else(|| anyhow::anyhow!("a missing table was found"))?;
        ensure!(error.kind() == ErrorKind::NotFound && error.retry() == Retry::Never, "{error:?}");
        ensure!(error.message().contains("absent"), "{error:?}");
        decent(&error, system.secret())?;
    }
    Ok(())
}

pub async fn a_missing_column_stops_the_stream<S: System>(system: &S) -> Result<()> {
    let table = table(system).await?;
    let connector = system.connector()?;
    for (columns, cursor, key) in [
        (&["id", "gone"][..], "id", "id"),
        (&["id", "ID"], "id", "id"),
        (&["id"], "gone", "id"),
        (&["id"], "id", "gone"),
    ] {
        let (rows, error) =
            refused(&*connector, request(&table, columns, (cursor, CursorKind::Int), &[key])).await?;
        ensure!(
            rows.is_empty() && error.kind() == ErrorKind::Schema || error.kind() == ErrorKind::Config,
            "{error:?}"
        );
        ensure!(error.message().contains("gone") || error.message().contains("ID"), "{error:?}");
        decent(&error, system.secret())?;
    }
    Ok(())
}

pub async fn a_dropped_column_is_told_by_name<S: System>(system: &S) -> Result<()> {
    let table = table(system).await?;
    let connector = system.connector()?;
    let asked = request(&table, &["id", "more"], ("id", CursorKind::Int), &["id"]);
    ensure!(read(&*connector, asked.clone()).await?.len() == 1);
    system.drop_column(&table, "more").await?;
    let (_, error) = refused(&*connector, asked).await?;
    // By this kind alone a stream is paused until someone maps it anew.
    ensure!(error.kind() == ErrorKind::Schema, "{error:?}");
    ensure!(error.message().contains("more"), "{error:?}");
    let rest = request(&table, &["id", "label"], ("id", CursorKind::Int), &["id"]);
    ensure!(read(&*connector, rest).await?.len() == 1, "the other columns are read as before");
    Ok(())
}

pub async fn a_cursor_of_another_kind_is_refused<S: System>(system: &S) -> Result<()> {
    let table = table(system).await?;
    let connector = system.connector()?;
    let mut asked = request(&table, &["id"], ("id", CursorKind::Zoned), &["id"]);
    asked.until = Some(mark(CursorKind::Zoned, "2026-01-01T00:00:00Z"));
    let (_, error) = refused(&*connector, asked).await?;
    ensure!(matches!(error.kind(), ErrorKind::Config | ErrorKind::Schema), "{error:?}");
    ensure!(error.message().contains("id"), "{error:?}");
    Ok(())
}

pub async fn nothing_can_be_written<S: System>(system: &S) -> Result<()> {
    let table = table(system).await?;
    let connector = system.connector()?;
    // Names are the only text that reaches a statement unbound.
    let evil = TableRef { name: format!("{0}\"; DROP TABLE \"{0}", table.name), ..table.clone() };
    ensure!(connector.describe(&evil).await.is_err());
    let evil = [
        "id\" FROM \"present\"; DROP TABLE \"present\"; --",
        "id'; DROP TABLE present; --",
        "id` FROM present; --",
    ];
    for column in evil {
        ensure!(connector.preview(&table, &[column.to_owned()], 1).await.is_err(), "{column}");
        let mut asked = request(&table, &["id"], ("id", CursorKind::Int), &["id"]);
        asked.from =
            Some(connector::Position { watermark: mark(CursorKind::Int, "0"), key: vec![column.to_owned()] });
        // A key that is no integer may be refused or bound; either way it is a value.
        let _ended = refused(&*connector, asked).await;
    }
    ensure!(read(&*connector, request(&table, &["id"], ("id", CursorKind::Int), &["id"])).await?.len() == 1);
    Ok(())
}
