//! SQLite: a file of this machine, opened read-only, read in short pages while its owner writes.

mod bounds;
mod catalog;
mod client;
mod config;
mod decode;
mod dialect;
mod layout;
mod pages;

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Row};

pub use config::Config;
pub use dialect::quote;

use crate::cursor::parse_moment;
use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::SignIn;
use crate::{
    Batch, BatchStream, Check, Column, Connector, ConnectorError, Cursor, CursorKind, ErrorKind, Moment,
    ReadRequest, Result, Table, TableRef, Watermark,
};
use client::{Client, explain, explain_at};
use decode::Stored;
use dialect::{Value, select_item};

/// The most bytes of a cell in a preview.
const PREVIEW_BYTES: usize = 64 * 1024;

/// The kind `sqlite`.
pub struct Sqlite;

impl Kind for Sqlite {
    const NAME: &'static str = "sqlite";
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, _: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        Ok(Arc::new(File { client: Arc::new(Client::new(config, policy.clone())) }))
    }

    fn sign_in(_config: &Config) -> SignIn {
        SignIn::Nothing
    }
}

/// One SQLite file.
struct File {
    client: Arc<Client>,
}

impl File {
    /// Reads the columns of the rows that the end of a SELECT leaves.
    async fn sample(&self, table: &TableRef, columns: &[String], tail: &str) -> Result<Batch> {
        let mut session = self.client.open().await?;
        let described = self.client.timed(catalog::describe(&mut session.connection, table)).await?;
        let mut batch = Batch::default();
        for name in columns {
            let info = &described.table.columns[described.place(name)?];
            batch.columns.push(Column::new(name.as_str(), info.kind, false));
        }
        let items: Vec<String> = columns.iter().map(|name| select_item(name, PREVIEW_BYTES)).collect();
        let items = if items.is_empty() { "1".to_owned() } else { items.join(", ") };
        let sql = format!("SELECT {items} FROM main.{} AS t {tail}", quote(&table.name));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut session.connection);
        let rows = self.client.timed(async { rows.await.map_err(explain_at(table)) }).await?;
        for row in &rows {
            for (place, column) in batch.columns.iter_mut().enumerate() {
                let value = Stored::of(row.try_get_raw(place).map_err(explain)?)?;
                decode::push(column, value, PREVIEW_BYTES);
            }
        }
        Ok(batch)
    }
}

#[async_trait]
impl Connector for File {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        let mut check = Check::default();
        let client = &self.client;
        let session = check
            .step("open file", async {
                let mut session = client.open().await?;
                let row = sqlx::query("SELECT sqlite_version(), journal_mode FROM pragma_journal_mode")
                    .fetch_one(&mut session.connection)
                    .await
                    .map_err(explain)?;
                let version: String = row.try_get(0).map_err(explain)?;
                let mode: String = row.try_get(1).map_err(explain)?;
                Ok((session, Some(format!("read by SQLite {version}, journal mode {mode}"))))
            })
            .await;
        let (Some(mut session), Some(table)) = (session, table) else { return check };
        let described = check
            .step("find table", async {
                let described = client.timed(catalog::describe(&mut session.connection, table)).await?;
                let what = if described.table.view { "view" } else { "table" };
                let note = format!("{what} with {} columns", described.table.columns.len());
                Ok((described, Some(note)))
            })
            .await;
        check
            .step("read table", async {
                let sql = format!("SELECT * FROM main.{} LIMIT 1", quote(&table.name));
                let row = sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut session.connection);
                let row = client.timed(async { row.await.map_err(explain_at(table)) }).await?;
                Ok(((), row.is_none().then(|| "it has no rows".to_owned())))
            })
            .await;
        if let (Some(name), Some(described)) = (cursor, described) {
            check
                .step("read cursor column", async {
                    let kind = described.table.columns[described.place(name)?].kind;
                    let kind = CursorKind::of(kind).ok_or_else(|| {
                        let message = format!("column {name:?} of {table} cannot be a cursor");
                        ConnectorError::new(ErrorKind::Config, message)
                            .hint("choose a column declared to hold integers, days or times")
                    })?;
                    let ends = client.timed(bounds::ends(&mut session.connection, table, name, kind)).await?;
                    let nulls = client.timed(catalog::nulls(&mut session.connection, table, name)).await?;
                    let reach = match ends {
                        Some((least, most, _)) => format!("from {} to {}", shown(&least), shown(&most)),
                        None => "no value yet".to_owned(),
                    };
                    Ok(((), Some(format!("{reach}, {nulls} rows without a value"))))
                })
                .await;
        }
        check
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        let mut session = self.client.open().await?;
        self.client.timed(catalog::discover(&mut session.connection)).await
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        let mut session = self.client.open().await?;
        Ok(self.client.timed(catalog::describe(&mut session.connection, table)).await?.table)
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.sample(table, columns, &format!("LIMIT {limit}")).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let name = dialect::column(&cursor.column);
        let last = format!("WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1");
        cursor.only(&self.sample(table, std::slice::from_ref(&cursor.column), &last).await?)
    }

    async fn clock(&self) -> Result<Moment> {
        let mut session = self.client.open().await?;
        let now: String = sqlx::query_scalar("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")
            .fetch_one(&mut session.connection)
            .await
            .map_err(explain)?;
        parse_moment(&now).ok_or_else(|| {
            ConnectorError::new(ErrorKind::Protocol, format!("SQLite's clock says {now:?}, which is no time"))
        })
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        Box::pin(pages::read(Arc::clone(&self.client), request))
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) => text.chars().take(100).collect(),
        Value::Blob(_) => "a blob".to_owned(),
    }
}
