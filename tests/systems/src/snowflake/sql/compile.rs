//! Expressions of the grammar, checked against the columns in sight and turned into what can be computed.

use std::cell::RefCell;

use sqlparser::ast::{
    BinaryOperator, CastKind, CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, UnaryOperator, Value as Literal,
};

use super::calendar;
use super::error::{Outcome, SqlError};
use super::eval::{Node, Sum, Test};
use super::function;
use super::group::{self, Aggregate};
use super::name::fold;
use super::number::Number;
use super::session::Session;
use super::types::{Column, Type};
use super::value::Value;

/// An expression with what is known of its values.
#[derive(Clone, Debug)]
pub struct Typed {
    /// How to compute it.
    pub node: Node,
    /// The type of its values.
    pub kind: Type,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// The columns in sight: those of one table.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The names the table may be called by: its alias, or its parts from the last.
    pub names: Vec<String>,
    /// Its columns.
    pub columns: Vec<Column>,
}

/// What a statement with groups adds: expressions are over keys and aggregates, not over rows.
#[derive(Debug, Default)]
pub struct Grouping {
    /// The keys as written, and what they are.
    pub keys: Vec<(Expr, Typed)>,
    /// The aggregates met so far.
    pub aggregates: RefCell<Vec<Aggregate>>,
}

/// Turns expressions into nodes.
#[derive(Clone, Copy, Debug)]
pub struct Compiler<'a> {
    /// Zone, role, time.
    pub session: &'a Session,
    /// The columns in sight.
    pub scope: &'a Scope,
    /// The bound values.
    pub bound: &'a [Value],
    /// Set when the statement has groups.
    pub grouping: Option<&'a Grouping>,
}

impl Compiler<'_> {
    /// Compiles an expression; what is the same for every row is computed at once.
    pub fn typed(&self, expr: &Expr) -> Outcome<Typed> {
        let mut typed = self.plain(expr)?;
        if typed.node.is_constant() && !typed.node.is_plain() {
            let value = typed.node.value(&[], 0, self.session)?.into_owned();
            typed.nullable = value.is_null();
            typed.node = Node::Constant(value);
        }
        Ok(typed)
    }

    /// The same without its type.
    pub fn node(&self, expr: &Expr) -> Outcome<Node> {
        Ok(self.typed(expr)?.node)
    }

    fn boxed(&self, expr: &Expr) -> Outcome<Box<Node>> {
        Ok(Box::new(self.node(expr)?))
    }

    fn plain(&self, expr: &Expr) -> Outcome<Typed> {
        if let Some(grouping) = self.grouping
            && let Some(at) = grouping.keys.iter().position(|(key, _)| key == expr)
        {
            let key = &grouping.keys[at].1;
            return Ok(Typed { node: Node::Column(at), kind: key.kind, nullable: key.nullable });
        }
        let truth = |node: Node| Typed { node, kind: Type::Boolean, nullable: true };
        let not = |node: Node, negated: bool| if negated { Node::Not(Box::new(node)) } else { node };
        Ok(match expr {
            Expr::Nested(inner) => self.typed(inner)?,
            Expr::Identifier(name) if name.quote_style.is_none() && function::bare(&name.value).is_some() => {
                function::constant(&name.value, self.session).ok_or_else(|| SqlError::column(&name.value))?
            }
            Expr::Identifier(name) => self.column(std::slice::from_ref(name))?,
            Expr::CompoundIdentifier(names) => self.column(names)?,
            Expr::Value(value) => self.literal(&value.value)?,
            Expr::TypedString(typed) => {
                let text = typed.value.clone().into_string().ok_or_else(|| SqlError::unsupported(typed))?;
                self.cast(
                    Node::Constant(Value::text(text)),
                    Type::parse(&typed.data_type.to_string())?,
                    false,
                )
            }
            Expr::Cast { kind, expr, data_type, format: None } => {
                let to = Type::parse(&data_type.to_string())?;
                self.cast(self.node(expr)?, to, *kind == CastKind::TryCast)
            }
            Expr::IsNull(of) => truth(Node::IsNull(self.boxed(of)?)),
            Expr::IsNotNull(of) => truth(Node::Not(Box::new(Node::IsNull(self.boxed(of)?)))),
            Expr::IsTrue(of) => truth(Node::Is(self.boxed(of)?, true)),
            Expr::IsFalse(of) => truth(Node::Is(self.boxed(of)?, false)),
            Expr::IsNotTrue(of) => truth(not(Node::Is(self.boxed(of)?, true), true)),
            Expr::IsNotFalse(of) => truth(not(Node::Is(self.boxed(of)?, false), true)),
            Expr::IsNotDistinctFrom(left, right) => truth(Node::Same(self.boxed(left)?, self.boxed(right)?)),
            Expr::IsDistinctFrom(left, right) => {
                truth(not(Node::Same(self.boxed(left)?, self.boxed(right)?), true))
            }
            Expr::Between { expr, negated, low, high } => {
                let low = Node::Compare(Test::Ge, self.boxed(expr)?, self.boxed(low)?);
                let high = Node::Compare(Test::Le, self.boxed(expr)?, self.boxed(high)?);
                truth(not(Node::And(Box::new(low), Box::new(high)), *negated))
            }
            Expr::InList { expr, list, negated } => {
                let mut any = Node::Constant(Value::Bool(false));
                for item in list {
                    let same = Node::Compare(Test::Eq, self.boxed(expr)?, self.boxed(item)?);
                    any = Node::Or(Box::new(any), Box::new(same));
                }
                truth(not(any, *negated))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                truth(not(Node::Call(function::like, vec![self.node(expr)?, self.node(pattern)?]), *negated))
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                truth(not(Node::Call(function::ilike, vec![self.node(expr)?, self.node(pattern)?]), *negated))
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr } => truth(Node::Not(self.boxed(expr)?)),
            Expr::UnaryOp { op: UnaryOperator::Plus, expr } => self.typed(expr)?,
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
                let of = self.typed(expr)?;
                let zero = Node::Constant(Value::int(0));
                Typed { node: Node::Sum(Sum::Minus, Box::new(zero), Box::new(of.node)), ..of }
            }
            Expr::BinaryOp { left, op, right } => self.operator(left, op, right)?,
            Expr::Case { operand, conditions, else_result, .. } => {
                let mut kind = Type::TEXT;
                let mut arms = Vec::new();
                for arm in conditions {
                    let mut when = self.node(&arm.condition)?;
                    if let Some(operand) = operand {
                        when = Node::Compare(Test::Eq, self.boxed(operand)?, Box::new(when));
                    }
                    let then = self.typed(&arm.result)?;
                    kind = then.kind;
                    arms.push((when, then.node));
                }
                let otherwise = match else_result {
                    Some(expr) => self.node(expr)?,
                    None => Node::Constant(Value::Null),
                };
                Typed { node: Node::Case(arms, Box::new(otherwise)), kind, nullable: true }
            }
            Expr::Function(call) => self.call(call)?,
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                function::build("FLOOR", vec![self.typed(expr)?], self.session)?
            }
            Expr::Position { .. } | Expr::Substring { .. } | Expr::Trim { .. } | Expr::JsonAccess { .. } => {
                return Err(SqlError::unsupported(expr));
            }
            _ => return Err(SqlError::unsupported(expr)),
        })
    }

    fn cast(&self, node: Node, kind: Type, forgiving: bool) -> Typed {
        Typed { node: Node::Cast(Box::new(node), kind, forgiving), kind, nullable: true }
    }

    fn column(&self, names: &[Ident]) -> Outcome<Typed> {
        let unknown = || {
            let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
            SqlError::column(shown.join("."))
        };
        let (name, path) = names.split_last().ok_or_else(unknown)?;
        let path: Vec<String> = path.iter().map(fold).collect();
        if !self.scope.names.ends_with(&path) {
            return Err(unknown());
        }
        let name = fold(name);
        let at = self.scope.columns.iter().position(|column| column.name == name).ok_or_else(unknown)?;
        if self.grouping.is_some() {
            let text = format!(
                "SQL compilation error:\n'{name}' in select clause is neither an aggregate nor in the group by clause."
            );
            return Err(SqlError::new("000979", "42601", text));
        }
        let column = &self.scope.columns[at];
        Ok(Typed { node: Node::Column(at), kind: column.kind, nullable: column.nullable })
    }

    fn literal(&self, literal: &Literal) -> Outcome<Typed> {
        let (value, kind) = match literal {
            Literal::Number(text, _) if text.contains(['e', 'E']) => {
                (Value::Float(super::cast::float(text)?), Type::Float)
            }
            Literal::Number(text, _) => {
                let number = Number::parse(text).ok_or_else(|| SqlError::range(text))?;
                let digits = number.digits.to_string().trim_start_matches('-').len() as u8;
                (Value::Number(number), Type::Number(digits.max(number.scale).max(1), number.scale))
            }
            Literal::SingleQuotedString(text) => {
                (Value::text(text.as_str()), Type::Text((text.chars().count() as u64).max(1)))
            }
            Literal::DollarQuotedString(text) => (Value::text(text.value.as_str()), Type::TEXT),
            Literal::HexStringLiteral(text) => {
                let bytes = super::cast::hex(text).ok_or_else(|| SqlError::invalid("Binary", text))?;
                (Value::Binary(bytes), Type::Binary(8_388_608))
            }
            Literal::Boolean(truth) => (Value::Bool(*truth), Type::Boolean),
            Literal::Null => (Value::Null, Type::TEXT),
            Literal::Placeholder(name) => {
                let number = name.strip_prefix('?').and_then(|it| it.parse::<usize>().ok());
                let value = number.and_then(|it| self.bound.get(it.checked_sub(1)?));
                let unset = || {
                    SqlError::new(
                        "002049",
                        "42601",
                        "SQL compilation error: error line 1\nBind variable ? not set.",
                    )
                };
                let value = value.ok_or_else(unset)?.clone();
                let kind = value.kind();
                (value, kind)
            }
            _ => return Err(SqlError::unsupported(literal)),
        };
        Ok(Typed { nullable: value.is_null(), node: Node::Constant(value), kind })
    }

    fn operator(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Outcome<Typed> {
        let test = match op {
            BinaryOperator::Eq => Some(Test::Eq),
            BinaryOperator::NotEq => Some(Test::Ne),
            BinaryOperator::Lt => Some(Test::Lt),
            BinaryOperator::LtEq => Some(Test::Le),
            BinaryOperator::Gt => Some(Test::Gt),
            BinaryOperator::GtEq => Some(Test::Ge),
            _ => None,
        };
        let (left, right) = (self.typed(left)?, self.typed(right)?);
        let (a, b) = (Box::new(left.node), Box::new(right.node));
        let nullable = left.nullable || right.nullable;
        let sum = match op {
            BinaryOperator::Plus => Sum::Plus,
            BinaryOperator::Minus => Sum::Minus,
            BinaryOperator::Multiply => Sum::Times,
            BinaryOperator::Divide => Sum::Divided,
            BinaryOperator::Modulo => Sum::Modulo,
            BinaryOperator::And => return Ok(Typed { node: Node::And(a, b), kind: Type::Boolean, nullable }),
            BinaryOperator::Or => return Ok(Typed { node: Node::Or(a, b), kind: Type::Boolean, nullable }),
            BinaryOperator::StringConcat => {
                return Ok(Typed {
                    node: Node::Call(function::concat, vec![*a, *b]),
                    kind: Type::TEXT,
                    nullable,
                });
            }
            _ => {
                let test = test.ok_or_else(|| SqlError::unsupported(op))?;
                return Ok(Typed { node: Node::Compare(test, a, b), kind: Type::Boolean, nullable });
            }
        };
        let kind = match (left.kind, right.kind, sum) {
            (Type::Float, ..) | (_, Type::Float, _) => Type::Float,
            (Type::Date, ..) => Type::Date,
            (Type::Number(_, scale), Type::Number(_, other), Sum::Times) => {
                Type::Number(38, (scale + other).min(37))
            }
            (Type::Number(_, scale), _, Sum::Divided) => Type::Number(38, (scale + 6).min(12).max(scale)),
            (Type::Number(_, scale), Type::Number(_, other), _) => Type::Number(38, scale.max(other)),
            _ => Type::Number(38, 9),
        };
        Ok(Typed { node: Node::Sum(sum, a, b), kind, nullable })
    }

    fn call(&self, call: &Function) -> Outcome<Typed> {
        let name = call.name.to_string().to_uppercase();
        if call.over.is_some() || call.filter.is_some() || !call.within_group.is_empty() {
            return Err(SqlError::unsupported(call));
        }
        if group::is_aggregate(&name) {
            let grouping = self.grouping.ok_or_else(|| {
                let text =
                    format!("SQL compilation error:\nInvalid aggregate function in where clause [{call}]");
                SqlError::new("002035", "42601", text)
            })?;
            let rows = Compiler { grouping: None, ..*self };
            let (aggregate, kind) = group::aggregate(&name, call, &rows)?;
            let mut aggregates = grouping.aggregates.borrow_mut();
            aggregates.push(aggregate);
            let at = grouping.keys.len() + aggregates.len() - 1;
            return Ok(Typed { node: Node::Column(at), kind, nullable: name != "COUNT" });
        }
        let arguments = arguments(call)?;
        if arguments.is_empty()
            && let Some(typed) = function::constant(&name, self.session)
        {
            return Ok(typed);
        }
        if name == "DATEDIFF" {
            return calendar::difference(&arguments, |expr| self.typed(expr));
        }
        let typed: Vec<Typed> = arguments.into_iter().map(|expr| self.typed(expr)).collect::<Outcome<_>>()?;
        function::build(&name, typed, self.session)
    }
}

/// The plain arguments of a call.
pub fn arguments(call: &Function) -> Outcome<Vec<&Expr>> {
    let list = match &call.args {
        FunctionArguments::None => return Ok(Vec::new()),
        FunctionArguments::List(list) if list.clauses.is_empty() => list,
        _ => return Err(SqlError::unsupported(call)),
    };
    let plain = |argument| match argument {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Ok(expr),
        _ => Err(SqlError::unsupported(call)),
    };
    list.args.iter().map(plain).collect()
}
