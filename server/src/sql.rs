//! Statements that both databases read alike, with every value bound.

use std::fmt::Write;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityTrait, FromQueryResult, Iden, Iterable, Statement, Value,
};

use crate::db::{Backend, Db};
use crate::error;

/// A statement in the making: text, and the values bound in it.
#[derive(Clone, Debug)]
pub struct Sql {
    backend: DbBackend,
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Starts a statement for the database of `db`.
    pub fn new(db: &impl ConnectionTrait, text: &str) -> Self {
        Self { backend: db.get_database_backend(), text: text.to_owned(), values: Vec::new() }
    }

    /// Appends text, which must be our own.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends text only PostgreSQL is to see: row locks, which SQLite neither has nor needs.
    #[must_use]
    pub fn postgres(self, text: &str) -> Self {
        if self.backend == DbBackend::Postgres { self.text(text) } else { self }
    }

    /// Appends a bound value.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let sigil = if self.backend == DbBackend::Postgres { '$' } else { '?' };
        let _ = write!(self.text, "{sigil}{}", self.values.len());
        self
    }

    /// Appends all columns of an entity's table, which has an alias, each under its name with a prefix: so a model finds
    /// them beside those of others.
    #[must_use]
    pub fn columns<E: EntityTrait>(self, alias: &str, prefix: &str) -> Self {
        self.each(E::Column::iter(), |sql, column| {
            let name = column.to_string();
            sql.text(&format!("{alias}.\"{name}\" AS {prefix}{name}"))
        })
    }

    /// Appends bound values with commas between them.
    #[must_use]
    pub fn bind_all<T: Into<Value>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        for (index, value) in values.into_iter().enumerate() {
            self = if index == 0 { self } else { self.text(", ") }.bind(value);
        }
        self
    }

    /// Appends one piece for each item, with commas between them.
    #[must_use]
    pub fn each<T>(mut self, items: impl IntoIterator<Item = T>, piece: impl Fn(Self, T) -> Self) -> Self {
        for (index, item) in items.into_iter().enumerate() {
            self = piece(if index == 0 { self } else { self.text(", ") }, item);
        }
        self
    }

    fn statement(self) -> Statement {
        Statement::from_sql_and_values(self.backend, self.text, self.values)
    }

    /// Runs it and tells how many rows it changed.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run(self, db: &impl ConnectionTrait) -> Result<u64, DbErr> {
        Ok(db.execute_raw(self.statement()).await?.rows_affected())
    }

    /// Runs it and returns all rows.
    ///
    /// # Errors
    /// What the database says, or that a row is not a `T`.
    pub async fn all<T: FromQueryResult>(self, db: &impl ConnectionTrait) -> Result<Vec<T>, DbErr> {
        let rows = db.query_all_raw(self.statement()).await?;
        rows.iter().map(|row| T::from_query_result(row, "")).collect()
    }

    /// Runs it and returns the first row.
    ///
    /// # Errors
    /// What the database says, or that the row is not a `T`.
    pub async fn one<T: FromQueryResult>(self, db: &impl ConnectionTrait) -> Result<Option<T>, DbErr> {
        let row = db.query_one_raw(self.statement()).await?;
        row.map(|row| T::from_query_result(&row, "")).transpose()
    }

    /// Runs it and tells whether it returns a row at all.
    ///
    /// # Errors
    /// What the database says.
    pub async fn any(self, db: &impl ConnectionTrait) -> Result<bool, DbErr> {
        Ok(db.query_one_raw(self.statement()).await?.is_some())
    }
}

/// A statement that changes rows and ends in its condition, appended to what is there.
pub type Change<'a> = &'a (dyn Fn(Sql) -> Sql + Sync);

/// Carries out the first change and, when it met a row, the others with it; tells whether it did. All or nothing, and on
/// PostgreSQL one statement, whose parts see the tables as they were before: no two may change the same row.
///
/// # Errors
/// What the database says.
pub async fn together(db: &Db, first: Change<'_>, others: &[Change<'_>]) -> error::Result<bool> {
    if db.backend() == Backend::Postgres {
        let mut sql = first(Sql::new(db.orm(), "WITH first AS (")).text(" RETURNING 1)");
        for (index, other) in others.iter().enumerate() {
            sql = other(sql.text(&format!(", other{index} AS (")));
            sql = sql.text(" AND EXISTS (SELECT 1 FROM first))");
        }
        return Ok(sql.text(" SELECT 1 AS met FROM first").any(db.orm()).await?);
    }
    let tx = db.begin().await?;
    if first(Sql::new(&tx, "")).run(&tx).await? == 0 {
        return Ok(false);
    }
    for other in others {
        other(Sql::new(&tx, "")).run(&tx).await?;
    }
    tx.commit().await?;
    Ok(true)
}
