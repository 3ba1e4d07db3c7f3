//! An account for one test, reading its tables, and what the server heard of it.

use std::sync::Arc;

use anyhow::Result;
use connector::guard::Policy;
use connector::{
    Batch, Cell, Connector, ConnectorError, Cursor, CursorKind, NullCursors, Position, ReadRequest, RunTag,
    TableRef, Watermark, kinds,
};
use futures::TryStreamExt;
use secrecy::SecretString;
use serde_json::{Value, json};
use systems::snowflake::{Account, Call, Place, Request, Server, Who};

/// A server with one place.
pub struct Home {
    pub server: Server,
    pub place: Place,
    pub reader: Account,
}

impl Home {
    /// A server of its own.
    pub async fn new() -> Result<Self> {
        let server = Server::start().await?;
        let place = server.place().await?;
        let reader = place.user(Who::Reader);
        Ok(Self { server, place, reader })
    }

    /// A table `T` with columns `ID` and `V`, of that many rows: IDs from 0.
    pub async fn counted(&self, rows: usize) -> Result<TableRef> {
        use systems::snowflake::{Column, Type, Value};
        let columns = vec![Column::new("ID", Type::Number(38, 0)), Column::new("V", Type::TEXT)];
        let row = |row: usize| vec![Value::int(row as i128), Value::text(format!("row {row}"))];
        // Made in SQL first, which is what the reader's role is granted.
        self.place.run("CREATE TABLE T (ID NUMBER(38,0), V VARCHAR)").await?;
        self.place.generate("T", columns, rows, &["ID"], row)?;
        Ok(self.table("T"))
    }

    /// A table of the place.
    pub fn table(&self, name: &str) -> TableRef {
        let (database, schema) = (self.reader.database.clone(), self.reader.schema.clone());
        TableRef { catalog: Some(database), schema: Some(schema), name: name.to_owned() }
    }

    /// What the operator of these tests allows.
    pub fn policy(&self) -> Policy {
        let url = self.server.url().parse().expect("an address");
        Policy {
            networks: vec!["127.0.0.0/8".parse().expect("a network")],
            base_urls: [("snowflake".to_owned(), url)].into(),
            ..Policy::default()
        }
    }

    /// The connection of a user.
    pub fn config(&self, account: &Account) -> Value {
        json!({
            "account": account.account, "user": account.user, "role": account.role,
            "warehouse": account.warehouse, "database": account.database,
        })
    }

    /// Opens a connection of the reader with its key.
    pub fn open(&self) -> Result<Arc<dyn Connector>> {
        self.open_with(&self.config(&self.reader), &self.reader.private_key_pem)
    }

    /// Opens a connection.
    pub fn open_with(&self, config: &Value, secret: &str) -> Result<Arc<dyn Connector>> {
        Ok(kinds::open("snowflake", config, Some(SecretString::from(secret)), &self.policy())?)
    }

    /// The calls of a sort so far.
    pub fn calls(&self, call: Call) -> Vec<Request> {
        self.server.journal().into_iter().filter(|request| request.call == call).collect()
    }

    /// The statements so far, as they were sent.
    pub fn statements(&self) -> Vec<String> {
        self.calls(Call::Submit).into_iter().filter_map(|request| request.statement).collect()
    }

    /// Waits until the server has heard so many calls of a sort.
    pub async fn heard(&self, call: Call, count: usize) -> Result<()> {
        for _ in 0..500 {
            if self.calls(call).len() >= count {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        anyhow::bail!("{} calls of {call:?} instead of {count}", self.calls(call).len())
    }
}

/// A read of a whole table in batches of 1 000 rows, to be narrowed.
pub fn request(table: TableRef, columns: &[&str], cursor: (&str, CursorKind), key: &[&str]) -> ReadRequest {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ReadRequest {
        table,
        columns: names(columns),
        cursor: Cursor { column: cursor.0.to_owned(), kind: cursor.1 },
        key: names(key),
        from: None,
        until: None,
        nulls: NullCursors::Skip,
        batch_rows: 1_000,
        batch_bytes: 8 << 20,
        cell_bytes: 1 << 20,
        tag: RunTag { organization: "organization-1".to_owned(), stream: "stream-1".to_owned() },
        cost: connector::Cost::default(),
    }
}

/// A read of [`Home::counted`].
pub fn counting(table: TableRef) -> ReadRequest {
    request(table, &["ID", "V"], ("ID", CursorKind::Int), &["ID"])
}

/// The position at a cursor and, if any, a row key.
pub fn position(kind: CursorKind, text: &str, key: &[&str]) -> Option<Position> {
    let watermark = Watermark::parse(kind, text).expect("a text of its kind");
    Some(Position { watermark, key: key.iter().map(|cell| (*cell).to_owned()).collect() })
}

/// Reads everything a request asks for.
pub async fn read(connector: &dyn Connector, request: &ReadRequest) -> Result<Vec<Batch>, ConnectorError> {
    connector.read(request.clone()).try_collect().await
}

/// How a cell is written in these tests: its variant and its text.
pub fn shown(cell: &Cell<'_>) -> String {
    let variant = match cell {
        Cell::Null => return "null".to_owned(),
        Cell::Bool(_) => "bool",
        Cell::Int(_) => "int",
        Cell::Float(_) => "float",
        Cell::Decimal(_) => "decimal",
        Cell::Text(_) => "text",
        Cell::Date(_) => "date",
        Cell::Naive(_) => "naive",
        Cell::Zoned(_) => "zoned",
        Cell::Json(_) => "json",
        Cell::Unreadable(_) => "unreadable",
    };
    format!("{variant} {cell}")
}

/// One column over all batches.
pub fn column(batches: &[Batch], name: &str) -> Vec<String> {
    let columns = batches.iter().map(|batch| batch.column(name).expect("it was asked for"));
    columns.flat_map(|column| (0..column.len()).map(|row| shown(&column.cell(row)))).collect()
}

/// Checks that the rows of [`Home::counted`] from one number to another came, each once and in order.
pub fn whole(batches: &[Batch], rows: std::ops::Range<usize>) {
    let found = column(batches, "ID");
    assert_eq!(found.len(), rows.len(), "rows");
    for (found, wanted) in found.iter().zip(rows.clone()) {
        assert_eq!(*found, format!("int {wanted}"));
    }
    let found = column(batches, "V");
    assert!(found.iter().zip(rows).all(|(found, row)| *found == format!("text row {row}")));
}
