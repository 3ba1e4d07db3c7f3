//! What the catalog tells, odd names, and tables that need more than a plain read.

use anyhow::Result;
use connector::{CursorKind, ErrorKind, TableRef, Type};
use systems::clickhouse::{Database, User};

use crate::reading::{column, config, numbers, open, open_with, read, request, table, texts};

#[tokio::test]
async fn tables_and_columns_are_described() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE b (id UInt64, at DateTime64(3), v Nullable(Decimal(38, 9)), e UInt8 EPHEMERAL, m UInt64 MATERIALIZED id + 1, j JSON) ENGINE = MergeTree ORDER BY (at, id)").await?;
    database.run("INSERT INTO b (id, at, j) SELECT number, now64(3), '{}' FROM numbers(5)").await?;
    database.run("CREATE VIEW a AS SELECT * FROM b").await?;
    let connector = open(&database, User::Reader)?;
    let listed = connector.discover().await?;
    assert!(listed.iter().all(|table| table.table.schema.as_deref() != Some("system")));
    assert!(listed.iter().map(|table| table.table.to_string()).is_sorted());
    let ours: Vec<_> =
        listed.into_iter().filter(|table| table.table.schema.as_ref() == Some(&database.name)).collect();
    let seen: Vec<_> = ours.iter().map(|table| (table.table.name.as_str(), table.view, table.rows)).collect();
    assert_eq!(seen, [("a", true, None), ("b", false, Some(5))]);

    let described = connector.describe(&table(&database, "b")).await?;
    assert_eq!(described.rows, Some(5));
    let columns: Vec<_> = described
        .columns
        .iter()
        .map(|column| {
            (column.name.as_str(), column.native.as_str(), column.kind, column.nullable, column.key)
        })
        .collect();
    assert_eq!(
        columns,
        [
            ("id", "UInt64", Type::Int, false, true),
            ("at", "DateTime64(3)", Type::Zoned, false, true),
            ("v", "Nullable(Decimal(38, 9))", Type::Decimal, true, false),
            ("m", "UInt64", Type::Int, false, false),
            ("j", "JSON", Type::Json, false, false),
        ]
    );
    // Without a database the connection's own is meant.
    let bare = TableRef { catalog: None, schema: None, name: "b".to_owned() };
    assert_eq!(connector.describe(&bare).await?.columns, described.columns);
    let some = connector.preview(&bare, &["m".to_owned(), "j".to_owned()], 3).await?;
    assert_eq!((some.rows(), some.columns[1].cell(0).to_string()), (3, "{}".to_owned()));
    let none = connector.describe(&table(&database, "missing")).await.expect_err("no table");
    assert_eq!(none.kind(), ErrorKind::NotFound);
    Ok(())
}

#[tokio::test]
async fn pitfall_20_names_are_kept_exactly() -> Result<()> {
    let database = Database::empty().await?;
    let odd = [
        "select",
        "Select",
        "a`b",
        "it's \"x\"",
        "back\\slash",
        "dot.ted",
        "{x:String}",
        "ü ☃",
        "a -- b",
        "tab\tname",
    ];
    let quoted: Vec<String> =
        odd.iter().map(|name| format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"))).collect();
    let name = "We`ird \\ {t:Identifier} таблица";
    let quoted_name = format!("`{}`", name.replace('\\', "\\\\").replace('`', "\\`"));
    let columns: Vec<String> = quoted.iter().map(|name| format!("{name} UInt8")).collect();
    database
        .run(&format!(
            "CREATE TABLE {quoted_name} ({}) ENGINE = MergeTree ORDER BY {}",
            columns.join(", "),
            quoted[2]
        ))
        .await?;
    let values: Vec<String> = (0..odd.len()).map(|value| value.to_string()).collect();
    database.run(&format!("INSERT INTO {quoted_name} VALUES ({})", values.join(", "))).await?;
    let connector = open(&database, User::Reader)?;
    assert!(connector.discover().await?.iter().any(|listed| listed.table == table(&database, name)));
    let described = connector.describe(&table(&database, name)).await?;
    assert_eq!(described.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(), odd);
    for cursor in odd {
        let request = request(table(&database, name), &odd, (cursor, CursorKind::Int), &odd[..3]);
        let batches = read(&*connector, &request).await?;
        for (index, name) in odd.iter().enumerate() {
            assert_eq!(texts(&batches, name)?, [index.to_string()], "{name:?} by {cursor:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_column_whose_text_is_selected_still_filters_and_sorts_by_itself() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt8, `toJSONString(a)` String, a Array(UInt8)) ENGINE = Memory AS SELECT number, 'x', [number] FROM numbers(12)").await?;
    let connector = open(&database, User::Reader)?;
    let request =
        request(table(&database, "t"), &["a", "toJSONString(a)", "c"], ("c", CursorKind::Int), &["a"]);
    let batches = read(&*connector, &request).await?;
    assert_eq!(texts(&batches, "c")?, numbers(0..12));
    assert_eq!(texts(&batches, "a")?[11], "[11]");
    assert_eq!(texts(&batches, "toJSONString(a)")?[11], "x");
    Ok(())
}

#[tokio::test]
async fn an_empty_table_gives_no_rows_and_no_error() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run("CREATE TABLE t (c Nullable(DateTime64(3)), id UInt8) ENGINE = MergeTree ORDER BY id")
        .await?;
    let connector = open(&database, User::Reader)?;
    let mut request = request(table(&database, "t"), &["c", "id"], ("c", CursorKind::Zoned), &["id"]);
    request.nulls = connector::NullCursors::First;
    assert!(read(&*connector, &request).await?.is_empty());
    let check = connector.check(Some(&table(&database, "t")), Some("c")).await;
    assert!(check.passed(), "{check:?}");
    let names: Vec<_> = check.steps.iter().map(|step| step.name).collect();
    let wanted = [
        "resolve host",
        "connect",
        "sign in",
        "read clock",
        "find table",
        "read table",
        "read cursor column",
    ];
    assert_eq!(names, wanted);
    assert_eq!(check.steps[6].note.as_deref(), Some("the table is empty"));
    Ok(())
}

#[tokio::test]
async fn pitfall_16_replaced_rows_are_left_out_where_final_is_asked_for() -> Result<()> {
    let database = Database::empty().await?;
    database
        .run("CREATE TABLE t (id UInt64, version UInt64) ENGINE = ReplacingMergeTree(version) ORDER BY id")
        .await?;
    // Of this table alone: the engine is shared, and a mutation of another test would wait for ever.
    database.run("SYSTEM STOP MERGES t").await?;
    database.run("INSERT INTO t SELECT number, 1 FROM numbers(10)").await?;
    database.run("INSERT INTO t SELECT number, 2 FROM numbers(5)").await?;
    database
        .run("CREATE TABLE plain (id UInt64, version UInt64) ENGINE = MergeTree ORDER BY id AS SELECT 1, 1")
        .await?;
    database.run("CREATE VIEW v AS SELECT * FROM plain").await?;
    let mut config = config(&database, User::Reader, database.server.port);
    config["final"] = true.into();
    let merged = open_with(&database, User::Reader, &config)?;
    let by_id = |name: &str| {
        request(table(&database, name), &["id", "version"], ("id", CursorKind::Int), &["version"])
    };
    assert_eq!(
        column(&*merged, &by_id("t"), "version").await?,
        ["2", "2", "2", "2", "2", "1", "1", "1", "1", "1"]
    );
    // Tables that merge nothing are read as they are.
    assert_eq!(column(&*merged, &by_id("plain"), "id").await?, ["1"]);
    assert_eq!(column(&*merged, &by_id("v"), "id").await?, ["1"]);
    Ok(())
}

#[tokio::test]
async fn pitfall_34_a_changed_table_is_noticed_before_its_rows() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE t (c UInt64, v UInt8, gone UInt8) ENGINE = MergeTree ORDER BY c AS SELECT number, 1, 1 FROM numbers(3)").await?;
    let connector = open(&database, User::Reader)?;
    let request = request(table(&database, "t"), &["c", "v"], ("c", CursorKind::Int), &[]);
    read(&*connector, &request).await?;
    // A column that became wider is read as it now is, by the connection that knew it before.
    database.run("ALTER TABLE t MODIFY COLUMN v Decimal(38, 5)").await?;
    let batches = read(&*connector, &request).await?;
    assert_eq!(batches[0].columns[1].cell(0), connector::Cell::Decimal("1"));
    database.run("ALTER TABLE t MODIFY COLUMN v Array(Decimal(38, 5)) DEFAULT []").await.ok();
    database.run("ALTER TABLE t RENAME COLUMN v TO w").await?;
    let error = read(&*connector, &request).await.expect_err("the column is gone");
    assert_eq!((error.kind(), error.message().contains("\"v\"")), (ErrorKind::Schema, true), "{error}");
    database.run("DROP TABLE t SYNC").await?;
    let error = read(&*connector, &request).await.expect_err("the table is gone");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    Ok(())
}

#[tokio::test]
async fn the_clock_is_the_servers() -> Result<()> {
    let database = Database::empty().await?;
    let connector = open(&database, User::Reader)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs() as i64;
    assert!((connector.clock().await?.seconds - now).abs() < 60);
    Ok(())
}
