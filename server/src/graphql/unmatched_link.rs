//! What linking groups made, remembered so that a repeated request answers as the first did.

use entity::unmatched_group::Model;
use entity::{ExternalIdId, MetricLinkId, UnmatchedGroupId};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use crate::domain::change::Change;
use crate::domain::unmatched::{self, Linked};
use crate::domain::{external_id, metric_link};
use crate::error::Result;

/// What an idempotent link made.
#[derive(Serialize, Deserialize)]
pub struct Made {
    /// The groups.
    pub groups: Vec<UnmatchedGroupId>,
    /// The external IDs made.
    pub external_ids: Vec<ExternalIdId>,
    /// The metric links made.
    pub metric_links: Vec<MetricLinkId>,
}

impl Made {
    /// Notes what was made for these groups.
    pub fn of(groups: &[UnmatchedGroupId], linked: &Linked) -> Self {
        Self {
            groups: groups.to_vec(),
            external_ids: linked.external_ids.iter().map(|id| id.id).collect(),
            metric_links: linked.metric_links.iter().map(|link| link.id).collect(),
        }
    }
}

/// Finds again what was made.
///
/// # Errors
/// When some of it is gone by now.
pub async fn again(change: &Change<'_, DatabaseTransaction>, made: &Made) -> Result<(Vec<Model>, Linked)> {
    let mut linked = Linked::default();
    for id in &made.external_ids {
        linked.external_ids.push(external_id::find(change, *id).await?);
    }
    for id in &made.metric_links {
        linked.metric_links.push(metric_link::find(change, *id).await?);
    }
    Ok((unmatched::find(change, &made.groups).await?, linked))
}
