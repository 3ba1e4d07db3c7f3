//! `DESCRIBE` and `SHOW GRANTS`.

use super::answer::Answer;
use super::catalog::Object;
use super::error::{Outcome, SqlError};
use super::grants::{Grant, Sort, full};
use super::listing::{Filter, text};
use super::name::{self, object};
use super::session::Session;
use super::tokens::Tokens;
use super::types::Column;
use super::value::Value;
use crate::snowflake::state::World;

/// A table or a view that the role sees.
pub fn described<'a>(
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

/// `SHOW GRANTS ...`, after those words.
pub fn grants(world: &World, session: &Session, tokens: &mut Tokens) -> Outcome<Answer> {
    let admin = session.role.as_deref() == Some(crate::snowflake::users::ADMIN);
    let listed = |role: Option<&str>, on: Option<(Sort, &[String])>| {
        let rows = world.grants.all.iter().filter(|it| !it.future && role.is_none_or(|role| it.role == role));
        let rows = rows.filter(|it| on.is_none_or(|(sort, name)| it.sort == sort && it.name == name));
        let row = |it: &Grant| {
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
