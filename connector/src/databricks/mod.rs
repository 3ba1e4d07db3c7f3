//! Databricks SQL over the Statement Execution API: one statement per poll, exact values by explicit conversions,
//! bounds as typed parameters, large results by links.

mod answer;
mod bound;
mod catalog;
mod client;
mod config;
mod decode;
mod dialect;
mod failure;
mod fetch;
mod grants;
mod links;
mod read;
mod reply;
mod run;
mod setup;
mod slice;
mod statement;
mod token;
mod types;
mod value;
mod warehouse;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::stream;
use secrecy::SecretString;

pub use config::{Config, SignIn};
pub use decode::Limits;
pub use dialect::quote;
pub use read::INLINE_ROWS;

use crate::guard::Policy;
use crate::kinds::Kind;
use crate::setup::{Given, Setup, Tables};
use crate::{
    Batch, BatchStream, Cell, Check, Connector, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, Moment,
    ReadRequest, Result, Slice, SliceRequest, Table, TableRef, Watermark,
};
use catalog::Known;
use client::Client;
use dialect::{Expected, select_list, table_name};
use fetch::Small;
use read::Reading;
use run::Asked;
use statement::{Disposition, Statement};

/// The kind's stored name.
const NAME: &str = "databricks";

/// Decodes one chunk that arrives in pieces of that size, its columns given by name and type: the decoder alone, for
/// tests that feed it anything.
///
/// # Errors
/// `Protocol` when it is no chunk of such rows, `Unavailable` when it is not whole.
pub fn decode(body: &[u8], columns: &[(&str, &str)], piece: usize, limits: Limits) -> Result<Vec<Batch>> {
    let expected = columns.iter().map(|(name, kind)| dialect::Expected {
        name: (*name).to_owned(),
        native: types::Native::parse(kind, true),
    });
    let mut decoder = decode::Decoder::new(expected.collect(), limits);
    decoder.begin();
    let mut batches = Vec::new();
    for piece in body.chunks(piece.max(1)) {
        decoder.push(piece);
        while decoder.decode()? {
            batches.push(decoder.take());
        }
    }
    if !decoder.ended() {
        let message = "a part of the result broke off before its end";
        return Err(ConnectorError::new(ErrorKind::Unavailable, message));
    }
    if decoder.ready() > 0 {
        batches.push(decoder.take());
    }
    Ok(batches)
}

/// The kind `databricks`.
pub struct Databricks;

impl Kind for Databricks {
    const NAME: &'static str = NAME;
    type Config = Config;

    fn validate(config: &Config) -> Result<()> {
        config.validate()
    }

    fn open(config: Config, credential: Option<SecretString>, policy: &Policy) -> Result<Arc<dyn Connector>> {
        let client = Arc::new(Client::new(config, credential, policy)?);
        Ok(Arc::new(Workspace(Arc::new(Shared { client, tables: Mutex::default() }))))
    }

    fn setup(config: &Config, tables: Tables<'_>, _given: Given<'_>) -> Result<Option<Setup>> {
        setup::scripts(config, tables).map(Some)
    }
}

/// One workspace as one user sees it.
struct Workspace(Arc<Shared>);

/// What a workspace's reads share.
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

    /// Runs the cheapest of statements.
    async fn probe(&self) -> Result<()> {
        let (statement, cost) = (Statement::new("SELECT now()"), Cost::current());
        let asked = Asked { table: None, tag: "Weir", cost: &cost };
        run::run(&self.client, &statement, Disposition::Inline, asked).await.map(drop)
    }

    /// Runs a statement with a small result of those columns.
    async fn small(&self, sql: String, columns: Vec<Expected>, table: &TableRef) -> Result<Batch> {
        let (statement, cost) = (Statement::new(sql), Cost::current());
        let asked = Small { statement: &statement, columns, tag: "Weir", table: Some(table), cost: &cost };
        fetch::small(&self.client, asked).await
    }

    /// The greatest value of a column, as the one cell of a batch; null when there is none.
    async fn greatest(&self, known: &Known, column: Expected) -> Result<Batch> {
        let value = column.native.selected(&format!("max({})", quote(&column.name)));
        let sql = format!("SELECT {value} FROM {}", table_name(&known.table));
        let batch = self.small(sql, vec![column], &known.table).await?;
        if batch.rows() == 1 {
            return Ok(batch);
        }
        Err(ConnectorError::new(ErrorKind::Protocol, "the warehouse did not answer with one value"))
    }
}

/// A column that can be a cursor.
fn cursor_column(known: &Known, name: &str) -> Result<Expected> {
    let column = known.choose(&[name.to_owned()])?.remove(0);
    if CursorKind::of(column.native.kind()).is_none() {
        let message = format!("column {name:?} cannot be a cursor: it is no integer, date or time");
        return Err(ConnectorError::new(ErrorKind::Config, message));
    }
    Ok(column)
}

#[async_trait]
impl Connector for Workspace {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        let mut check = Check::default();
        let shared = &self.0;
        check.step("resolve host", async { Ok(((), Some(shared.client.resolve().await?))) }).await;
        let looked = check
            .step("connect and sign in", async {
                match warehouse::look(&shared.client).await {
                    Ok(found) => {
                        let offset = found.answer.clock_offset();
                        let note = offset.map(|seconds| match seconds {
                            -1..=1 => "its clock tells the same time as ours".to_owned(),
                            2.. => format!("its clock is {seconds} seconds ahead of ours"),
                            _ => format!("its clock is {} seconds behind ours", -seconds),
                        });
                        Ok((Ok(found), note))
                    }
                    // Whoever may not use the warehouse has signed in.
                    Err(error) if matches!(error.kind(), ErrorKind::Permission | ErrorKind::NotFound) => {
                        Ok((Err(error), None))
                    }
                    Err(error) => Err(error),
                }
            })
            .await;
        if let Some(looked) = looked {
            check.rest = check
                .step("use warehouse", async {
                    let found = looked?;
                    let note = found.note()?;
                    // To look takes fewer rights than to use; one that sleeps is not woken up for that.
                    if found.awake() {
                        shared.probe().await?;
                    }
                    Ok((found.rest(), Some(note)))
                })
                .await
                .flatten();
        }
        let Some(table) = table else { return check };
        let known = check
            .step("find table", async {
                let (known, _) = shared.table(table, true).await?;
                let note = format!("{} with {} columns", known.sort.to_lowercase(), known.columns.len());
                Ok((known, Some(note)))
            })
            .await;
        let Some(known) = known else { return check };
        check
            .step("read table", async {
                let first: Vec<Expected> =
                    known.columns.first().map(|(column, _)| column.clone()).into_iter().collect();
                let sql = format!("SELECT {} FROM {} LIMIT 1", select_list(&first), table_name(&known.table));
                shared.small(sql, first, &known.table).await?;
                Ok(((), None))
            })
            .await;
        if let Some(name) = cursor {
            check
                .step("read cursor column", async {
                    let newest = shared.greatest(&known, cursor_column(&known, name)?).await?;
                    let note = match newest.columns[0].cell(0) {
                        Cell::Null => "the table has no value in it".to_owned(),
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
        let (known, _) = self.0.table(table, true).await?;
        Ok(known.describe(table))
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        let (known, _) = self.0.table(table, true).await?;
        let chosen = known.choose(columns)?;
        if chosen.is_empty() {
            return Ok(Batch::default());
        }
        let sql = format!("SELECT {} FROM {} LIMIT {limit}", select_list(&chosen), table_name(&known.table));
        self.0.small(sql, chosen, &known.table).await
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        let (known, _) = self.0.table(table, true).await?;
        let batch = self.0.greatest(&known, cursor_column(&known, &cursor.column)?).await?;
        if batch.columns[0].cell(0).null() {
            return Ok(None);
        }
        cursor.only(&batch)
    }

    async fn clock(&self) -> Result<Moment> {
        // Not the warehouse's, which would have to wake up for it.
        let found = warehouse::look(&self.0.client).await?;
        client::clock(&found.answer, self.0.client.host())
    }

    async fn slices(&self, request: SliceRequest) -> Result<Vec<Slice>> {
        let (known, _) = request.cost.charge(self.0.table(&request.table, true)).await?;
        let chosen = known.choose(&request.columns())?;
        let Some((columns, statement)) = slice::statement(&request, &known.table, &chosen)? else {
            return Ok(Vec::new());
        };
        let (tag, table) = (request.tag.line(), Some(&known.table));
        let asked = Small { statement: &statement, columns, tag: &tag, table, cost: &request.cost };
        request.take(&fetch::small(&self.0.client, asked).await?)
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        let reading = Reading::new(Arc::clone(&self.0), request);
        Box::pin(stream::try_unfold(reading, async |mut reading| {
            Ok(reading.next().await?.map(|batch| (batch, reading)))
        }))
    }
}
