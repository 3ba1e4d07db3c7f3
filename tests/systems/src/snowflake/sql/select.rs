//! `SELECT` over one table.

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, OrderByExpr, OrderByKind, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Value as Literal,
};

use super::answer::{Answer, Picks};
use super::compile::{Compiler, Grouping, Scope, Typed};
use super::error::{Outcome, SqlError};
use super::eval::Node;
use super::from::{From, from};
use super::group::{self, grouped, has_aggregate};
use super::name::{fold, parts};
use super::order::{ordered, sort_by_keys, way};
use super::session::Session;
use super::types::Column;
use super::value::Value;
use crate::snowflake::state::World;

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
