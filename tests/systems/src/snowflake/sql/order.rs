//! `ORDER BY`.

use std::cmp::Ordering;

use sqlparser::ast::{Expr, OrderByExpr, OrderBySort, Value as Literal};

use super::compare::compare;
use super::compile::{Compiler, Typed};
use super::error::{Outcome, SqlError};
use super::eval::Node;
use super::name::fold;
use super::session::Session;
use super::value::Value;

/// An ORDER BY key: a position in the list, an alias in it, or an expression.
pub fn ordered(
    by: &OrderByExpr,
    items: &[(Expr, String)],
    selected: &[Typed],
    compiler: &Compiler<'_>,
) -> Outcome<Node> {
    if let Expr::Value(value) = &by.expr
        && let Literal::Number(position, _) = &value.value
    {
        let at = position.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
        let typed = at.and_then(|at| selected.get(at));
        return typed.map(|it| it.node.clone()).ok_or_else(|| SqlError::column(position));
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
pub fn way(by: &OrderByExpr) -> Outcome<(bool, bool)> {
    let descending = match &by.options.sort {
        None | Some(OrderBySort::Asc) => false,
        Some(OrderBySort::Desc) => true,
        Some(other) => return Err(SqlError::unsupported(format!("{other:?}"))),
    };
    Ok((descending, by.options.nulls_first.unwrap_or(descending)))
}

/// Sorts rows by their keys; equal rows stay in their order.
pub fn sort_by_keys<T>(rows: &mut [(Vec<Value>, T)], ways: &[(bool, bool)], session: &Session) {
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
