//! What a database says about its own tables, in one form for both kinds.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use server::db::{Backend, Db};

/// The tables of a database.
pub type Catalog = BTreeMap<String, Table>;

/// A table as its database describes it.
#[derive(Debug, Default, PartialEq)]
pub struct Table {
    /// Column names, in order of the table.
    pub columns: Vec<Column>,
    /// The primary key, in order.
    pub key: Vec<String>,
    /// All other indexes.
    pub indexes: BTreeSet<Index>,
    /// The foreign keys.
    pub references: BTreeSet<Reference>,
}

/// A column.
#[derive(Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: &'static str,
    pub nullable: bool,
}

/// An index.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Index {
    pub name: String,
    pub columns: Vec<String>,
    pub unique: bool,
    pub partial: bool,
}

/// A foreign key.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub columns: Vec<String>,
    pub table: String,
    pub target: Vec<String>,
    pub on_delete: String,
}

/// Reads the catalog of either kind.
pub async fn read(db: &Db) -> Result<Catalog> {
    let mut catalog = match db.backend() {
        Backend::Sqlite => sqlite(db).await?,
        Backend::Postgres => postgres(db).await?,
    };
    catalog.remove("seaql_migrations");
    Ok(catalog)
}

pub async fn rows(db: &Db, sql: &str) -> Result<Vec<QueryResult>> {
    let orm = db.orm();
    Ok(orm.query_all_raw(Statement::from_string(orm.get_database_backend(), sql)).await?)
}

fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

async fn sqlite(db: &Db) -> Result<Catalog> {
    let mut catalog = Catalog::new();
    for row in
        rows(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").await?
    {
        let name: String = row.try_get("", "name")?;
        let mut table = Table::default();
        let columns =
            format!("SELECT name, lower(type) AS type, \"notnull\", pk FROM pragma_table_info('{name}')");
        let mut key = BTreeMap::new();
        for row in rows(db, &columns).await? {
            let name: String = row.try_get("", "name")?;
            let kind: String = row.try_get("", "type")?;
            let place: i64 = row.try_get("", "pk")?;
            if place > 0 {
                key.insert(place, name.clone());
            }
            let kind = match kind.as_str() {
                "integer" => "integer",
                "boolean" => "boolean",
                "uuid_text" => "uuid",
                "text" => "text",
                "varchar" => "varchar",
                other => bail!("column {name} has the unexpected type {other}"),
            };
            table.columns.push(Column { name, kind, nullable: row.try_get::<i64>("", "notnull")? == 0 });
        }
        table.key = key.into_values().collect();
        let indexes = format!(
            "SELECT l.name, l.\"unique\" AS single, l.partial,
                    (SELECT group_concat(i.name) FROM pragma_index_info(l.name) i) AS columns
             FROM pragma_index_list('{name}') l WHERE l.origin <> 'pk'"
        );
        for row in rows(db, &indexes).await? {
            table.indexes.insert(Index {
                name: row.try_get("", "name")?,
                columns: list(&row.try_get::<String>("", "columns")?),
                unique: row.try_get::<i64>("", "single")? == 1,
                partial: row.try_get::<i64>("", "partial")? == 1,
            });
        }
        let references = format!(
            "SELECT \"table\" AS target_table, on_delete, group_concat(\"from\") AS columns, group_concat(\"to\") AS target
             FROM (SELECT * FROM pragma_foreign_key_list('{name}') ORDER BY id, seq) GROUP BY id"
        );
        for row in rows(db, &references).await? {
            table.references.insert(reference(&row)?);
        }
        catalog.insert(name, table);
    }
    Ok(catalog)
}

fn reference(row: &QueryResult) -> Result<Reference> {
    Ok(Reference {
        columns: list(&row.try_get::<String>("", "columns")?),
        table: row.try_get("", "target_table")?,
        target: list(&row.try_get::<String>("", "target")?),
        on_delete: row.try_get("", "on_delete")?,
    })
}

async fn postgres(db: &Db) -> Result<Catalog> {
    let mut catalog = Catalog::new();
    let columns = "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' AS nullable
                   FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position";
    for row in rows(db, columns).await? {
        let name: String = row.try_get("", "column_name")?;
        let kind: String = row.try_get("", "data_type")?;
        let kind = match kind.as_str() {
            "integer" | "bigint" => "integer",
            "boolean" => "boolean",
            "uuid" => "uuid",
            "text" | "numeric" => "text",
            "character varying" => "varchar",
            other => bail!("column {name} has the unexpected type {other}"),
        };
        let table = catalog.entry(row.try_get("", "table_name")?).or_default();
        table.columns.push(Column { name, kind, nullable: row.try_get("", "nullable")? });
    }
    let indexes = "SELECT t.relname::text AS owner, c.relname::text AS name, x.indisunique AS single,
                          x.indisprimary AS key, x.indpred IS NOT NULL AS partial,
                          (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(x.indkey) WITH ORDINALITY k(number, place)
                           JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number) AS columns
                   FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
                   WHERE t.relnamespace = 'public'::regnamespace";
    for row in rows(db, indexes).await? {
        let table = catalog.entry(row.try_get("", "owner")?).or_default();
        let columns = list(&row.try_get::<String>("", "columns")?);
        if row.try_get("", "key")? {
            table.key = columns;
        } else {
            let (unique, partial) = (row.try_get("", "single")?, row.try_get("", "partial")?);
            table.indexes.insert(Index { name: row.try_get("", "name")?, columns, unique, partial });
        }
    }
    let references = "SELECT t.relname::text AS owner, f.relname::text AS target_table,
                             CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'r' THEN 'RESTRICT' WHEN 'n' THEN 'SET NULL'
                                              WHEN 'a' THEN 'NO ACTION' ELSE 'SET DEFAULT' END AS on_delete,
                             (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(conkey) WITH ORDINALITY k(number, place)
                              JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = k.number) AS columns,
                             (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(confkey) WITH ORDINALITY k(number, place)
                              JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.number) AS target
                      FROM pg_constraint JOIN pg_class t ON t.oid = conrelid JOIN pg_class f ON f.oid = confrelid
                      WHERE contype = 'f'";
    for row in rows(db, references).await? {
        let table = catalog.entry(row.try_get("", "owner")?).or_default();
        table.references.insert(reference(&row)?);
    }
    Ok(catalog)
}
