//! `SELECT` over one table.

use std::cmp::Ordering;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableFactor, Value as Literal,
};

use super::answer::{Answer, Picks};
use super::catalog::Body;
use super::compare::compare;
use super::compile::{Compiler, Grouping, Scope, Typed};
use super::error::{Outcome, SqlError};
use super::eval::Node;
use super::grants::Sort;
use super::group::{self, grouped, has_aggregate};
use super::name::{self, fold, object, parts};
use super::schema;
use super::session::Session;
use super::source::Source;
use super::types::Column;
use super::value::Value;
use crate::snowflake::state::World;

/// Rows to choose from, and what they are called.
struct From {
    source: Source,
    scope: Scope,
    table: [String; 3],
}

/// Runs a query.
pub fn run(world: &World, session: &Session, query: &Query, bound: &[Value]) -> Outcome<Answer> {
    if query.with.is_some() || query.fetch.is_some() || !query.locks.is_empty() || query.for_clause.is_some()
    {
        return Err(SqlError::unsupported(query));
    }
    let select = match query.body.as_ref() {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) => return run(world, session, inner, bound),
        _ => return Err(SqlError::unsupported(query)),
    };
    plain(select)?;
    let from = from(world, session, select, bound)?;
    let compiler = Compiler { session, scope: &from.scope, bound, grouping: None };
    let filter = select.selection.as_ref().map(|expr| compiler.node(expr)).transpose()?;
    let order: &[OrderByExpr] = match query.order_by.as_ref().map(|it| &it.kind) {
        Some(OrderByKind::Expressions(list)) => list,
        Some(OrderByKind::All(_)) => return Err(SqlError::unsupported(query)),
        None => &[],
    };
    let (offset, limit) = limits(query, &compiler)?;
    let items = items(select, &from.scope)?;
    let mut answer = if is_grouped(select, &items, order) {
        over_groups(select, &items, order, &from, filter.as_ref(), &compiler)?
    } else {
        over_rows(select, &items, order, &from, filter.as_ref(), &compiler)?
    };
    if offset > 0 || limit.is_some() {
        answer.cut(offset, limit);
    }
    answer.table = from.table;
    Ok(answer)
}

fn plain(select: &Select) -> Outcome<()> {
    let odd = select.top.is_some()
        || select.into.is_some()
        || select.qualify.is_some()
        || !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.named_window.is_empty();
    if odd { Err(SqlError::unsupported(select)) } else { Ok(()) }
}

fn is_grouped(select: &Select, items: &[(Expr, String)], order: &[OrderByExpr]) -> bool {
    !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty())
        || items.iter().any(|(expr, _)| has_aggregate(expr))
        || select.having.is_some()
        || order.iter().any(|by| has_aggregate(&by.expr))
}

fn from(world: &World, session: &Session, select: &Select, bound: &[Value]) -> Outcome<From> {
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

fn limits(query: &Query, compiler: &Compiler<'_>) -> Outcome<(usize, Option<usize>)> {
    let count = |expr: &Expr| match compiler.node(expr)? {
        Node::Constant(Value::Number(number)) if number.scale == 0 => usize::try_from(number.digits)
            .map_err(|_negative| SqlError::syntax(format!("invalid LIMIT {number}"))),
        _ => Err(SqlError::syntax("LIMIT takes a whole number")),
    };
    match &query.limit_clause {
        None => Ok((0, None)),
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            let offset = offset.as_ref().map(|it| count(&it.value)).transpose()?;
            Ok((offset.unwrap_or(0), limit.as_ref().map(count).transpose()?))
        }
        Some(_) => Err(SqlError::unsupported(query)),
    }
}

/// The selected expressions and the names of their columns.
fn items(select: &Select, scope: &Scope) -> Outcome<Vec<(Expr, String)>> {
    let mut found = Vec::new();
    let all = |found: &mut Vec<(Expr, String)>| {
        for column in &scope.columns {
            let ident = sqlparser::ast::Ident::with_quote('"', column.name.clone());
            found.push((Expr::Identifier(ident), column.name.clone()));
        }
    };
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => found.push((expr.clone(), label(expr))),
            SelectItem::ExprWithAlias { expr, alias } => found.push((expr.clone(), fold(alias))),
            SelectItem::Wildcard(options) if options.to_string().is_empty() && !scope.columns.is_empty() => {
                all(&mut found)
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
                if options.to_string().is_empty() && scope.names.ends_with(&parts(name)?) =>
            {
                all(&mut found);
            }
            _ => return Err(SqlError::unsupported(item)),
        }
    }
    Ok(found)
}

/// The name of a column without an alias: a column's own, or the text of what was asked.
fn label(expr: &Expr) -> String {
    match expr {
        Expr::Identifier(name) => fold(name),
        Expr::CompoundIdentifier(names) => names.last().map(fold).unwrap_or_default(),
        _ => expr.to_string().to_uppercase(),
    }
}

/// An ORDER BY key: a position in the list, an alias in it, or an expression.
fn ordered(
    by: &OrderByExpr,
    items: &[(Expr, String)],
    selected: &[Typed],
    compiler: &Compiler<'_>,
) -> Outcome<Node> {
    if let Expr::Value(value) = &by.expr {
        if let Literal::Number(position, _) = &value.value {
            let at = position.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
            let typed = at.and_then(|at| selected.get(at));
            return typed.map(|it| it.node.clone()).ok_or_else(|| SqlError::column(position));
        }
    }
    if let Expr::Identifier(name) = &by.expr {
        // A column of the table comes second to an alias.
        if let Some(at) = items.iter().position(|(_, alias)| *alias == fold(name)) {
            return Ok(selected[at].node.clone());
        }
    }
    compiler.node(&by.expr)
}

/// Ascending and NULL last, unless said otherwise; descending has NULL first.
fn way(by: &OrderByExpr) -> Outcome<(bool, bool)> {
    let descending = match &by.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(other) => return Err(SqlError::unsupported(format!("{other:?}"))),
    };
    Ok((descending, by.options.nulls_first.unwrap_or(descending)))
}

fn sort_by_keys<T>(rows: &mut [(Vec<Value>, T)], ways: &[(bool, bool)], session: &Session) {
    rows.sort_by(|(left, _), (right, _)| {
        for ((left, right), (descending, nulls_first)) in left.iter().zip(right).zip(ways) {
            let order = match (left.is_null(), right.is_null()) {
                (true, true) => Ordering::Equal,
                (true, false) => {
                    if *nulls_first {
                        Ordering::Less
                    } else {
                        Ordering::Greater
                    }
                }
                (false, true) => {
                    if *nulls_first {
                        Ordering::Greater
                    } else {
                        Ordering::Less
                    }
                }
                (false, false) => {
                    let order = compare(left, right, session).ok().flatten().unwrap_or(Ordering::Equal);
                    if *descending { order.reverse() } else { order }
                }
            };
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    });
}

fn column((_, name): &(Expr, String), typed: &Typed) -> Column {
    Column { nullable: typed.nullable, ..Column::new(name.clone(), typed.kind) }
}

fn values(nodes: &[Node], row: &[Value], number: usize, session: &Session) -> Outcome<Vec<Value>> {
    nodes.iter().map(|node| Ok(node.value(row, number, session)?.into_owned())).collect()
}

fn over_rows(
    select: &Select,
    items: &[(Expr, String)],
    order: &[OrderByExpr],
    from: &From,
    filter: Option<&Node>,
    compiler: &Compiler<'_>,
) -> Outcome<Answer> {
    let session = compiler.session;
    let selected: Vec<Typed> = items.iter().map(|(expr, _)| compiler.typed(expr)).collect::<Outcome<_>>()?;
    let keys: Vec<Node> =
        order.iter().map(|by| ordered(by, items, &selected, compiler)).collect::<Outcome<_>>()?;
    let ways: Vec<(bool, bool)> = order.iter().map(way).collect::<Outcome<_>>()?;
    let mut picked: Vec<u32> = Vec::new();
    for number in 0..from.source.len() {
        let kept = match filter {
            Some(filter) => filter.holds(&from.source.row(number), number, session)?,
            None => true,
        };
        if kept {
            picked.push(number as u32);
        }
    }
    let plain: Option<Vec<usize>> =
        keys.iter().map(|key| if let Node::Column(at) = key { Some(*at) } else { None }).collect();
    let standing = ways.iter().all(|(descending, _)| !descending)
        && plain.is_some_and(|columns| from.source.sorted_by(&columns));
    if !keys.is_empty() && !standing {
        let mut rows: Vec<(Vec<Value>, u32)> = picked
            .into_iter()
            .map(|number| {
                Ok((values(&keys, &from.source.row(number as usize), number as usize, session)?, number))
            })
            .collect::<Outcome<_>>()?;
        sort_by_keys(&mut rows, &ways, session);
        picked = rows.into_iter().map(|(_, number)| number).collect();
    }
    let columns: Vec<Column> = items.iter().zip(&selected).map(|(item, typed)| column(item, typed)).collect();
    let nodes: Vec<Node> = selected.into_iter().map(|typed| typed.node).collect();
    let distinct = match &select.distinct {
        None | Some(Distinct::All) => false,
        Some(Distinct::Distinct) => true,
        Some(other) => return Err(SqlError::unsupported(other)),
    };
    if nodes.iter().all(Node::is_plain) && !distinct {
        return Ok(Answer::picked(columns, from.source.clone(), Picks::Listed(picked), nodes));
    }
    let mut rows = Vec::with_capacity(picked.len());
    let mut seen = std::collections::HashSet::new();
    for number in picked {
        let row = values(&nodes, &from.source.row(number as usize), number as usize, session)?;
        if !distinct || seen.insert(group::key(&row, session)) {
            rows.push(row);
        }
    }
    Ok(Answer::of(columns, rows))
}

fn over_groups(
    select: &Select,
    items: &[(Expr, String)],
    order: &[OrderByExpr],
    from: &From,
    filter: Option<&Node>,
    compiler: &Compiler<'_>,
) -> Outcome<Answer> {
    let session = compiler.session;
    let GroupByExpr::Expressions(by, modifiers) = &select.group_by else {
        return Err(SqlError::unsupported(&select.group_by));
    };
    if !modifiers.is_empty() {
        return Err(SqlError::unsupported(&select.group_by));
    }
    let mut grouping = Grouping::default();
    for expr in by {
        // A position in the list, or an alias in it, stands for what is there.
        let expr = match expr {
            Expr::Value(value) => match &value.value {
                Literal::Number(position, _) => {
                    let at = position.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
                    &at.and_then(|at| items.get(at)).ok_or_else(|| SqlError::column(position))?.0
                }
                _ => expr,
            },
            Expr::Identifier(name) if !from.scope.columns.iter().any(|it| it.name == fold(name)) => {
                &items.iter().find(|(_, alias)| *alias == fold(name)).ok_or_else(|| SqlError::column(name))?.0
            }
            _ => expr,
        };
        let typed = compiler.typed(expr)?;
        grouping.keys.push((expr.clone(), typed));
    }
    let over = Compiler { grouping: Some(&grouping), ..*compiler };
    let selected: Vec<Typed> = items.iter().map(|(expr, _)| over.typed(expr)).collect::<Outcome<_>>()?;
    let having = select.having.as_ref().map(|expr| over.node(expr)).transpose()?;
    let keys: Vec<Node> =
        order.iter().map(|by| ordered(by, items, &selected, &over)).collect::<Outcome<_>>()?;
    let ways: Vec<(bool, bool)> = order.iter().map(way).collect::<Outcome<_>>()?;
    let mut kept = Vec::new();
    for number in 0..from.source.len() {
        let row = from.source.row(number);
        if filter.map_or(Ok(true), |filter| filter.holds(&row, number, session))? {
            kept.push((number, row));
        }
    }
    let by: Vec<Node> = grouping.keys.iter().map(|(_, typed)| typed.node.clone()).collect();
    let groups = grouped(kept.into_iter(), &by, &grouping.aggregates.borrow(), session)?;
    let nodes: Vec<Node> = selected.iter().map(|typed| typed.node.clone()).collect();
    let mut rows: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        if having.as_ref().map_or(Ok(true), |having| having.holds(group, number, session))? {
            rows.push((values(&keys, group, number, session)?, values(&nodes, group, number, session)?));
        }
    }
    sort_by_keys(&mut rows, &ways, session);
    let columns = items.iter().zip(&selected).map(|(item, typed)| column(item, typed)).collect();
    Ok(Answer::of(columns, rows.into_iter().map(|(_, row)| row).collect()))
}
