//! What the server's catalog says of tables and columns.

use sqlx::{PgConnection, Row};

use super::client::{explain, explain_reading};
use super::dialect::{ReadColumn, table_name, wire};
use crate::{ColumnInfo, ConnectorError, ErrorKind, Result, Table, TableRef};

/// One column as the catalog has it.
#[derive(Clone, Debug)]
pub struct CatalogColumn {
    /// How it is read.
    pub read: ReadColumn,
    /// The type's name for people.
    pub shown: String,
    /// Whether a null may occur.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub key: bool,
}

/// Lists the tables and views the user may read.
///
/// # Errors
/// What the server refused.
pub async fn tables(connection: &mut PgConnection) -> Result<Vec<Table>> {
    let sql = "SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') AS view, \
        CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples::int8 END AS rows \
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition \
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname NOT LIKE 'pg\\_temp\\_%' \
        AND has_schema_privilege(n.oid, 'USAGE') \
        AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT')) \
        ORDER BY n.nspname, c.relname";
    let rows = sqlx::query(sql).fetch_all(connection).await.map_err(explain)?;
    rows.iter()
        .map(|row| {
            let rows: Option<i64> = row.try_get("rows").map_err(explain)?;
            Ok(Table {
                table: TableRef {
                    catalog: None,
                    schema: Some(row.try_get("nspname").map_err(explain)?),
                    name: row.try_get("relname").map_err(explain)?,
                },
                view: row.try_get("view").map_err(explain)?,
                rows: rows.and_then(|rows| u64::try_from(rows).ok()),
                columns: Vec::new(),
            })
        })
        .collect()
}

/// Describes one table's columns, in table order, and makes settings of the transaction, each a name and a value, on
/// the way.
///
/// # Errors
/// `NotFound` when the user sees no such table.
pub async fn columns(
    connection: &mut PgConnection,
    table: &TableRef,
    settings: &[(String, String)],
) -> Result<(Vec<CatalogColumn>, bool, Option<u64>)> {
    // A domain is read as the type below it. The name to cast to has the modifier -1: without one, `bpchar` would be
    // called `character`, which is one character long.
    let sql = "WITH made AS MATERIALIZED (SELECT count(set_config(s.name, s.value, true)) \
            FROM unnest($2::text[], $3::text[]) AS s(name, value)) \
        SELECT c.relkind IN ('v', 'm') AS view, \
        CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples >= 0 THEN c.reltuples::int8 END AS rows, \
        a.attname, format_type(a.atttypid, a.atttypmod) AS shown, \
        format_type(COALESCE(base.oid, t.oid), -1) AS native, COALESCE(base.oid, t.oid)::int8 AS oid, \
        COALESCE(base.typtype, t.typtype) = 'e' AS enumeration, NOT a.attnotnull AS nullable, \
        COALESCE(a.attnum = ANY (i.indkey::int2[]), false) AS key \
        FROM made CROSS JOIN pg_class c \
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        JOIN pg_type t ON t.oid = a.atttypid \
        LEFT JOIN LATERAL (WITH RECURSIVE chain AS ( \
            SELECT b.oid, b.typtype, b.typbasetype FROM pg_type b WHERE t.typtype = 'd' AND b.oid = t.typbasetype \
            UNION ALL SELECT b.oid, b.typtype, b.typbasetype FROM chain JOIN pg_type b ON b.oid = chain.typbasetype) \
            SELECT oid, typtype FROM chain WHERE typtype <> 'd') AS base ON true \
        LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary \
        WHERE c.oid = to_regclass($1) ORDER BY a.attnum";
    let (names, values): (Vec<&str>, Vec<&str>) =
        settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).unzip();
    let asked = sqlx::query(sql).bind(table_name(table)).bind(names).bind(values);
    let rows = asked.fetch_all(connection).await;
    let rows = rows.map_err(|error| explain_reading(error, table))?;
    let Some(first) = rows.first() else {
        return Err(ConnectorError::new(ErrorKind::NotFound, format!("there is no table or view {table}"))
            .hint(
                "it may have been renamed or dropped, or the user may not see its schema; names are exact",
            ));
    };
    let view: bool = first.try_get("view").map_err(explain)?;
    let count: Option<i64> = first.try_get("rows").map_err(explain)?;
    let columns = rows
        .iter()
        .map(|row| {
            let text = |name: &str| row.try_get::<String, _>(name).map_err(explain);
            let flag = |name: &str| row.try_get::<bool, _>(name).map_err(explain);
            let (wire, kind) = wire(row.try_get("oid").map_err(explain)?, flag("enumeration")?);
            Ok(CatalogColumn {
                read: ReadColumn { name: text("attname")?, native: text("native")?, wire, kind },
                shown: text("shown")?,
                nullable: flag("nullable")?,
                key: flag("key")?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok((columns, view, count.and_then(|count| u64::try_from(count).ok())))
}

/// The columns a statement names, in its order.
///
/// # Errors
/// `Schema` when one does not exist.
pub fn choose(table: &TableRef, all: &[CatalogColumn], names: &[String]) -> Result<Vec<ReadColumn>> {
    names
        .iter()
        .map(|name| {
            all.iter().find(|column| column.read.name == *name).map(|column| column.read.clone()).ok_or_else(
                || {
                    ConnectorError::new(ErrorKind::Schema, format!("table {table} has no column {name:?}"))
                    .hint("it may have been renamed or dropped; open the stream and choose its columns again")
                },
            )
        })
        .collect()
}

impl CatalogColumn {
    /// The column as connectors describe it.
    pub fn info(&self) -> ColumnInfo {
        ColumnInfo {
            name: self.read.name.clone(),
            native: self.shown.clone(),
            kind: self.read.kind,
            nullable: self.nullable,
            key: self.key,
        }
    }
}
