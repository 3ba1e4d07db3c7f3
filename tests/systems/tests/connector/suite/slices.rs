//! What a table holds slice by slice, to be compared with what was taken in.

use anyhow::{Context, Result, ensure};
use connector::{Cost, Cursor, CursorKind, ErrorKind, Held, RunTag, Slice, SliceRequest, TableRef};

use crate::reading::mark;
use crate::system::{System, filled};
use crate::table::{Holds, Made, Value, column, key};

fn request(table: &TableRef, kind: CursorKind, (from, until): (&str, &str), values: &[&str]) -> SliceRequest {
    SliceRequest {
        table: table.clone(),
        cursor: Cursor { column: "at".to_owned(), kind },
        values: values.iter().map(|name| (*name).to_owned()).collect(),
        from: mark(kind, from),
        until: mark(kind, until),
        tag: RunTag::default(),
        cost: Cost::default(),
    }
}

fn slice(number: i64, kind: CursorKind, newest: &str, values: &[(u64, &str)]) -> Slice {
    let held = |(filled, sum): &(u64, &str)| Held { filled: *filled, sum: Some((*sum).to_owned()) };
    Slice { number, newest: mark(kind, newest), values: values.iter().map(held).collect() }
}

/// 2026-03-01 in days since 1970-01-01.
const DAY: i64 = 20_513;

fn numbered(rows: &[(&str, &[&str])]) -> Vec<Vec<Value>> {
    let value = |digits: &&str| if digits.is_empty() { Value::Null } else { Value::number(digits) };
    let row = |(id, (at, values)): (usize, &(&str, &[&str]))| {
        let at = if at.is_empty() { Value::Null } else { Value::text(*at) };
        std::iter::once(Value::number(id)).chain([at]).chain(values.iter().map(value)).collect()
    };
    rows.iter().enumerate().map(row).collect()
}

pub async fn a_slice_has_count_greatest_cursor_and_exact_sums<S: System>(system: &S) -> Result<()> {
    let columns =
        [key("id", Holds::Int), column("at", Holds::Zoned), column("a", Holds::Int), column("b", Holds::Int)];
    let most = i64::MAX.to_string();
    let least = i64::MIN.to_string();
    let rows = numbered(&[
        ("2026-03-01 00:00:00", &["1", ""]),
        ("2026-03-01 23:59:59", &[&most, "-5"]),
        ("2026-03-01 12:00:00", &[&most, ""]),
        ("2026-03-02 10:00:00", &["", &least]),
        ("2026-03-02 11:00:00", &["", &least]),
        // What says nothing, has no cursor, or lies outside.
        ("2026-03-02 12:00:00", &["", ""]),
        ("", &["7", "7"]),
        ("2026-02-28 23:59:59", &["7", "7"]),
        ("2026-03-03 10:00:01", &["7", "7"]),
        ("2026-03-03 10:00:00", &["2", "3"]),
    ]);
    let table = filled(system, "sums", &columns, &rows).await?;
    let zoned = CursorKind::Zoned;
    let request = request(&table, zoned, ("2026-03-01T00:00:00Z", "2026-03-03T10:00:00Z"), &["a", "b"]);
    let found = system.connector()?.slices(request).await.map_err(crate::reading::told)?;
    let wanted = [
        slice(DAY, zoned, "2026-03-01T23:59:59Z", &[(3, "18446744073709551615"), (1, "-5")]),
        slice(DAY + 1, zoned, "2026-03-02T11:00:00Z", &[(0, "0"), (2, "-18446744073709551616")]),
        slice(DAY + 2, zoned, "2026-03-03T10:00:00Z", &[(1, "2"), (1, "3")]),
    ];
    ensure!(found == wanted, "{found:#?}");
    Ok(())
}

pub async fn decimals_are_added_up_to_the_last_digit<S: System>(system: &S) -> Result<()> {
    let columns = [key("id", Holds::Int), column("at", Holds::Zoned), column("a", Holds::Decimal(38, 9))];
    let rows = numbered(&[
        ("2026-03-01 00:00:00", &["0.100000001"]),
        ("2026-03-01 00:00:01", &["0.2"]),
        ("2026-03-01 00:00:02", &["999999999999999999.999999999"]),
        ("2026-03-01 00:00:03", &["999999999999999999.999999999"]),
    ]);
    let table = filled(system, "fractions", &columns, &rows).await?;
    let request =
        request(&table, CursorKind::Zoned, ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"), &["a"]);
    let found = system.connector()?.slices(request).await.map_err(crate::reading::told)?;
    let wanted =
        [slice(DAY, CursorKind::Zoned, "2026-03-01T00:00:03Z", &[(4, "2000000000000000000.299999999")])];
    ensure!(found == wanted, "{found:#?}");
    Ok(())
}

pub async fn every_kind_of_cursor_has_its_slices<S: System>(system: &S) -> Result<()> {
    let times = ["1969-12-31 00:00:00", "1969-12-31 23:59:59", "1970-01-01 00:00:00", "1970-01-02 00:00:01"];
    let instants = times.map(|time| format!("{}Z", time.replace(' ', "T")));
    let days = times.map(|time| time[..10].to_owned());
    let naive = times.map(str::to_owned);
    let integers = ["-100000", "-1", "0", "100001"].map(str::to_owned);
    for (holds, kind, marks) in [
        (Holds::Int, CursorKind::Int, integers),
        (Holds::Date, CursorKind::Date, days),
        (Holds::Naive, CursorKind::Naive, naive),
        (Holds::Zoned, CursorKind::Zoned, instants),
    ] {
        if holds == Holds::Naive && !S::NAIVE || !system.has(holds) {
            continue;
        }
        let value = |text: &str| match holds {
            Holds::Int => Value::number(text),
            Holds::Zoned => Value::text(text.replace('T', " ").trim_end_matches('Z')),
            _ => Value::text(text),
        };
        let columns: [Made; 3] = [column("at", holds), key("id", Holds::Int), column("n", Holds::Int)];
        let row = |(id, text): (usize, &String)| vec![value(text), Value::number(id), Value::number(1 << id)];
        let rows: Vec<_> = marks.iter().enumerate().map(row).collect();
        let table = filled(system, &format!("of_{holds:?}").to_lowercase(), &columns, &rows).await?;
        let request = request(&table, kind, (&marks[0], &marks[3]), &["n"]);
        let found = system.connector()?.slices(request).await.map_err(crate::reading::told);
        let found = found.with_context(|| format!("by {holds:?}"))?;
        let wanted = [
            slice(-1, kind, &marks[1], &[(2, "3")]),
            slice(0, kind, &marks[2], &[(1, "4")]),
            slice(1, kind, &marks[3], &[(1, "8")]),
        ];
        ensure!(found == wanted, "by {holds:?}: {found:#?}");
    }
    Ok(())
}

pub async fn slices_of_a_missing_column_are_refused<S: System>(system: &S) -> Result<()> {
    let columns = [key("id", Holds::Int), column("at", Holds::Zoned)];
    let table = filled(system, "lacking", &columns, &numbered(&[("2026-03-01 00:00:00", &[])])).await?;
    let days = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
    let refused = system.connector()?.slices(request(&table, CursorKind::Zoned, days, &["gone"])).await;
    let kind = refused.as_ref().err().map(connector::ConnectorError::kind);
    ensure!(matches!(kind, Some(ErrorKind::Schema | ErrorKind::NotFound)), "{refused:?}");
    Ok(())
}
