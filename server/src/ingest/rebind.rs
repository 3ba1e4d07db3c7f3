//! Series pointed to the accounts that their external accounts mean today.
//!
//! A series is what the source says; only the pointer moves when matching changes, so nothing that is measured does.

use entity::{ExternalIdSettingId, Normalizer, OrganizationId, StreamId, stream};
use sea_orm::{ColumnTrait, QueryFilter};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::matching::{self, Match};
use super::store::{Bind, Record, Rows, Store};
use crate::app::App;
use crate::domain::kept::Kept;
use crate::domain::{external_id_setting, id_space};
use crate::error::Result;

/// Series looked at, and at most changed, in one transaction.
const SERIES: i64 = 1_000;

/// Whose series are brought in line.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// The organization's.
    All,
    /// One stream's.
    Stream(StreamId),
    /// Those of streams that try this space, if its IDs can be written in more ways than can be looked up.
    Space(&'a str),
}

/// A series as far as matching goes.
#[derive(Clone, Debug)]
struct Bound {
    id: i64,
    /// What the source wrote.
    raw: String,
    account: Option<Uuid>,
}

/// Brings series in line.
///
/// # Errors
/// When the database refuses; what was committed before stays done.
pub async fn series(
    app: &App,
    organization: OrganizationId,
    whose: Whose<'_>,
    stop: &CancellationToken,
) -> Result<u64> {
    let mut streams = stream::Entity::kept(organization);
    if let Whose::Stream(only) = whose {
        streams = streams.filter(stream::Column::Id.eq(only));
    }
    if let Whose::Space(space) = whose {
        let settings = trying(app, organization, space).await?;
        streams = streams.filter(stream::Column::ExternalIdSettingId.is_in(settings));
    }
    let mut changed = 0;
    for stream in streams.all(app.db.orm()).await? {
        let Some(setting) = stream.external_id_setting_id else { continue };
        match of_stream(app, (organization, stream.id), setting, stop).await {
            Ok(moved) => changed += moved,
            // A setting that names a space that is gone.
            Err(error) if !error.transient() => continue,
            Err(error) => return Err(error),
        }
    }
    Ok(changed)
}

/// The settings that try a space whose IDs can be written in more ways than [`crate::domain::normalizer::spelling`]
/// tells are one.
async fn trying(app: &App, organization: OrganizationId, space: &str) -> Result<Vec<ExternalIdSettingId>> {
    match id_space::normalizers(app.db.orm(), organization).await?.get(space) {
        Some(Normalizer::Lowercase | Normalizer::Numeric) => {}
        Some(Normalizer::Exact | Normalizer::Salesforce) | None => return Ok(Vec::new()),
    }
    let found = external_id_setting::trying(app.db.orm(), organization, space).await?;
    Ok(found.into_iter().map(|(model, _)| model.id).collect())
}

async fn of_stream(
    app: &App,
    (organization, stream): (OrganizationId, StreamId),
    setting: ExternalIdSettingId,
    stop: &CancellationToken,
) -> Result<u64> {
    let (mut changed, mut after) = (0, None::<[Bind; 3]>);
    while !stop.is_cancelled() {
        let mut store = Store::begin_reading(&app.db).await?;
        let mut binds: Vec<Bind> = vec![organization.0.into(), stream.0.into(), SERIES.into()];
        let beyond =
            if after.is_some() { "AND (metric_id, external_account, product) > ($4, $5, $6)" } else { "" };
        binds.extend(after.into_iter().flatten());
        let sql = format!(
            "SELECT id, external_account, raw_account, account_id, metric_id, product FROM series \
             WHERE organization_id = $1 AND stream_id = $2 {beyond} \
             ORDER BY metric_id, external_account, product LIMIT $3"
        );
        let page = store.fetch(&sql, &binds).await?;
        let Some(last) = page.last() else { break };
        after = Some([last.uuid(4)?.into(), last.text(1)?.into(), last.text(5)?.into()]);
        let bound = |record: &Record| {
            let raw = record.maybe_text(2)?.map_or_else(|| record.text(1), Ok)?.to_owned();
            Ok(Bound { id: record.int(0)?, raw, account: record.maybe_uuid(3)? })
        };
        let page = page.iter().map(bound).collect::<Result<Vec<_>>>()?;
        let moved = moved(&mut store, organization, setting, page).await?;
        store.commit().await?;
        if moved.is_empty() {
            continue;
        }
        let mut store = Store::begin(&app.db).await?;
        matching::hold_still(&mut store, organization).await?;
        let series = moved.into_iter().map(|(series, _)| series).collect();
        let moved = self::moved(&mut store, organization, setting, series).await?;
        let rows = Rows::new()
            .ints(moved.iter().map(|(series, _)| series.id))
            .maybe_uuids(moved.iter().map(|(_, account)| *account));
        let sql = "UPDATE series AS s SET account_id = b.c1 FROM {rows} WHERE s.id = b.c0";
        changed += store.execute_rows(sql, &[], &rows).await?;
        store.commit().await?;
    }
    Ok(changed)
}

/// The series that belong to another account today, with that account.
async fn moved(
    store: &mut Store,
    organization: OrganizationId,
    setting: ExternalIdSettingId,
    series: Vec<Bound>,
) -> Result<Vec<(Bound, Option<Uuid>)>> {
    let spaces = matching::spaces(store, organization, setting).await?;
    let raws: Vec<&str> = series.iter().map(|one| one.raw.as_str()).collect();
    let found = matching::accounts(store, organization, &spaces, &raws).await?;
    let account = |found: Match| match found {
        Match::Account { account, .. } => Some(account.0),
        Match::Unknown | Match::Ambiguous => None,
    };
    let judged = series.into_iter().zip(found.into_iter().map(account));
    Ok(judged.filter(|(series, account)| series.account != *account).collect())
}
