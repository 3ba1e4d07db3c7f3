//! What a run begins with, read in one statement: its stream, the source, and how far the stream was taken in.

use entity::{OrganizationId, StreamId, checkpoint, source, stream};
use sea_orm::{DbErr, FromQueryResult, QueryResult};

use super::checkpoint::Checkpoint;
use super::plan::Plan;
use crate::app::App;
use crate::error::{Error, Result};
use crate::sql::Sql;

/// A stream about to be read.
#[derive(Clone, Debug)]
pub struct Opening {
    /// How it is read and mapped.
    pub plan: Plan,
    /// Where from.
    pub source: source::Model,
    /// How far it was taken in; none before the first row.
    pub checkpoint: Option<Checkpoint>,
    /// The versions of all that decides what becomes of a row: the stream's, the number of the last change to matching,
    /// and how many ignore rules are in force.
    pub state: String,
}

struct Found {
    stream: stream::Model,
    source: source::Model,
    checkpoint: Option<checkpoint::Model>,
    matching: i64,
    rules: i64,
}

impl FromQueryResult for Found {
    fn from_query_result(row: &QueryResult, _: &str) -> std::result::Result<Self, DbErr> {
        Ok(Self {
            stream: stream::Model::from_query_result(row, "stream_")?,
            source: source::Model::from_query_result(row, "source_")?,
            checkpoint: checkpoint::Model::from_query_result_optional(row, "checkpoint_")?,
            matching: row.try_get("", "matching")?,
            rules: row.try_get("", "rules")?,
        })
    }
}

impl Opening {
    /// Reads it.
    ///
    /// # Errors
    /// `NotFound` when the stream is gone, `Invalid` when it cannot be run as it is set up, `Internal` when a stored part
    /// cannot be read.
    pub async fn read(app: &App, organization: OrganizationId, id: StreamId) -> Result<Self> {
        let db = app.db.orm();
        let found: Option<Found> = Sql::new(db, "SELECT ")
            .columns::<stream::Entity>("s", "stream_")
            .text(", ")
            .columns::<source::Entity>("w", "source_")
            .text(", ")
            .columns::<checkpoint::Entity>("c", "checkpoint_")
            .text(", COALESCE(m.version, 0) AS matching, (SELECT COUNT(*) FROM ignore_rule r WHERE r.organization_id = ")
            .bind(organization)
            .text(" AND (r.expires_at IS NULL OR r.expires_at > ")
            .bind(app.clock.now())
            .text(")) AS rules FROM stream s")
            .text(" JOIN source w ON w.organization_id = s.organization_id AND w.id = s.source_id")
            .text(" LEFT JOIN match_state m ON m.organization_id = s.organization_id")
            .text(" LEFT JOIN checkpoint c ON c.organization_id = s.organization_id AND c.stream_id = s.id")
            .text(" WHERE s.deleted_at IS NULL AND s.organization_id = ")
            .bind(organization)
            .text(" AND s.id = ")
            .bind(id)
            .one(db)
            .await?;
        let found = found.ok_or(Error::NotFound("stream"))?;
        let plan = Plan::of(app, &found.stream)?;
        let cursor = (plan.cursor.column.as_str(), plan.cursor.kind);
        let checkpoint = found.checkpoint.map(|model| Checkpoint::of(model, cursor)).transpose()?;
        let state = format!("{}.{}.{}", plan.version, found.matching, found.rules);
        Ok(Self { plan, source: found.source, checkpoint, state })
    }
}
