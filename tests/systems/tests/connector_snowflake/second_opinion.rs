//! The same connector on snowduck, which has its own reading of the SQL API and of Snowflake's SQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use connector::guard::Policy;
use connector::{
    Cell, Connector, Cost, Cursor, CursorKind, ErrorKind, Held, Position, RunTag, Slice, SliceRequest,
    TableRef, Type, Watermark, kinds,
};
use futures::TryStreamExt;
use secrecy::SecretString;
use serde_json::json;
use systems::snowduck::{Gate, Server};
use systems::snowflake::Pair;

use crate::home::request;

/// A database of its own on the emulator, and a connector to it.
struct Duck {
    server: Server,
    _gate: Gate,
    database: String,
    connector: Arc<dyn Connector>,
}

impl Duck {
    async fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::start().await?;
        let gate = Gate::open(&server).await?;
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let database = format!("DUCK_{}_{number}", std::process::id());
        server.run(&format!("CREATE DATABASE {database}")).await?;
        server.run(&format!("CREATE SCHEMA IF NOT EXISTS {database}.PUBLIC")).await?;
        let config = json!({
            "account": "myorg-account", "user": "WEIR", "role": "READER", "warehouse": "WH", "database": database,
        });
        let policy = Policy {
            networks: vec!["127.0.0.0/8".parse()?],
            base_urls: [("snowflake".to_owned(), format!("http://127.0.0.1:{}", gate.port).parse()?)].into(),
            ..Policy::default()
        };
        let key = tokio::task::spawn_blocking(|| Pair::named("reader")).await??;
        let connector =
            kinds::open("snowflake", &config, Some(SecretString::from(key.private_pem)), &policy)?;
        Ok(Self { server, _gate: gate, database, connector })
    }

    /// A table `READINGS` of IDs 0 to 49, each twice told apart by `PART`, with amounts and texts.
    async fn filled(&self) -> Result<TableRef> {
        let name = format!("{}.PUBLIC.READINGS", self.database);
        let columns =
            "ID NUMBER(38,0) NOT NULL, PART NUMBER(4,0), AMOUNT NUMBER(20,6), \"Odd \"\"name\" VARCHAR";
        self.server.run(&format!("CREATE TABLE {name} ({columns})")).await?;
        let row = |id: u32, part: u32| match id % 10 {
            9 => format!("({id}, {part}, NULL, NULL)"),
            _ => format!("({id}, {part}, -{id}.000001, 'it''s {id} é')"),
        };
        let rows: Vec<String> = (0..50).rev().flat_map(|id| [row(id, 2), row(id, 1)]).collect();
        self.server.run(&format!("INSERT INTO {name} VALUES {}", rows.join(", "))).await?;
        Ok(self.table("READINGS"))
    }

    fn table(&self, name: &str) -> TableRef {
        TableRef {
            catalog: Some(self.database.clone()),
            schema: Some("PUBLIC".to_owned()),
            name: name.to_owned(),
        }
    }

    /// The rows of a read as texts.
    async fn rows(&self, request: connector::ReadRequest) -> Result<Vec<Vec<String>>> {
        let batches: Vec<_> = self.connector.read(request).try_collect().await?;
        let row = |batch: &connector::Batch, row: usize| -> Vec<String> {
            let cell = |column: &connector::Column| match column.cell(row) {
                Cell::Null => "-".to_owned(),
                cell => cell.to_string(),
            };
            batch.columns.iter().map(cell).collect()
        };
        Ok(batches.iter().flat_map(|batch| (0..batch.rows()).map(move |at| row(batch, at))).collect())
    }
}

#[tokio::test]
async fn tables_are_found_and_described() -> Result<()> {
    let duck = Duck::new().await?;
    let table = duck.filled().await?;
    let found = duck.connector.discover().await?;
    assert!(found.iter().any(|it| it.table == table && !it.view), "{found:?}");
    let described = duck.connector.describe(&table).await?;
    let columns: Vec<_> =
        described.columns.iter().map(|it| (it.name.as_str(), it.kind, it.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("ID", Type::Int, false),
            ("PART", Type::Int, true),
            ("AMOUNT", Type::Decimal, true),
            ("Odd \"name", Type::Text, true)
        ]
    );
    Ok(())
}

#[tokio::test]
async fn rows_come_in_order_and_go_on_where_they_ended() -> Result<()> {
    let duck = Duck::new().await?;
    let table = duck.filled().await?;
    let columns = ["ID", "PART", "AMOUNT", "Odd \"name"];
    let all = request(table, &columns, ("ID", CursorKind::Int), &["ID", "PART"]);
    let rows = duck.rows(all.clone()).await?;
    let wanted: Vec<[String; 2]> =
        (0..50).flat_map(|id| [1, 2].map(|part| [id.to_string(), part.to_string()])).collect();
    let found: Vec<[String; 2]> = rows.iter().map(|row| [row[0].clone(), row[1].clone()]).collect();
    assert_eq!(found, wanted);
    assert_eq!(rows[2][2..], ["-1.000001", "it's 1 é"]);
    assert_eq!(rows[18][2..], ["-", "-"]);
    let mark = |id: u32| Watermark { kind: CursorKind::Int, text: id.to_string() };
    let mut rest = all.clone();
    rest.from = Some(Position { watermark: mark(20), key: vec!["20".to_owned(), "2".to_owned()] });
    rest.until = Some(mark(30));
    let found = duck.rows(rest).await?;
    assert_eq!(found, rows[41..62], "from (20, 2) on, through all of 30");
    let mut nothing = all;
    nothing.from = Some(Position { watermark: mark(50), key: Vec::new() });
    assert!(duck.rows(nothing).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_does_not_exist_is_told() -> Result<()> {
    let duck = Duck::new().await?;
    let error = duck.connector.describe(&duck.table("GONE")).await.expect_err("no table");
    assert!(error.message().contains("GONE"), "{error:?}");
    assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Protocol), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn slices_are_added_up() -> Result<()> {
    let duck = Duck::new().await?;
    let table = duck.filled().await?;
    let mark = |text: &str| Watermark { kind: CursorKind::Int, text: text.to_owned() };
    let asked = SliceRequest {
        table,
        cursor: Cursor { column: "ID".to_owned(), kind: CursorKind::Int },
        values: vec!["AMOUNT".to_owned(), "PART".to_owned()],
        from: mark("0"),
        until: mark("48"),
        tag: RunTag::default(),
        cost: Cost::default(),
    };
    let found = duck.connector.slices(asked).await?;
    let held = |filled, sum: &str| Held { filled, sum: Some(sum.to_owned()) };
    let values = vec![held(90, "-2160.00009"), held(98, "147")];
    assert_eq!(found, [Slice { number: 0, newest: mark("48"), values }]);
    Ok(())
}
