//! Whole tables as text, to look for what must not be in them.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, Statement};
use server::db::{Backend, Db};

/// Everything a table holds.
pub async fn table(db: &Db, name: &str) -> Result<String> {
    let row = match db.backend() {
        Backend::Postgres => "t::text".to_owned(),
        Backend::Sqlite => {
            let sql = format!(
                "SELECT group_concat('quote(\"' || name || '\")', ' || '' '' || ') AS found \
                 FROM pragma_table_info('{name}')"
            );
            ask(db, sql).await?
        }
    };
    let join = if db.backend() == Backend::Postgres { "string_agg" } else { "group_concat" };
    ask(db, format!("SELECT coalesce({join}({row}, ' '), '') AS found FROM \"{name}\" t")).await
}

/// Everything that all tables hold.
pub async fn all(db: &Db) -> Result<String> {
    let names = match db.backend() {
        Backend::Postgres => {
            "SELECT string_agg(tablename, ' ') AS found FROM pg_tables WHERE schemaname = 'public'"
        }
        Backend::Sqlite => "SELECT group_concat(name, ' ') AS found FROM sqlite_schema WHERE type = 'table'",
    };
    let mut everything = String::new();
    for name in ask(db, names.to_owned()).await?.split(' ') {
        everything.push_str(&table(db, name).await?);
    }
    Ok(everything)
}

async fn ask(db: &Db, sql: String) -> Result<String> {
    let orm = db.orm();
    let found = orm.query_one_raw(Statement::from_string(orm.get_database_backend(), sql)).await?;
    Ok(found.context("an aggregate has a row")?.try_get("", "found")?)
}
