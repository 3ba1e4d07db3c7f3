//! What the server tells of a stream.

use super::reconcile_record::ReconcileConnection;
use super::schedule_pace::SchedulePace;
use super::stream_mapping::StreamMapping;
use super::stream_reconcile::ReconcileSetting;
use super::stream_runs::SyncRunConnection;
use crate::schema;
use crate::vocabulary::{
    BigInt, CursorKind, DateTime, Freshness, NullCursorPolicy, StreamDestination, StreamShape, TableRef,
};

#[derive(cynic::QueryVariables)]
pub(super) struct StreamVariables {
    pub(super) id: cynic::Id,
    pub(super) first: Option<i32>,
    pub(super) after: Option<String>,
    pub(super) last: Option<i32>,
    pub(super) before: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "StreamVariables")]
pub(super) struct StreamQuery {
    #[arguments(id: $id)]
    pub(super) stream: Option<Stream>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(variables = "StreamVariables")]
pub(super) struct Stream {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) version: i32,
    pub(super) source: SourceName,
    pub(super) table: TableRef,
    pub(super) shape: StreamShape,
    pub(super) destination: StreamDestination,
    pub(super) mapping: StreamMapping,
    pub(super) cursor: StreamCursor,
    pub(super) row_key: Vec<String>,
    pub(super) new_columns: Vec<String>,
    pub(super) external_id_setting: Option<ExternalIdSetting>,
    pub(super) schedule: StreamSchedule,
    pub(super) pace: SchedulePace,
    pub(super) maximum_bytes_billed: Option<BigInt>,
    pub(super) next_due_at: Option<DateTime>,
    pub(super) enabled: bool,
    pub(super) paused_reason: Option<String>,
    pub(super) freshness: Freshness,
    pub(super) last_succeeded_at: Option<DateTime>,
    pub(super) live_run: Option<LiveRun>,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) unmatched_count: BigInt,
    pub(super) rejected_count: BigInt,
    #[arguments(first: $first, after: $after, last: $last, before: $before)]
    pub(super) runs: SyncRunConnection,
    pub(super) reconcile: ReconcileSetting,
    #[arguments(first: 6)]
    pub(super) reconciles: ReconcileConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
pub(super) struct SourceName {
    pub(super) id: cynic::Id,
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamCursor {
    pub(super) column: String,
    pub(super) kind: CursorKind,
    pub(super) zone: Option<String>,
    pub(super) null_cursor: NullCursorPolicy,
    pub(super) lookback: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct ExternalIdSetting {
    pub(super) name: String,
    pub(super) spaces: Vec<IdSpace>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct IdSpace {
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamSchedule {
    pub(super) description: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "SyncRun")]
pub(super) struct LiveRun {
    pub(super) id: cynic::Id,
    pub(super) number: BigInt,
}

impl Stream {
    /// Whether no run starts by itself: a person paused it or its source, or its table has changed.
    pub(super) fn is_paused(&self) -> bool {
        !self.enabled || self.paused_reason.is_some() || self.freshness == Freshness::Paused
    }
}

/// How far a stream has read.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The highest cursor taken in.
    pub watermark: String,
    /// Grows with each move.
    pub version: i32,
    /// When it last moved.
    pub updated_at: DateTime,
}
