//! What a stream has taken in, slice by slice of its cursor: measurements, and the rows that wait.
//!
//! Rows are read in short pieces, and nothing is locked. A value that somebody typed came from no row.

use std::collections::{BTreeMap, HashMap};

use connector::slice::{number_of, width};
use connector::{Batch, Cell, Column, Type};
use entity::Decimal;
use futures::TryStreamExt;
use sea_orm::FromQueryResult;
use sqlx::{AssertSqlSafe, Row};

use super::plan::Plan;
use super::values::Values;
use crate::app::App;
use crate::domain::measurement::TYPED;
use crate::domain::reconcile::Totals;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// Waiting rows read at a time.
const ROWS: i64 = 2_000;
/// Series whose measurements are read at a time.
const SERIES: usize = 200;

/// Adds up what is held between two ranks, both included; `values` tells which cells of a row are values.
///
/// # Errors
/// What the database says.
pub async fn totals(
    app: &App,
    plan: &Plan,
    values: &Values,
    ranks: (i64, i64),
) -> Result<BTreeMap<i64, Totals>> {
    let mut totals = BTreeMap::new();
    if app.db.postgres().is_some() {
        by_the_database(app, plan, ranks, &mut totals).await?;
    } else {
        measured(app, plan, ranks, &mut totals).await?;
        unmatched(app, plan, ranks, &mut totals).await?;
    }
    rejected(app, plan, values, ranks, &mut totals).await?;
    Ok(totals)
}

#[derive(FromQueryResult)]
struct Summed {
    number: i64,
    readings: i64,
    total: String,
    newest: i64,
}

/// Measurements and readings that wait, added up by PostgreSQL.
async fn by_the_database(
    app: &App,
    plan: &Plan,
    (from, until): (i64, i64),
    totals: &mut BTreeMap<i64, Totals>,
) -> Result<()> {
    let (db, route) = (app.db.orm(), &plan.route);
    // Division cuts towards zero; a slice begins at or below each of its ranks.
    let width = width(plan.cursor.kind);
    let number = format!("cursor / {width} - CASE WHEN cursor % {width} < 0 THEN 1 ELSE 0 END");
    let part = |sql: Sql| {
        let sql = sql.text(" AND cursor BETWEEN ").bind(from).text(" AND ").bind(until);
        sql.text(&format!(" GROUP BY {number}"))
    };
    let list = format!(
        "SELECT {number} AS number, count(*) AS readings, sum(value) AS total, max(cursor) AS newest"
    );
    let sql = Sql::new(db, "SELECT number, sum(readings)::int8 AS readings, sum(total)::text AS total")
        .text(", max(newest) AS newest FROM (")
        .text(&list)
        .text(" FROM measurement WHERE series_id IN (SELECT id FROM series WHERE organization_id = ")
        .bind(route.organization)
        .text(" AND stream_id = ")
        .bind(route.stream)
        .text(") AND run <> ")
        .bind(TYPED);
    let sql = part(sql)
        .text(" UNION ALL ")
        .text(&list)
        .text(" FROM waiting_row WHERE organization_id = ")
        .bind(route.organization)
        .text(" AND stream_id = ")
        .bind(route.stream)
        .text(" AND kind = 'unmatched' AND value IS NOT NULL");
    let rows: Vec<Summed> = part(sql).text(") AS parts GROUP BY number").all(db).await?;
    for row in rows {
        totals.entry(row.number).or_default().add(row.readings, &row.total, row.newest);
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Numbered {
    id: i64,
}

/// Measurements, added up here: SQLite keeps exact numbers as text. Readers do not hold up its writer.
async fn measured(
    app: &App,
    plan: &Plan,
    (from, until): (i64, i64),
    totals: &mut BTreeMap<i64, Totals>,
) -> Result<()> {
    let (db, route) = (app.db.orm(), &plan.route);
    let pool = app.db.sqlite().ok_or_else(|| Error::internal("add up measurements", "this is no SQLite"))?;
    let series: Vec<Numbered> = Sql::new(db, "SELECT id FROM series WHERE organization_id = ")
        .bind(route.organization)
        .text(" AND stream_id = ")
        .bind(route.stream)
        .all(db)
        .await?;
    for some in series.chunks(SERIES) {
        let marks = vec!["?"; some.len()].join(", ");
        let sql = format!(
            "SELECT cursor, value FROM measurement WHERE series_id IN ({marks}) AND run <> ? AND cursor BETWEEN ? AND ?"
        );
        let mut query = sqlx::query::<sqlx::Sqlite>(AssertSqlSafe(sql));
        for one in some {
            query = query.bind(one.id);
        }
        let mut rows = query.bind(TYPED).bind(from).bind(until).fetch(pool);
        while let Some(row) = rows.try_next().await? {
            let (cursor, value): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
            totals.entry(number_of(plan.cursor.kind, cursor)).or_default().add(1, value, cursor);
        }
    }
    Ok(())
}

#[derive(FromQueryResult)]
struct Unmatched {
    id: i64,
    cursor: i64,
    value: Option<Decimal>,
}

/// Readings that wait for an account or a link.
async fn unmatched(
    app: &App,
    plan: &Plan,
    ranks: (i64, i64),
    totals: &mut BTreeMap<i64, Totals>,
) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Unmatched> = waiting(app, plan, "id, cursor, value", "unmatched", ranks, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        for row in &rows {
            if let Some(value) = &row.value {
                let slice = totals.entry(number_of(plan.cursor.kind, row.cursor)).or_default();
                slice.add(1, value.as_str(), row.cursor);
            }
        }
    }
}

#[derive(FromQueryResult)]
struct Rejected {
    id: i64,
    cursor: i64,
    row: String,
}

/// Rows that could not be mapped: they hold the values the table has, though they say nothing.
async fn rejected(
    app: &App,
    plan: &Plan,
    values: &Values,
    ranks: (i64, i64),
    totals: &mut BTreeMap<i64, Totals>,
) -> Result<()> {
    let mut after = i64::MIN;
    loop {
        let rows: Vec<Rejected> = waiting(app, plan, "id, cursor, row", "rejected", ranks, after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.id;
        let mut columns: Vec<Column> =
            values.columns().iter().map(|name| Column::new(name.clone(), Type::Text, false)).collect();
        for row in &rows {
            let cells: HashMap<String, Option<String>> = serde_json::from_str(&row.row)
                .map_err(|error| Error::internal("read a rejected row", error))?;
            for column in &mut columns {
                column
                    .push(cells.get(column.name()).and_then(Option::as_deref).map_or(Cell::Null, Cell::Text));
            }
        }
        let drawn = values.drawn(&Batch { columns });
        for (place, row) in rows.iter().enumerate() {
            for column in &drawn {
                let (Cell::Text(value) | Cell::Unreadable(value)) = column.cell(place) else { continue };
                let slice = totals.entry(number_of(plan.cursor.kind, row.cursor)).or_default();
                slice.add(1, value, row.cursor);
            }
        }
    }
}

/// Some of the stream's waiting rows, by ID.
async fn waiting<T: FromQueryResult>(
    app: &App,
    plan: &Plan,
    columns: &str,
    kind: &str,
    (from, until): (i64, i64),
    after: i64,
) -> Result<Vec<T>> {
    let db = app.db.orm();
    Ok(Sql::new(db, &format!("SELECT {columns} FROM waiting_row WHERE organization_id = "))
        .bind(plan.route.organization)
        .text(" AND stream_id = ")
        .bind(plan.route.stream)
        .text(" AND kind = ")
        .bind(kind)
        .text(" AND cursor BETWEEN ")
        .bind(from)
        .text(" AND ")
        .bind(until)
        .text(" AND id > ")
        .bind(after)
        .text(" ORDER BY id LIMIT ")
        .bind(ROWS)
        .all(db)
        .await?)
}
