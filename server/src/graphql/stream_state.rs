//! Where streams stand: checkpoints, newest and live runs, and what waits.

use std::collections::HashMap;

use async_graphql::Object;
use async_graphql::dataloader::Loader;
use entity::checkpoint::{self, Model};
use entity::{
    GroupStatus, RunKind, RunStatus, StreamId, WaitingKind, sync_run, unmatched_group, waiting_row,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
};

use crate::auth::Permission;
use crate::graphql::loaders::{Fetch, LoadError, union};
use crate::graphql::scalar::DateTime;
use crate::graphql::stream_part::CursorKind;

type Loaded<K, V> = std::result::Result<HashMap<K, V>, LoadError>;

/// A stored row on its way out.
#[derive(Clone)]
pub struct Checkpoint(pub Model);

impl From<Model> for Checkpoint {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// How far a stream has read.
#[Object]
impl Checkpoint {
    /// The cursor column it belongs to.
    async fn column(&self) -> &str {
        &self.0.cursor_column
    }

    /// What the column holds.
    async fn kind(&self) -> CursorKind {
        self.0.cursor_kind.into()
    }

    /// The highest cursor taken in, in the source's own digits.
    async fn watermark(&self) -> &str {
        &self.0.watermark
    }

    /// Grows with each move.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// When it last moved.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }
}

/// Asks how far a stream has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CheckpointOf(pub StreamId);

impl Loader<CheckpointOf> for Fetch {
    type Value = Model;
    type Error = LoadError;

    async fn load(&self, keys: &[CheckpointOf]) -> Loaded<CheckpointOf, Model> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = checkpoint::Entity::find()
            .filter(checkpoint::Column::OrganizationId.eq(organization))
            .filter(checkpoint::Column::StreamId.is_in(keys.iter().map(|key| key.0)))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (CheckpointOf(row.stream_id), row)).collect())
    }
}

/// Asks for the newest run of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LastRunOf(pub StreamId);

impl Loader<LastRunOf> for Fetch {
    type Value = sync_run::Model;
    type Error = LoadError;

    async fn load(&self, keys: &[LastRunOf]) -> Loaded<LastRunOf, sync_run::Model> {
        let organization = self.organization(Permission::SourcesRead)?;
        let mut found = HashMap::new();
        for part in keys.chunks(200) {
            let newest = part.iter().map(|key| {
                sync_run::Entity::find()
                    .filter(sync_run::Column::OrganizationId.eq(organization))
                    .filter(sync_run::Column::StreamId.eq(key.0))
                    .order_by_desc(sync_run::Column::Number)
                    .limit(1)
                    .into_query()
            });
            for (_, run) in union::<sync_run::Entity>(self.db(), newest).await? {
                found.insert(LastRunOf(run.stream_id), run);
            }
        }
        Ok(found)
    }
}

/// Asks for the sync of a stream that is queued or running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LiveRunOf(pub StreamId);

impl Loader<LiveRunOf> for Fetch {
    type Value = sync_run::Model;
    type Error = LoadError;

    async fn load(&self, keys: &[LiveRunOf]) -> Loaded<LiveRunOf, sync_run::Model> {
        let organization = self.organization(Permission::SourcesRead)?;
        let rows = sync_run::Entity::find()
            .filter(sync_run::Column::OrganizationId.eq(organization))
            .filter(sync_run::Column::StreamId.is_in(keys.iter().map(|key| key.0)))
            .filter(sync_run::Column::Kind.eq(RunKind::Sync))
            .filter(sync_run::Column::Status.is_in([RunStatus::Queued, RunStatus::Running]))
            .all(self.db())
            .await?;
        Ok(rows.into_iter().map(|row| (LiveRunOf(row.stream_id), row)).collect())
    }
}

/// Asks how many readings of a stream wait for an account or a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnmatchedIn(pub StreamId);

impl Loader<UnmatchedIn> for Fetch {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[UnmatchedIn]) -> Loaded<UnmatchedIn, i64> {
        let organization = self.organization(Permission::UnmatchedRead)?;
        let sums = unmatched_group::Entity::find()
            .select_only()
            .column(unmatched_group::Column::StreamId)
            .column_as(unmatched_group::Column::Waiting.sum().cast_as("bigint"), "total")
            .filter(unmatched_group::Column::OrganizationId.eq(organization))
            .filter(unmatched_group::Column::StreamId.is_in(keys.iter().map(|key| key.0)))
            .filter(unmatched_group::Column::Status.eq(GroupStatus::Open))
            .group_by(unmatched_group::Column::StreamId);
        let mut found = HashMap::new();
        for row in self.db().query_all(&sums.into_query()).await? {
            found.insert(UnmatchedIn(row.try_get("", "stream_id")?), row.try_get("", "total")?);
        }
        Ok(found)
    }
}

/// Asks how many rows of a stream could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RejectedIn(pub StreamId);

impl Loader<RejectedIn> for Fetch {
    type Value = i64;
    type Error = LoadError;

    async fn load(&self, keys: &[RejectedIn]) -> Loaded<RejectedIn, i64> {
        let organization = self.organization(Permission::UnmatchedRead)?;
        let counts = waiting_row::Entity::find()
            .select_only()
            .column(waiting_row::Column::StreamId)
            .column_as(waiting_row::Column::Id.count(), "total")
            .filter(waiting_row::Column::OrganizationId.eq(organization))
            .filter(waiting_row::Column::StreamId.is_in(keys.iter().map(|key| key.0)))
            .filter(waiting_row::Column::Kind.eq(WaitingKind::Rejected))
            .group_by(waiting_row::Column::StreamId);
        let mut found = HashMap::new();
        for row in self.db().query_all(&counts.into_query()).await? {
            found.insert(RejectedIn(row.try_get("", "stream_id")?), row.try_get("", "total")?);
        }
        Ok(found)
    }
}
