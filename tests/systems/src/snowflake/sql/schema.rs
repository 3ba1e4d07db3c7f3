//! `INFORMATION_SCHEMA`: what the role may see, as tables.

use super::catalog::Object;
use super::error::{Outcome, SqlError};
use super::grants::Sort;
use super::name;
use super::session::Session;
use super::types::{Column, Type};
use super::value::Value;
use crate::snowflake::state::World;

type Table = (Vec<Column>, Vec<Vec<Value>>);

/// A view of a database's INFORMATION_SCHEMA.
pub fn view(world: &World, session: &Session, database: &str, view: &str) -> Outcome<Table> {
    let missing = |sort: &str, name: &[&str]| SqlError::missing(sort, name::shown(name));
    let schemas = world.catalog.databases.get(database).ok_or_else(|| missing("Database", &[database]))?;
    let seen = world.visible(session, Some(database), None);
    match view {
        "SCHEMATA" => {
            let columns = texts(&["CATALOG_NAME", "SCHEMA_NAME", "SCHEMA_OWNER"]);
            let used = schemas.keys().filter(|schema| {
                world.uses(session, Sort::Schema, &[database.to_owned(), (*schema).clone()])
            });
            let row = |schema: &String| {
                vec![Value::text(database), Value::text(schema.as_str()), Value::text("ACCOUNTADMIN")]
            };
            Ok((columns, used.map(row).collect()))
        }
        "TABLES" => Ok((
            tables(),
            seen.into_iter()
                .map(|([_, schema, name], object)| table(database, schema, name, object))
                .collect(),
        )),
        "VIEWS" => {
            let columns = texts(&["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME"]);
            let views = seen.into_iter().filter(|(_, object)| object.is_view());
            Ok((columns, views.map(|(name, _)| name.map(Value::text).to_vec()).collect()))
        }
        "COLUMNS" => {
            Ok((columns(), seen.into_iter().flat_map(|(name, object)| column_rows(name, object)).collect()))
        }
        _ => Err(missing("Object", &[database, "INFORMATION_SCHEMA", view])),
    }
}

fn texts(names: &[&str]) -> Vec<Column> {
    names.iter().map(|name| Column::new(*name, Type::TEXT)).collect()
}

fn tables() -> Vec<Column> {
    let mut columns =
        texts(&["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "TABLE_OWNER", "TABLE_TYPE", "IS_TRANSIENT"]);
    columns.push(Column::new("ROW_COUNT", Type::Number(38, 0)));
    columns.push(Column::new("BYTES", Type::Number(38, 0)));
    columns.push(Column::new("CREATED", Type::Ltz(3)));
    columns.push(Column::new("LAST_ALTERED", Type::Ltz(3)));
    columns.push(Column::new("COMMENT", Type::TEXT));
    columns
}

fn table(database: &str, schema: &str, name: &str, object: &Object) -> Vec<Value> {
    let rows = object.source().map_or(Value::Null, |source| Value::int(source.len() as i128));
    let bytes = object.source().map_or(Value::Null, |source| Value::int(source.len() as i128 * 64));
    let kind = if object.is_view() { "VIEW" } else { "BASE TABLE" };
    let owner = Value::text("ACCOUNTADMIN");
    let transient = if object.is_view() { Value::Null } else { Value::text("NO") };
    let times = [object.created, object.altered].map(|time| Value::Ltz(super::cast::cut(time, 3)));
    let mut row = vec![
        Value::text(database),
        Value::text(schema),
        Value::text(name),
        owner,
        Value::text(kind),
        transient,
    ];
    row.extend([rows, bytes]);
    row.extend(times);
    row.push(Value::maybe(object.comment.as_deref()));
    row
}

fn columns() -> Vec<Column> {
    let mut columns = texts(&["TABLE_CATALOG", "TABLE_SCHEMA", "TABLE_NAME", "COLUMN_NAME"]);
    columns.push(Column::new("ORDINAL_POSITION", Type::Number(9, 0)));
    columns.extend(texts(&["COLUMN_DEFAULT", "IS_NULLABLE", "DATA_TYPE"]));
    let numbers = ["CHARACTER_MAXIMUM_LENGTH", "NUMERIC_PRECISION", "NUMERIC_SCALE", "DATETIME_PRECISION"];
    columns.extend(numbers.map(|name| Column::new(name, Type::Number(9, 0))));
    columns.extend(texts(&["IS_IDENTITY", "COMMENT"]));
    columns
}

fn column_rows([database, schema, table]: [&str; 3], object: &Object) -> Vec<Vec<Value>> {
    let one = |(at, column): (usize, &Column)| {
        let number = |value: Option<u64>| value.map_or(Value::Null, Value::int);
        let (length, precision, scale, second) = match column.kind {
            Type::Text(length) | Type::Binary(length) => (Some(length), None, None, None),
            Type::Number(precision, scale) => (None, Some(precision.into()), Some(scale.into()), None),
            Type::Time(digits) | Type::Ntz(digits) | Type::Ltz(digits) | Type::Tz(digits) => {
                (None, None, None, Some(digits.into()))
            }
            _ => (None, None, None, None),
        };
        let nullable = if column.nullable { "YES" } else { "NO" };
        vec![
            Value::text(database),
            Value::text(schema),
            Value::text(table),
            Value::text(column.name.as_str()),
            Value::int(at as i128 + 1),
            Value::Null,
            Value::text(nullable),
            Value::text(column.kind.family()),
            number(length),
            number(precision),
            number(scale),
            number(second),
            Value::text("NO"),
            Value::maybe(column.comment.as_deref()),
        ]
    };
    object.columns.iter().enumerate().map(one).collect()
}
