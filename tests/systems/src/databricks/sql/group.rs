//! `GROUP BY 1`: the one way of grouping that is known, over what the first place of the list gives.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::ast::{Expr, Function, GroupByExpr, OrderByKind, Query, Select, SelectItem, Value as Literal};

use super::compile::{Scope, argument, mismatch, only_max, unsupported, without_max};
use super::expression::Expression;
use super::value::{Type, Value};
use crate::databricks::statement::Refusal;
use crate::databricks::store::Row;

/// What is made of the rows of a group.
#[derive(Clone, Debug)]
pub enum Made {
    /// What they share.
    Key(Expression),
    /// The greatest value.
    Greatest(Expression),
    /// How many are not NULL.
    Count(Expression),
    /// Their sum, of so many digits and of them so many behind the point; NULL in place of an error when it is `try_sum`.
    Sum(Expression, u8, u8, bool),
    /// The same for all groups.
    Constant(Value),
}

/// Whether a query has groups. Those of any other shape are refused.
pub fn has_groups(query: &Query, select: &Select) -> Result<bool, Refusal> {
    let GroupByExpr::Expressions(by, modifiers) = &select.group_by else {
        return Err(unsupported("GROUP BY ALL"));
    };
    if by.is_empty() {
        return Ok(false);
    }
    let first =
        |expr: &Expr| matches!(expr, Expr::Value(value) if value.value == Literal::Number("1".into(), false));
    let ordered = query.order_by.as_ref().is_some_and(|by| match &by.kind {
        OrderByKind::Expressions(list) => matches!(list.as_slice(), [one] if first(&one.expr)),
        OrderByKind::All(_) => false,
    });
    if by.len() == 1 && first(&by[0]) && modifiers.is_empty() && ordered && query.limit_clause.is_none() {
        return Ok(true);
    }
    Err(unsupported("groups but by and in the order of the first place, and without a limit"))
}

/// Checks the list of a query with groups.
pub fn check(select: &Select, scope: &Scope<'_>) -> Result<Vec<(String, Type, Made)>, Refusal> {
    let mut found = Vec::new();
    for (place, item) in select.projection.iter().enumerate() {
        let SelectItem::UnnamedExpr(expr) = item else { return Err(unsupported("this selection")) };
        let (kind, made) = match (place, aggregate(expr)) {
            (0, None) => {
                let (expression, kind) = scope.expression(expr)?;
                (kind, Made::Key(expression))
            }
            (0, Some(_)) => return Err(mismatch("GROUP_BY_POS_AGGREGATE: the first place is an aggregate")),
            (_, Some(call)) => folded(call, scope)?,
            (_, None) if only_max(expr).is_some() => {
                let (expression, kind) = scope.expression(&without_max(expr))?;
                (kind, Made::Greatest(expression))
            }
            (_, None) => match scope.expression(expr)? {
                (Expression::Constant(value), kind) => (kind, Made::Constant(value)),
                _ => {
                    let words = format!("The expression {expr} is neither an aggregate nor in GROUP BY.");
                    return Err(Refusal::failed("MISSING_AGGREGATION", "42803", &words));
                }
            },
        };
        found.push((expr.to_string().replace('`', ""), kind, made));
    }
    Ok(found)
}

fn aggregate(expr: &Expr) -> Option<&Function> {
    match expr {
        Expr::Function(call) => {
            let name = call.name.to_string().to_lowercase();
            matches!(name.as_str(), "count" | "sum" | "try_sum").then_some(call)
        }
        _ => None,
    }
}

fn folded(call: &Function, scope: &Scope<'_>) -> Result<(Type, Made), Refusal> {
    let name = call.name.to_string().to_lowercase();
    let (expression, kind) = scope.expression(argument(call)?)?;
    if name == "count" {
        return Ok((Type::Int("BIGINT"), Made::Count(expression)));
    }
    // A sum of BIGINT has 64 bits, one of DOUBLE is rounded: whoever compares sums uses neither.
    let Type::Decimal(digits, scale) = kind else {
        return Err(unsupported(&format!("{name} of {}", kind.text())));
    };
    let digits = (digits + 10).min(38);
    Ok((Type::Decimal(digits, scale), Made::Sum(expression, digits, scale, name == "try_sum")))
}

/// The rows of the groups, by what each group's rows share.
pub fn grouped(list: &[Made], rows: &[Row]) -> Result<Vec<Row>, Refusal> {
    let mut groups = BTreeMap::<Option<i64>, Vec<&Row>>::new();
    for row in rows {
        let key = match list.first() {
            Some(Made::Key(expression)) => expression.value(row),
            _ => return Err(unsupported("groups without a key")),
        };
        let key = match key {
            Value::Null => None,
            Value::Int(number) => Some(number),
            _ => return Err(unsupported("groups by anything but integers")),
        };
        groups.entry(key).or_default().push(row);
    }
    groups.values().map(|rows| Ok(Arc::new(folded_rows(list, rows)?))).collect()
}

fn folded_rows(list: &[Made], rows: &[&Row]) -> Result<Vec<Value>, Refusal> {
    let values = |expression: &Expression| -> Vec<Value> {
        rows.iter().map(|row| expression.value(row)).filter(|value| *value != Value::Null).collect()
    };
    let made = |made: &Made| {
        Ok(match made {
            Made::Key(expression) => rows.first().map_or(Value::Null, |row| expression.value(row)),
            Made::Greatest(expression) => {
                values(expression).into_iter().max_by(|a, b| a.order(b, false)).unwrap_or(Value::Null)
            }
            Made::Count(expression) => Value::Int(values(expression).len() as i64),
            Made::Constant(value) => value.clone(),
            Made::Sum(expression, digits, scale, forgiving) => {
                let values = values(expression);
                let sum = values.iter().try_fold(0_i128, |sum, value| match value {
                    Value::Decimal(more, _) => sum.checked_add(*more),
                    _ => None,
                });
                let most = 10_i128.pow(u32::from(*digits));
                match sum.filter(|sum| sum.abs() < most) {
                    _ if values.is_empty() => Value::Null,
                    Some(sum) => Value::Decimal(sum, *scale),
                    None if *forgiving => Value::Null,
                    None => {
                        let words = "Overflow in sum of decimals. Use try_sum to ignore overflow problem.";
                        return Err(Refusal::failed("ARITHMETIC_OVERFLOW", "22003", words));
                    }
                }
            }
        })
    };
    list.iter().map(made).collect()
}
