//! What can be a cursor, to its last digit, and what cannot.

use anyhow::{Result, ensure};
use connector::{CursorKind, ErrorKind, Moment, NullCursors, Position, ReadRequest};

use crate::reading::{batches, mark, position, read, refused, request};
use crate::system::{System, filled};
use crate::table::{Holds, Value, column, key};

/// An instant or a wall-clock time so many of the system's finest steps after a second's begin.
fn fine<S: System>(steps: u32) -> String {
    let digits = S::SUBSECOND_DIGITS;
    if digits == 0 {
        return format!("2026-02-28 23:59:{:02}", 10 + steps);
    }
    format!("2026-02-28 23:59:59.{steps:0digits$}")
}

/// The text a watermark of that instant has.
fn instant(text: &str) -> String {
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    format!("{}Z", trimmed.replace(' ', "T"))
}

pub async fn pitfall_07_the_last_digit_counts<S: System>(system: &S) -> Result<()> {
    let columns = [column("at", Holds::Zoned), key("id", Holds::Int)];
    let rows: Vec<_> = (0..30).map(|n| vec![Value::text(fine::<S>(n)), Value::number(n)]).collect();
    let table = filled(system, "fine", &columns, &rows).await?;
    let request = request(&table, &["at", "id"], ("at", CursorKind::Zoned), &["id"]);
    let connector = system.connector()?;
    for step in [0, 1, 7, 29] {
        let at = mark(CursorKind::Zoned, &instant(&fine::<S>(step)));
        let from = Some(Position { watermark: at.clone(), key: Vec::new() });
        let found = batches(&*connector, ReadRequest { from: from.clone(), ..request.clone() }).await?;
        ensure!(found.iter().map(connector::Batch::rows).sum::<usize>() == 30 - step as usize, "from {step}");
        let first = found.first().expect("rows were read").column("at").expect("it was asked for").cell(0);
        let again = connector::Watermark::of(CursorKind::Zoned, &first).expect("an instant");
        ensure!(again == at, "{} came back as {}", at.text, again.text);
        let one = ReadRequest { from, until: Some(at), ..request.clone() };
        ensure!(read(&*connector, one).await?.len() == 1, "from and until {step}");
    }
    Ok(())
}

pub async fn pitfall_05_a_lookback_has_one_unit<S: System>(system: &S) -> Result<()> {
    let columns = [column("at", Holds::Zoned), key("id", Holds::Int)];
    let at = |day: u32| Value::text(format!("2026-03-{day:02} 00:00:00"));
    let rows: Vec<_> = (1..=31).map(|day| vec![at(day), Value::number(day)]).collect();
    let table = filled(system, "days", &columns, &rows).await?;
    let request = request(&table, &["at", "id"], ("at", CursorKind::Zoned), &["id"]);
    let connector = system.connector()?;
    let all = batches(&*connector, request.clone()).await?;
    let stood = position(all.last().expect("rows were read"), &request);
    let week = 7 * 86_400 * 1_000_000;
    let watermark = stood.watermark.minus(week).expect("an instant can be lowered");
    let from = Some(Position { watermark, key: Vec::new() });
    ensure!(read(&*connector, ReadRequest { from, ..request }).await?.len() == 8, "seven days and today");
    Ok(())
}

pub async fn every_kind_of_cursor_pages_and_resumes<S: System>(system: &S) -> Result<()> {
    for (holds, kind) in [
        (Holds::Int, CursorKind::Int),
        (Holds::Wide, CursorKind::Int),
        (Holds::Date, CursorKind::Date),
        (Holds::Naive, CursorKind::Naive),
        (Holds::Zoned, CursorKind::Zoned),
    ] {
        if holds == Holds::Naive && !S::NAIVE || !system.has(holds) {
            continue;
        }
        let value = |n: i64| match holds {
            Holds::Date => Value::text(format!("2026-01-{:02}", 1 + n % 9)),
            Holds::Naive | Holds::Zoned => Value::text(format!("2026-01-01 00:00:{:02}", n % 9)),
            _ => Value::number(n % 9 - 4),
        };
        let rows: Vec<_> = (0..40).map(|n| vec![value(n), Value::number(n)]).collect();
        let name = format!("by_{holds:?}").to_lowercase();
        let columns = [column("at", holds), key("id", Holds::Int)];
        let table = filled(system, &name, &columns, &rows).await?;
        let request = ReadRequest {
            batch_rows: 6,
            nulls: NullCursors::First,
            ..request(&table, &["id", "at"], ("at", kind), &["id"])
        };
        let connector = system.connector()?;
        let whole = batches(&*connector, request.clone()).await?;
        ensure!(whole.iter().map(connector::Batch::rows).sum::<usize>() == 40, "{name}");
        let mut seen = 0;
        for batch in &whole {
            seen += batch.rows();
            let from = Some(position(batch, &request));
            let rest = read(&*connector, ReadRequest { from, ..request.clone() }).await?;
            ensure!(rest.len() == 41 - seen, "{name}: {} rows after {seen}", rest.len());
        }
    }
    Ok(())
}

pub async fn pitfall_09_text_cursors_are_refused<S: System>(system: &S) -> Result<()> {
    let columns = [column("at", Holds::Text), key("id", Holds::Int)];
    let rows =
        [vec![Value::text("2026-1-2"), Value::number(1)], vec![Value::text("2026-01-10"), Value::number(2)]];
    let table = filled(system, "texts", &columns, &rows).await?;
    let connector = system.connector()?;
    for kind in [CursorKind::Int, CursorKind::Date, CursorKind::Naive, CursorKind::Zoned] {
        let request = request(&table, &["at", "id"], ("at", kind), &["id"]);
        let (rows, error) = refused(&*connector, request).await?;
        ensure!(rows.is_empty() && unfit(error.kind()), "{error:?}");
    }
    let check = connector.check(Some(&table), Some("at")).await;
    ensure!(!check.passed(), "the check passed a text as cursor");
    Ok(())
}

pub async fn pitfall_10_unfit_cursor_types_are_refused<S: System>(system: &S) -> Result<()> {
    for (holds, value) in [
        (Holds::Clock, Value::text("10:00:00")),
        (Holds::Float, Value::number(1.5)),
        (Holds::Bool, Value::Bool(true)),
        (Holds::Json, Value::text("1")),
        (Holds::Decimal(20, 2), Value::number("1.50")),
    ] {
        if !system.has(holds) {
            continue;
        }
        let name =
            format!("unfit_{}", format!("{holds:?}").to_lowercase().split('(').next().unwrap_or_default());
        let columns = [column("at", holds), key("id", Holds::Int)];
        let table = filled(system, &name, &columns, &[vec![value, Value::number(1)]]).await?;
        let connector = system.connector()?;
        for kind in [CursorKind::Int, CursorKind::Naive, CursorKind::Zoned] {
            let (_, error) =
                refused(&*connector, request(&table, &["at", "id"], ("at", kind), &["id"])).await?;
            ensure!(unfit(error.kind()), "{holds:?} as {kind:?}: {error:?}");
        }
        ensure!(!connector.check(Some(&table), Some("at")).await.passed(), "the check passed {holds:?}");
    }
    Ok(())
}

/// The stream's set-up is wrong, or the table is not what it was when it was set up; a person must act either way.
fn unfit(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Config | ErrorKind::Schema)
}

pub async fn pitfall_12_a_row_dated_far_ahead_is_left_out_by_the_upper_bound<S: System>(
    system: &S,
) -> Result<()> {
    let columns = [column("at", Holds::Zoned), key("id", Holds::Int)];
    let rows = [("2026-01-01 00:00:00", 1), ("2099-01-01 00:00:00", 2)];
    let rows = rows.map(|(at, id)| vec![Value::text(at), Value::number(id)]);
    let table = filled(system, "ahead", &columns, &rows).await?;
    let connector = system.connector()?;
    let now = connector.clock().await?;
    let until = Moment { seconds: now.seconds + 86_400, ..now };
    let until = connector::Watermark::of(CursorKind::Zoned, &connector::Cell::Zoned(until));
    let request = request(&table, &["at", "id"], ("at", CursorKind::Zoned), &["id"]);
    ensure!(read(&*connector, ReadRequest { until, ..request.clone() }).await?.len() == 1);
    ensure!(read(&*connector, request).await?.len() == 2);
    Ok(())
}
