//! Arithmetic of integers, and what is made of other types by `CAST`: as much as adding up days needs.

use sqlparser::ast::{BinaryOperator, CaseWhen, DataType, ExactNumberInfo, Expr, Value as Literal};

use super::compile::{Scope, mismatch, unsupported};
use super::expression::{Arithmetic, Expression};
use super::value::{Type, Value};
use crate::databricks::statement::Refusal;

/// What an operator computes, if it does.
pub fn arithmetic(op: &BinaryOperator) -> Option<Arithmetic> {
    Some(match op {
        BinaryOperator::MyIntegerDivide => Arithmetic::Divided,
        BinaryOperator::Modulo => Arithmetic::Rest,
        BinaryOperator::Minus => Arithmetic::Minus,
        _ => return None,
    })
}

impl Scope<'_> {
    /// Two integers and an operator.
    pub fn computed(
        &self,
        left: &Expr,
        how: Arithmetic,
        right: &Expr,
    ) -> Result<(Expression, Type), Refusal> {
        let ((a, a_kind), (b, b_kind)) = (self.expression(left)?, self.expression(right)?);
        let (Type::Int(_), Type::Int(_)) = (&a_kind, &b_kind) else {
            return Err(mismatch(&format!("{} is computed with {}", a_kind.text(), b_kind.text())));
        };
        Ok((Expression::Arithmetic(how, Box::new(a), Box::new(b)), Type::Int("BIGINT")))
    }

    /// `CASE WHEN … THEN … ELSE … END` with integers.
    pub fn case(&self, arms: &[CaseWhen], otherwise: Option<&Expr>) -> Result<(Expression, Type), Refusal> {
        let ([arm], Some(otherwise)) = (arms, otherwise) else { return Err(unsupported("this CASE")) };
        let when = self.condition(&arm.condition)?;
        let ((then, then_kind), (otherwise, other_kind)) =
            (self.expression(&arm.result)?, self.expression(otherwise)?);
        if then_kind != other_kind || !matches!(then_kind, Type::Int(_)) {
            return Err(unsupported("a CASE of anything but integers"));
        }
        Ok((Expression::Case(Box::new(when), Box::new(then), Box::new(otherwise)), then_kind))
    }

    /// `CAST` to anything but text.
    pub fn cast(&self, of: &Expr, to: &DataType) -> Result<(Expression, Type), Refusal> {
        let decimal = match to {
            DataType::Decimal(ExactNumberInfo::PrecisionAndScale(digits, scale)) => {
                Some(Type::Decimal(u8::try_from(*digits).unwrap_or(38), u8::try_from(*scale).unwrap_or(0)))
            }
            _ => None,
        };
        if matches!(of, Expr::Value(value) if value.value == Literal::Null) {
            let kind = decimal.ok_or_else(|| unsupported(&format!("NULL as {to}")))?;
            return Ok((Expression::Constant(Value::Null), kind));
        }
        let (inner, kind) = self.expression(of)?;
        let inner = Box::new(inner);
        match (to, &kind, decimal) {
            (DataType::BigInt(None), Type::Int(_), _) => Ok((*inner, Type::Int("BIGINT"))),
            (DataType::Date, Type::Naive | Type::Zoned, _) => Ok((Expression::Day(inner), Type::Date)),
            (_, Type::Int(_), Some(Type::Decimal(digits, scale))) => {
                Ok((Expression::Exact(inner, digits, scale), Type::Decimal(digits, scale)))
            }
            _ => Err(unsupported(&format!("{} as {to}", kind.text()))),
        }
    }
}
