//! What the server tells of a sync run.

use crate::vocabulary::{BigInt, DateTime, SyncRunKind, SyncRunStatus, SyncRunTrigger};
use crate::{format, schema};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SyncRun {
    pub(super) id: cynic::Id,
    pub(super) number: BigInt,
    pub(super) stream: StreamName,
    pub(super) kind: SyncRunKind,
    pub(super) trigger: SyncRunTrigger,
    pub(super) status: SyncRunStatus,
    pub(super) attempt: i32,
    pub(super) since: Option<String>,
    pub(super) until: Option<String>,
    pub(super) cursor_before: Option<String>,
    pub(super) cursor_after: Option<String>,
    pub(super) tally: SyncRunTally,
    pub(super) cost: SourceCost,
    pub(super) balanced: Option<bool>,
    pub(super) error: Option<SyncRunError>,
    pub(super) cancel_requested_at: Option<DateTime>,
    pub(super) requested_by: Option<User>,
    pub(super) queued_at: DateTime,
    pub(super) started_at: Option<DateTime>,
    pub(super) finished_at: Option<DateTime>,
    pub(super) duration_ms: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Stream")]
pub(super) struct StreamName {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) source: SourceName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
pub(super) struct SourceName {
    pub(super) id: cynic::Id,
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SyncRunTally {
    pub(super) rows_read: BigInt,
    pub(super) rows_mapped: BigInt,
    pub(super) rows_rejected: BigInt,
    pub(super) rows_repeated: BigInt,
    pub(super) readings: BigInt,
    pub(super) written: BigInt,
    pub(super) unchanged: BigInt,
    pub(super) superseded: BigInt,
    pub(super) unmatched: BigInt,
    pub(super) ignored: BigInt,
    pub(super) null_cells: BigInt,
    pub(super) null_cursors: BigInt,
    pub(super) batches: BigInt,
    pub(super) bytes_read: BigInt,
}

/// What reading cost at the source, as far as the source tells.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceCost {
    pub(super) statements: BigInt,
    pub(super) milliseconds: BigInt,
    pub(super) rows_scanned: Option<BigInt>,
    pub(super) bytes_scanned: Option<BigInt>,
}

impl SourceCost {
    /// In a line, such as "2 statements, 1.4 s, 10,000 rows and 1.2 MiB scanned".
    pub(super) fn text(&self) -> String {
        let mut parts = vec![
            format::counted(self.statements.number(), "statement", "statements"),
            format::duration(self.milliseconds.number() as f64),
        ];
        let rows = self.rows_scanned.as_ref();
        let rows = rows.map(|rows| format::counted(rows.number(), "row", "rows"));
        let bytes = self.bytes_scanned.as_ref().map(|bytes| format::bytes(bytes.number()));
        let scanned: Vec<_> = rows.into_iter().chain(bytes).collect();
        if !scanned.is_empty() {
            parts.push(format!("{} scanned", scanned.join(" and ")));
        }
        parts.join(", ")
    }
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SyncRunError {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) action: Option<String>,
    pub(super) detail: Option<String>,
}
