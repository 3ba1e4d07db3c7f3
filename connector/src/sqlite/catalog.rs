//! What the file holds: tables, views, their columns, and what makes a row unique.

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::client::{explain, explain_at};
use super::decode::Stored;
use super::dialect::{Affinity, column, logical, quote, sampled};
use crate::{ColumnInfo, ConnectorError, ErrorKind, Result, Table, TableRef, Type};

/// So many rows are looked at to see what a column of times holds.
const SAMPLE: usize = 1_000;

/// A table with what its reading needs.
pub struct Described {
    /// What everybody may know.
    pub table: Table,
    /// The affinity of each column.
    pub affinities: Vec<Affinity>,
    /// Items that make every row unique; none for views and virtual tables.
    pub unique: Vec<String>,
}

impl Described {
    /// The place of a column.
    ///
    /// # Errors
    /// `Schema` when there is none of that exact name.
    pub fn place(&self, name: &str) -> Result<usize> {
        self.table.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let message = format!("{} has no column {name:?}", self.table.table);
            ConnectorError::new(ErrorKind::Schema, message)
                .hint("it may have been renamed or dropped; open the stream and choose its columns again")
        })
    }
}

/// Lists tables and views by name, without SQLite's own and without the inner tables of virtual ones.
pub async fn discover(connection: &mut SqliteConnection) -> Result<Vec<Table>> {
    let rows = sqlx::query(
        "SELECT name, type = 'view' AS is_view FROM pragma_table_list \
         WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(explain)?;
    let mut tables = Vec::with_capacity(rows.len());
    for row in rows {
        let name: String = row.try_get("name").map_err(explain)?;
        let view: bool = row.try_get("is_view").map_err(explain)?;
        let table = TableRef { catalog: None, schema: None, name };
        tables.push(Table { table, view, rows: None, columns: Vec::new() });
    }
    if !tables.is_empty() {
        let estimates = estimates(connection).await?;
        for table in &mut tables {
            table.rows = estimates.iter().find(|(name, _)| *name == table.table.name).map(|(_, rows)| *rows);
        }
    }
    Ok(tables)
}

/// The row counts the last ANALYZE left.
async fn estimates(connection: &mut SqliteConnection) -> Result<Vec<(String, u64)>> {
    let analyzed: bool =
        sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_schema WHERE name = 'sqlite_stat1'")
            .fetch_one(&mut *connection)
            .await
            .map_err(explain)?;
    if !analyzed {
        return Ok(Vec::new());
    }
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl IS NOT NULL GROUP BY tbl",
    )
    .fetch_all(connection)
    .await
    .map_err(explain)?;
    Ok(rows.into_iter().map(|(name, rows)| (name, u64::try_from(rows).unwrap_or(0))).collect())
}

/// One state of the file's schema.
#[derive(Debug, PartialEq, Eq)]
pub struct Edition {
    /// SQLite's own number, which grows with each change.
    number: i64,
    /// How much there is, and the table's own entry.
    content: (i64, i64, i64, Option<i64>, Option<String>),
}

impl Edition {
    /// Looks at the present one.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn of(connection: &mut SqliteConnection, table: &TableRef) -> Result<Self> {
        let sql = "SELECT (SELECT schema_version FROM pragma_schema_version), count(*), \
                   coalesce(sum(rootpage), 0), coalesce(sum(length(sql)), 0), \
                   max(rootpage) FILTER (WHERE name = ?1), max(sql) FILTER (WHERE name = ?1) FROM sqlite_schema";
        let found: (i64, i64, i64, i64, Option<i64>, Option<String>) =
            sqlx::query_as(sql).bind(table.name.clone()).fetch_one(connection).await.map_err(explain)?;
        let (number, count, pages, length, page, text) = found;
        Ok(Self { number, content: (count, pages, length, page, text) })
    }

    /// Goes on to a later one.
    ///
    /// # Errors
    /// `Unavailable` when this is no later one: the number is the same and the content is not. Then something else
    /// than SQLite wrote to the file, SQLite looks for the table in the wrong place, and finds too little or nothing.
    pub fn follow(&mut self, later: Self) -> Result<()> {
        if self.number == later.number && self.content != later.content {
            let message = "the file was overwritten by another one while it was read";
            return Err(ConnectorError::new(ErrorKind::Unavailable, message).hint(
                "put a new file in place by renaming it, which does not disturb who reads the old one",
            ));
        }
        *self = later;
        Ok(())
    }
}

/// Describes one table or view.
///
/// # Errors
/// `NotFound` when there is none of that exact name, `Schema` when a view's definition no longer works.
pub async fn describe(connection: &mut SqliteConnection, table: &TableRef) -> Result<Described> {
    let missing = || {
        ConnectorError::new(ErrorKind::NotFound, format!("there is no table or view {table} in the file"))
            .hint("it may have been renamed or dropped; names are told apart by case")
    };
    if table.catalog.is_some() || table.schema.as_deref().is_some_and(|schema| schema != "main") {
        return Err(missing());
    }
    let found = sqlx::query("SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?")
        .bind(table.name.clone())
        .fetch_optional(&mut *connection)
        .await
        .map_err(explain)?
        .ok_or_else(missing)?;
    let sort: String = found.try_get("type").map_err(explain)?;
    let without_rowid: bool = found.try_get("wr").map_err(explain)?;
    let view = sort == "view";
    let failed = explain_at(table);
    // Hidden columns of virtual tables (1) are arguments; generated columns (2 and 3) are columns.
    let rows = sqlx::query(
        "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid",
    )
    .bind(table.name.clone())
    .fetch_all(&mut *connection)
    .await
    .map_err(&failed)?;
    let mut columns = Vec::with_capacity(rows.len());
    let mut affinities = Vec::with_capacity(rows.len());
    let mut key = Vec::new();
    for row in rows {
        let name: String = row.try_get("name").map_err(explain)?;
        let native: String = row.try_get("type").map_err(explain)?;
        let not_null: bool = row.try_get("notnull").map_err(explain)?;
        let place: i64 = row.try_get("pk").map_err(explain)?;
        if place > 0 {
            key.push((place, name.clone()));
        }
        affinities.push(Affinity::of(&native));
        let kind = logical(&native);
        let nullable = view || !(not_null || (place > 0 && without_rowid));
        columns.push(ColumnInfo { name, native, kind, nullable, key: place > 0 });
    }
    key.sort();
    if let ([(_, name)], "table", false) = (key.as_slice(), sort.as_str(), without_rowid) {
        // A single INTEGER PRIMARY KEY is the rowid, which is never null.
        for info in columns.iter_mut().filter(|info| info.name == *name) {
            info.nullable &= !info.native.eq_ignore_ascii_case("INTEGER");
        }
    }
    let mut unique = Vec::new();
    if sort == "table" {
        if without_rowid {
            unique = key.iter().map(|(_, name)| column(name)).collect();
        } else {
            let free = |name: &&str| !columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
            unique = ["rowid", "_rowid_", "oid"].iter().copied().find(free).map(column).into_iter().collect();
        }
    }
    sample(connection, table, &mut columns).await?;
    let table = Table { table: table.clone(), view, rows: None, columns };
    Ok(Described { table, affinities, unique })
}

/// Corrects the types of columns declared to hold days or times by what they hold.
async fn sample(
    connection: &mut SqliteConnection,
    table: &TableRef,
    columns: &mut [ColumnInfo],
) -> Result<()> {
    let mut timed: Vec<&mut ColumnInfo> = columns
        .iter_mut()
        .filter(|column| matches!(column.kind, Type::Date | Type::Naive | Type::Zoned))
        .collect();
    if timed.is_empty() {
        return Ok(());
    }
    let name = quote(&table.name);
    let items: Vec<String> = timed
        .iter()
        .map(|info| {
            let item = column(&info.name);
            format!("(SELECT x FROM (SELECT {item} AS x FROM main.{name} AS t LIMIT {SAMPLE}) WHERE x IS NOT NULL LIMIT 1)")
        })
        .collect();
    let row = sqlx::query(AssertSqlSafe(format!("SELECT {}", items.join(", "))))
        .fetch_one(connection)
        .await
        .map_err(explain_at(table))?;
    for (place, info) in timed.iter_mut().enumerate() {
        info.kind = sampled(info.kind, Stored::of(row.try_get_raw(place).map_err(explain)?)?);
    }
    Ok(())
}

/// Tells whether some table or view compares text by other than its bytes.
pub async fn collates(connection: &mut SqliteConnection) -> Result<bool> {
    sqlx::query_scalar("SELECT count(*) > 0 FROM sqlite_schema WHERE sql LIKE '%collate%'")
        .fetch_one(connection)
        .await
        .map_err(explain)
}

/// Counts the rows without a value in a column.
pub async fn nulls(connection: &mut SqliteConnection, table: &TableRef, name: &str) -> Result<i64> {
    let sql = format!("SELECT count(*) FROM main.{} AS t WHERE {} IS NULL", quote(&table.name), column(name));
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.map_err(explain_at(table))
}
