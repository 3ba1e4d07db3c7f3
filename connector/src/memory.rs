//! A table in memory: the smallest complete connector, for tests of everything above connectors.
//!
//! It keeps the promise of the crate as strictly as the real ones: closed bounds, (cursor, row key) order, and an
//! error where a real system would break off.

use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;

use crate::{
    Batch, BatchStream, Cell, Check, Column, ColumnInfo, Connector, ConnectorError, Cursor, CursorKind,
    ErrorKind, Moment, NullCursors, ReadRequest, Result, Table, TableRef, Type, Watermark,
};

/// A value a table in memory owns.
#[derive(Clone, Debug, PartialEq)]
pub enum Owned {
    /// SQL NULL.
    Null,
    /// An integer.
    Int(i128),
    /// A canonical decimal.
    Decimal(String),
    /// Text.
    Text(String),
    /// A JSON document.
    Json(String),
    /// An instant.
    Zoned(Moment),
}

impl Owned {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Int(value) => Cell::Int(*value),
            Self::Decimal(text) => Cell::Decimal(text),
            Self::Text(text) => Cell::Text(text),
            Self::Json(text) => Cell::Json(text),
            Self::Zoned(moment) => Cell::Zoned(*moment),
        }
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Null, _) => Ordering::Less,
            (_, Self::Null) => Ordering::Greater,
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Zoned(a), Self::Zoned(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.cell().to_string().cmp(&b.cell().to_string()),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    columns: Vec<ColumnInfo>,
    rows: Vec<Vec<Owned>>,
    now: Moment,
    break_after: Option<usize>,
    leave_out: Option<usize>,
}

/// A table in memory that any number of readers share. Clones are the same table.
#[derive(Clone, Debug)]
pub struct MemoryTable {
    name: TableRef,
    state: Arc<Mutex<State>>,
}

impl MemoryTable {
    /// Makes an empty table with these columns.
    pub fn new(name: &str, columns: &[(&str, Type)]) -> Self {
        let columns = columns
            .iter()
            .map(|(name, kind)| ColumnInfo {
                name: (*name).to_owned(),
                native: format!("{kind:?}").to_lowercase(),
                kind: *kind,
                nullable: true,
                key: false,
            })
            .collect();
        Self {
            name: TableRef { catalog: None, schema: None, name: name.to_owned() },
            state: Arc::new(Mutex::new(State { columns, ..State::default() })),
        }
    }

    /// The table's name.
    pub fn table(&self) -> &TableRef {
        &self.name
    }

    /// Adds a row; it must have a value per column.
    pub fn push(&self, row: Vec<Owned>) {
        let mut state = self.lock();
        assert_eq!(row.len(), state.columns.len(), "a value per column");
        state.rows.push(row);
    }

    /// Changes the rows as one transaction.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Vec<Owned>>)) {
        change(&mut self.lock().rows);
    }

    /// Removes a column, as an administrator would.
    pub fn drop_column(&self, name: &str) {
        let mut state = self.lock();
        let place = state.columns.iter().position(|column| column.name == name).expect("the column exists");
        state.columns.remove(place);
        state.rows.iter_mut().for_each(|row| _ = row.remove(place));
    }

    /// Sets the table's own clock.
    pub fn set_clock(&self, now: Moment) {
        self.lock().now = now;
    }

    /// Makes the next read break off with an error after that many rows; once.
    pub fn break_after(&self, rows: usize) {
        self.lock().break_after = Some(rows);
    }

    /// Makes the next read leave out the row after that many, and tell at its end that rows may be missing; once.
    pub fn leave_out(&self, row: usize) {
        self.lock().leave_out = Some(row);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the lock panics")
    }

    fn known(&self, table: &TableRef) -> Result<()> {
        if *table == self.name {
            return Ok(());
        }
        Err(ConnectorError::new(ErrorKind::NotFound, format!("there is no table {table}")))
    }

    /// Where a column is.
    fn place(&self, columns: &[ColumnInfo], name: &str) -> Result<usize> {
        columns.iter().position(|column| column.name == name).ok_or_else(|| {
            ConnectorError::new(ErrorKind::Schema, format!("table {} has no column {name:?}", self.name))
                .hint("it may have been renamed or dropped; open the stream and choose its columns again")
        })
    }

    /// The rows a request asks for, in order, cut to its columns.
    fn select(&self, request: &ReadRequest) -> Result<(Vec<Column>, Vec<Vec<Owned>>)> {
        self.known(&request.table)?;
        let state = self.lock();
        let at = |name: &String| self.place(&state.columns, name);
        let cursor = at(&request.cursor.column)?;
        if CursorKind::of(state.columns[cursor].kind) != Some(request.cursor.kind) {
            let message = format!("column {:?} cannot be this cursor", request.cursor.column);
            return Err(ConnectorError::new(ErrorKind::Config, message));
        }
        let key = request.key.iter().map(at).collect::<Result<Vec<_>>>()?;
        let wanted = request.columns.iter().map(at).collect::<Result<Vec<_>>>()?;
        let owned = |cell: Option<Cell<'_>>| match cell {
            Some(Cell::Int(value)) => Ok(Owned::Int(value)),
            Some(Cell::Zoned(moment)) => Ok(Owned::Zoned(moment)),
            _ => Err(ConnectorError::new(ErrorKind::Config, "a bound is not of the cursor's kind")),
        };
        let from = request.from.as_ref().map(|from| owned(from.watermark.cell())).transpose()?;
        let until = request.until.as_ref().map(|until| owned(until.cell())).transpose()?;
        let resume = request.from.as_ref().map(|from| from.key.as_slice()).unwrap_or_default();
        let key_order = |a: &[Owned], b: &[Owned]| {
            key.iter()
                .map(|index| a[*index].order(&b[*index]))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal)
        };
        let behind = |row: &[Owned]| {
            let order = key.iter().zip(resume).map(|(index, text)| match &row[*index] {
                Owned::Int(value) => value.cmp(&text.parse().unwrap_or(i128::MIN)),
                other => other.cell().to_string().as_str().cmp(text),
            });
            order.into_iter().find(|order| order.is_ne()).is_some_and(Ordering::is_lt)
        };
        let mut rows: Vec<&Vec<Owned>> = state
            .rows
            .iter()
            .filter(|row| match &row[cursor] {
                Owned::Null => request.nulls == NullCursors::First,
                value => {
                    from.as_ref().is_none_or(|from| match value.order(from) {
                        Ordering::Less => false,
                        Ordering::Equal => !behind(row),
                        Ordering::Greater => true,
                    }) && until.as_ref().is_none_or(|until| value.order(until).is_le())
                }
            })
            .collect();
        rows.sort_by(|a, b| a[cursor].order(&b[cursor]).then_with(|| key_order(a, b)));
        let columns = wanted
            .iter()
            .map(|index| Column::new(state.columns[*index].name.clone(), state.columns[*index].kind, true));
        let rows = rows.iter().map(|row| wanted.iter().map(|index| row[*index].clone()).collect());
        Ok((columns.collect(), rows.collect()))
    }
}

#[async_trait]
impl Connector for MemoryTable {
    async fn check(&self, table: Option<&TableRef>, cursor: Option<&str>) -> Check {
        let mut check = Check::default();
        let Some(table) = table else { return check };
        let found = check.step("find table", async { Ok((self.describe(table).await?, None)) }).await;
        if let (Some(name), Some(found)) = (cursor, found) {
            let fit = async {
                let kind = found.columns[self.place(&found.columns, name)?].kind;
                if CursorKind::of(kind).is_none() {
                    let message =
                        format!("column {name:?} cannot be a cursor: it is no integer, date or timestamp");
                    return Err(ConnectorError::new(ErrorKind::Config, message));
                }
                Ok(((), None))
            };
            check.step("read cursor column", fit).await;
        }
        check
    }

    async fn discover(&self) -> Result<Vec<Table>> {
        Ok(vec![Table { columns: Vec::new(), ..self.describe(&self.name).await? }])
    }

    async fn describe(&self, table: &TableRef) -> Result<Table> {
        self.known(table)?;
        let state = self.lock();
        let rows = Some(state.rows.len() as u64);
        Ok(Table { table: self.name.clone(), view: false, rows, columns: state.columns.clone() })
    }

    async fn preview(&self, table: &TableRef, columns: &[String], limit: u32) -> Result<Batch> {
        self.known(table)?;
        let state = self.lock();
        let mut batch = Batch::default();
        for name in columns {
            let place = self.place(&state.columns, name)?;
            let mut column = Column::new(name.clone(), state.columns[place].kind, true);
            state.rows.iter().take(limit as usize).for_each(|row| column.push(row[place].cell()));
            batch.columns.push(column);
        }
        Ok(batch)
    }

    async fn newest(&self, table: &TableRef, cursor: &Cursor) -> Result<Option<Watermark>> {
        self.known(table)?;
        let state = self.lock();
        let place = self.place(&state.columns, &cursor.column)?;
        let marks = state.rows.iter().filter_map(|row| Watermark::of(cursor.kind, &row[place].cell()));
        Ok(marks.max_by_key(Watermark::rank))
    }

    async fn clock(&self) -> Result<Moment> {
        Ok(self.lock().now)
    }

    fn read(&self, request: ReadRequest) -> BatchStream {
        request.cost.add_statement();
        let selected = self.select(&request);
        let break_after = self.lock().break_after.take();
        let leave_out = self.lock().leave_out.take();
        Box::pin(async_stream::try_stream! {
            let (columns, mut rows) = selected?;
            if let Some(row) = leave_out {
                rows.remove(row);
            }
            let mut given = 0;
            for part in rows.chunks(request.batch_rows) {
                if break_after.is_some_and(|limit| given + part.len() > limit) {
                    Err(ConnectorError::new(ErrorKind::Unavailable, "the connection was closed in the middle of the result"))?;
                }
                given += part.len();
                let mut batch = Batch { columns: columns.clone() };
                for row in part {
                    batch.columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value.cell()));
                }
                yield batch;
            }
            if leave_out.is_some() {
                let less = ConnectorError::new(ErrorKind::Unavailable, "fewer rows came than the result has");
                Err(less.incomplete())?;
            }
        })
    }
}
