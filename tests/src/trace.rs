//! What jobs and runs of a test really did, written by them into a table of the database under test.

use anyhow::Result;
use sea_orm::{ConnectionTrait, FromQueryResult};
use server::db::{Backend, Db};
use server::sql::Sql;

/// One line of the trace.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Event {
    /// Its place in the order of writing.
    pub id: i64,
    /// Who or what it is about.
    pub subject: String,
    /// What happened.
    pub word: String,
    /// When, in microseconds.
    pub at: i64,
}

/// Makes the table.
pub async fn create(db: &Db) -> Result<()> {
    let id = match db.backend() {
        Backend::Sqlite => "INTEGER PRIMARY KEY AUTOINCREMENT",
        Backend::Postgres => "BIGSERIAL PRIMARY KEY",
    };
    let table = format!(
        "CREATE TABLE trace (id {id}, subject TEXT NOT NULL, word TEXT NOT NULL, at BIGINT NOT NULL)"
    );
    db.orm().execute_unprepared(&table).await?;
    Ok(())
}

/// Adds a line on the given connection or transaction.
pub async fn add(db: &impl ConnectionTrait, at: i64, subject: &str, word: &str) -> server::error::Result<()> {
    let insert = Sql::new(db, "INSERT INTO trace (subject, word, at) VALUES (");
    insert.bind(subject).text(", ").bind(word).text(", ").bind(at).text(")").run(db).await?;
    Ok(())
}

/// All lines, in order.
pub async fn read(db: &Db) -> Result<Vec<Event>> {
    Ok(Sql::new(db.orm(), "SELECT id, subject, word, at FROM trace ORDER BY id").all(db.orm()).await?)
}

/// The lines with this word.
pub async fn words(db: &Db, word: &str) -> Result<Vec<Event>> {
    Ok(read(db).await?.into_iter().filter(|event| event.word == word).collect())
}
