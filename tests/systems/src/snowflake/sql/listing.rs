//! What all listings have: columns by name, filters, limits.

use super::answer::Answer;
use super::catalog::Object;
use super::error::Outcome;
use super::function::ilike;
use super::session::Session;
use super::tokens::Tokens;
use super::types::{Column, Type};
use super::value::Value;

/// The most rows a listing has.
const MOST: usize = 10_000;

/// Columns of a listing from their names, which are separated by blanks.
pub fn columns(names: &str) -> Vec<Column> {
    let one = |name: &str| match name {
        "created_on" => Column::new(name, Type::Ltz(3)),
        "rows" | "bytes" => Column::new(name, Type::Number(38, 0)),
        _ => Column::new(name, Type::TEXT),
    };
    names.split(' ').map(one).collect()
}

/// `LIKE`, `STARTS WITH` and `LIMIT ... FROM` of a listing.
#[derive(Default)]
pub struct Filter {
    like: Option<String>,
    starts: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

impl Filter {
    /// Takes `LIKE`.
    pub fn like(&mut self, tokens: &mut Tokens) -> Outcome<()> {
        if tokens.take("LIKE") {
            self.like = Some(tokens.text()?);
        }
        Ok(())
    }

    /// Takes what may follow the scope, to the end.
    pub fn rest(&mut self, tokens: &mut Tokens) -> Outcome<()> {
        if tokens.take("STARTS WITH") {
            self.starts = Some(tokens.text()?);
        }
        if tokens.take("LIMIT") {
            self.limit = Some(tokens.word()?.parse().map_err(|_bad| tokens.unexpected())?);
            if tokens.take("FROM") {
                self.after = Some(tokens.text()?);
            }
        }
        tokens.end()
    }

    fn keeps(&self, name: &str, session: &Session) -> bool {
        let like = self.like.as_ref().is_none_or(|pattern| {
            let matched = ilike(&[Value::text(name), Value::text(pattern.as_str())], session);
            matched == Ok(Value::Bool(true))
        });
        // These two, unlike LIKE, tell cases apart.
        like && self.starts.as_ref().is_none_or(|start| name.starts_with(start))
            && self.after.as_ref().is_none_or(|after| name > after.as_str())
    }

    /// The rows, each with the name it is filtered by, that pass.
    pub fn answer(&self, names: &str, rows: Vec<(String, Vec<Value>)>, session: &Session) -> Answer {
        let kept = rows.into_iter().filter(|(name, _)| self.keeps(name, session)).map(|(_, row)| row);
        Answer::of(columns(names), kept.take(self.limit.unwrap_or(MOST).min(MOST)).collect())
    }
}

/// A text.
pub fn text(text: &str) -> Value {
    Value::text(text)
}

/// When an object was made, to the millisecond.
pub fn created(object: &Object) -> Value {
    Value::Ltz(super::cast::cut(object.created, 3))
}
