//! The external IDs of a space, normalized anew once the space has another rule.
//!
//! It goes in transactions of bounded size, and only over rows that are not in line yet; so a stop loses nothing, and
//! doing it again does nothing. What matching says meanwhile is put right by the replay that follows.

use entity::{Normalizer, OrganizationId};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::matching;
use super::store::{Bind, Record, Rows, Store};
use crate::app::App;
use crate::domain::matching_change;
use crate::domain::normalizer::normalize;
use crate::error::{Error, Result};

/// Rows looked at, and at most changed, in one transaction.
const ROWS: i64 = 1_000;

/// Normalizes the external IDs of a space as the space says today, and tells running syncs when that is done.
///
/// # Errors
/// When the database refuses; what was committed before stays done.
pub async fn external_ids(
    app: &App,
    organization: OrganizationId,
    space: &str,
    stop: &CancellationToken,
) -> Result<u64> {
    let (mut changed, mut after) = (0, String::new());
    while !stop.is_cancelled() {
        let mut store = Store::begin_reading(&app.db).await?;
        let sql = "SELECT id, value, normalized FROM external_id WHERE organization_id = $1 AND space = $2 \
            AND value > $3 ORDER BY value LIMIT $4";
        let binds: [Bind; 4] = [organization.0.into(), space.into(), after.as_str().into(), ROWS.into()];
        let page = store.fetch(sql, &binds).await?;
        let rule = rule(&mut store, organization, space).await?;
        store.commit().await?;
        let (Some(last), Some(rule)) = (page.last(), rule) else { break };
        after = last.text(1)?.to_owned();
        if stale(&page, rule)?.is_empty() {
            continue;
        }
        let mut store = Store::begin(&app.db).await?;
        matching::hold_still(&mut store, organization).await?;
        // Another rule may be in force by now; then this page is normalized by that.
        if let Some(rule) = self::rule(&mut store, organization, space).await? {
            let stale = stale(&page, rule)?;
            let rows = Rows::new()
                .uuids(stale.iter().map(|(id, _)| *id))
                .texts(stale.iter().map(|(_, normalized)| normalized.as_str()));
            // No plain update: SQLite would go through all IDs of the organization, and for each through all of the page.
            let sql = "INSERT INTO external_id (organization_id, id, account_id, space, value, normalized, created_at, \
                created_by) SELECT e.organization_id, e.id, e.account_id, e.space, e.value, b.c1, e.created_at, \
                e.created_by FROM {rows} CROSS JOIN external_id e WHERE e.organization_id = $1 AND e.id = b.c0 \
                ON CONFLICT (organization_id, id) DO UPDATE SET normalized = excluded.normalized";
            changed += store.execute_rows(sql, &[organization.0.into()], &rows).await?;
        }
        store.commit().await?;
    }
    matching_change::bump(app.db.orm(), organization).await?;
    Ok(changed)
}

/// The rows of (ID, value, normalized) whose normalized text is not what the rule makes of the value.
fn stale(page: &[Record], rule: Normalizer) -> Result<Vec<(uuid::Uuid, String)>> {
    let mut stale = Vec::new();
    for record in page {
        match normalize(rule, record.text(1)?).value {
            Some(normalized) if normalized != record.text(2)? => stale.push((record.uuid(0)?, normalized)),
            Some(_) => {}
            None => {
                warn!(id = %record.uuid(0)?, "an external ID is none by its space's rule and stays as it was")
            }
        }
    }
    Ok(stale)
}

async fn rule(store: &mut Store, organization: OrganizationId, space: &str) -> Result<Option<Normalizer>> {
    let sql = format!(
        "SELECT normalizer FROM id_space WHERE organization_id = $1 AND name = $2 {}",
        store.share_lock()
    );
    let found = store.fetch(&sql, &[organization.0.into(), space.into()]).await?;
    let parse =
        |record: &Record| record.text(0)?.parse().map_err(|error| Error::internal("read an ID space", error));
    found.first().map(parse).transpose()
}
