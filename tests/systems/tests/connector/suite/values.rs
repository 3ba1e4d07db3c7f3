//! Cells, exactly as the system holds them.

use anyhow::{Result, ensure};
use connector::{Cell, CursorKind, ReadRequest};

use crate::reading::{batches, read, request, shown};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

/// Reads the column `v` of rows with these values, in their order.
async fn through<S: System>(system: &S, name: &str, holds: Holds, values: &[Value]) -> Result<Vec<String>> {
    let columns = [key("id", Holds::Int), column("v", holds)];
    let rows: Vec<_> =
        values.iter().enumerate().map(|(n, value)| vec![Value::number(n), value.clone()]).collect();
    let table = filled(system, name, &columns, &rows).await?;
    let request = request(&table, &["id", "v"], ("id", CursorKind::Int), &["id"]);
    let rows = read(&*system.connector()?, request).await?;
    Ok(rows.into_iter().map(|mut row| row.remove(1)).collect())
}

pub async fn integers_keep_every_digit<S: System>(system: &S) -> Result<()> {
    let ends = [i64::MIN, i64::MIN + 1, -1, 0, 1, (1 << 53) + 1, i64::MAX];
    let found = through(system, "ints", Holds::Int, &ends.map(Value::number)).await?;
    ensure!(found == ends.map(|end| shown(Cell::Int(end.into()))), "{found:?}");
    Ok(())
}

pub async fn pitfall_14_wide_integers_keep_every_digit<S: System>(system: &S) -> Result<()> {
    let ends = [i128::MIN, -1, 0, i128::from(i64::MAX) + 1, i128::MAX];
    let found = through(system, "wides", Holds::Wide, &ends.map(Value::number)).await?;
    ensure!(found == ends.map(|end| shown(Cell::Int(end))), "{found:?}");
    Ok(())
}

pub async fn pitfall_14_decimals_keep_every_digit<S: System>(system: &S) -> Result<()> {
    for (digits, scale) in [(18, 2), (38, 0), (38, 37), (38, 12), (60, 30), (76, 38)] {
        if !system.has(Holds::Decimal(digits, scale)) {
            continue;
        }
        let (whole, fraction) = (usize::from(digits - scale), usize::from(scale));
        let mut texts = vec!["0".to_owned(), "1".to_owned(), "-1".to_owned(), "9".repeat(whole)];
        if fraction > 0 {
            texts.push(format!("{}.{}", "9".repeat(whole), "9".repeat(fraction)));
            texts.push(format!("-{}.{}1", "8".repeat(whole), "0".repeat(fraction - 1)));
            texts.push(format!("0.{}1", "0".repeat(fraction - 1)));
            texts.push("0.1".to_owned());
        }
        let values: Vec<_> = texts.iter().map(Value::number).collect();
        let name = format!("decimal_{digits}_{scale}");
        let found = through(system, &name, Holds::Decimal(digits, scale), &values).await?;
        let wanted: Vec<_> = texts.iter().map(|text| shown(Cell::Decimal(text))).collect();
        ensure!(found == wanted, "{name}: {found:?} instead of {wanted:?}");
    }
    Ok(())
}

pub async fn floats_are_bit_exact<S: System>(system: &S) -> Result<()> {
    let values = [0.1, -0.1, 1e300, 5e-324, f64::MAX, 1.0 / 3.0, 123_456_789.123_456_78];
    let found =
        through(system, "floats", Holds::Float, &values.map(|value| Value::number(format!("{value:e}"))))
            .await?;
    ensure!(found == values.map(|value| shown(Cell::Float(value))), "{found:?}");
    Ok(())
}

pub async fn texts_are_exact<S: System>(system: &S) -> Result<()> {
    let texts = [
        "",
        " ",
        "null",
        "NULL",
        "\\N",
        "a\tb\nc\r\n",
        "it's \"quoted\" `so`",
        "\\",
        "日本 🦀",
        "{}",
        "0012",
    ];
    let found = through(system, "texts", Holds::Text, &texts.map(Value::text)).await?;
    ensure!(found == texts.map(|text| shown(Cell::Text(text))), "{found:?}");
    Ok(())
}

pub async fn truth_values_days_and_times_are_exact<S: System>(system: &S) -> Result<()> {
    if system.has(Holds::Bool) {
        let values = [true, false];
        let found = through(system, "bools", Holds::Bool, &values.map(Value::Bool)).await?;
        ensure!(found == values.map(|value| shown(Cell::Bool(value))), "{found:?}");
    }
    if system.has(Holds::Date) {
        let days = [("1970-01-01", 0), ("1970-01-02", 1), ("2026-02-28", 20_512), ("2024-02-29", 19_782)];
        let found = through(system, "dates", Holds::Date, &days.map(|(text, _)| Value::text(text))).await?;
        ensure!(found == days.map(|(_, day)| shown(Cell::Date(day))), "{found:?}");
    }
    let texts = ["1970-01-01 00:00:00", "2026-02-28 23:59:59", "2024-02-29 12:00:01"];
    let moment = |text: &str| connector::cursor::parse_moment(text).expect("a moment");
    let found = through(system, "instants", Holds::Zoned, &texts.map(Value::text)).await?;
    ensure!(found == texts.map(|text| shown(Cell::Zoned(moment(text)))), "{found:?}");
    if S::NAIVE {
        let found = through(system, "naives", Holds::Naive, &texts.map(Value::text)).await?;
        ensure!(found == texts.map(|text| shown(Cell::Naive(moment(text)))), "{found:?}");
    }
    Ok(())
}

pub async fn pitfall_21_the_three_nulls_are_told_apart<S: System>(system: &S) -> Result<()> {
    if system.has(Holds::Json) {
        let values =
            [Value::Null, Value::text("null"), Value::text("\"null\""), Value::text("{\"a\": null}")];
        let found = through(system, "documents", Holds::Json, &values).await?;
        ensure!(
            found[..3] == [shown(Cell::Null), shown(Cell::Json("null")), shown(Cell::Json("\"null\""))],
            "{found:?}"
        );
        ensure!(found[3].contains("null"), "{found:?}");
    }
    let found =
        through(system, "words", Holds::Text, &[Value::Null, Value::text("null"), Value::text("")]).await?;
    ensure!(found == [shown(Cell::Null), shown(Cell::Text("null")), shown(Cell::Text(""))], "{found:?}");
    Ok(())
}

pub async fn nulls_of_every_type_are_null<S: System>(system: &S) -> Result<()> {
    for holds in [
        Holds::Int,
        Holds::Decimal(38, 10),
        Holds::Float,
        Holds::Bool,
        Holds::Text,
        Holds::Date,
        Holds::Naive,
        Holds::Zoned,
    ] {
        if system.has(holds) {
            let name =
                format!("null_{}", format!("{holds:?}").to_lowercase().split('(').next().unwrap_or_default());
            let found = through(system, &name, holds, &[Value::Null]).await?;
            ensure!(found == [shown(Cell::Null)], "{holds:?}: {found:?}");
        }
    }
    Ok(())
}

pub async fn a_huge_cell_is_whole_or_cut<S: System>(system: &S) -> Result<()> {
    const SIZE: usize = 20 << 20;
    let columns = [key("id", Holds::Int), column("v", Holds::Text)];
    let huge: String = "0123456789abcdeé".chars().cycle().take(SIZE).collect();
    let rows = [("small", 1), (&huge, 2), ("last", 3)];
    let rows = rows.map(|(text, id)| vec![Value::number(id), Value::text(text)]);
    let table = filled(system, "huge", &columns, &rows).await?;
    let connector = system.connector()?;
    let request = request(&table, &["id", "v"], ("id", CursorKind::Int), &["id"]);
    let whole = batches(&*connector, ReadRequest { batch_bytes: 1 << 20, ..request.clone() }).await?;
    let cells: Vec<_> =
        whole.iter().flat_map(|batch| (0..batch.rows()).map(|row| batch.columns[1].cell(row))).collect();
    ensure!(cells.len() == 3 && cells[1] == Cell::Text(&huge), "the huge text is not whole");
    ensure!(whole.len() > 1, "one batch of {} bytes", whole[0].bytes());
    let cut = batches(&*connector, ReadRequest { cell_bytes: 1_001, ..request }).await?;
    let cells: Vec<_> =
        cut.iter().flat_map(|batch| (0..batch.rows()).map(|row| batch.columns[1].cell(row))).collect();
    ensure!(cells[0] == Cell::Text("small") && cells[2] == Cell::Text("last"), "{cells:?}");
    let Cell::Unreadable(raw) = cells[1] else { anyhow::bail!("not cut") };
    ensure!(
        huge.starts_with(raw.trim_end_matches(['\u{fffd}', '…'])) && (900..=1_010).contains(&raw.len()),
        "{raw}"
    );
    Ok(())
}
