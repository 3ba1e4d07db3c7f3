//! Snowflake over its SQL API: one statement per read, its partitions streamed, exact values from text, bounds bound
//! and cast to the column's own type.

mod account;
mod bound;
mod catalog;
mod check;
mod client;
mod columns;
mod config;
pub mod decode;
mod dialect;
mod head;
mod read;
mod refusal;
mod rows;
mod running;
mod setup;
mod sign_in;
mod slice;
mod statement;
mod text;
mod types;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream;
use secrecy::SecretString;

pub use account::Account;
pub use config::{Config, Method};
pub use dialect::quote;
pub use types::Native;

use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::{Given, KeySetup, Setup, SignIn, Tables};
use crate::{
    Batch, BatchStream, Cell, Check, Connector, ConnectorError, Cursor, ErrorKind, Moment, ReadRequest,
    Result, Slice, SliceRequest, Table, TableRef, Watermark,
};
use catalog::Known;
use client::Client;
use decode::Limits;
use dialect::{full, select_item, table_name};
use read::Reading;
use statement::{Session, Statement};

/// The kind `snowflake`.
pub struct Snowflake;

impl Kind for Snowflake {
    const NAME: &'static str = client::KIND;
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        let client = Arc::new(Client::new(config, credential, policy)?);
        Ok(Arc::new(Source(Arc::new(Shared { client, tables: Mutex::default() }))))
    }

    fn sign_in(config: &Config) -> SignIn {
        if config.sign_in == Method::KeyPair { SignIn::KeyPair } else { SignIn::Secret }
    }

    fn setup(config: &Config, tables: Tables<'_>, given: Given<'_>) -> Result<Option<Setup>> {
        setup::scripts(config, tables, given.public_key).map(Some)
    }

    fn key_setup(config: &Config, slot: u8, public_key: &str) -> Option<KeySetup> {
        (config.sign_in == Method::KeyPair).then(|| setup::key(config, slot, public_key))
    }
}

/// One account as one role of one user sees it.
struct Source(Arc<Shared>);

/// What a source's reads share.
struct Shared {
    client: Arc<Client>,
    /// Tables looked up before. A read that finds one changed looks it up again.
    tables: Mutex<HashMap<TableRef, Arc<Known>>>,
}

impl Shared {
    /// A table as it was last looked up, and whether that was just now.
    async fn table(&self, table: &TableRef, fresh: bool) -> Result<(Arc<Known>, bool)> {
        let kept = self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        if let Some(known) = kept.filter(|_| !fresh) {
            return Ok((known, false));
        }
        catalog::spelled(&self.client, table).await?;
        let known = Arc::new(catalog::table(&self.client, table).await?);
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), known.clone());
        Ok((known, true))
    }

    /// Reads the columns of the rows that the end of a SELECT leaves.
    async fn sample(&self, table: &TableRef, columns: &[String], tail: &str) -> Result<Batch> {
        let table = full(table, self.client.config())?;
        let (known, _) = self.table(&table, true).await?;
        let chosen = known.choose(&table, columns)?;
        if chosen.is_empty() {
            return Ok(Batch::default());
        }
        let list: Vec<String> = chosen.iter().map(select_item).collect();
        let sql = format!("SELECT {} FROM {} {tail}", list.join(", "), table_name(&table));
        self.client.fetch_as(&Statement::new(sql), Session::Whole, Some(chosen)).await
    }

    /// Snowflake's clock.
    async fn clock(&self) -> Result<Moment> {
        let batch = self.client.fetch(&Statement::new("SELECT CURRENT_TIMESTAMP()")).await?;
        match batch.columns.first().filter(|column| column.len() == 1).map(|column| column.cell(0)) {
            Some(Cell::Zoned(now)) => Ok(now),
            other => {
                let message = format!("Snowflake told its clock as {other:?}");
                Err(ConnectorError::new(ErrorKind::Protocol, message))
            }
        }
    }

    /// What the table holds slice by slice, added up by Snowflake.
    async fn slices(&self, request: &SliceRequest) -> Result<Vec<Slice>> {
        let table = full(&request.table, self.client.config())?;
        let (known, _) = request.cost.charge(self.table(&table, true)).await?;
        let chosen = known.choose(&table, &request.columns())?;
        let Some(statement) = slice::statement(request, &table, &chosen)? else { return Ok(Vec::new()) };
        let tag = request.tag.line();
        let submission = self.client.prepare(&statement, Session::Whole, &tag)?;
        let limits = Limits { rows: 10_000, bytes: 4 << 20, cell: 1 << 10 };
        let mut rows = self.client.rows(submission, None, limits, &request.cost).await?;
        let mut slices = Vec::new();
        while let Some(batch) = rows.next().await? {
            slices.extend(request.take(&batch)?);
        }
        Ok(slices)
    }

    /// The greatest value of a column.
    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let name = quote(&cursor.column);
        let last = format!("WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1");
        cursor.only(&self.sample(table, std::slice::from_ref(&cursor.column), &last).await?)
    }
}

#[async_trait]
impl Connector for Source {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        check::check(&self.0, table, cursor).await
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        catalog::tables(&self.0.client).await
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        let whole = full(table, self.0.client.config())?;
        let (known, _) = self.0.table(&whole, true).await?;
        Ok(known.describe(table, catalog::facts(&self.0.client, &whole).await?))
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.0.sample(table, columns, &format!("LIMIT {limit}")).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        self.0.newest(table, cursor).await
    }

    async fn clock(&self) -> Result<Moment> {
        self.0.clock().await
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        self.0.slices(&request).await
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let reading = Reading::new(Arc::clone(&self.0), request);
        Box::pin(stream::try_unfold(reading, async |mut reading| {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        }))
    }
}
