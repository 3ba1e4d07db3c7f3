//! `SHOW`: listings that need no warehouse.

use super::answer::Answer;
use super::catalog::Object;
use super::describe::{described, grants};
use super::error::{Outcome, SqlError};
use super::grants::{Sort, full};
use super::listing::{Filter, created, text};
use super::session::Session;
use super::tokens::Tokens;
use super::types::Type;
use super::value::Value;
use crate::snowflake::state::World;

/// Database and schema of `IN ...`; without it, those of the session.
fn scope(tokens: &mut Tokens, session: &Session, world: &World) -> Outcome<(Option<String>, Option<String>)> {
    if !tokens.take("IN") {
        return Ok((session.database.clone(), session.schema.clone()));
    }
    if tokens.take("ACCOUNT") {
        return Ok((None, None));
    }
    let seen = |sort: Sort, parts: &[String]| {
        if world.uses(session, sort, parts) { Ok(()) } else { Err(SqlError::cannot()) }
    };
    if tokens.take("DATABASE") {
        let database = tokens.ident()?;
        seen(Sort::Database, std::slice::from_ref(&database))?;
        return Ok((Some(database), None));
    }
    tokens.take("SCHEMA");
    let parts = full(Sort::Schema, &tokens.name()?, session)?;
    seen(Sort::Database, &parts[..1])?;
    seen(Sort::Schema, &parts)?;
    Ok((parts.first().cloned(), parts.get(1).cloned()))
}

/// `SHOW ...`, after that word.
pub fn show(world: &World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    let terse = tokens.take("TERSE");
    let mut filter = Filter::default();
    if tokens.take("DATABASES") {
        filter.like(tokens)?;
        if tokens.take("IN") {
            tokens.need("ACCOUNT")?;
        }
        filter.rest(tokens)?;
        let used = world
            .catalog
            .databases
            .keys()
            .filter(|name| world.uses(session, Sort::Database, &[(*name).clone()]));
        let row = |name: &String| {
            let current = if session.database.as_ref() == Some(name) { "Y" } else { "N" };
            let row = vec![
                Value::Ltz(0),
                text(name),
                text("N"),
                text(current),
                text(""),
                text("ACCOUNTADMIN"),
                text(""),
                text(""),
                text("1"),
                text("STANDARD"),
            ];
            (name.clone(), row)
        };
        let names = "created_on name is_default is_current origin owner comment options retention_time kind";
        return Ok(filter.answer(names, used.map(row).collect(), session));
    }
    if tokens.take("SCHEMAS") {
        filter.like(tokens)?;
        let database = scope_of_schemas(tokens, session, world)?;
        filter.rest(tokens)?;
        let mut rows = Vec::new();
        for (name, schemas) in
            world.catalog.databases.iter().filter(|(name, _)| database.as_ref().is_none_or(|it| it == *name))
        {
            let listed = schemas
                .keys()
                .filter(|schema| world.uses(session, Sort::Schema, &[name.clone(), (*schema).clone()]));
            // Every database has it, for whoever may use the database.
            let own = "INFORMATION_SCHEMA".to_owned();
            let own =
                world.uses(session, Sort::Database, std::slice::from_ref(name)).then_some(&own).into_iter();
            let mut names: Vec<&String> = listed.chain(own).collect();
            names.sort();
            rows.extend(names.into_iter().map(|schema| {
                let row = vec![
                    Value::Ltz(0),
                    text(schema),
                    text("N"),
                    text("N"),
                    text(name),
                    text("ACCOUNTADMIN"),
                    text(""),
                    text(""),
                    text("1"),
                ];
                (schema.clone(), row)
            }));
        }
        let names =
            "created_on name is_default is_current database_name owner comment options retention_time";
        return Ok(filter.answer(names, rows, session));
    }
    for (word, wanted) in [("TABLES", Some(false)), ("VIEWS", Some(true)), ("OBJECTS", None)] {
        if tokens.take(word) {
            filter.like(tokens)?;
            let (database, schema) = scope(tokens, session, world)?;
            filter.rest(tokens)?;
            let seen = world.visible(session, database.as_deref(), schema.as_deref());
            let seen =
                seen.into_iter().filter(|(_, object)| wanted.is_none_or(|view| object.is_view() == view));
            return Ok(objects(seen, &filter, wanted, terse, session));
        }
    }
    if tokens.take("COLUMNS") {
        filter.like(tokens)?;
        return show_columns(world, session, tokens, filter);
    }
    if tokens.take("PRIMARY KEYS IN") {
        tokens.take("TABLE");
        let (full, found) = described(world, session, &tokens.name()?)?;
        tokens.end()?;
        let keys = found.columns.iter().filter(|column| column.key).enumerate().map(|(at, column)| {
            let row = vec![
                created(found),
                text(&full[0]),
                text(&full[1]),
                text(&full[2]),
                text(&column.name),
                Value::int(at as i128 + 1),
                text(&format!("SYS_CONSTRAINT_{}", full[2])),
                text("false"),
                Value::Null,
            ];
            (column.name.clone(), row)
        });
        let names = "created_on database_name schema_name table_name column_name key_sequence constraint_name rely comment";
        let mut answer = filter.answer(names, keys.collect(), session);
        answer.columns[5].kind = Type::Number(38, 0);
        return Ok(answer);
    }
    if tokens.take("WAREHOUSES") {
        filter.like(tokens)?;
        filter.rest(tokens)?;
        let used = world
            .warehouses
            .iter()
            .filter(|(name, _)| world.uses(session, Sort::Warehouse, &[(*name).clone()]));
        let row = |(name, warehouse): (&String, &crate::snowflake::state::Warehouse)| {
            let state = if warehouse.suspended { "SUSPENDED" } else { "STARTED" };
            let resumes = if warehouse.auto_resume { "true" } else { "false" };
            (
                name.clone(),
                vec![
                    text(name),
                    text(state),
                    text("STANDARD"),
                    text("X-Small"),
                    Value::maybe(warehouse.auto_suspend.map(|seconds| seconds.to_string())),
                    text(resumes),
                    text("ACCOUNTADMIN"),
                ],
            )
        };
        return Ok(filter.answer(
            "name state type size auto_suspend auto_resume owner",
            used.map(row).collect(),
            session,
        ));
    }
    if tokens.take("GRANTS") {
        return grants(world, session, tokens);
    }
    Err(tokens.unexpected())
}

fn scope_of_schemas(tokens: &mut Tokens, session: &Session, world: &World) -> Outcome<Option<String>> {
    if !tokens.take("IN") {
        return Ok(session.database.clone());
    }
    if tokens.take("ACCOUNT") {
        return Ok(None);
    }
    tokens.take("DATABASE");
    let database = tokens.ident()?;
    if !world.uses(session, Sort::Database, std::slice::from_ref(&database)) {
        return Err(SqlError::cannot());
    }
    Ok(Some(database))
}

fn objects<'a>(
    seen: impl Iterator<Item = ([&'a str; 3], &'a Object)>,
    filter: &Filter,
    wanted: Option<bool>,
    terse: bool,
    session: &Session,
) -> Answer {
    let row = |([database, schema, name], object): ([&str; 3], &Object)| {
        let kind = if object.is_view() { "VIEW" } else { "TABLE" };
        let head = [created(object), text(name)];
        let place = [text(database), text(schema)];
        let rows = object.source().map_or(Value::Null, |source| Value::int(source.len() as i128));
        let bytes = object.source().map_or(Value::Null, |source| Value::int(source.len() as i128 * 64));
        let comment = text(object.comment.as_deref().unwrap_or_default());
        let tracked = text(if object.tracked { "ON" } else { "OFF" });
        let row: Vec<Value> = match wanted {
            _ if terse => head.into_iter().chain([text(kind)]).chain(place).collect(),
            Some(true) => {
                let sql = match &object.body {
                    super::catalog::Body::View(_, sql) => sql.as_str(),
                    super::catalog::Body::Table(_) => "",
                };
                let rest = [text("ACCOUNTADMIN"), comment, text(sql), text("false"), text("false"), tracked];
                head.into_iter().chain([text("")]).chain(place).chain(rest).collect()
            }
            _ => {
                let rest =
                    [text(kind), comment, text(""), rows, bytes, text("ACCOUNTADMIN"), text("1"), tracked];
                head.into_iter().chain(place).chain(rest).collect()
            }
        };
        (name.to_owned(), row)
    };
    let names = match wanted {
        _ if terse => "created_on name kind database_name schema_name",
        Some(true) => {
            "created_on name reserved database_name schema_name owner comment text is_secure is_materialized change_tracking"
        }
        _ => {
            "created_on name database_name schema_name kind comment cluster_by rows bytes owner retention_time change_tracking"
        }
    };
    filter.answer(names, seen.map(row).collect(), session)
}

fn show_columns(
    world: &World,
    session: &Session,
    tokens: &mut Tokens,
    mut filter: Filter,
) -> Outcome<Answer> {
    let mut seen: Vec<([String; 3], &Object)> = Vec::new();
    let start = tokens.clone();
    if tokens.take("IN") && (tokens.take("TABLE") || tokens.take("VIEW")) {
        let (full, found) = described(world, session, &tokens.name()?)?;
        seen.push((full, found));
    } else {
        *tokens = start;
        let (database, schema) = scope(tokens, session, world)?;
        let all = world.visible(session, database.as_deref(), schema.as_deref());
        seen.extend(all.into_iter().map(|(name, object)| (name.map(str::to_owned), object)));
    }
    filter.rest(tokens)?;
    let mut rows = Vec::new();
    for ([database, schema, table], object) in seen {
        for column in &object.columns {
            let kind = column.kind.shown(column.nullable).to_string();
            let null = if column.nullable { "true" } else { "NOT_NULL" };
            let comment = text(column.comment.as_deref().unwrap_or_default());
            let row = vec![
                text(&table),
                text(&schema),
                text(&column.name),
                text(&kind),
                text(null),
                text(""),
                text("COLUMN"),
                text(""),
                comment,
                text(&database),
                text(""),
            ];
            rows.push((column.name.clone(), row));
        }
    }
    let names = "table_name schema_name column_name data_type null? default kind expression comment database_name autoincrement";
    Ok(filter.answer(names, rows, session))
}
