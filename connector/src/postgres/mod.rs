//! PostgreSQL: one read-only snapshot per read, rows by binary COPY, values bound through transaction settings.

mod bound;
mod catalog;
mod client;
mod config;
mod decode;
mod dialect;
mod numeric;
mod setup;
mod slice;

use std::sync::Arc;

use async_stream::try_stream;
use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgConnection, Row};

pub use config::{Config, SslMode};
pub use dialect::quote;

use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::{Given, Setup, Tables};
use crate::{
    Batch, BatchStream, Check, Connector, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, Moment,
    NullCursors, ReadRequest, Result, Slice, SliceRequest, Table, TableRef, Watermark,
};
use client::{Client, Lent, explain, explain_reading};
use decode::Decoder;
use dialect::{ReadColumn, column_name, select_item, table_name};

/// The kind `postgres`.
pub struct Postgres;

impl Kind for Postgres {
    const NAME: &'static str = "postgres";
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        Ok(Arc::new(Server { client: Arc::new(Client::new(config, credential, policy.clone())) }))
    }

    fn setup(config: &Config, tables: Tables<'_>, _given: Given<'_>) -> Result<Option<Setup>> {
        Ok(Some(setup::scripts(config, tables)))
    }
}

/// One PostgreSQL server as one user sees it.
struct Server {
    client: Arc<Client>,
}

impl Server {
    /// Reads the columns of the rows that the end of a SELECT leaves.
    async fn sample(&self, table: &TableRef, columns: &[String], tail: &str) -> Result<Batch> {
        let mut lent = self.client.begin("preview").await?;
        let (all, ..) = self.client.answer(catalog::columns(lent.get(), table, &[])).await?;
        let chosen = catalog::choose(table, &all, columns)?;
        let list: Vec<String> = chosen.iter().map(select_item).collect();
        let statement = format!(
            "COPY (SELECT {} FROM {} AS t {tail}) TO STDOUT (FORMAT binary)",
            list.join(", "),
            table_name(table)
        );
        let mut decoder = Decoder::new(&chosen, 1 << 20);
        self.client.answer(copy(lent.get(), &statement, table, &mut decoder)).await?;
        let batch = decoder.take();
        end(lent).await;
        Ok(batch)
    }
}

#[async_trait]
impl Connector for Server {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        let mut check = Check::default();
        let client = &self.client;
        check
            .step("resolve host", async {
                let address = client.resolve().await?;
                Ok(((), Some(address.ip().to_string())))
            })
            .await;
        let lent = check
            .step("connect and sign in", async {
                let mut lent = client.begin("check").await?;
                let version = sqlx::query("SELECT current_setting('server_version') AS version")
                    .fetch_one(lent.get())
                    .await
                    .map_err(explain)?;
                let version: String = version.try_get("version").map_err(explain)?;
                Ok((lent, Some(format!("PostgreSQL {version}"))))
            })
            .await;
        let Some(mut lent) = lent else { return check };
        if let Some(table) = table {
            let columns = check
                .step("find table", async {
                    let (columns, view, rows) = catalog::columns(lent.get(), table, &[]).await?;
                    let what = if view { "view" } else { "table" };
                    let rows = rows.map_or(String::new(), |rows| format!(", about {rows} rows"));
                    let note = format!("{what} with {} columns{rows}", columns.len());
                    Ok((columns, Some(note)))
                })
                .await;
            check
                .step("read table", async {
                    let sql = format!("SELECT 1 FROM {} LIMIT 1", table_name(table));
                    let read = sqlx::query(AssertSqlSafe(sql)).fetch_optional(lent.get()).await;
                    read.map_err(|error| explain_reading(error, table))?;
                    Ok(((), None))
                })
                .await;
            if let (Some(name), Some(columns)) = (cursor, columns) {
                check
                    .step("read cursor column", async {
                        let chosen = catalog::choose(table, &columns, &[name.to_owned()])?;
                        let kind = chosen.first().map(|column| column.kind);
                        if kind.and_then(CursorKind::of).is_none() {
                            let message = format!(
                                "column {name:?} cannot be a cursor: it is no integer, date or timestamp"
                            );
                            return Err(ConnectorError::new(ErrorKind::Config, message));
                        }
                        let sql =
                            format!("SELECT max({})::text AS newest FROM {}", quote(name), table_name(table));
                        let read = sqlx::query(AssertSqlSafe(sql)).fetch_one(lent.get()).await;
                        let row = read.map_err(|error| explain_reading(error, table))?;
                        let newest: Option<String> = row.try_get("newest").map_err(explain)?;
                        Ok((
                            (),
                            Some(
                                newest.map_or("the table is empty".to_owned(), |text| {
                                    format!("newest is {text}")
                                }),
                            ),
                        ))
                    })
                    .await;
            }
        }
        if check.passed() {
            end(lent).await;
        }
        check
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        let mut lent = self.client.begin("discover").await?;
        let tables = self.client.answer(catalog::tables(lent.get())).await?;
        end(lent).await;
        Ok(tables)
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        let cost = Cost::current();
        cost.add_statement();
        let mut lent = cost.timed(self.client.begin("describe")).await?;
        cost.add_statement();
        let looking = self.client.answer(catalog::columns(lent.get(), table, &[]));
        let (columns, view, rows) = cost.timed(looking).await?;
        end(lent).await;
        Ok(Table {
            table: table.clone(),
            view,
            rows,
            columns: columns.iter().map(catalog::CatalogColumn::info).collect(),
        })
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.sample(table, columns, &format!("LIMIT {limit}")).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let name = column_name(&cursor.column);
        let last = format!("WHERE {name} IS NOT NULL ORDER BY {name} DESC LIMIT 1");
        cursor.only(&self.sample(table, std::slice::from_ref(&cursor.column), &last).await?)
    }

    async fn clock(&self) -> Result<Moment> {
        let cost = Cost::current();
        cost.add_statement();
        let mut lent = cost.timed(self.client.begin("clock")).await?;
        cost.add_statement();
        let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now";
        let row = cost.timed(sqlx::query(now).fetch_one(lent.get())).await.map_err(explain)?;
        let now: i64 = row.try_get("now").map_err(explain)?;
        end(lent).await;
        Ok(Moment::from_micros(now))
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        let cost = &request.cost;
        cost.add_statement();
        let mut lent = cost.timed(self.client.begin(&request.tag.stream)).await?;
        let read = request.as_read();
        let bounds = dialect::bounds(&read);
        cost.add_statement();
        let looking = self.client.answer(catalog::columns(lent.get(), &request.table, &bounds));
        let found = cost.timed(looking).await?;
        let chosen = catalog::choose(&request.table, &found.0, &request.columns())?;
        check_cursor(&read, &chosen)?;
        let Some((columns, statement)) = slice::statement(&request, &chosen) else {
            end(lent).await;
            return Ok(Vec::new());
        };
        let mut decoder = Decoder::new(&columns, 1 << 16);
        cost.add_statement();
        let adding = self.client.answer(copy(lent.get(), &statement, &request.table, &mut decoder));
        cost.timed(adding).await?;
        let slices = request.take(&decoder.take());
        end(lent).await;
        slices
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let client = Arc::clone(&self.client);
        Box::pin(try_stream! {
            // The name of a connection holds 63 bytes; the comment of the statement has the whole tag.
            let cost = request.cost.clone();
            cost.add_statement();
            let mut lent = cost.timed(client.begin(&request.tag.stream)).await?;
            let bounds = dialect::bounds(&request);
            cost.add_statement();
            let looking = client.answer(catalog::columns(lent.get(), &request.table, &bounds));
            let (all, ..) = cost.timed(looking).await?;
            let columns = catalog::choose(&request.table, &all, &request.columns)?;
            check_cursor(&request, &columns)?;
            let mut request = request;
            if !all.iter().any(|column| column.read.name == request.cursor.column && column.nullable) {
                request.nulls = NullCursors::Skip;
            }
            for statement in &dialect::read(&request, &columns) {
                let mut decoder = Decoder::new(&columns, request.cell_bytes);
                {
                    let failed = |error| explain_reading(error, &request.table);
                    let copying = async { lent.get().copy_out_raw(statement).await.map_err(failed) };
                    cost.add_statement();
                    let mut chunks = cost.timed(client.answer(copying)).await?;
                    loop {
                        // A timer only where there is something to wait for: not for each row.
                        let next = match chunks.next().now_or_never() {
                            Some(next) => next,
                            None => cost.timed(client.answer(async { Ok(chunks.next().await) })).await?,
                        };
                        let Some(chunk) = next else { break };
                        decoder.feed(&chunk.map_err(failed)?)?;
                        if decoder.rows_ready() >= request.batch_rows || decoder.bytes_ready() >= request.batch_bytes {
                            yield decoder.take();
                        }
                    }
                }
                decoder.end()?;
                if decoder.rows_ready() > 0 {
                    yield decoder.take();
                }
            }
            end(lent).await;
        })
    }
}

/// Ends the transaction and gives the connection back; one that cannot end is closed.
async fn end(mut lent: Lent) {
    if sqlx::raw_sql("COMMIT").execute(lent.get()).await.is_ok() {
        lent.give_back();
    }
}

async fn copy(
    connection: &mut PgConnection,
    statement: &str,
    table: &TableRef,
    decoder: &mut Decoder<'_>,
) -> Result<()> {
    let failed = |error| explain_reading(error, table);
    let mut chunks = connection.copy_out_raw(statement).await.map_err(failed)?;
    while let Some(chunk) = chunks.next().await {
        decoder.feed(&chunk.map_err(failed)?)?;
    }
    decoder.end()
}

fn check_cursor(request: &ReadRequest, columns: &[ReadColumn]) -> Result<()> {
    let name = &request.cursor.column;
    let column = columns.iter().find(|column| column.name == *name).ok_or_else(|| {
        ConnectorError::new(
            ErrorKind::Config,
            format!("the cursor column {name:?} is not among the columns read"),
        )
    })?;
    if let Some(name) = request.key.iter().find(|name| !columns.iter().any(|column| column.name == **name)) {
        let message = format!("the key column {name:?} is not among the columns read");
        return Err(ConnectorError::new(ErrorKind::Config, message));
    }
    if CursorKind::of(column.kind) == Some(request.cursor.kind) {
        return Ok(());
    }
    let message = format!("column {name:?} is {} and cannot be this stream's cursor", column.native);
    Err(ConnectorError::new(ErrorKind::Schema, message).hint("choose an integer, date or timestamp column"))
}
