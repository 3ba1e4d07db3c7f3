//! Values typed by a person: they stand until a person changes them, whatever rows say.

use entity::{Decimal, OrganizationId, SeriesId, StreamId};

use super::measure::TYPED;
use super::store::{Bind, Store};
use crate::app::App;
use crate::clock::Micros;
use crate::error::{Error, Result};

/// Stores a value typed by a person; the value it replaces is kept as a revision.
///
/// # Errors
/// `NotFound` when the organization has no such series.
pub async fn set(
    app: &App,
    organization: OrganizationId,
    series: SeriesId,
    measured_at: Micros,
    value: &Decimal,
) -> Result<()> {
    let now = app.clock.now();
    let mut store = Store::begin(&app.db).await?;
    let sql = "SELECT stream_id FROM series WHERE organization_id = $1 AND id = $2";
    let found = store.fetch(sql, &[organization.0.into(), series.0.into()]).await?;
    let stream = StreamId(found.first().ok_or(Error::NotFound("series"))?.uuid(0)?);
    // The stream's lock: no sync writes to the series meanwhile, and the next one notices that somebody did.
    let sql = "UPDATE checkpoint SET version = version + 1 WHERE organization_id = $1 AND stream_id = $2";
    store.execute(sql, &[organization.0.into(), stream.0.into()]).await?;
    let key: [Bind; 2] = [series.0.into(), measured_at.into()];
    let sql = "INSERT INTO measurement_revision (series_id, measured_at, value, cursor, run, row_key, period, reason, \
        replaced_by_run, replaced_at) SELECT series_id, measured_at, value, cursor, run, row_key, period, 'replaced', \
        $3, $4 FROM measurement WHERE series_id = $1 AND measured_at = $2";
    let [id, at] = key.clone();
    store.execute(sql, &[id, at, TYPED.into(), now.into()]).await?;
    store.execute("DELETE FROM measurement WHERE series_id = $1 AND measured_at = $2", &key).await?;
    let mut insert = super::store::Insert::new(
        store.backend(),
        "measurement",
        &["series_id", "measured_at", "value", "cursor", "run", "row_key"],
    );
    insert.row();
    insert.int(series.0);
    insert.int(measured_at);
    insert.decimal(value.as_str());
    insert.int(now.saturating_mul(1_000));
    insert.int(TYPED);
    insert.text("");
    insert.write(&mut store).await?;
    store.commit().await
}
