//! BigQuery over REST: one statement per read with typed parameters, its result fetched page by page.
//!
//! Whatever can be asked of the catalog is asked there, for statements are billed and the catalog is not.

mod bound;
mod catalog;
mod client;
mod config;
mod decode;
mod dialect;
mod job;
mod key;
mod listing;
mod nested;
mod pages;
mod partition;
mod read;
mod refusal;
mod rows;
mod sample;
mod setup;
mod sign_in;
mod slice;
mod statement;
mod steps;
mod types;
mod value;
mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream;
use secrecy::SecretString;

pub use config::{Config, SignIn};
pub use dialect::quote;

use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::{Given, Setup, SignIn as SignsIn, Tables};
use crate::{
    Batch, BatchStream, Cell, Check, Connector, ConnectorError, Cursor, ErrorKind, Moment, ReadRequest,
    Result, Slice, SliceRequest, Table, TableRef, Watermark,
};
use catalog::Known;
use client::Client;
use key::Key;
use read::Reading;
use sign_in::Session;
use statement::Statement;
use types::{Field, Native};

/// The most rows asked for at once; BigQuery cuts pages at 10 MB besides.
const PAGE_ROWS: usize = 10_000;

/// Decodes one page of rows that is all there is, its columns given by name and type: the decoder alone, for tests that
/// feed it anything. The first column stands for the cursor.
///
/// # Errors
/// `Protocol` when it is no page of such rows.
pub fn decode(body: &[u8], columns: &[(&str, &str)], rows: usize, cell: usize) -> Result<Vec<Batch>> {
    let natives = columns.iter().map(|(name, kind)| types::Native::of(&types::Field::plain(name, kind)));
    let request = ReadRequest {
        table: TableRef { catalog: None, schema: None, name: String::new() },
        columns: Vec::new(),
        cursor: Cursor {
            column: columns.first().map_or("", |(name, _)| name).to_owned(),
            kind: crate::CursorKind::Int,
        },
        key: Vec::new(),
        from: None,
        until: None,
        nulls: crate::NullCursors::Skip,
        batch_rows: rows,
        batch_bytes: usize::MAX,
        cell_bytes: cell,
        tag: crate::RunTag::default(),
        cost: crate::Cost::default(),
    };
    let mut decoder = decode::Decoder::new(natives.collect(), &request);
    decoder.page(body, decode::First::New)?;
    let mut batches: Vec<Batch> = std::iter::from_fn(|| decoder.full()).collect();
    batches.extend(decoder.rest());
    Ok(batches)
}

/// The kind `bigquery`.
pub struct Bigquery;

impl Kind for Bigquery {
    const NAME: &'static str = "bigquery";
    type Config = Config;
    const LEAST_BILLED: Option<u64> = Some(config::LEAST_BILLED);
    const HIDES_TABLES: bool = true;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        let base = policy.base_urls.get(Self::NAME);
        let refuse = |text: &str| ConnectorError::new(ErrorKind::Config, text);
        let file = match config.sign_in {
            SignIn::Key => credential.ok_or_else(|| {
                refuse("key: give the key of a service account, the JSON file that Google gives out")
            })?,
            SignIn::Weir => policy.google_key.clone().ok_or_else(|| {
                refuse("signIn: this Weir has no Google account of its own; give a service account's key")
                    .hint("the operator can give it one in sources.google_key_file")
            })?,
        };
        let key = Key::parse(&file, base).map_err(|error| match config.sign_in {
            SignIn::Key => error,
            SignIn::Weir => refuse("signIn: the key of Weir's own Google account cannot be used")
                .detail(error.message())
                .hint("the operator must mend the file named in sources.google_key_file"),
        })?;
        let client = Client::new(config, Session::new(key, policy.clone()), base, policy)?;
        Ok(Arc::new(Service(Arc::new(Shared { client: Arc::new(client), tables: Mutex::default() }))))
    }

    fn sign_in(config: &Config) -> SignsIn {
        match config.sign_in {
            SignIn::Key => SignsIn::Secret,
            SignIn::Weir => SignsIn::Nothing,
        }
    }

    fn setup(config: &Config, tables: Tables<'_>, given: Given<'_>) -> Result<Option<Setup>> {
        setup::scripts(config, tables, given).map(Some)
    }
}

/// BigQuery as one account sees it.
struct Service(Arc<Shared>);

/// What the reads of one account share.
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
        let known = Arc::new(catalog::table(&self.client, table).await?);
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), known.clone());
        Ok((known, true))
    }
}

/// BigQuery's own clock, from a statement that reads nothing and costs nothing.
async fn now(shared: &Shared) -> Result<Moment> {
    let field = Field::plain("now", "TIMESTAMP");
    let statement = Statement::new("SELECT CURRENT_TIMESTAMP()");
    let batch = sample::statement_rows(shared, &[Native::of(&field)], &statement).await?;
    match (batch.rows(), batch.columns.first().map(|column| column.cell(0))) {
        (1, Some(Cell::Zoned(now))) => Ok(now),
        _ => Err(ConnectorError::new(ErrorKind::Protocol, "BigQuery did not tell its clock")),
    }
}

#[async_trait]
impl Connector for Service {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        steps::check(&self.0, table, cursor).await
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        listing::tables(&self.0.client).await
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        let (known, _) = self.0.table(table, true).await?;
        Ok(known.describe(table))
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        let (known, _) = self.0.table(table, true).await?;
        let chosen = known.choose(table, columns)?;
        if chosen.is_empty() {
            return Ok(Batch::default());
        }
        sample::preview(&self.0, &known, &chosen, limit).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let (known, _) = self.0.table(table, true).await?;
        let chosen = known.choose(table, std::slice::from_ref(&cursor.column))?;
        let Some(column) = chosen.first() else { return Ok(None) };
        let statement = known.select(&format!("MAX({})", quote(&column.name)), Some(column))?;
        let batch = sample::statement_rows(&self.0, &chosen, &statement).await?;
        let none = batch.rows() == 0 || batch.columns.iter().all(|column| column.cell(0).null());
        if none { Ok(None) } else { cursor.only(&batch) }
    }

    async fn clock(&self) -> Result<Moment> {
        now(&self.0).await
    }

    async fn advice(&self, table: &TableRef, cursor: &str) -> Result<Option<String>> {
        let (known, _) = self.0.table(table, true).await?;
        Ok(known.advice(cursor))
    }

    async fn estimate(&self, request: &ReadRequest) -> Result<Option<u64>> {
        read::estimate(&self.0, request).await.map(Some)
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        slice::slices(&self.0, &request).await
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let reading = Reading::new(Arc::clone(&self.0), request);
        Box::pin(stream::try_unfold(reading, async |mut reading| {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        }))
    }
}
