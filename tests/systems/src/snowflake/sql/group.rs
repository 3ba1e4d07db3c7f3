//! Aggregates, over the whole table or over groups.

use std::cmp::Ordering;
use std::collections::HashMap;

use sqlparser::ast::{DuplicateTreatment, Function, FunctionArg, FunctionArgExpr, FunctionArguments};

use super::cast::document;
use super::compare::compare;
use super::compile::{Compiler, arguments};
use super::error::{Outcome, SqlError};
use super::eval::Node;
use super::function;
use super::number::Number;
use super::session::Session;
use super::types::Type;
use super::value::Value;

/// What an aggregate does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Counts rows, or values that are not NULL.
    Count,
    /// Counts rows for which it is true.
    CountIf,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The sum.
    Sum,
    /// A hash of all rows, whatever their order.
    Hash,
}

/// One aggregate of a statement.
#[derive(Clone, Debug)]
pub struct Aggregate {
    does: Does,
    of: Vec<Node>,
    distinct: bool,
}

fn does(name: &str) -> Option<Does> {
    Some(match name {
        "COUNT" => Does::Count,
        "COUNT_IF" => Does::CountIf,
        "MIN" => Does::Min,
        "MAX" => Does::Max,
        "SUM" => Does::Sum,
        "HASH_AGG" => Does::Hash,
        _ => return None,
    })
}

/// Whether a function of that name is an aggregate.
pub fn is_aggregate(name: &str) -> bool {
    does(name).is_some()
}

/// Whether an expression has an aggregate in it.
pub fn has_aggregate(expr: &sqlparser::ast::Expr) -> bool {
    use std::ops::ControlFlow;
    let found = sqlparser::ast::visit_expressions(expr, |expr| match expr {
        sqlparser::ast::Expr::Function(call) if is_aggregate(&call.name.to_string().to_uppercase()) => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// An aggregate from its call, and the type it has.
pub fn aggregate(name: &str, call: &Function, rows: &Compiler<'_>) -> Outcome<(Aggregate, Type)> {
    let does = does(name).ok_or_else(|| SqlError::unsupported(name))?;
    let (star, distinct) = match &call.args {
        FunctionArguments::List(list) => (
            matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]),
            list.duplicate_treatment == Some(DuplicateTreatment::Distinct),
        ),
        _ => (false, false),
    };
    let typed = if star {
        let all = rows.scope.columns.iter().enumerate();
        let (nodes, kind) = (all.map(|(at, _)| Node::Column(at)).collect(), Type::Number(18, 0));
        let of = if does == Does::Count { Vec::new() } else { nodes };
        return Ok((Aggregate { does, of, distinct }, kind));
    } else {
        arguments(call)?.into_iter().map(|expr| rows.typed(expr)).collect::<Outcome<Vec<_>>>()?
    };
    let first = typed.first().ok_or_else(|| SqlError::unsupported(call))?.kind;
    let kind = match (does, first) {
        (Does::Count | Does::CountIf, _) => Type::Number(18, 0),
        (Does::Hash, _) => Type::Number(19, 0),
        (Does::Sum, Type::Number(_, scale)) => Type::Number(38, scale),
        (Does::Sum, _) => Type::Float,
        _ => first,
    };
    Ok((Aggregate { does, of: typed.into_iter().map(|it| it.node).collect(), distinct }, kind))
}

#[derive(Clone, Debug, Default)]
struct Running {
    count: i128,
    best: Option<Value>,
    seen: std::collections::HashSet<String>,
}

impl Aggregate {
    fn take(&self, state: &mut Running, row: &[Value], number: usize, session: &Session) -> Outcome<()> {
        let values: Vec<Value> = self
            .of
            .iter()
            .map(|node| Ok(node.value(row, number, session)?.into_owned()))
            .collect::<Outcome<_>>()?;
        if self.does == Does::Hash {
            if let Value::Number(hash) = function::hash(&values, session)? {
                state.count = state.count.wrapping_add(hash.digits);
            }
            return Ok(());
        }
        if values.iter().any(Value::is_null) {
            return Ok(());
        }
        if self.distinct && !state.seen.insert(key(&values, session)) {
            return Ok(());
        }
        let value = values.into_iter().next();
        match (self.does, value) {
            (Does::CountIf, Some(Value::Bool(true))) | (Does::Count, _) => state.count += 1,
            (Does::Min | Does::Max, Some(value)) => {
                let wanted = if self.does == Does::Min { Ordering::Less } else { Ordering::Greater };
                let better = match &state.best {
                    Some(best) => compare(&value, best, session)? == Some(wanted),
                    None => true,
                };
                if better {
                    state.best = Some(value);
                }
            }
            (Does::Sum, Some(value)) => {
                state.best = Some(match (state.best.take(), value) {
                    (None, Value::Number(number)) => Value::Number(number),
                    (Some(Value::Number(sum)), Value::Number(more)) => {
                        Value::Number(sum.plus(more).ok_or_else(|| SqlError::range(sum))?)
                    }
                    (None, Value::Float(float)) => Value::Float(float),
                    (Some(Value::Float(sum)), Value::Float(more)) => Value::Float(sum + more),
                    (_, other) => return Err(SqlError::number(&format!("{other:?}"))),
                });
            }
            _ => {}
        }
        Ok(())
    }

    fn result(&self, state: Running) -> Value {
        match self.does {
            Does::Count | Does::CountIf => Value::Number(Number::whole(state.count)),
            Does::Hash => Value::int(state.count as i64),
            Does::Min | Does::Max | Does::Sum => state.best.unwrap_or(Value::Null),
        }
    }
}

/// A text that is the same for the same values and no others.
pub fn key(values: &[Value], session: &Session) -> String {
    values
        .iter()
        .map(|value| {
            let text = match value {
                // The wall clock's offset does not make an instant another.
                Value::Tz(utc, _) => utc.to_string(),
                Value::Ntz(nanos) | Value::Ltz(nanos) => nanos.to_string(),
                other => document(other, session),
            };
            format!("{}:{}:{text};", u8::from(value.is_null()), text.len())
        })
        .collect()
}

/// Puts rows into groups: for each group its keys, then its aggregates. Without keys there is one group.
pub fn grouped<'a>(
    rows: impl Iterator<Item = (usize, std::borrow::Cow<'a, [Value]>)>,
    keys: &[Node],
    aggregates: &[Aggregate],
    session: &Session,
) -> Outcome<Vec<Vec<Value>>> {
    let mut groups: Vec<(Vec<Value>, Vec<Running>)> = Vec::new();
    let mut by_key: HashMap<String, usize> = HashMap::new();
    if keys.is_empty() {
        groups.push((Vec::new(), vec![Running::default(); aggregates.len()]));
    }
    for (number, row) in rows {
        let at = if keys.is_empty() {
            0
        } else {
            let values: Vec<Value> = keys
                .iter()
                .map(|node| Ok(node.value(&row, number, session)?.into_owned()))
                .collect::<Outcome<_>>()?;
            *by_key.entry(key(&values, session)).or_insert_with(|| {
                groups.push((values, vec![Running::default(); aggregates.len()]));
                groups.len() - 1
            })
        };
        for (aggregate, state) in aggregates.iter().zip(&mut groups[at].1) {
            aggregate.take(state, &row, number, session)?;
        }
    }
    let finish = |(mut values, states): (Vec<Value>, Vec<Running>)| {
        values.extend(aggregates.iter().zip(states).map(|(aggregate, state)| aggregate.result(state)));
        values
    };
    Ok(groups.into_iter().map(finish).collect())
}
