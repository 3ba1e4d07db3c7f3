//! `FROM`: one table, view, subquery or generator that the role may read.

use sqlparser::ast::{Expr, Select, TableFactor};

use super::catalog::Body;
use super::compile::Scope;
use super::error::{Outcome, SqlError};
use super::grants::Sort;
use super::name::{self, fold, object, parts};
use super::schema;
use super::select::run;
use super::session::Session;
use super::source::Source;
use super::types::Column;
use super::value::Value;
use crate::snowflake::state::World;

/// Rows to choose from, and what they are called.
pub struct From {
    /// The rows.
    pub source: Source,
    /// The columns in sight.
    pub scope: Scope,
    /// The table's full name; empty when it is none.
    pub table: [String; 3],
}

/// What a statement reads from; a single row without columns when it names nothing.
pub fn from(world: &World, session: &Session, select: &Select, bound: &[Value]) -> Outcome<From> {
    let factor = match select.from.as_slice() {
        [] => {
            let source = Source::of(vec![Vec::new()]);
            return Ok(From { source, scope: Scope::default(), table: Default::default() });
        }
        [one] if one.joins.is_empty() => &one.relation,
        _ => return Err(SqlError::unsupported("joins")),
    };
    let mut found = match factor {
        TableFactor::Table { name, args: None, version: None, sample: None, json_path: None, .. } => {
            table(world, session, &object(&parts(name)?, session)?)?
        }
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
            return Err(SqlError::unsupported(name));
        }
        TableFactor::TableFunction { expr: Expr::Function(call), .. } => generator(call)?,
        TableFactor::Derived { lateral: false, subquery, sample: None, .. } => {
            let answer = run(world, session, subquery, bound)?;
            let scope = Scope { names: Vec::new(), columns: answer.columns.clone() };
            From { source: Source::of(answer.rows()?), scope, table: Default::default() }
        }
        _ => return Err(SqlError::unsupported(factor)),
    };
    world.compute(session)?;
    let (TableFactor::Table { alias, .. }
    | TableFactor::Derived { alias, .. }
    | TableFactor::TableFunction { alias, .. }) = factor
    else {
        return Ok(found);
    };
    if let Some(alias) = alias {
        found.scope.names = vec![fold(&alias.name)];
        for (column, renamed) in found.scope.columns.iter_mut().zip(&alias.columns) {
            column.name = fold(&renamed.name);
        }
    }
    Ok(found)
}

/// `TABLE(GENERATOR(ROWCOUNT => n))`: rows without columns.
fn generator(call: &sqlparser::ast::Function) -> Outcome<From> {
    let text = call.to_string().to_uppercase();
    let count = text.strip_prefix("GENERATOR(ROWCOUNT => ").and_then(|it| it.strip_suffix(')'));
    let rows = count.and_then(|it| it.parse().ok()).ok_or_else(|| SqlError::unsupported(call))?;
    let source = super::source::Generated { rows, sorted: Vec::new(), make: Box::new(|_| Vec::new()) };
    let source = Source::Made(std::sync::Arc::new(source));
    Ok(From { source, scope: Scope::default(), table: Default::default() })
}

/// A table, a view or a view of INFORMATION_SCHEMA that the role may read.
fn table(world: &World, session: &Session, full: &[String; 3]) -> Outcome<From> {
    let [database, schema, table] = full;
    let scope = |columns: Vec<Column>| Scope { names: full.to_vec(), columns };
    let missing = |sort: &str, parts: &[&String]| SqlError::missing(sort, name::shown(parts));
    if !world.uses(session, Sort::Database, std::slice::from_ref(database)) {
        return Err(missing("Database", &[database]));
    }
    if schema == "INFORMATION_SCHEMA" {
        let (columns, rows) = schema::view(world, session, database, table)?;
        return Ok(From { source: Source::of(rows), scope: scope(columns), table: full.clone() });
    }
    if !world.uses(session, Sort::Schema, &full[..2]) {
        return Err(missing("Schema", &[database, schema]));
    }
    let found = world.catalog.object(full)?;
    let sort = if found.is_view() { Sort::View } else { Sort::Table };
    let role = session.role.as_deref();
    if !world.grants.has(role, "SELECT", sort, full) {
        // Seen, for another privilege, is not the same as not seen.
        let seen = world.grants.sees(role, sort, full);
        let refused = || SqlError::privilege(format!("{} '{table}'", sort.name().to_lowercase()));
        return Err(if seen { refused() } else { missing("Object", &[database, schema, table]) });
    }
    let source = match &found.body {
        Body::Table(source) => source.clone(),
        Body::View(query, _) => {
            let owner = Session {
                role: Some(crate::snowflake::users::ADMIN.to_owned()),
                database: Some(database.clone()),
                schema: Some(schema.clone()),
                ..session.clone()
            };
            Source::of(run(world, &owner, query, &[])?.rows()?)
        }
    };
    Ok(From { source, scope: scope(found.columns.clone()), table: full.clone() })
}
