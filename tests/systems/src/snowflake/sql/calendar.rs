//! `DATEDIFF`, of which only days are known.

use sqlparser::ast::Expr;

use super::cast::cast;
use super::compile::Typed;
use super::error::{Outcome, SqlError};
use super::eval::Node;
use super::session::Session;
use super::types::Type;
use super::value::Value;

/// How many midnights lie between two days, the second one last.
fn days(of: &[Value], session: &Session) -> Outcome<Value> {
    let day = |value: Option<&Value>| cast(value.unwrap_or(&Value::Null), Type::Date, session);
    Ok(match (day(of.first())?, day(of.get(1))?) {
        (Value::Date(from), Value::Date(to)) => Value::int(i128::from(to) - i128::from(from)),
        _ => Value::Null,
    })
}

/// `DATEDIFF(DAY, from, to)`; the unit is a word and no column.
pub fn difference(arguments: &[&Expr], typed: impl Fn(&Expr) -> Outcome<Typed>) -> Outcome<Typed> {
    let [Expr::Identifier(unit), from, to] = arguments else {
        return Err(SqlError::unsupported("DATEDIFF of anything but a unit and two times"));
    };
    if !unit.value.eq_ignore_ascii_case("DAY") || unit.quote_style.is_some() {
        return Err(SqlError::unsupported(format!("DATEDIFF in {unit}")));
    }
    let node = Node::Call(days, vec![typed(from)?.node, typed(to)?.node]);
    Ok(Typed { node, kind: Type::Number(9, 0), nullable: true })
}
