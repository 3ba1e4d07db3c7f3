//! What a read asks for, and what comes back.

use std::pin::Pin;

use futures::Stream;

use crate::{Batch, Cost, Cursor, Position, Result, TableRef, Watermark};

/// Batches in order. Ends after the last row, or with the first error.
pub type BatchStream = Pin<Box<dyn Stream<Item = Result<Batch>> + Send>>;

/// What to do with rows whose cursor is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullCursors {
    /// Leave them out: the column is declared not null, or they were read already.
    Skip,
    /// Hand them over before all others, in row key order. Where the column is declared not null there are none, and
    /// they need not be looked for.
    First,
}

/// Who reads, for the system's own logs: it becomes the query tag or comment. Never secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunTag {
    /// The organization's ID.
    pub organization: String,
    /// The stream's ID.
    pub stream: String,
}

impl RunTag {
    /// Both IDs in one line that no comment, quotes or header can be left by.
    pub(crate) fn line(&self) -> String {
        let plain = |text: &str| -> String {
            let allowed = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
            text.chars().filter(allowed).collect()
        };
        format!("Weir/{}/{}", plain(&self.organization), plain(&self.stream))
    }
}

/// One read of one table: all rows with `from <= cursor <= until`, in (cursor, row key) order.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The table.
    pub table: TableRef,
    /// The columns to return, in this order; they include the cursor and the row key.
    pub columns: Vec<String>,
    /// The column that orders the rows.
    pub cursor: Cursor,
    /// The columns that, after the cursor, make the order total.
    pub key: Vec<String>,
    /// The closed lower bound. With a key, only rows at or after (cursor, key); without, at or after the cursor.
    /// The caller has already subtracted any lookback.
    pub from: Option<Position>,
    /// The closed upper bound on the cursor.
    pub until: Option<Watermark>,
    /// Rows whose cursor is null.
    pub nulls: NullCursors,
    /// The most rows in a batch.
    pub batch_rows: usize,
    /// About the most bytes in a batch; a single huge row may pass it.
    pub batch_bytes: usize,
    /// A cell longer than this many bytes comes as unreadable, cut.
    pub cell_bytes: usize,
    /// Who reads.
    pub tag: RunTag,
    /// Where the connector adds up what the read costs at the system.
    pub cost: Cost,
}

/// The filter of a statement that reads rows without a cursor in the same go, where `nulls` says so: `name` is the cursor
/// as quoted, `inside` what a row's cursor must keep to, or nothing when no cursor can. Nothing when no row can pass.
pub(crate) fn filter(name: &str, nullable: bool, nulls: bool, inside: Option<&[String]>) -> Option<String> {
    let condition = match (nulls, inside) {
        (false, None) => return None,
        (true, None) => format!("{name} IS NULL"),
        (true, Some([])) => return Some(String::new()),
        (true, Some(inside)) => format!("({name} IS NULL OR ({}))", inside.join(" AND ")),
        (false, Some([])) if !nullable => return Some(String::new()),
        (false, Some([])) => format!("{name} IS NOT NULL"),
        // Comparing leaves nulls out.
        (false, Some(inside)) => inside.join(" AND "),
    };
    Some(format!(" WHERE {condition}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_cannot_leave_its_comment() {
        let run = RunTag { organization: "a*/b".to_owned(), stream: "DROP TABLE t--\n".to_owned() };
        assert_eq!(run.line(), "Weir/ab/DROPTABLEt--");
    }
}
