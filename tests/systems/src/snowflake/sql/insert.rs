//! `INSERT`, `UPDATE`, `DELETE` and `TRUNCATE`: what tests fill tables with.

use std::sync::Arc;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, Expr, FromTable, Insert, SetExpr, TableFactor, TableObject, Update,
};

use super::answer::Answer;
use super::cast::cast;
use super::compile::{Compiler, Scope};
use super::error::{Outcome, SqlError};
use super::name::{object, parts};
use super::select;
use super::session::Session;
use super::source::Source;
use super::types::Column;
use super::value::Value;
use crate::snowflake::state::World;

/// Rows in memory, which earlier answers may share.
type Rows = Arc<Vec<Vec<Value>>>;

/// A table to change: its name, its columns and its rows.
fn target(world: &World, full: &[String; 3]) -> Outcome<(Vec<Column>, Rows)> {
    let found = world.catalog.object(full)?;
    match found.source() {
        Some(Source::Rows(rows)) => Ok((found.columns.clone(), rows.clone())),
        _ => Err(SqlError::privilege(format!("view '{}'", full[2]))),
    }
}

fn put(
    world: &mut World,
    full: &[String; 3],
    rows: Vec<Vec<Value>>,
    stats: [usize; 3],
    session: &Session,
) -> Outcome<Answer> {
    let found = world.catalog.object_mut(full)?;
    found.body = super::catalog::Body::Table(Source::of(rows));
    found.altered = session.now;
    let labels = ["number of rows inserted", "number of rows updated", "number of rows deleted"];
    let at = stats.iter().position(|count| *count > 0).unwrap_or(0);
    let column = Column::new(labels[at], super::types::Type::Number(19, 0));
    let mut answer = Answer::of(vec![column], vec![vec![Value::int(stats[at] as i128)]]);
    answer.stats = Some(stats);
    Ok(answer)
}

fn fitted(value: &Value, column: &Column, session: &Session) -> Outcome<Value> {
    if value.is_null() && !column.nullable {
        let text = format!("NULL result in a non-nullable column '{}'", column.name);
        return Err(SqlError::new("100072", "22000", text));
    }
    cast(value, column.kind, session)
}

/// `INSERT INTO t [(columns)] VALUES ...` or `SELECT ...`.
pub fn insert(world: &mut World, session: &Session, insert: &Insert, bound: &[Value]) -> Outcome<Answer> {
    let TableObject::TableName(name) = &insert.table else {
        return Err(SqlError::unsupported(&insert.table));
    };
    let full = object(&parts(name)?, session)?;
    let (columns, rows) = target(world, &full)?;
    let named: Vec<String> =
        insert.columns.iter().map(|it| Ok(parts(it)?.concat())).collect::<Outcome<_>>()?;
    let into: Vec<usize> = if named.is_empty() {
        (0..columns.len()).collect()
    } else {
        let find = |name: &String| {
            columns.iter().position(|it| it.name == *name).ok_or_else(|| SqlError::column(name))
        };
        named.iter().map(find).collect::<Outcome<_>>()?
    };
    let source = insert.source.as_ref().ok_or_else(|| SqlError::unsupported(insert))?;
    let given: Vec<Vec<Value>> = match source.body.as_ref() {
        SetExpr::Values(values) => {
            let scope = Scope::default();
            let compiler = Compiler { session, scope: &scope, bound, grouping: None };
            let one = |expr: &Expr| {
                // The service takes constants only: no document can be made here.
                let call = matches!(expr, Expr::Function(call) if call.name.to_string().to_uppercase().contains("PARSE_JSON"));
                if call {
                    let text =
                        format!("SQL compilation error:\nInvalid expression [{expr}] in VALUES clause");
                    return Err(SqlError::new("002014", "22000", text));
                }
                Ok(compiler.node(expr)?.value(&[], 0, session)?.into_owned())
            };
            values.rows.iter().map(|row| row.content.iter().map(one).collect()).collect::<Outcome<_>>()?
        }
        _ => select::run(world, session, source, bound)?.rows()?,
    };
    // The rows of earlier answers stay as they are: they share what is copied here.
    let mut rows = if insert.overwrite { Vec::new() } else { Arc::unwrap_or_clone(rows) };
    let count = given.len();
    for row in given {
        if row.len() != into.len() {
            let text = format!(
                "SQL compilation error:\nInsert value list does not match column list expecting {} but got {}",
                into.len(),
                row.len()
            );
            return Err(SqlError::new("002020", "21S01", text));
        }
        let mut whole = vec![Value::Null; columns.len()];
        for (value, at) in row.into_iter().zip(&into) {
            whole[*at] = value;
        }
        let fit = whole.iter().zip(&columns).map(|(value, column)| fitted(value, column, session));
        rows.push(fit.collect::<Outcome<_>>()?);
    }
    put(world, &full, rows, [count, 0, 0], session)
}

/// `DELETE FROM t [WHERE ...]`.
pub fn delete(world: &mut World, session: &Session, delete: &Delete, bound: &[Value]) -> Outcome<Answer> {
    let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
    let [one] = from.as_slice() else { return Err(SqlError::unsupported(delete)) };
    let full = named(&one.relation, session)?;
    let (columns, rows) = target(world, &full)?;
    let scope = Scope { names: full.to_vec(), columns };
    let compiler = Compiler { session, scope: &scope, bound, grouping: None };
    let filter = delete.selection.as_ref().map(|expr| compiler.node(expr)).transpose()?;
    let mut kept = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if !filter.as_ref().map_or(Ok(true), |filter| filter.holds(row, number, session))? {
            kept.push(row.clone());
        }
    }
    let gone = rows.len() - kept.len();
    put(world, &full, kept, [0, 0, gone], session)
}

/// `UPDATE t SET ... [WHERE ...]`.
pub fn update(world: &mut World, session: &Session, update: &Update, bound: &[Value]) -> Outcome<Answer> {
    let full = named(&update.table.relation, session)?;
    let (columns, rows) = target(world, &full)?;
    let scope = Scope { names: full.to_vec(), columns: columns.clone() };
    let compiler = Compiler { session, scope: &scope, bound, grouping: None };
    let filter = update.selection.as_ref().map(|expr| compiler.node(expr)).transpose()?;
    let set = |Assignment { target, value }: &Assignment| {
        let AssignmentTarget::ColumnName(name) = target else { return Err(SqlError::unsupported(target)) };
        let name = parts(name)?.concat();
        let at = columns.iter().position(|it| it.name == name).ok_or_else(|| SqlError::column(&name))?;
        Ok((at, compiler.node(value)?))
    };
    let sets = update.assignments.iter().map(set).collect::<Outcome<Vec<_>>>()?;
    let (mut changed, mut count) = (Vec::with_capacity(rows.len()), 0);
    for (number, row) in rows.iter().enumerate() {
        let mut next = row.clone();
        if filter.as_ref().map_or(Ok(true), |filter| filter.holds(row, number, session))? {
            count += 1;
            for (at, node) in &sets {
                next[*at] = fitted(&*node.value(row, number, session)?, &columns[*at], session)?;
            }
        }
        changed.push(next);
    }
    put(world, &full, changed, [0, count, 0], session)
}

/// `TRUNCATE TABLE t`.
pub fn truncate(world: &mut World, session: &Session, name: &[String]) -> Outcome<Answer> {
    let full = object(name, session)?;
    let (_, rows) = target(world, &full)?;
    put(world, &full, Vec::new(), [0, 0, rows.len()], session)
}

fn named(factor: &TableFactor, session: &Session) -> Outcome<[String; 3]> {
    match factor {
        TableFactor::Table { name, alias: None, .. } => object(&parts(name)?, session),
        _ => Err(SqlError::unsupported(factor)),
    }
}
