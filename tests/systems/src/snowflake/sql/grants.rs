//! Roles and what they may do.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::error::{Outcome, SqlError};
use super::name;
use super::session::Session;
use super::tokens::Tokens;
use crate::snowflake::state::World;
use crate::snowflake::users::ADMIN;

/// What a privilege is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// A warehouse.
    Warehouse,
    /// A database.
    Database,
    /// A schema.
    Schema,
    /// A table.
    Table,
    /// A view.
    View,
}

impl Sort {
    /// Its name in listings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warehouse => "WAREHOUSE",
            Self::Database => "DATABASE",
            Self::Schema => "SCHEMA",
            Self::Table => "TABLE",
            Self::View => "VIEW",
        }
    }
}

/// One privilege of a role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The role.
    pub role: String,
    /// Such as `SELECT`.
    pub privilege: String,
    /// What it is on.
    pub sort: Sort,
    /// The name of that; of the database or schema whose future objects are meant, when `future`.
    pub name: Vec<String>,
    /// Whether it is for objects to come.
    pub future: bool,
}

/// All privileges.
#[derive(Debug, Default)]
pub struct Grants {
    /// In the order of listings.
    pub all: BTreeSet<Grant>,
}

impl Grants {
    /// Whether a role has a privilege.
    pub fn has(&self, role: Option<&str>, privilege: &str, sort: Sort, name: &[String]) -> bool {
        role == Some(ADMIN)
            || self.all.iter().any(|it| {
                Some(it.role.as_str()) == role
                    && !it.future
                    && it.sort == sort
                    && it.name == name
                    && (it.privilege == privilege || it.privilege == "OWNERSHIP" || it.privilege == "ALL")
            })
    }

    /// Whether a role has any privilege on an object, so that it is listed.
    pub fn sees(&self, role: Option<&str>, sort: Sort, name: &[String]) -> bool {
        let any =
            |it: &Grant| Some(it.role.as_str()) == role && !it.future && it.sort == sort && it.name == name;
        role == Some(ADMIN) || self.all.iter().any(any)
    }

    /// Gives a new object what was granted for objects to come. Grants of the schema outdo those of the database.
    pub fn born(&mut self, sort: Sort, name: &[String; 3]) {
        let waiting = |depth: usize| -> Vec<Grant> {
            let here = |it: &&Grant| it.future && it.sort == sort && it.name == name[..depth];
            self.all.iter().filter(here).cloned().collect()
        };
        let (schema, database) = (waiting(2), waiting(1));
        for grant in if schema.is_empty() { database } else { schema } {
            self.all.insert(Grant { name: name.to_vec(), future: false, ..grant });
        }
    }

    /// Forgets an object.
    pub fn gone(&mut self, sort: Sort, name: &[String]) {
        self.all.retain(|it| it.sort != sort || it.name != name || it.future);
    }
}

fn sort(tokens: &mut Tokens) -> Outcome<Sort> {
    let sorts = [
        ("WAREHOUSE", Sort::Warehouse),
        ("DATABASE", Sort::Database),
        ("SCHEMAS", Sort::Schema),
        ("SCHEMA", Sort::Schema),
        ("TABLES", Sort::Table),
        ("TABLE", Sort::Table),
        ("VIEWS", Sort::View),
        ("VIEW", Sort::View),
    ];
    let found = sorts.into_iter().find(|(word, _)| tokens.take(word));
    found.map(|(_, sort)| sort).ok_or_else(|| tokens.unexpected())
}

/// The full name of an object of that sort.
pub fn full(sort: Sort, parts: &[String], session: &Session) -> Outcome<Vec<String>> {
    let database = || session.database.clone().into_iter();
    Ok(match (sort, parts) {
        (Sort::Schema, [one]) => database().chain([one.clone()]).collect(),
        (Sort::Table | Sort::View, _) => name::object(parts, session)?.to_vec(),
        _ => parts.to_vec(),
    })
}

/// `GRANT ...` or `REVOKE ...`, after that word.
pub fn change(world: &mut World, session: &Session, tokens: &mut Tokens, give: bool) -> Outcome<Answer> {
    let way = if give { "TO" } else { "FROM" };
    if tokens.take("ROLE") {
        let role = tokens.ident()?;
        tokens.need(way)?;
        tokens.need("USER")?;
        let user = tokens.ident()?;
        tokens.end()?;
        let found = world.users.by_name.get_mut(&user).ok_or_else(|| SqlError::missing("User", &user))?;
        if !world.roles.contains(&role) {
            return Err(SqlError::missing("Role", &role));
        }
        if give {
            found.roles.insert(role)
        } else {
            found.roles.remove(&role)
        };
        return Ok(Answer::done("Statement executed successfully."));
    }
    let mut privileges = Vec::new();
    loop {
        privileges.push(tokens.until(&["ON", ","]).to_uppercase());
        if !tokens.take(",") {
            break;
        }
    }
    tokens.need("ON")?;
    let (all, future) = (tokens.take("ALL"), tokens.take("FUTURE"));
    let sort = sort(tokens)?;
    let names: Vec<Vec<String>> = if all || future {
        tokens.need("IN")?;
        let within = if tokens.take("DATABASE") {
            tokens.name()?
        } else {
            tokens.need("SCHEMA")?;
            full(Sort::Schema, &tokens.name()?, session)?
        };
        if future { vec![within] } else { existing(world, sort, &within) }
    } else {
        vec![full(sort, &tokens.name()?, session)?]
    };
    tokens.need(way)?;
    tokens.need("ROLE")?;
    let role = tokens.ident()?;
    tokens.end()?;
    if !world.roles.contains(&role) {
        return Err(SqlError::missing("Role", &role));
    }
    for name in names {
        if !future && !exists(world, sort, &name) {
            return Err(SqlError::missing("Object", name::shown(&name)));
        }
        for privilege in &privileges {
            let (role, privilege, name) = (role.clone(), privilege.clone(), name.clone());
            let grant = Grant { role, privilege, sort, name, future };
            if give {
                world.grants.all.insert(grant)
            } else {
                world.grants.all.remove(&grant)
            };
        }
    }
    Ok(Answer::done("Statement executed successfully."))
}

fn existing(world: &World, sort: Sort, within: &[String]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (database, schemas) in world.catalog.databases.iter().filter(|(name, _)| within.first() == Some(name))
    {
        for (schema, objects) in schemas.iter().filter(|(name, _)| within.get(1).is_none_or(|it| it == *name))
        {
            if sort == Sort::Schema {
                found.push(vec![database.clone(), schema.clone()]);
                continue;
            }
            let fits = objects.iter().filter(|(_, object)| object.is_view() == (sort == Sort::View));
            found.extend(fits.map(|(name, _)| vec![database.clone(), schema.clone(), name.clone()]));
        }
    }
    found
}

fn exists(world: &World, sort: Sort, name: &[String]) -> bool {
    match (sort, name) {
        (Sort::Warehouse, [name]) => world.warehouses.contains_key(name),
        (Sort::Database, [name]) => world.catalog.databases.contains_key(name),
        (Sort::Schema, [database, schema]) => world.catalog.schema(database, schema).is_ok(),
        (Sort::Table | Sort::View, [database, schema, object]) => {
            let found = world.catalog.object(&[database.clone(), schema.clone(), object.clone()]);
            found.is_ok_and(|object| object.is_view() == (sort == Sort::View))
        }
        _ => false,
    }
}
