//! What the metric links say of accounts and metrics.

use std::collections::HashMap;

use entity::{InputId, OrganizationId};
use uuid::Uuid;

use super::store::{Rows, Store};
use crate::error::Result;

/// What a metric link says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Readings flow into this input.
    Live(InputId),
    /// It is switched off.
    Disabled,
    /// Its input or opportunity is put away.
    TargetGone,
}

/// Looks up the links of (account, metric) pairs; a pair without one is not in the answer.
///
/// # Errors
/// When the database refuses.
pub async fn links(
    store: &mut Store,
    organization: OrganizationId,
    mut pairs: Vec<(Uuid, Uuid)>,
) -> Result<HashMap<(Uuid, Uuid), Link>> {
    pairs.sort_unstable();
    pairs.dedup();
    let rows = Rows::new().uuids(pairs.iter().map(|pair| pair.0)).uuids(pairs.iter().map(|pair| pair.1));
    let sql = "SELECT l.account_id, l.metric_id, l.input_id, l.enabled, \
        CASE WHEN i.archived_at IS NULL AND o.archived_at IS NULL THEN 0 ELSE 1 END \
        FROM {rows} CROSS JOIN metric_link l CROSS JOIN input i CROSS JOIN opportunity o \
        WHERE l.organization_id = $1 AND l.account_id = b.c0 AND l.metric_id = b.c1 \
        AND i.organization_id = l.organization_id AND i.id = l.input_id \
        AND o.organization_id = i.organization_id AND o.id = i.opportunity_id";
    let mut links = HashMap::new();
    for record in store.fetch_rows(sql, &[organization.0.into()], &rows).await? {
        let link = match (record.bool(3)?, record.int(4)?) {
            (false, _) => Link::Disabled,
            (true, 0) => Link::Live(InputId(record.uuid(2)?)),
            (true, _) => Link::TargetGone,
        };
        links.insert((record.uuid(0)?, record.uuid(1)?), link);
    }
    Ok(links)
}
