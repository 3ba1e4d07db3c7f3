//! Tables as the connector lists and describes them, and the steps of its check.

use anyhow::{Context, Result, ensure};
use connector::{Cell, Cursor, CursorKind, Type, Watermark};

use crate::reading::{read, request, shown};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

pub async fn discover_lists_tables_by_name<S: System>(system: &S) -> Result<()> {
    let mut made = Vec::new();
    for name in ["zebra", "apple", "Mixed Case", "we\"ird", "naïve_日本"] {
        made.push(system.create(name, &[key("id", Holds::Int)]).await?);
    }
    let found: Vec<_> = system.connector()?.discover().await?;
    ensure!(found.iter().all(|table| table.columns.is_empty()), "columns in a listing");
    let names: Vec<_> = found.iter().map(|table| &table.table).collect();
    ensure!(made.iter().all(|table| names.contains(&table)), "{made:?} are not all in {names:?}");
    let mut sorted = names.clone();
    sorted.sort_by_key(|table| (&table.catalog, &table.schema, &table.name));
    ensure!(names == sorted, "not ordered by name: {names:?}");
    let inner = ["pg_catalog", "information_schema", "INFORMATION_SCHEMA", "system"];
    let inner = names.iter().find(|table| table.schema.as_deref().is_some_and(|it| inner.contains(&it)));
    ensure!(inner.is_none(), "the system's own tables are listed: {inner:?}");
    Ok(())
}

pub async fn describe_tells_columns_in_table_order<S: System>(system: &S) -> Result<()> {
    let columns = [
        column("zeta", Holds::Text),
        key("id", Holds::Int),
        column("at", Holds::Zoned),
        column("amount", Holds::Decimal(38, 9)),
        column("ratio", Holds::Float),
        column("day", Holds::Date),
        column("document", Holds::Json),
    ];
    let columns: Vec<_> = columns.into_iter().filter(|column| system.has(column.holds)).collect();
    let table = system.create("described", &columns).await?;
    let described = system.connector()?.describe(&table).await?;
    ensure!(described.table == table && !described.view);
    let names: Vec<_> = described.columns.iter().map(|column| column.name.as_str()).collect();
    ensure!(names == columns.iter().map(|column| column.name).collect::<Vec<_>>(), "{names:?}");
    for (made, found) in columns.iter().zip(&described.columns) {
        let wanted = match made.holds {
            Holds::Text => Type::Text,
            Holds::Int => Type::Int,
            Holds::Zoned => Type::Zoned,
            Holds::Decimal(..) => Type::Decimal,
            Holds::Float => Type::Float,
            Holds::Date => Type::Date,
            _ => Type::Json,
        };
        ensure!(found.kind == wanted, "{}: {:?}", found.name, found.kind);
        ensure!(!found.native.is_empty(), "{} has no native type", found.name);
        ensure!(found.key == made.key, "{}: key {}", found.name, found.key);
        ensure!(found.nullable || !made.nullable, "{} is said never to be null", found.name);
    }
    Ok(())
}

pub async fn preview_gives_a_few_rows<S: System>(system: &S) -> Result<()> {
    let columns = [key("id", Holds::Int), column("label", Holds::Text)];
    let rows: Vec<_> = (0..50).map(|n| vec![Value::number(n), Value::text("x")]).collect();
    let table = filled(system, "many", &columns, &rows).await?;
    let connector = system.connector()?;
    let names = ["label".to_owned(), "id".to_owned()];
    let batch = connector.preview(&table, &names, 7).await?;
    ensure!(batch.rows() == 7 && batch.columns.len() == 2);
    ensure!(batch.columns[0].name() == "label" && batch.columns[0].cell(0) == Cell::Text("x"));
    ensure!(connector.preview(&table, &names, 500).await?.rows() == 50);
    Ok(())
}

pub async fn the_clock_is_right<S: System>(system: &S) -> Result<()> {
    let now = || -> Result<i128> {
        Ok(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_micros() as i128)
    };
    let before = now()?;
    let clock = system.connector()?.clock().await?.micros().context("a time of this age")?;
    let right = before - 5_000_000..now()? + 5_000_000;
    ensure!(right.contains(&i128::from(clock)), "{clock} is not in {right:?}");
    Ok(())
}

pub async fn the_check_goes_step_by_step<S: System>(system: &S) -> Result<()> {
    let columns = [column("at", Holds::Zoned), key("id", Holds::Int)];
    let table =
        filled(system, "checked", &columns, &[vec![Value::text("2026-01-01 00:00:00"), Value::number(1)]])
            .await?;
    let connector = system.connector()?;
    let bare = connector.check(None, None).await;
    ensure!(bare.passed() && !bare.steps.is_empty(), "{bare:?}");
    let whole = connector.check(Some(&table), Some("at")).await;
    ensure!(whole.passed(), "{whole:?}");
    ensure!(whole.steps.len() > bare.steps.len(), "the table adds no step: {whole:?}");
    ensure!(whole.steps.iter().any(|step| step.note.is_some()), "nothing was learnt: {whole:?}");
    let mut gone = table.clone();
    gone.name = "gone".to_owned();
    let failed = connector.check(Some(&gone), Some("at")).await;
    ensure!(!failed.passed(), "a missing table passed");
    let (last, before) = failed.steps.split_last().context("no step")?;
    ensure!(before.iter().all(|step| step.error.is_none()), "steps went on after a failure: {failed:?}");
    let error = last.error.as_ref().context("the failed step is the last")?;
    ensure!(error.message().contains("gone") && error.action().is_some(), "{error:?}");
    let failed = connector.check(Some(&table), Some("missing")).await;
    let error =
        failed.steps.last().and_then(|step| step.error.as_ref()).context("a missing column passed")?;
    ensure!(error.message().contains("missing"), "{error:?}");
    Ok(())
}

pub async fn pitfall_20_odd_names_are_kept_and_quoted<S: System>(system: &S) -> Result<()> {
    let odd = [
        "Mixed Case",
        "we\"ird",
        "ba`ck",
        "日本",
        "semi;--",
        "select",
        "it's",
        "back\\slash",
        "{p:Int8}",
        "$1 ?",
    ];
    for (place, name) in odd.into_iter().enumerate() {
        let other = odd[(place + 1) % odd.len()];
        let columns = [key(name, Holds::Int), column(other, Holds::Text)];
        let rows = [vec![Value::number(2), Value::text("b")], vec![Value::number(1), Value::text("a")]];
        let table = filled(system, name, &columns, &rows).await?;
        let connector = system.connector()?;
        let described = connector.describe(&table).await?;
        ensure!(described.columns[0].name == name && described.columns[1].name == other, "{described:?}");
        let request = request(&table, &[other, name], (name, CursorKind::Int), &[name]);
        let found = read(&*connector, request.clone()).await?;
        ensure!(found.len() == 2 && found[0] == [shown(Cell::Text("a")), shown(Cell::Int(1))], "{found:?}");
        let stood = crate::reading::from(CursorKind::Int, "2")
            .map(|at| connector::Position { key: vec!["2".to_owned()], ..at });
        let resumed = read(&*connector, connector::ReadRequest { from: stood, ..request }).await?;
        ensure!(resumed.len() == 1, "{name}: {resumed:?}");
        ensure!(connector.check(Some(&table), Some(name)).await.passed(), "{name}");
        ensure!(connector.preview(&table, &[other.to_owned()], 1).await?.rows() == 1);
    }
    Ok(())
}

pub async fn the_newest_cursor_is_told_with_every_digit<S: System>(system: &S) -> Result<()> {
    for (holds, kind, texts) in [
        (Holds::Int, CursorKind::Int, ["-5", "40", "7"]),
        (Holds::Date, CursorKind::Date, ["2026-02-27", "2026-02-28", "1999-12-31"]),
        (
            Holds::Naive,
            CursorKind::Naive,
            ["2026-02-28 09:59:59", "2026-02-28 10:00:00.123456", "2025-01-01 00:00:00"],
        ),
    ] {
        if !system.has(holds) {
            continue;
        }
        let columns = [key("id", Holds::Int), column("mark", holds)];
        let name = format!("newest_{kind:?}").to_lowercase();
        let cursor = Cursor { column: "mark".to_owned(), kind };
        let table = system.create(&name, &columns).await?;
        ensure!(system.connector()?.newest(&table, &cursor).await?.is_none(), "{kind:?}: of no rows");
        let mark = |text: &str| Watermark::parse(kind, text).context("a watermark");
        let mut rows = vec![vec![Value::number(0), Value::Null]];
        for (id, text) in texts.iter().enumerate() {
            rows.push(vec![
                Value::number(id as i64 + 1),
                if holds == Holds::Int { Value::number(text) } else { Value::text(*text) },
            ]);
        }
        system.insert(&table, &rows).await?;
        let newest = system.connector()?.newest(&table, &cursor).await?;
        ensure!(newest == Some(mark(texts[1])?), "{kind:?}: {newest:?}");
    }
    Ok(())
}
