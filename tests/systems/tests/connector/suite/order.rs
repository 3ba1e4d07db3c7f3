//! Every row of the interval, in (cursor, row key) order, wherever a read begins.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use connector::{Cell, CursorKind, NullCursors, Position, ReadRequest};

use crate::reading::{batches, from, lines, mark, position, read, request, shown};
use crate::system::{System, filled};
use crate::table::{Holds, Made, Value, column, key};

const COLUMNS: [&str; 3] = ["seq", "id", "label"];

fn columns() -> [Made; 3] {
    [column("seq", Holds::Int), key("id", Holds::Int), column("label", Holds::Text)]
}

fn row(seq: i64, id: i64) -> Vec<Value> {
    vec![Value::number(seq), Value::number(id), Value::text(format!("row {id}"))]
}

fn line(seq: i64, id: i64) -> Vec<String> {
    let label = format!("row {id}");
    vec![shown(Cell::Int(seq.into())), shown(Cell::Int(id.into())), shown(Cell::Text(&label))]
}

/// Rows are inserted in an order of their own: neither the cursor's nor the key's.
async fn table<S: System>(system: &S, rows: &[(i64, i64)]) -> Result<ReadRequest> {
    let mut shuffled: Vec<(i64, i64)> = rows.to_vec();
    shuffled.sort_by_key(|(seq, id)| (seq * 7_919 + id * 104_729).rem_euclid(1_009));
    let rows: Vec<Vec<Value>> = shuffled.iter().map(|(seq, id)| row(*seq, *id)).collect();
    let table = filled(system, "readings", &columns(), &rows).await?;
    Ok(request(&table, &COLUMNS, ("seq", CursorKind::Int), &["id"]))
}

fn expected(rows: &[(i64, i64)]) -> Vec<Vec<String>> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    rows.iter().map(|(seq, id)| line(*seq, *id)).collect()
}

pub async fn a_full_read_gives_every_row_in_order<S: System>(system: &S) -> Result<()> {
    let rows: Vec<(i64, i64)> = (0..500).map(|n| ((n * 37) % 90 - 20, n)).collect();
    let request = table(system, &rows).await?;
    let connector = system.connector()?;
    for batch_rows in [1, 7, 499, 500, 501] {
        let found = read(&*connector, ReadRequest { batch_rows, ..request.clone() }).await?;
        ensure!(found == expected(&rows), "batches of {batch_rows}");
    }
    Ok(())
}

pub async fn an_empty_table_gives_no_batch<S: System>(system: &S) -> Result<()> {
    let request = table(system, &[]).await?;
    let connector = system.connector()?;
    ensure!(batches(&*connector, request.clone()).await?.is_empty());
    let nulls = NullCursors::First;
    ensure!(batches(&*connector, ReadRequest { nulls, ..request }).await?.is_empty());
    Ok(())
}

pub async fn pitfall_01_rows_with_the_boundary_value_arrive<S: System>(system: &S) -> Result<()> {
    let rows = [(1, 1), (2, 2), (2, 3), (2, 4), (3, 5), (4, 6)];
    let request = table(system, &rows).await?;
    let connector = system.connector()?;
    let lower = ReadRequest { from: from(CursorKind::Int, "2"), ..request.clone() };
    ensure!(read(&*connector, lower.clone()).await? == expected(&rows[1..]), "the lower bound is closed");
    let both = ReadRequest { until: Some(mark(CursorKind::Int, "3")), ..lower };
    ensure!(read(&*connector, both).await? == expected(&rows[1..5]), "the upper bound is closed");
    let one = Some(mark(CursorKind::Int, "2"));
    let one = ReadRequest { from: from(CursorKind::Int, "2"), until: one, ..request.clone() };
    ensure!(read(&*connector, one).await? == expected(&rows[1..4]), "an interval of one value");
    let stood = Position { watermark: mark(CursorKind::Int, "2"), key: vec!["3".to_owned()] };
    let resumed = read(&*connector, ReadRequest { from: Some(stood), ..request }).await?;
    ensure!(resumed == expected(&rows[2..]), "the row stood at comes again");
    Ok(())
}

/// Reads a request in one go, then again from each batch edge, and compares.
async fn resume_everywhere<S: System>(system: &S, request: ReadRequest) -> Result<usize> {
    let connector = system.connector()?;
    let whole = batches(&*connector, request.clone()).await?;
    let all: Vec<_> = whole.iter().flat_map(lines).collect();
    let mut seen = 0;
    for (edge, batch) in whole.iter().enumerate() {
        seen += batch.rows();
        let from = Some(position(batch, &request));
        let rest = read(&*connector, ReadRequest { from, ..request.clone() }).await?;
        ensure!(rest == all[seen - 1..], "resumed after batch {edge}: {} rows", rest.len());
    }
    Ok(all.len())
}

pub async fn a_read_resumes_at_every_batch_edge<S: System>(system: &S) -> Result<()> {
    let rows: Vec<(i64, i64)> = (0..120).map(|n| ((n * 7) % 40 - 10, n)).collect();
    let request = table(system, &rows).await?;
    for batch_rows in [1, 9] {
        let read = resume_everywhere(system, ReadRequest { batch_rows, ..request.clone() }).await?;
        ensure!(read == rows.len(), "{read} rows");
    }
    Ok(())
}

pub async fn pitfall_02_ties_longer_than_a_page<S: System>(system: &S) -> Result<()> {
    let batch_rows = 40;
    let mut rows: Vec<(i64, i64)> = (0..10).map(|n| (n, n)).collect();
    rows.extend((0..3 * batch_rows as i64 + 1).map(|n| (10, 1_000 + n)));
    rows.extend((0..10).map(|n| (11 + n, 5_000 + n)));
    let request = ReadRequest { batch_rows, ..table(system, &rows).await? };
    ensure!(resume_everywhere(system, request.clone()).await? == rows.len());
    // A tie that comes late, before the place where the reader stands, is found from the cursor alone.
    let connector = system.connector()?;
    system.insert(&request.table, &[row(10, 999)]).await?;
    let again = ReadRequest { from: from(CursorKind::Int, "10"), ..request };
    ensure!(read(&*connector, again).await?.first() == Some(&line(10, 999)));
    Ok(())
}

pub async fn pitfall_03_the_state_is_one_position<S: System>(system: &S) -> Result<()> {
    let rows: Vec<(i64, i64)> = (0..2_000).map(|n| (7, n)).collect();
    let request = table(system, &rows).await?;
    let connector = system.connector()?;
    let last = batches(&*connector, request.clone()).await?.pop().map(|batch| position(&batch, &request));
    let state = serde_json::to_string(&last)?;
    ensure!(state == r#"{"watermark":{"kind":"int","text":"7"},"key":["1999"]}"#, "{state}");
    Ok(())
}

pub async fn pitfall_04_late_rows_are_found_by_a_lookback<S: System>(system: &S) -> Result<()> {
    let rows: Vec<(i64, i64)> = (0..50).map(|n| (n * 2, n)).collect();
    let request = table(system, &rows).await?;
    let connector = system.connector()?;
    let first = batches(&*connector, request.clone()).await?;
    let stood = position(first.last().expect("rows were read"), &request);
    ensure!(stood.watermark.text == "98");
    system.insert(&request.table, &[row(91, 900), row(99, 901)]).await?;
    let lowered = stood.watermark.minus(10).expect("an integer can be lowered");
    let lowered = Some(Position { watermark: lowered, key: Vec::new() });
    let found = read(&*connector, ReadRequest { from: lowered, ..request }).await?;
    let mut wanted: Vec<(i64, i64)> = rows.into_iter().filter(|(seq, _)| *seq >= 88).collect();
    wanted.extend([(91, 900), (99, 901)]);
    ensure!(found == expected(&wanted));
    Ok(())
}

pub async fn pitfall_06_nothing_new_gives_no_batch<S: System>(system: &S) -> Result<()> {
    let request = table(system, &[(1, 1), (2, 2)]).await?;
    let connector = system.connector()?;
    let beyond = ReadRequest { from: from(CursorKind::Int, "3"), ..request.clone() };
    ensure!(batches(&*connector, beyond).await?.is_empty());
    let until = Some(mark(CursorKind::Int, "0"));
    ensure!(batches(&*connector, ReadRequest { until, ..request.clone() }).await?.is_empty());
    // Bounds past what any column holds are bounds like others.
    for (text, rows) in [("-170141183460469231731687303715884105728", 2), ("99999999999999999999", 0)] {
        let lower = ReadRequest { from: from(CursorKind::Int, text), ..request.clone() };
        ensure!(read(&*connector, lower).await?.len() == rows, "from {text}");
        let until = Some(mark(CursorKind::Int, text));
        let upper = read(&*connector, ReadRequest { until, ..request.clone() }).await?;
        ensure!(upper.len() == 2 - rows, "until {text}");
    }
    Ok(())
}

pub async fn pitfall_11_null_cursors_are_left_out_or_come_first<S: System>(system: &S) -> Result<()> {
    let request = table(system, &[(1, 1), (2, 2)]).await?;
    let null = |id: i64| vec![Value::Null, Value::number(id), Value::text(format!("row {id}"))];
    system.insert(&request.table, &[null(12), null(10), null(11)]).await?;
    let connector = system.connector()?;
    ensure!(read(&*connector, request.clone()).await? == expected(&[(1, 1), (2, 2)]));
    let first = ReadRequest { nulls: NullCursors::First, batch_rows: 2, ..request };
    let lined = |id: i64| {
        let mut line = line(0, id);
        line[0] = shown(Cell::Null);
        line
    };
    let mut wanted: Vec<_> = [10, 11, 12].map(lined).to_vec();
    wanted.extend(expected(&[(1, 1), (2, 2)]));
    ensure!(read(&*connector, first.clone()).await? == wanted);
    // They come whatever the interval is: their place in it is unknown.
    let later = ReadRequest { from: from(CursorKind::Int, "2"), ..first };
    wanted.remove(3);
    ensure!(read(&*connector, later).await? == wanted);
    Ok(())
}

pub async fn rows_with_a_null_key_are_not_lost<S: System>(system: &S) -> Result<()> {
    let columns = [column("seq", Holds::Int), column("a", Holds::Int), column("b", Holds::Text)];
    let mut rows = Vec::new();
    for seq in 0..3 {
        for a in [Value::Null, Value::number(1), Value::number(2)] {
            for b in [Value::Null, Value::text("x"), Value::text("")] {
                rows.push(vec![Value::number(seq), a.clone(), b]);
            }
        }
    }
    let table = filled(system, "loose", &columns, &rows).await?;
    let request = request(&table, &["seq", "a", "b"], ("seq", CursorKind::Int), &["a", "b"]);
    let connector = system.connector()?;
    let whole = batches(&*connector, ReadRequest { batch_rows: 1, ..request.clone() }).await?;
    let all: Vec<_> = whole.iter().flat_map(lines).collect();
    ensure!(all.len() == rows.len());
    for (at, batch) in whole.iter().enumerate() {
        let stood = position(batch, &request);
        let rest = read(&*connector, ReadRequest { from: Some(stood), ..request.clone() }).await?;
        let seen: BTreeSet<_> = all[..=at].iter().chain(&rest).collect();
        ensure!(seen.len() == rows.len(), "after row {at} of {all:?} only {rest:?} came");
    }
    Ok(())
}

pub async fn text_keys_order_the_same_in_every_read<S: System>(system: &S) -> Result<()> {
    let names =
        ["a", "B", "b", "A", "ä", "z", "Z", "_", "-a", "a-", "é", "e", "10", "9", "日本", "a b", "ab", " "];
    let columns = [column("seq", Holds::Int), key("name", Holds::Text)];
    let rows: Vec<_> = names.iter().map(|name| vec![Value::number(1), Value::text(*name)]).collect();
    let table = filled(system, "named", &columns, &rows).await?;
    let request = request(&table, &["seq", "name"], ("seq", CursorKind::Int), &["name"]);
    ensure!(resume_everywhere(system, ReadRequest { batch_rows: 1, ..request }).await? == names.len());
    Ok(())
}
