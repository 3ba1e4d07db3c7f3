//! What was asked of a source, and what that cost there.

use async_graphql::SimpleObject;

use crate::graphql::scalar::BigInt;

/// What asking a source cost there, as far as it tells.
#[derive(SimpleObject)]
pub struct SourceCost {
    /// Statements sent.
    statements: BigInt,
    /// Milliseconds the source worked on them, or where it does not tell, was waited for.
    milliseconds: BigInt,
    /// Rows the source scanned; null where it does not tell.
    rows_scanned: Option<BigInt>,
    /// Bytes the source scanned or bills; null where it does not tell.
    bytes_scanned: Option<BigInt>,
}

impl SourceCost {
    fn new([statements, micros, rows, bytes]: [i64; 4]) -> Self {
        let told = |count: i64| Some(BigInt(count)).filter(|_| count > 0);
        Self {
            statements: BigInt(statements),
            milliseconds: BigInt(micros / 1_000),
            rows_scanned: told(rows),
            bytes_scanned: told(bytes),
        }
    }
}

impl From<&entity::sync_run::Model> for SourceCost {
    fn from(run: &entity::sync_run::Model) -> Self {
        Self::new([run.source_statements, run.source_micros, run.source_rows, run.source_bytes])
    }
}

impl From<&entity::reconcile::Model> for SourceCost {
    fn from(of: &entity::reconcile::Model) -> Self {
        Self::new([of.source_statements, of.source_micros, of.source_rows, of.source_bytes])
    }
}
