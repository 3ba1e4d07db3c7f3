//! A read as pages: each its own short statement, so that no snapshot is held while the caller works and the owner's
//! writes and checkpoints go on.
//!
//! A page begins strictly after the last row of the one before, in the order cursor, row key, and what makes a row
//! unique in a table. A view has nothing unique: there a page goes on, in one statement, to the end of the rows with
//! equal cursor and key. The upper bound is fixed before the first page.

use std::pin::pin;
use std::sync::Arc;

use async_stream::try_stream;
use futures::{FutureExt, Stream, StreamExt};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::bounds;
use super::catalog::{self, Described, Edition};
use super::client::{Client, explain, explain_at};
use super::decode::{self, Stored};
use super::dialect::{Value, beyond, bind, column, quote, select_item};
use super::layout::{self, Layout};
use crate::{Batch, Column, ConnectorError, CursorKind, ErrorKind, NullCursors, ReadRequest, Result};

/// What all pages of a read share.
struct Plan {
    request: ReadRequest,
    described: Described,
    /// Visible columns, then the cursor and each of the key as they are stored, then what makes rows unique.
    select: String,
    /// The cursor, the key, and what makes rows unique: items of the order.
    order: Vec<String>,
    /// Names of the order's items, for people.
    names: Vec<String>,
}

impl Plan {
    fn new(request: ReadRequest, described: Described, binary: bool) -> Result<Self> {
        let cursor = described.place(&request.cursor.column)?;
        let kind = described.table.columns[cursor].kind;
        if CursorKind::of(kind) != Some(request.cursor.kind) {
            let message = format!(
                "column {:?} of {} cannot be this cursor: it holds {}",
                request.cursor.column,
                request.table,
                format!("{kind:?}").to_lowercase()
            );
            return Err(ConnectorError::new(ErrorKind::Config, message)
                .hint("choose a column of integers, days or times; text does not order rows safely"));
        }
        let mut names = vec![request.cursor.column.clone()];
        for name in &request.key {
            described.place(name)?;
            names.push(name.clone());
        }
        let collate = if binary { "" } else { " COLLATE BINARY" };
        let mut order: Vec<String> = names.iter().map(|name| column(name)).collect();
        for item in &described.unique {
            if !order.contains(item) {
                order.push(item.clone());
                names.push(item.clone());
            }
        }
        let mut items = Vec::with_capacity(request.columns.len() + order.len());
        for name in &request.columns {
            described.place(name)?;
            items.push(select_item(name, request.cell_bytes));
        }
        items.extend(order.iter().cloned());
        order.iter_mut().for_each(|item| item.push_str(collate));
        let select = format!("SELECT {} FROM main.{} AS t", items.join(", "), quote(&request.table.name));
        Ok(Self { request, described, select, order, names })
    }

    /// Whether the order tells every two rows apart.
    fn total(&self) -> bool {
        !self.described.unique.is_empty()
    }

    fn empty(&self) -> Result<Batch> {
        let columns = self.request.columns.iter().map(|name| {
            let kind = self.described.table.columns[self.described.place(name)?].kind;
            Ok(Column::new(name.as_str(), kind, false))
        });
        Ok(Batch { columns: columns.collect::<Result<_>>()? })
    }

    /// Appends a row, giving about how many bytes it has.
    fn push(&self, batch: &mut Batch, row: &SqliteRow) -> Result<usize> {
        let mut bytes = 0;
        for (place, column) in batch.columns.iter_mut().enumerate() {
            let value = Stored::of(row.try_get_raw(place).map_err(explain)?)?;
            bytes += value.bytes();
            decode::push(column, value, self.request.cell_bytes);
        }
        Ok(bytes)
    }

    /// The stored values of a row's place in the order, from item `first` on.
    fn position(&self, row: &SqliteRow, first: usize) -> Result<Vec<Value>> {
        (first..self.order.len())
            .map(|item| {
                let stored = row.try_get_raw(self.request.columns.len() + item).map_err(explain)?;
                Value::keep(&self.names[item], Stored::of(stored)?)
            })
            .collect()
    }

    /// The statement for the rows of a part from a position on, and its values.
    fn statement(&self, part: &Part, position: &[Value], strict: bool, limit: usize) -> (String, Vec<Value>) {
        let order = &self.order[part.first..];
        let mut sql = format!("{} WHERE {}", self.select, part.condition);
        let mut values = part.values.clone();
        if !position.is_empty() {
            let (condition, more) = beyond(order, position, strict);
            sql.push_str(&format!(" AND {condition}"));
            values.extend(more);
        }
        if !order.is_empty() {
            sql.push_str(&format!(" ORDER BY {}", order.join(", ")));
        }
        if self.total() {
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        (sql, values)
    }

    /// Refuses a cursor in another layout than the bounds were written in: it would not be where its time belongs.
    fn check_layout(&self, row: &SqliteRow, layout: &Layout) -> Result<()> {
        let stored = Stored::of(row.try_get_raw(self.request.columns.len()).map_err(explain)?)?;
        if let Stored::Text(bytes) = stored
            && let Ok(text) = std::str::from_utf8(bytes)
            && let Some((_, other)) = layout::time(text)
            && !other.sorts_with(layout)
        {
            return Err(bounds::mixed(&self.request.table, &self.request.cursor.column, text));
        }
        Ok(())
    }
}

/// Rows read by the same condition: those without a cursor, or those with one.
struct Part {
    condition: String,
    values: Vec<Value>,
    /// The first item of the order that tells these rows apart.
    first: usize,
    lower: Vec<Value>,
}

/// Reads what a request asks for.
pub fn read(client: Arc<Client>, request: ReadRequest) -> impl Stream<Item = Result<Batch>> + Send {
    try_stream! {
        let cost = request.cost.clone();
        let mut session = cost.timed(client.open()).await?;
        let mut edition = cost.timed(client.timed(Edition::of(&mut session.connection, &request.table))).await?;
        let (plan, parts, layout) = cost.timed(client.timed(prepare(&mut session.connection, request))).await?;
        let limit = plan.request.batch_rows.max(1);
        let failed = explain_at(&plan.request.table);
        for part in parts {
            let (mut position, mut strict) = (part.lower.clone(), false);
            loop {
                let (sql, values) = plan.statement(&part, &position, strict, limit);
                cost.add_statement();
                let mut batch = plan.empty()?;
                let (mut bytes, mut count, mut more) = (0, 0, false);
                let mut last: Option<SqliteRow> = None;
                {
                    let mut rows = bind(sqlx::query(AssertSqlSafe(sql)), &values).fetch(&mut session.connection);
                    let mut late = pin!(tokio::time::sleep(client.timeout()));
                    loop {
                        // Only what is waited for is timed: most rows are there already.
                        let next = match rows.next().now_or_never() {
                            Some(row) => row.map(|row| row.map_err(&failed)),
                            None => {
                                cost.timed(async {
                                    tokio::select! {
                                        biased;
                                        row = rows.next() => row.map(|row| row.map_err(&failed)),
                                        () = &mut late => Some(Err(client.late())),
                                    }
                                })
                                .await
                            }
                        };
                        let Some(row) = next else { break };
                        let row = row?;
                        if let Some(last) = &last
                            && (batch.rows() >= limit || bytes >= plan.request.batch_bytes)
                        {
                            if plan.total() || plan.position(last, part.first)? != plan.position(&row, part.first)? {
                                more = true;
                                break;
                            }
                            yield std::mem::replace(&mut batch, plan.empty()?);
                            bytes = 0;
                            late.set(tokio::time::sleep(client.timeout()));
                        }
                        if let Some(layout) = layout.as_ref().filter(|_| part.first == 0) {
                            plan.check_layout(&row, layout)?;
                        }
                        bytes += plan.push(&mut batch, &row)?;
                        count += 1;
                        last = Some(row);
                    }
                }
                // Also after the last page, which is short or empty when the table has been lost from sight.
                let later = Edition::of(&mut session.connection, &plan.request.table);
                edition.follow(client.timed(later).await?)?;
                more |= plan.total() && count == limit;
                if let Some(last) = last.filter(|_| more) {
                    position = plan.position(&last, part.first)?;
                    strict = true;
                }
                if batch.rows() > 0 {
                    yield batch;
                }
                if !more {
                    break;
                }
            }
        }
    }
}

/// Looks at the table and fixes the bounds.
async fn prepare(
    connection: &mut SqliteConnection,
    request: ReadRequest,
) -> Result<(Plan, Vec<Part>, Option<Layout>)> {
    let described = catalog::describe(connection, &request.table).await?;
    let binary = !catalog::collates(connection).await?;
    let plan = Plan::new(request, described, binary)?;
    let bounds = bounds::find(connection, &plan.request, &plan.described).await?;
    let cursor = column(&plan.request.cursor.column);
    let mut parts = Vec::new();
    let nullable = plan.described.table.columns[plan.described.place(&plan.request.cursor.column)?].nullable;
    if plan.request.nulls == NullCursors::First && nullable {
        let condition = format!("{cursor} IS NULL");
        parts.push(Part { condition, values: Vec::new(), first: 1, lower: Vec::new() });
    }
    if let Some(upper) = bounds.upper {
        let condition = format!("{cursor} <= ?");
        parts.push(Part { condition, values: vec![upper], first: 0, lower: bounds.lower });
    }
    Ok((plan, parts, bounds.layout))
}
