//! Keyset windows: which slice of an ordered list a client asks for, and the opaque cursors that say so.
//!
//! A cursor holds the sort keys of one row, so pages stay right while rows come and go. It also holds a fingerprint of
//! the list it belongs to; with other filters, another order or another parent it is refused.

use async_graphql::ErrorExtensions;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sea_orm::sea_query::{Condition, SimpleExpr};
use sea_orm::{
    ColumnTrait, EntityTrait, ModelTrait, Order as Direction, QueryFilter, QueryOrder, QuerySelect, Select,
    Value,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::{Error, Result};

/// Rows in a page unless asked otherwise.
pub const DEFAULT: i32 = 25;
/// Rows in a page at most.
pub const MOST: i32 = 100;

/// A sort key of a row, or the ID of a parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// A number.
    Int(i64),
    /// A UUID.
    Uuid(Uuid),
    /// Text.
    Text(String),
}

impl Key {
    /// Takes a column's value.
    ///
    /// # Errors
    /// When lists cannot be sorted by such a column.
    pub fn take(value: Value) -> Result<Self> {
        match value {
            Value::BigInt(Some(number)) => Ok(Self::Int(number)),
            Value::Int(Some(number)) => Ok(Self::Int(number.into())),
            Value::Uuid(Some(id)) => Ok(Self::Uuid(id)),
            Value::String(Some(text)) => Ok(Self::Text(text)),
            other => Err(Error::internal("sorting a list", format!("{other:?} is no sort key"))),
        }
    }

    /// Gives the value to bind.
    pub fn value(&self) -> Value {
        match self {
            Self::Int(number) => (*number).into(),
            Self::Uuid(id) => (*id).into(),
            Self::Text(text) => text.clone().into(),
        }
    }
}

/// How a list is sorted: by these columns, all in one direction, the last of them unique.
#[derive(Clone, Debug)]
pub struct Order<E: EntityTrait> {
    /// The columns.
    pub columns: Vec<E::Column>,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl<E: EntityTrait> Order<E> {
    /// Smallest first.
    pub fn ascending(columns: impl IntoIterator<Item = E::Column>) -> Self {
        Self { columns: columns.into_iter().collect(), descending: false }
    }

    /// Largest first.
    pub fn descending(columns: impl IntoIterator<Item = E::Column>) -> Self {
        Self { columns: columns.into_iter().collect(), descending: true }
    }

    /// The sort keys of a row.
    ///
    /// # Errors
    /// When a column cannot be sorted by.
    pub fn keys(&self, model: &E::Model) -> Result<Vec<Key>> {
        self.columns.iter().map(|column| Key::take(model.get(*column))).collect()
    }
}

/// The page arguments of a connection field.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// Rows from the start.
    pub first: Option<i32>,
    /// Only after this cursor.
    pub after: Option<String>,
    /// Rows from the end.
    pub last: Option<i32>,
    /// Only before this cursor.
    pub before: Option<String>,
}

/// A slice of a list: so many rows after, or before, a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The most rows.
    pub limit: u64,
    /// Whether it is taken from the end.
    pub backward: bool,
    /// The sort keys of the row it starts after.
    pub bound: Option<Vec<Key>>,
}

#[derive(Serialize, Deserialize)]
struct Cursor {
    list: String,
    keys: Vec<Key>,
}

/// Tells one list from another by its name, filters, order and parent.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..6])
}

/// Writes the cursor of a row.
pub fn cursor(list: &str, keys: Vec<Key>) -> String {
    let cursor = Cursor { list: list.to_owned(), keys };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

fn refuse(code: &str, message: String) -> async_graphql::Error {
    async_graphql::Error::new(message).extend_with(|_, extensions| extensions.set("code", code))
}

impl PageArgs {
    /// Takes the arguments as a resolver has them.
    pub fn new(first: Option<i32>, after: Option<String>, last: Option<i32>, before: Option<String>) -> Self {
        Self { first, after, last, before }
    }

    /// Checks the arguments against a list of `columns` sort keys.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for arguments that do not fit, `INVALID_CURSOR` for a cursor of another list.
    pub fn window(&self, list: &str, columns: usize, most: i32) -> async_graphql::Result<Window> {
        let (count, backward, text) = match (self.first, self.last) {
            (Some(_), Some(_)) => {
                return Err(refuse("BAD_USER_INPUT", "give first or last, not both".to_owned()));
            }
            (first, None) => (first.unwrap_or(DEFAULT), false, &self.after),
            (None, Some(last)) => (last, true, &self.before),
        };
        if (backward && self.after.is_some()) || (!backward && self.before.is_some()) {
            return Err(refuse("BAD_USER_INPUT", "use after with first, before with last".to_owned()));
        }
        if !(1..=most).contains(&count) {
            return Err(refuse("BAD_USER_INPUT", format!("a page has 1 to {most} rows")));
        }
        let bound = match text {
            None => None,
            Some(text) => Some(read(text, list, columns).ok_or_else(|| {
                refuse("INVALID_CURSOR", "this cursor belongs to another list or order".to_owned())
            })?),
        };
        Ok(Window { limit: count.unsigned_abs().into(), backward, bound })
    }
}

fn read(text: &str, list: &str, columns: usize) -> Option<Vec<Key>> {
    let cursor: Cursor = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    (cursor.list == list && cursor.keys.len() == columns).then_some(cursor.keys)
}

impl Window {
    /// Restricts a query to the window, with one row more to tell whether there is a next page.
    pub fn apply<E: EntityTrait>(&self, select: Select<E>, order: &Order<E>) -> Select<E> {
        let descending = order.descending != self.backward;
        let mut select = select;
        if let Some(bound) = &self.bound {
            select = select.filter(beyond(&order.columns, bound, descending));
        }
        for column in &order.columns {
            select = select.order_by(*column, if descending { Direction::Desc } else { Direction::Asc });
        }
        select.limit(self.limit + 1)
    }
}

/// `(a, b) > (x, y)` spelt out, so that any database uses its index on `(a, b)`.
fn beyond<C: ColumnTrait>(columns: &[C], bound: &[Key], descending: bool) -> Condition {
    let past = |column: &C, key: &Key| -> SimpleExpr {
        if descending { column.lt(key.value()) } else { column.gt(key.value()) }
    };
    let mut any = Condition::any();
    for last in 0..columns.len() {
        let ties = columns[..last].iter().zip(bound).map(|(column, key)| column.eq(key.value()));
        let all = ties.fold(Condition::all(), Condition::add);
        any = any.add(all.add(past(&columns[last], &bound[last])));
    }
    // Redundant, but it gives the planner one range to scan.
    match (columns.first(), bound.first()) {
        (Some(column), Some(key)) if descending => Condition::all().add(column.lte(key.value())).add(any),
        (Some(column), Some(key)) => Condition::all().add(column.gte(key.value())).add(any),
        _ => any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_fits_its_own_list_only() {
        let text = cursor("a", vec![Key::Text("x".to_owned()), Key::Uuid(Uuid::nil())]);
        let args = PageArgs { after: Some(text), ..PageArgs::default() };
        let window = args.window("a", 2, MOST).expect("its own list");
        assert_eq!(window.bound, Some(vec![Key::Text("x".to_owned()), Key::Uuid(Uuid::nil())]));
        assert_eq!(window.limit, 25);
        assert!(args.window("b", 2, MOST).is_err());
        assert!(args.window("a", 1, MOST).is_err());
    }

    #[test]
    fn a_page_has_one_direction_and_a_size() {
        let size = |first, last| PageArgs::new(first, None, last, None).window("a", 1, MOST);
        assert!(size(Some(5), Some(5)).is_err());
        assert!(size(Some(0), None).is_err());
        assert!(size(Some(101), None).is_err());
        assert!(size(None, Some(100)).expect("a page").backward);
    }
}
