//! Compiled expressions over a row.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::cast::cast;
use super::compare::compare;
use super::error::{Outcome, SqlError};
use super::number::Number;
use super::session::Session;
use super::types::Type;
use super::value::Value;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Test {
    /// Whether that order passes.
    pub fn passes(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Divided,
    /// `%`
    Modulo,
}

/// What a function does with its arguments.
pub type Action = fn(&[Value], &Session) -> Outcome<Value>;

/// An expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// A column of the row, by number.
    Column(usize),
    /// The row's own number.
    Sequence,
    /// A constant.
    Constant(Value),
    /// A comparison.
    Compare(Test, Box<Node>, Box<Node>),
    /// `IS [NOT] DISTINCT FROM`: true when they are the same.
    Same(Box<Node>, Box<Node>),
    /// All of them.
    And(Box<Node>, Box<Node>),
    /// Any of them.
    Or(Box<Node>, Box<Node>),
    /// Not it.
    Not(Box<Node>),
    /// Whether it is NULL.
    IsNull(Box<Node>),
    /// Whether it is that truth value, NULL being neither.
    Is(Box<Node>, bool),
    /// Arithmetic.
    Sum(Sum, Box<Node>, Box<Node>),
    /// `CAST`; `TRY_CAST` when NULL stands for a failure.
    Cast(Box<Node>, Type, bool),
    /// `CASE`: conditions with their values, and the value otherwise.
    Case(Vec<(Node, Node)>, Box<Node>),
    /// The first that is not NULL.
    Coalesce(Vec<Node>),
    /// A function.
    Call(Action, Vec<Node>),
}

impl Node {
    /// The value of a column or a constant, without computing.
    pub fn plain<'a>(&'a self, row: &'a [Value]) -> &'a Value {
        match self {
            Self::Column(number) => row.get(*number).unwrap_or(&Value::Null),
            Self::Constant(value) => value,
            _ => &Value::Null,
        }
    }

    /// Whether it can be told without computing.
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Column(_) | Self::Constant(_))
    }

    /// Whether it is the same for every row.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Column(_) | Self::Sequence => false,
            Self::Constant(_) => true,
            Self::Compare(_, left, right)
            | Self::Same(left, right)
            | Self::And(left, right)
            | Self::Or(left, right)
            | Self::Sum(_, left, right) => left.is_constant() && right.is_constant(),
            Self::Not(of) | Self::IsNull(of) | Self::Is(of, _) | Self::Cast(of, ..) => of.is_constant(),
            Self::Case(arms, otherwise) => {
                otherwise.is_constant()
                    && arms.iter().all(|(when, then)| when.is_constant() && then.is_constant())
            }
            Self::Coalesce(of) | Self::Call(_, of) => of.iter().all(Self::is_constant),
        }
    }

    /// Its value for a row.
    pub fn value<'a>(
        &'a self,
        row: &'a [Value],
        number: usize,
        session: &Session,
    ) -> Outcome<Cow<'a, Value>> {
        let truth =
            |node: &'a Self| -> Outcome<Option<bool>> { truth(&*node.value(row, number, session)?, session) };
        let maybe = |truth: Option<bool>| truth.map_or(Value::Null, Value::Bool);
        Ok(Cow::Owned(match self {
            Self::Column(_) | Self::Constant(_) => return Ok(Cow::Borrowed(self.plain(row))),
            Self::Sequence => Value::int(number as i128),
            Self::Compare(test, left, right) => {
                let (left, right) = (left.value(row, number, session)?, right.value(row, number, session)?);
                maybe(compare(&left, &right, session)?.map(|order| test.passes(order)))
            }
            Self::Same(left, right) => {
                let (left, right) = (left.value(row, number, session)?, right.value(row, number, session)?);
                let both = left.is_null() && right.is_null();
                Value::Bool(both || compare(&left, &right, session)? == Some(Ordering::Equal))
            }
            Self::And(left, right) => match truth(left)? {
                Some(false) => Value::Bool(false),
                left => maybe(match (left, truth(right)?) {
                    (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }),
            },
            Self::Or(left, right) => match truth(left)? {
                Some(true) => Value::Bool(true),
                left => maybe(match (left, truth(right)?) {
                    (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    _ => None,
                }),
            },
            Self::Not(of) => maybe(truth(of)?.map(|it| !it)),
            Self::IsNull(of) => Value::Bool(of.value(row, number, session)?.is_null()),
            Self::Is(of, wanted) => Value::Bool(truth(of)? == Some(*wanted)),
            Self::Sum(sum, left, right) => {
                let (left, right) = (left.value(row, number, session)?, right.value(row, number, session)?);
                computed(*sum, &left, &right, session)?
            }
            Self::Cast(of, kind, forgiving) => {
                match cast(&*of.value(row, number, session)?, *kind, session) {
                    Err(_) if *forgiving => Value::Null,
                    outcome => outcome?,
                }
            }
            Self::Case(arms, otherwise) => {
                for (when, then) in arms {
                    if truth(when)? == Some(true) {
                        return then.value(row, number, session);
                    }
                }
                return otherwise.value(row, number, session);
            }
            Self::Coalesce(of) => {
                for node in of {
                    let value = node.value(row, number, session)?;
                    if !value.is_null() {
                        return Ok(value);
                    }
                }
                Value::Null
            }
            Self::Call(action, of) => {
                let values: Vec<Value> = of
                    .iter()
                    .map(|node| Ok(node.value(row, number, session)?.into_owned()))
                    .collect::<Outcome<_>>()?;
                action(&values, session)?
            }
        }))
    }

    /// Whether it is true for a row; NULL is not.
    pub fn holds(&self, row: &[Value], number: usize, session: &Session) -> Outcome<bool> {
        Ok(truth(&*self.value(row, number, session)?, session)? == Some(true))
    }
}

fn truth(value: &Value, session: &Session) -> Outcome<Option<bool>> {
    Ok(match value {
        Value::Null => None,
        Value::Bool(truth) => Some(*truth),
        other => match cast(other, Type::Boolean, session)? {
            Value::Bool(truth) => Some(truth),
            _ => None,
        },
    })
}

fn computed(sum: Sum, left: &Value, right: &Value, session: &Session) -> Outcome<Value> {
    let (left, right) = match (left, right) {
        (Value::Null, _) | (_, Value::Null) => return Ok(Value::Null),
        (Value::Float(_), _) | (_, Value::Float(_)) => {
            let float = |value: &Value| match cast(value, Type::Float, session)? {
                Value::Float(float) => Ok(float),
                _ => Err(SqlError::number("")),
            };
            let (left, right) = (float(left)?, float(right)?);
            return Ok(Value::Float(match sum {
                Sum::Plus => left + right,
                Sum::Minus => left - right,
                Sum::Times => left * right,
                Sum::Divided => left / right,
                Sum::Modulo => left % right,
            }));
        }
        // A day and a number of days.
        (Value::Date(days), Value::Number(more)) if matches!(sum, Sum::Plus | Sum::Minus) => {
            let more = i32::try_from(more.rescale(0).map_or(0, |it| it.digits))
                .map_err(|_far| SqlError::range(more))?;
            return Ok(Value::Date(if sum == Sum::Plus { days + more } else { days - more }));
        }
        (Value::Number(left), Value::Number(right)) => (*left, *right),
        _ => {
            let decimal = |value: &Value| match cast(value, Type::Number(38, 9), session)? {
                Value::Number(number) => Ok(number),
                _ => Err(SqlError::number("")),
            };
            (decimal(left)?, decimal(right)?)
        }
    };
    let zero = || SqlError::new("100051", "22012", "Division by zero");
    let number = match sum {
        Sum::Plus => left.plus(right),
        Sum::Minus => left.plus(Number { digits: -right.digits, ..right }),
        Sum::Times => left.times(right),
        Sum::Modulo => Some(left.divide(right).ok_or_else(zero)?.1),
        Sum::Divided => {
            if right.digits == 0 {
                return Err(zero());
            }
            // Six digits more than the dividend has, as the service gives.
            let scale = (left.scale + 6).min(12).max(left.scale);
            let finer = left.rescale(scale + right.scale);
            finer.map(|it| Number { digits: it.digits / right.digits, scale })
        }
    };
    number.map(Value::Number).ok_or_else(|| SqlError::range(left))
}
