//! ClickHouse over HTTP: one streaming statement per read, exact values by RowBinary, bounds as typed parameters.

mod answer;
mod body;
mod bound;
mod catalog;
mod client;
mod config;
mod decode;
mod dialect;
mod exception;
mod numeric;
mod profile;
mod read;
mod refusal;
mod running;
mod send;
mod settings;
mod setup;
mod sign_in;
mod slice;
mod statement;
mod types;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream;
use secrecy::SecretString;

pub use config::{Config, SignIn};
pub use decode::{Limits, decode};
pub use dialect::quote;

use crate::check::clock_note;
use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::{Given, Setup, Tables};
use crate::{
    Batch, BatchStream, Cell, Check, Connector, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, Moment,
    ReadRequest, Result, Slice, SliceRequest, Table, TableRef, Watermark,
};
use catalog::Known;
use client::Client;
use dialect::{select_item, table_name};
use read::Reading;
use statement::Statement;

/// The kind `clickhouse`.
pub struct Clickhouse;

impl Kind for Clickhouse {
    const NAME: &'static str = "clickhouse";
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        let base = policy.base_urls.get(Self::NAME).cloned();
        let client = Client::new(config, credential, policy.clone(), base)?;
        Ok(Arc::new(Server(Arc::new(Shared { client, tables: Mutex::default() }))))
    }

    fn setup(config: &Config, tables: Tables<'_>, _given: Given<'_>) -> Result<Option<Setup>> {
        Ok(Some(setup::scripts(config, tables)))
    }
}

/// One ClickHouse server as one user sees it.
struct Server(Arc<Shared>);

/// What a server's reads share.
struct Shared {
    client: Client,
    /// Tables looked up before. A read that finds one changed looks it up again.
    tables: Mutex<HashMap<TableRef, Arc<Known>>>,
}

impl Shared {
    /// A table as it was last looked up, and whether that was just now.
    async fn table(&self, table: &TableRef, fresh: bool, cost: &Cost) -> Result<(Arc<Known>, bool)> {
        let kept = self.tables.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned();
        if let Some(known) = kept.filter(|_| !fresh) {
            return Ok((known, false));
        }
        let known = Arc::new(catalog::table(&self.client, table, cost).await?);
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), known.clone());
        Ok((known, true))
    }

    /// The one value of a statement that gives one.
    async fn value(&self, sql: &str) -> Result<Batch> {
        let batch = self.client.fetch(&Statement::new(sql), &Cost::current()).await?;
        if batch.rows() == 1 && batch.columns.len() == 1 {
            return Ok(batch);
        }
        Err(ConnectorError::new(ErrorKind::Protocol, "the server did not answer with one value"))
    }
}

impl Server {
    /// Reads the columns of the rows that the end of a SELECT leaves.
    async fn sample(&self, table: &TableRef, columns: &[String], tail: &str) -> Result<Batch> {
        let (known, _) = self.0.table(table, true, &Cost::current()).await?;
        let chosen = known.choose(table, columns)?;
        if chosen.is_empty() {
            return Ok(Batch::default());
        }
        let list: Vec<String> = chosen.iter().map(select_item).collect();
        let merged = self.0.client.config().merged && dialect::merges(&known.engine);
        let last = if merged { " FINAL" } else { "" };
        let sql = format!("SELECT {} FROM {}{last} {tail}", list.join(", "), table_name(table));
        self.0.client.fetch_as(&Statement::new(sql), Some(chosen), &Cost::current()).await
    }
}

#[async_trait]
impl Connector for Server {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        let mut check = Check::default();
        let shared = &self.0;
        check.step("resolve host", async { Ok(((), Some(shared.client.resolve().await?))) }).await;
        check.step("connect", async { Ok(((), Some(shared.client.ping().await?))) }).await;
        check
            .step("sign in", async {
                let version = shared.value("SELECT version()").await?;
                let ends = shared.client.credential().ends();
                let ends = ends.map_or_else(String::new, |ends| format!(", with a token that ends {ends}"));
                Ok(((), Some(format!("ClickHouse {}{ends}", version.columns[0].cell(0)))))
            })
            .await;
        check
            .step("read clock", async {
                let now = self.clock().await?;
                Ok(((), Some(clock_note(now))))
            })
            .await;
        let Some(table) = table else { return check };
        let known = check
            .step("find table", async {
                let (known, _) = shared.table(table, true, &Cost::current()).await?;
                let rows = known.rows.map_or_else(String::new, |rows| format!(", about {rows} rows"));
                let note = format!("{} with {} columns{rows}", known.engine, known.columns.len());
                Ok((known, Some(note)))
            })
            .await;
        check
            .step("read table", async {
                let sql = format!("SELECT 1 FROM {} LIMIT 1", table_name(table));
                shared.client.fetch(&Statement::new(sql), &Cost::current()).await?;
                Ok(((), None))
            })
            .await;
        if let (Some(name), Some(known)) = (cursor, known) {
            check
                .step("read cursor column", async {
                    let chosen = known.choose(table, &[name.to_owned()])?;
                    if chosen.first().and_then(|column| CursorKind::of(column.native.kind())).is_none() {
                        let message =
                            format!("column {name:?} cannot be a cursor: it is no integer, date or time");
                        return Err(ConnectorError::new(ErrorKind::Config, message));
                    }
                    let column = quote(name);
                    let sql = format!("SELECT maxOrNull({column}) FROM {}", table_name(table));
                    let newest = shared.value(&sql).await?;
                    let note = match newest.columns[0].cell(0) {
                        Cell::Null => "the table is empty".to_owned(),
                        value => format!("newest is {value}"),
                    };
                    Ok(((), Some(note)))
                })
                .await;
        }
        check
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        catalog::tables(&self.0.client).await
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        let (known, _) = self.0.table(table, true, &Cost::current()).await?;
        Ok(known.describe(table))
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.sample(table, columns, &format!("LIMIT {limit}")).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let name = quote(&cursor.column);
        let last = format!("WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1");
        cursor.only(&self.sample(table, std::slice::from_ref(&cursor.column), &last).await?)
    }

    async fn clock(&self) -> Result<Moment> {
        match self.0.value("SELECT now64(9, 'UTC')").await?.columns[0].cell(0) {
            Cell::Zoned(now) => Ok(now),
            other => {
                let message = format!("the server told its clock as {other}");
                Err(ConnectorError::new(ErrorKind::Protocol, message))
            }
        }
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        let shared = &self.0;
        let (known, _) = shared.table(&request.table, true, &request.cost).await?;
        let chosen = known.choose(&request.table, &request.columns())?;
        let merged = shared.client.config().merged && dialect::merges(&known.engine);
        let Some(statement) = slice::statement(&request, &chosen, merged)? else { return Ok(Vec::new()) };
        let tag = request.tag.line();
        let limits = decode::Limits { rows: 10_000, bytes: 4 << 20, cell: 1 << 16 };
        let purpose = send::Purpose { tag: &tag, cost: &request.cost };
        let mut answer = shared.client.stream(&statement, None, limits, purpose).await?;
        let mut slices = Vec::new();
        while let Some(batch) = answer.next().await? {
            slices.extend(request.take(&batch)?);
        }
        Ok(slices)
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let reading = Reading::new(Arc::clone(&self.0), request);
        Box::pin(stream::try_unfold(reading, async |mut reading| {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        }))
    }
}
