//! `SHOW` and `DESCRIBE`: listings that need no warehouse.

use super::answer::Answer;
use super::catalog::Object;
use super::error::{Outcome, SqlError};
use super::function::ilike;
use super::grants::{Sort, full};
use super::name::{self, object};
use super::session::Session;
use super::tokens::Tokens;
use super::types::{Column, Type};
use super::value::Value;
use crate::snowflake::state::World;

/// The most rows a listing has.
const MOST: usize = 10_000;

fn columns(names: &str) -> Vec<Column> {
    let one = |name: &str| match name {
        "created_on" => Column::new(name, Type::Ltz(3)),
        "rows" | "bytes" => Column::new(name, Type::Number(38, 0)),
        _ => Column::new(name, Type::TEXT),
    };
    names.split(' ').map(one).collect()
}

/// `LIKE`, `STARTS WITH` and `LIMIT ... FROM` of a listing.
#[derive(Default)]
struct Filter {
    like: Option<String>,
    starts: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Filter {
    fn like(&mut self, tokens: &mut Tokens) -> Outcome<()> {
        if tokens.take("LIKE") {
            self.like = Some(tokens.text()?);
        }
        Ok(())
    }

    fn rest(&mut self, tokens: &mut Tokens) -> Outcome<()> {
        if tokens.take("STARTS WITH") {
            self.starts = Some(tokens.text()?);
        }
        if tokens.take("LIMIT") {
            self.limit = Some(tokens.word()?.parse().map_err(|_bad| tokens.unexpected())?);
            if tokens.take("FROM") {
                self.after = Some(tokens.text()?);
            }
        }
        tokens.end()
    }

    fn keeps(&self, name: &str, session: &Session) -> bool {
        let like = self.like.as_ref().is_none_or(|pattern| {
            let matched = ilike(&[Value::text(name), Value::text(pattern.as_str())], session);
            matched == Ok(Value::Bool(true))
        });
        // These two, unlike LIKE, tell cases apart.
        like && self.starts.as_ref().is_none_or(|start| name.starts_with(start))
            && self.after.as_ref().is_none_or(|after| name > after.as_str())
    }

    fn answer(&self, names: &str, rows: Vec<(String, Vec<Value>)>, session: &Session) -> Answer {
        let kept = rows.into_iter().filter(|(name, _)| self.keeps(name, session)).map(|(_, row)| row);
        Answer::of(columns(names), kept.take(self.limit.unwrap_or(MOST).min(MOST)).collect())
    }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn created(object: &Object) -> Value {
    Value::Ltz(super::cast::cut(object.created, 3))
}

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
                    text("60"),
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

/// A table or a view that the role sees.
fn described<'a>(
    world: &'a World,
    session: &Session,
    parts: &[String],
) -> Outcome<([String; 3], &'a Object)> {
    let full = object(parts, session)?;
    let missing = || SqlError::missing("Table", name::shown(&full));
    let found = world.catalog.object(&full).map_err(|_missing| missing())?;
    if world.sees_object(session, &full, found) { Ok((full, found)) } else { Err(missing()) }
}

/// `DESCRIBE ...`, after that word.
pub fn describe(world: &World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    if tokens.take("USER") {
        let name = tokens.ident()?;
        tokens.end()?;
        let user = world.users.by_name.get(&name).ok_or_else(|| SqlError::missing("User", &name))?;
        let mut rows = vec![("NAME".to_owned(), Some(name))];
        rows.push(("DEFAULT_ROLE".to_owned(), user.default_role.clone()));
        rows.push(("DEFAULT_WAREHOUSE".to_owned(), user.default_warehouse.clone()));
        for (slot, suffix) in user.keys.iter().zip(["", "_2"]) {
            rows.push((
                format!("RSA_PUBLIC_KEY{suffix}_FP"),
                slot.as_ref().map(|key| key.fingerprint.clone()),
            ));
        }
        let row = |(name, value): (String, Option<String>)| {
            let value = value.map_or_else(|| text("null"), |it| text(&it));
            (name.clone(), vec![text(&name), value, text("null"), text("")])
        };
        return Ok(Filter::default().answer(
            "property value default description",
            rows.into_iter().map(row).collect(),
            session,
        ));
    }
    if !tokens.take("TABLE") {
        tokens.need("VIEW")?;
    }
    let (_, found) = described(world, session, &tokens.name()?)?;
    tokens.end()?;
    let row = |column: &Column| {
        let null = if column.nullable { "Y" } else { "N" };
        let key = if column.key { "Y" } else { "N" };
        let comment = Value::maybe(column.comment.as_deref());
        let kind = column.kind.to_string();
        let row = vec![
            text(&column.name),
            text(&kind),
            text("COLUMN"),
            text(null),
            Value::Null,
            text(key),
            text("N"),
            Value::Null,
            Value::Null,
            comment,
            Value::Null,
            Value::Null,
        ];
        (column.name.clone(), row)
    };
    let names = "name type kind null? default primary_key unique_key check expression comment policy_name privacy_domain";
    let mut answer = Filter::default().answer(names, found.columns.iter().map(row).collect(), session);
    // These names are the only ones with a blank.
    for column in answer.columns.iter_mut().filter(|it| it.name.contains('_')) {
        column.name = column.name.replace('_', " ");
    }
    Ok(answer)
}

fn grants(world: &World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    let admin = session.role.as_deref() == Some(crate::snowflake::users::ADMIN);
    let listed = |role: Option<&str>, on: Option<(Sort, &[String])>| {
        let rows = world.grants.all.iter().filter(|it| !it.future && role.is_none_or(|role| it.role == role));
        let rows = rows.filter(|it| on.is_none_or(|(sort, name)| it.sort == sort && it.name == name));
        let row = |it: &super::grants::Grant| {
            let name = name::shown(&it.name);
            (
                name.clone(),
                vec![
                    Value::Ltz(0),
                    text(&it.privilege),
                    text(it.sort.name()),
                    text(&name),
                    text("ROLE"),
                    text(&it.role),
                    text("false"),
                    text("ACCOUNTADMIN"),
                ],
            )
        };
        let names = "created_on privilege granted_on name granted_to grantee_name grant_option granted_by";
        Filter::default().answer(names, rows.map(row).collect(), session)
    };
    if tokens.take("TO ROLE") {
        let role = tokens.ident()?;
        tokens.end()?;
        let own = session.role.as_deref() == Some(&role)
            || world.users.by_name.get(&session.user).is_some_and(|it| it.roles.contains(&role));
        if !world.roles.contains(&role) || !(own || admin) {
            return Err(SqlError::missing("Role", &role));
        }
        return Ok(listed(Some(&role), None));
    }
    if tokens.take("TO USER") {
        let name = tokens.ident()?;
        tokens.end()?;
        let user = world.users.by_name.get(&name).filter(|_| admin || session.user == name);
        let user = user.ok_or_else(|| SqlError::missing("User", &name))?;
        let row = |role: &String| {
            (role.clone(), vec![Value::Ltz(0), text(role), text("USER"), text(&name), text("ACCOUNTADMIN")])
        };
        return Ok(Filter::default().answer(
            "created_on role granted_to grantee_name granted_by",
            user.roles.iter().map(row).collect(),
            session,
        ));
    }
    tokens.need("ON")?;
    for (word, sort) in [
        ("TABLE", Sort::Table),
        ("VIEW", Sort::View),
        ("SCHEMA", Sort::Schema),
        ("DATABASE", Sort::Database),
        ("WAREHOUSE", Sort::Warehouse),
    ] {
        if tokens.take(word) {
            let name = full(sort, &tokens.name()?, session)?;
            tokens.end()?;
            if !world.grants.sees(session.role.as_deref(), sort, &name) {
                return Err(SqlError::cannot());
            }
            return Ok(listed(None, Some((sort, &name))));
        }
    }
    Err(tokens.unexpected())
}
