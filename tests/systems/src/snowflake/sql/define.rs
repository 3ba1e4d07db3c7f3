//! `CREATE`, `ALTER` and `DROP`.

use std::collections::BTreeMap;

use sqlparser::ast::{ColumnOption, CreateTable, CreateView, Expr, TableConstraint};

use super::answer::Answer;
use super::catalog::{Body, Object};
use super::error::{Outcome, SqlError};
use super::grants::Sort;
use super::name::{self, fold, object, parts};
use super::select;
use super::session::Session;
use super::source::Source;
use super::tokens::Tokens;
use super::types::{Column, Type};
use super::value::Value;
use crate::snowflake::state::{Warehouse, World};

fn taken(full: &[impl AsRef<str>]) -> SqlError {
    let text = format!("SQL compilation error:\nObject '{}' already exists.", name::shown(full));
    SqlError::new("002002", "42710", text)
}

fn columns(create: &CreateTable) -> Outcome<Vec<Column>> {
    let mut found: Vec<Column> = Vec::new();
    for column in &create.columns {
        let mut made = Column::new(fold(&column.name), Type::parse(&column.data_type.to_string())?);
        for option in &column.options {
            match &option.option {
                ColumnOption::Null => {}
                ColumnOption::NotNull => made.nullable = false,
                ColumnOption::PrimaryKey(_) => (made.key, made.nullable) = (true, false),
                ColumnOption::Unique(_) => {}
                ColumnOption::Comment(text) => made.comment = Some(text.clone()),
                other => return Err(SqlError::unsupported(other)),
            }
        }
        if found.iter().any(|it| it.name == made.name) {
            let text = format!("SQL compilation error:\nduplicate column name '{}'", made.name);
            return Err(SqlError::new("002025", "42000", text));
        }
        found.push(made);
    }
    for constraint in &create.constraints {
        let TableConstraint::PrimaryKey(key) = constraint else { continue };
        for part in &key.columns {
            let Expr::Identifier(ident) = &part.column.expr else { return Err(SqlError::unsupported(key)) };
            let name = fold(ident);
            let column =
                found.iter_mut().find(|it| it.name == name).ok_or_else(|| SqlError::column(&name))?;
            (column.key, column.nullable) = (true, false);
        }
    }
    Ok(found)
}

/// `CREATE TABLE`, with columns or from a query.
pub fn table(world: &mut World, session: &Session, create: &CreateTable, bound: &[Value]) -> Outcome<Answer> {
    if create.temporary || create.external || create.like.is_some() || create.clone.is_some() {
        return Err(SqlError::unsupported(create));
    }
    let full = object(&parts(&create.name)?, session)?;
    let mut object = match &create.query {
        None => Object::table(columns(create)?, Source::of(Vec::new()), session.now),
        Some(query) => {
            let answer = select::run(world, session, query, bound)?;
            let columns = answer.columns.iter().map(|it| Column { key: false, ..it.clone() }).collect();
            Object::table(columns, Source::of(answer.rows()?), session.now)
        }
    };
    object.tracked = create.change_tracking == Some(true);
    keep(world, full, object, create.or_replace, create.if_not_exists)
}

/// `CREATE VIEW`.
pub fn view(world: &mut World, session: &Session, create: &CreateView) -> Outcome<Answer> {
    let full = object(&parts(&create.name)?, session)?;
    let answer = select::run(world, session, &create.query, &[])?;
    let mut columns = answer.columns;
    for (column, named) in columns.iter_mut().zip(&create.columns) {
        column.name = fold(&named.name);
    }
    for column in &mut columns {
        column.key = false;
    }
    let body = Body::View(create.query.clone(), create.to_string());
    let object = Object { body, ..Object::table(columns, Source::of(Vec::new()), session.now) };
    keep(world, full, object, create.or_replace, create.if_not_exists)
}

fn keep(
    world: &mut World,
    full: [String; 3],
    object: Object,
    replace: bool,
    unless: bool,
) -> Outcome<Answer> {
    if world.catalog.schema(&full[0], &full[1])?.contains_key(&full[2]) && !replace {
        let done = format!("{} already exists, statement succeeded.", full[2]);
        return if unless { Ok(Answer::done(done)) } else { Err(taken(&full)) };
    }
    let word = if object.is_view() { "View" } else { "Table" };
    world.put(&full, object)?;
    Ok(Answer::done(format!("{word} {} successfully created.", full[2])))
}

/// `CREATE` of what is no table and no view, after that word; none if it is something else.
pub fn create(world: &mut World, session: &Session, tokens: &mut Tokens) -> Outcome<Option<Answer>> {
    let replace = tokens.take("OR REPLACE");
    let sorts = ["DATABASE", "SCHEMA", "WAREHOUSE", "ROLE", "USER"];
    let Some(sort) = sorts.into_iter().find(|sort| tokens.take(sort)) else { return Ok(None) };
    let unless = tokens.take("IF NOT EXISTS");
    let name = tokens.name()?;
    let properties: BTreeMap<String, String> = {
        tokens.take("WITH");
        tokens.properties()?.into_iter().collect()
    };
    let last = name.last().cloned().unwrap_or_default();
    let exists = match sort {
        "DATABASE" => world.catalog.databases.contains_key(&last),
        "SCHEMA" => {
            let [database, schema, _] = object(&[&name[..], &[String::new()]].concat(), session)?;
            world.catalog.schema(&database, &schema).is_ok()
        }
        "WAREHOUSE" => world.warehouses.contains_key(&last),
        "ROLE" => world.roles.contains(&last),
        _ => world.users.by_name.contains_key(&last),
    };
    if exists && !replace {
        return if unless {
            Ok(Some(Answer::done(format!("{last} already exists, statement succeeded."))))
        } else {
            Err(taken(&name))
        };
    }
    match sort {
        "DATABASE" => drop(
            world.catalog.databases.insert(last.clone(), [("PUBLIC".to_owned(), BTreeMap::new())].into()),
        ),
        "SCHEMA" => {
            let [database, schema, _] = object(&[&name[..], &[String::new()]].concat(), session)?;
            let missing = || SqlError::missing("Database", name::shown(&[&database]));
            let found = world.catalog.databases.get_mut(&database).ok_or_else(missing)?;
            found.insert(schema, BTreeMap::new());
        }
        "WAREHOUSE" => drop(world.warehouses.insert(last.clone(), Warehouse::with(&properties))),
        "ROLE" => drop(world.roles.insert(last.clone())),
        _ => {
            let user = world.users.make(&last);
            user.set(&properties)?;
        }
    }
    Ok(Some(Answer::done(format!("{}{} {last} successfully created.", &sort[..1], sort[1..].to_lowercase()))))
}

/// `ALTER`, after that word.
pub fn alter(world: &mut World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    let done = || Ok(Answer::done("Statement executed successfully."));
    if tokens.take("USER") {
        let name = tokens.ident()?;
        let user = world.users.by_name.get_mut(&name).ok_or_else(|| SqlError::missing("User", &name))?;
        if tokens.take("SET") {
            user.set(&tokens.properties()?.into_iter().collect())?;
        } else if tokens.take("ADD PROGRAMMATIC ACCESS TOKEN") {
            let token = tokens.ident()?;
            let role = if tokens.take("ROLE_RESTRICTION =") { Some(tokens.text()?) } else { None };
            tokens.end()?;
            let secret = user.add_token(&token, role)?;
            let columns = ["token_name", "token_secret"].map(|name| Column::new(name, Type::TEXT));
            return Ok(Answer::of(columns.into(), vec![vec![Value::text(token), Value::text(secret)]]));
        } else {
            tokens.need("UNSET")?;
            user.unset(&tokens.ident()?)?;
        }
        tokens.end()?;
        return done();
    }
    if tokens.take("WAREHOUSE") {
        let name = tokens.ident()?;
        let warehouse =
            world.warehouses.get_mut(&name).ok_or_else(|| SqlError::missing("Warehouse", &name))?;
        if tokens.take("SUSPEND") {
            warehouse.suspended = true;
        } else if tokens.take("RESUME") {
            warehouse.suspended = false;
        } else {
            tokens.need("SET")?;
            warehouse.set(&tokens.properties()?.into_iter().collect());
        }
        tokens.end()?;
        return done();
    }
    let is_view = !tokens.take("TABLE");
    if is_view {
        tokens.need("VIEW")?;
    }
    let full = object(&tokens.name()?, session)?;
    let found = world.catalog.object_mut(&full)?;
    if found.is_view() != is_view {
        return Err(SqlError::cannot());
    }
    found.altered = session.now;
    if tokens.take("SET CHANGE_TRACKING =") {
        found.tracked = tokens.word()? == "TRUE";
    } else if tokens.take("RENAME TO") {
        let next = object(&tokens.name()?, session)?;
        let moved = found.clone();
        world.catalog.schema_mut(&full[0], &full[1])?.remove(&full[2]);
        world.grants.gone(Sort::Table, &full);
        world.grants.born(Sort::Table, &next);
        world.catalog.schema_mut(&next[0], &next[1])?.insert(next[2].clone(), moved);
    } else {
        columns_of(found, tokens, session)?;
    }
    tokens.end()?;
    done()
}

fn columns_of(object: &mut Object, tokens: &mut Tokens, session: &Session) -> Outcome<()> {
    let find = |object: &Object, name: &str| {
        object.columns.iter().position(|it| it.name == name).ok_or_else(|| SqlError::column(name))
    };
    let rows = match object.source() {
        Some(Source::Rows(rows)) => rows.as_ref().clone(),
        _ => return Err(SqlError::cannot()),
    };
    let mut rows = rows;
    if tokens.take("RENAME COLUMN") {
        let at = find(object, &tokens.ident()?)?;
        tokens.need("TO")?;
        object.columns[at].name = tokens.ident()?;
    } else if tokens.take("DROP COLUMN") || tokens.take("DROP") {
        let at = find(object, &tokens.ident()?)?;
        object.columns.remove(at);
        rows.iter_mut().for_each(|row| drop(row.remove(at)));
    } else if tokens.take("ADD COLUMN") || tokens.take("ADD") {
        let name = tokens.ident()?;
        object.columns.push(Column::new(name, Type::parse(&tokens.until(&[]))?));
        rows.iter_mut().for_each(|row| row.push(Value::Null));
    } else if tokens.take("ALTER COLUMN") || tokens.take("MODIFY COLUMN") {
        let at = find(object, &tokens.ident()?)?;
        if tokens.take("DROP NOT NULL") {
            object.columns[at].nullable = true;
        } else {
            tokens.take("SET DATA");
            tokens.need("TYPE")?;
            let kind = Type::parse(&tokens.until(&[]))?;
            for row in &mut rows {
                row[at] = super::cast::cast(&row[at], kind, session)?;
            }
            object.columns[at].kind = kind;
        }
    } else {
        return Err(tokens.unexpected());
    }
    object.body = Body::Table(Source::of(rows));
    Ok(())
}

/// `DROP`, after that word.
pub fn drop_object(world: &mut World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    let sorts = ["DATABASE", "SCHEMA", "TABLE", "VIEW", "WAREHOUSE", "ROLE", "USER"];
    let sort = sorts.into_iter().find(|sort| tokens.take(sort)).ok_or_else(|| tokens.unexpected())?;
    let forgiving = tokens.take("IF EXISTS");
    let parts = tokens.name()?;
    tokens.end()?;
    let last = parts.last().cloned().unwrap_or_default();
    let gone = match sort {
        "DATABASE" => world.catalog.databases.remove(&last).is_some(),
        "WAREHOUSE" => world.warehouses.remove(&last).is_some(),
        "ROLE" => world.roles.remove(&last),
        "USER" => world.users.by_name.remove(&last).is_some(),
        "SCHEMA" => {
            let [database, schema, _] = object(&[&parts[..], &[String::new()]].concat(), session)?;
            world.catalog.databases.get_mut(&database).is_some_and(|it| it.remove(&schema).is_some())
        }
        _ => {
            let full = object(&parts, session)?;
            let is_view = sort == "VIEW";
            let schema = world.catalog.schema_mut(&full[0], &full[1])?;
            let found = schema.get(&full[2]).is_some_and(|it| it.is_view() == is_view);
            if found {
                schema.remove(&full[2]);
                world.grants.gone(if is_view { Sort::View } else { Sort::Table }, &full);
            }
            found
        }
    };
    if sort == "ROLE" {
        world.grants.all.retain(|it| it.role != last);
    }
    if gone || forgiving {
        Ok(Answer::done(format!("{last} successfully dropped.")))
    } else {
        Err(SqlError::missing(&format!("{}{}", &sort[..1], sort[1..].to_lowercase()), name::shown(&parts)))
    }
}
