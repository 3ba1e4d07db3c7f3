//! The columns of a result: what was asked for, and what came.

use super::head::{RowType, garbled};
use super::types::Native;
use crate::{Batch, Column, ConnectorError, ErrorKind, Result, Type};

/// What to do where names mean the same in any case.
pub const EXACT: &str =
    "set QUOTED_IDENTIFIERS_IGNORE_CASE = FALSE for Weir's user: names must mean what they spell";

/// A column as the statement selects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The exact name.
    pub name: String,
    /// Its type as the catalog has it.
    pub native: Native,
}

/// A column as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The exact name.
    pub name: String,
    /// Its type in the result.
    pub native: Native,
    /// What its cells are.
    pub kind: Type,
}

/// The columns of a result, checked against those asked for.
pub fn known(found: &[RowType], expected: Option<&[Expected]>) -> Result<Vec<Known>> {
    let Some(expected) = expected else {
        let own = |column: &RowType| {
            let native = column.native();
            Known { name: column.name.clone(), kind: native.kind(), native }
        };
        return Ok(found.iter().map(own).collect());
    };
    if found.len() != expected.len() {
        return Err(garbled("there are more or fewer columns than were asked for"));
    }
    let pairs = found.iter().zip(expected);
    pairs
        .map(|(found, wanted)| {
            let native = found.native();
            if wanted.native.plain() && found.name != wanted.name {
                let message = format!("column {:?} came as {:?}", wanted.name, found.name);
                return Err(ConnectorError::new(ErrorKind::Schema, message).hint(EXACT));
            }
            let (wanted_kind, kind) = (wanted.native.kind(), native.kind());
            if wanted_kind != kind && wanted_kind != Type::Other {
                let message = format!("column {:?} is of another type now", wanted.name);
                return Err(ConnectorError::new(ErrorKind::Schema, message)
                    .hint("its type was changed; open the stream and choose its columns again"));
            }
            Ok(Known { name: wanted.name.clone(), native, kind: wanted_kind })
        })
        .collect()
}

/// A batch of those columns without rows.
pub fn empty(columns: &[Known]) -> Batch {
    let column = |it: &Known| Column::new(it.name.as_str(), it.kind, it.native.wide());
    Batch { columns: columns.iter().map(column).collect() }
}
