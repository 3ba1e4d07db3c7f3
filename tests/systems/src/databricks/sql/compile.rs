//! From text to checked expressions.

use sqlparser::ast::{
    BinaryOperator, CastKind, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, LimitClause,
    OrderByKind, OrderBySort, Query, SelectItem, SetExpr, Statement, TableFactor, Value as Literal,
};
use sqlparser::dialect::{DatabricksDialect, SparkSqlDialect};
use sqlparser::parser::Parser;

use super::expression::{Compare, Expression};
use super::group::Made;
use super::parameter::Parameters;
use super::value::{Type, Value};
use super::{arithmetic, group};
use crate::databricks::statement::Refusal;
use crate::databricks::store::Column;

/// A statement of which only the table is known.
pub enum Parsed {
    /// A query, over that table; without one it gives one row.
    Query(Box<Query>, Option<Vec<String>>),
    /// `DESCRIBE TABLE`.
    Describe(Vec<String>),
}

/// A query whose names and types have been checked.
pub struct Checked {
    /// What is selected, with its name and type.
    pub selected: Vec<(String, Type, Expression)>,
    /// Whether the greatest value is asked for instead of all rows.
    pub greatest: bool,
    /// What is made of groups of rows, in place of what is selected of each.
    pub groups: Option<Vec<Made>>,
    /// Which rows.
    pub filter: Option<Expression>,
    /// By what they are ordered, whether downwards, whether nulls come first, whether letters are folded.
    pub order: Vec<(Expression, bool, bool, bool)>,
    /// How many.
    pub limit: Option<usize>,
}

pub(super) fn unsupported(what: &str) -> Refusal {
    Refusal::failed("UNSUPPORTED_FEATURE", "0A000", &format!("this stand-in does not know {what}"))
}

fn syntax(what: &str) -> Refusal {
    Refusal::failed("PARSE_SYNTAX_ERROR", "42601", what)
}

/// Reads one statement.
pub fn parse(text: &str) -> Result<Parsed, Refusal> {
    // The dialect of the parser takes the word TABLE for a name.
    if let Some(name) = text.strip_prefix("DESCRIBE TABLE ") {
        return match parse(&format!("SELECT 1 FROM {name}"))? {
            Parsed::Query(_, Some(table)) => Ok(Parsed::Describe(table)),
            _ => Err(syntax("no table")),
        };
    }
    // The operator DIV is known to the dialect of Spark alone.
    let mut statements = Parser::parse_sql(&DatabricksDialect, text)
        .or_else(|error| Parser::parse_sql(&SparkSqlDialect, text).map_err(|_same| error))
        .map_err(|error| syntax(&error.to_string()))?;
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(syntax("exactly one statement can be run"));
    };
    match statement {
        Statement::Query(query) => {
            let SetExpr::Select(select) = query.body.as_ref() else { return Err(unsupported("this query")) };
            let table = match select.from.as_slice() {
                [] => None,
                [one] if one.joins.is_empty() => match &one.relation {
                    TableFactor::Table { name, .. } => Some(parts(name)?),
                    _ => return Err(unsupported("this table")),
                },
                _ => return Err(unsupported("joins")),
            };
            Ok(Parsed::Query(query, table))
        }
        _ => Err(Refusal::failed(
            "INSUFFICIENT_PERMISSIONS",
            "42501",
            "Insufficient privileges: User does not have MODIFY on Table 'this'",
        )),
    }
}

fn parts(name: &sqlparser::ast::ObjectName) -> Result<Vec<String>, Refusal> {
    let part = |part: &sqlparser::ast::ObjectNamePart| part.as_ident().map(|ident| ident.value.clone());
    let parts: Option<Vec<String>> = name.0.iter().map(part).collect();
    parts.filter(|parts| parts.len() == 3).ok_or_else(|| unsupported("names of less than three parts"))
}

/// Checks a query against the columns of its table. Every parameter must be there and be used.
pub fn check(query: &Query, columns: &[Column], parameters: &Parameters) -> Result<Checked, Refusal> {
    let SetExpr::Select(select) = query.body.as_ref() else { return Err(unsupported("this query")) };
    let scope = Scope { columns, parameters };
    let (mut selected, mut greatest, mut groups) = (Vec::new(), false, None);
    if group::has_groups(query, select)? {
        let mut list = Vec::new();
        for (place, (name, kind, made)) in group::check(select, &scope)?.into_iter().enumerate() {
            selected.push((name, kind, Expression::Column(place)));
            list.push(made);
        }
        groups = Some(list);
    }
    let rows = select.projection.iter().filter(|_| groups.is_none());
    for item in rows {
        let SelectItem::UnnamedExpr(expr) = item else { return Err(unsupported("this selection")) };
        let (expression, kind) = match only_max(expr) {
            Some(_) => {
                greatest = true;
                scope.expression(&without_max(expr))?
            }
            None => scope.expression(expr)?,
        };
        selected.push((expr.to_string().replace('`', ""), kind, expression));
    }
    let filter = select.selection.as_ref().map(|expr| scope.condition(expr)).transpose()?;
    let mut order = Vec::new();
    if let (Some(by), None) = (&query.order_by, &groups) {
        let OrderByKind::Expressions(list) = &by.kind else { return Err(unsupported("ORDER BY ALL")) };
        for one in list {
            let (expression, kind) = scope.expression(&one.expr)?;
            if !kind.ordered() {
                return Err(mismatch(&format!("{} cannot be ordered", kind.text())));
            }
            let down = one.options.sort == Some(OrderBySort::Desc);
            order.push((expression, down, one.options.nulls_first.unwrap_or(!down), kind == Type::Folded));
        }
    }
    let limit = match &query.limit_clause {
        None => None,
        Some(LimitClause::LimitOffset { limit: Some(Expr::Value(value)), offset: None, .. }) => {
            match &value.value {
                Literal::Number(digits, _) => digits.parse().ok(),
                _ => return Err(unsupported("this limit")),
            }
        }
        Some(_) => return Err(unsupported("this limit")),
    };
    let text = query.to_string();
    if let Some(unused) = parameters.keys().find(|name| !text.contains(&format!(":{name}"))) {
        return Err(Refusal::field(&format!("the parameter {unused} is not in the statement")));
    }
    Ok(Checked { selected, greatest, groups, filter, order, limit })
}

pub(super) fn mismatch(what: &str) -> Refusal {
    Refusal::failed("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", what)
}

/// The argument of `max`, where an expression is one or converts one.
pub(super) fn only_max(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Function(function) => {
            let inner = argument(function).ok()?;
            let name = function.name.to_string().to_lowercase();
            if name == "max" { Some(inner) } else { only_max(inner) }
        }
        Expr::Cast { expr, .. } => only_max(expr),
        _ => None,
    }
}

/// The same expression over the column itself: its greatest value is what the greatest column gives.
pub(super) fn without_max(expr: &Expr) -> Expr {
    let mut expr = expr.clone();
    match &mut expr {
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("max") => {
            return argument(function).cloned().unwrap_or(expr);
        }
        Expr::Function(function) => {
            if let FunctionArguments::List(list) = &mut function.args
                && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(inner))) = list.args.first_mut()
            {
                *inner = without_max(inner);
            }
        }
        Expr::Cast { expr: inner, .. } => **inner = without_max(inner),
        _ => {}
    }
    expr
}

fn arguments(function: &sqlparser::ast::Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &function.args else { return Vec::new() };
    let expr = |arg| match arg {
        &FunctionArg::Unnamed(FunctionArgExpr::Expr(ref expr)) => Some(expr),
        _ => None,
    };
    list.args.iter().filter_map(expr).collect()
}

pub(super) fn argument(function: &sqlparser::ast::Function) -> Result<&Expr, Refusal> {
    arguments(function).first().copied().ok_or_else(|| mismatch("a function has no argument"))
}

/// What names may mean.
pub struct Scope<'a> {
    columns: &'a [Column],
    parameters: &'a Parameters,
}

impl Scope<'_> {
    pub(super) fn condition(&self, expr: &Expr) -> Result<Expression, Refusal> {
        match self.expression(expr)? {
            (expression, Type::Bool) => Ok(expression),
            (_, kind) => Err(mismatch(&format!("a condition is {}", kind.text()))),
        }
    }

    pub(super) fn expression(&self, expr: &Expr) -> Result<(Expression, Type), Refusal> {
        match expr {
            Expr::Nested(inner) => self.expression(inner),
            Expr::Identifier(ident) => {
                // Names are found whatever their case is.
                let place = self
                    .columns
                    .iter()
                    .position(|column| column.name.to_lowercase() == ident.value.to_lowercase());
                let place = place.ok_or_else(|| {
                    let words = format!(
                        "A column, variable, or function parameter with name `{}` cannot be resolved.",
                        ident.value
                    );
                    Refusal::failed("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", &words)
                })?;
                Ok((Expression::Column(place), self.columns[place].kind.clone()))
            }
            Expr::Value(value) => match &value.value {
                Literal::Placeholder(name) => {
                    let (kind, value) =
                        self.parameters.get(name.trim_start_matches(':')).ok_or_else(|| {
                            Refusal::failed(
                                "UNBOUND_SQL_PARAMETER",
                                "42P02",
                                &format!("Found the unbound parameter: {name}."),
                            )
                        })?;
                    Ok((Expression::Constant(value.clone()), kind.clone()))
                }
                Literal::Number(digits, _) => {
                    let value = digits.parse().map_err(|_| syntax("a number"))?;
                    Ok((Expression::Constant(Value::Int(value)), Type::Int("INT")))
                }
                _ => Err(unsupported("this literal")),
            },
            Expr::IsNull(inner) => {
                Ok((Expression::Null(Box::new(self.expression(inner)?.0), true), Type::Bool))
            }
            Expr::IsNotNull(inner) => {
                Ok((Expression::Null(Box::new(self.expression(inner)?.0), false), Type::Bool))
            }
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::Collate { expr, collation } if collation.to_string() == "UTF8_BINARY" => {
                match self.expression(expr)? {
                    (expression, Type::Text | Type::Folded) => Ok((expression, Type::Text)),
                    (_, kind) => Err(mismatch(&format!("{} has no collation", kind.text()))),
                }
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None }
                if data_type.to_string() == "STRING" =>
            {
                let (expression, _) = self.expression(expr)?;
                Ok((Expression::Text(Box::new(expression)), Type::Text))
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => self.cast(expr, data_type),
            Expr::Case { operand: None, conditions, else_result, .. } => {
                self.case(conditions, else_result.as_deref())
            }
            Expr::Function(function) => self.function(function),
            _ => Err(unsupported(&format!("the expression {expr}"))),
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<(Expression, Type), Refusal> {
        let how = match op {
            BinaryOperator::And | BinaryOperator::Or => {
                let (a, b) = (Box::new(self.condition(left)?), Box::new(self.condition(right)?));
                let both = *op == BinaryOperator::And;
                return Ok((if both { Expression::And(a, b) } else { Expression::Or(a, b) }, Type::Bool));
            }
            BinaryOperator::Eq => Compare::Equal,
            BinaryOperator::Lt => Compare::Less,
            BinaryOperator::LtEq => Compare::LessOrEqual,
            BinaryOperator::Gt => Compare::Greater,
            BinaryOperator::GtEq => Compare::GreaterOrEqual,
            _ => {
                let how =
                    arithmetic::arithmetic(op).ok_or_else(|| unsupported(&format!("the operator {op}")))?;
                return self.computed(left, how, right);
            }
        };
        let ((a, a_kind), (b, b_kind)) = (self.expression(left)?, self.expression(right)?);
        // The service would compare some of these through a cast; a reader that relies on it is wrong somewhere.
        let scales = matches!((&a_kind, &b_kind), (Type::Decimal(_, a), Type::Decimal(_, b)) if a != b);
        let numbers = matches!((&a_kind, &b_kind), (Type::Int(_), Type::Decimal(..) | Type::Double))
            || matches!((&a_kind, &b_kind), (Type::Decimal(..), Type::Int(_) | Type::Double));
        if !a_kind.compares(&b_kind) || !a_kind.ordered() || scales || numbers {
            return Err(mismatch(&format!("{} is compared with {}", a_kind.text(), b_kind.text())));
        }
        let folded = a_kind == Type::Folded || b_kind == Type::Folded;
        Ok((Expression::Compare(how, Box::new(a), Box::new(b), folded), Type::Bool))
    }

    fn function(&self, function: &sqlparser::ast::Function) -> Result<(Expression, Type), Refusal> {
        let name = function.name.to_string().to_lowercase();
        if matches!(name.as_str(), "now" | "current_timestamp") {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            let micros = i64::try_from(now.as_micros()).unwrap_or_default();
            return Ok((Expression::Constant(Value::Zoned(micros)), Type::Zoned));
        }
        let (inner, kind) = self.expression(argument(function)?)?;
        let inner = Box::new(inner);
        match (name.as_str(), &kind) {
            ("unix_micros", Type::Zoned) => Ok((Expression::Micros(inner), Type::Int("BIGINT"))),
            ("unix_micros", Type::Naive) => {
                Ok((Expression::Micros(Box::new(Expression::Zoned(inner))), Type::Int("BIGINT")))
            }
            ("unix_date", Type::Date) => Ok((Expression::UnixDate(inner), Type::Int("INT"))),
            ("base64", Type::Binary) => Ok((Expression::Base64(inner), Type::Text)),
            ("to_json", Type::Struct(_) | Type::Variant) => {
                let whole = match arguments(function).get(1) {
                    None => kind == Type::Variant,
                    Some(option) if option.to_string() == "map('ignoreNullFields', 'false')" => true,
                    Some(_) => return Err(unsupported("this option of to_json")),
                };
                Ok((Expression::Json(inner, whole), Type::Text))
            }
            ("unix_micros" | "unix_date" | "base64" | "to_json", _) => {
                Err(mismatch(&format!("{name} of {}", kind.text())))
            }
            _ => Err(unsupported(&format!("the function {name}"))),
        }
    }
}
