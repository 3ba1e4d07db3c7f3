//! Measurements typed by people. Those from rows are written by the engine.

use entity::measurement::{ActiveModel, Entity, Model};
use entity::{Decimal, RevisionReason, SeriesId, checkpoint, measurement_revision, series};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};
use serde_json::json;

use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::kept::Kept;
use crate::domain::{refusal, text};
use crate::error::Result;

/// The run number of values people typed.
pub const TYPED: i64 = 0;

/// Finds a series of the organization.
///
/// # Errors
/// When there is none.
pub async fn series(change: &Change<'_, impl ConnectionTrait>, id: SeriesId) -> Result<series::Model> {
    let found =
        series::Entity::kept(change.organization()).filter(series::Column::Id.eq(id)).one(change.db).await?;
    found.ok_or_else(|| refusal::not_found("seriesId", "series"))
}

/// Types one value into a series. The value it replaces is kept; no sync replaces it silently.
///
/// # Errors
/// When there is no such series, or the period is too long.
pub async fn set(
    change: &Change<'_, impl ConnectionTrait>,
    id: SeriesId,
    measured_at: Micros,
    value: Decimal,
    period: Option<String>,
) -> Result<Model> {
    let series = series(change, id).await?;
    let period = text::optional("period", period)?;
    hold(change, &series).await?;
    let stored = Entity::find_by_id((series.id, measured_at)).one(change.db).await?;
    if let Some(stored) = &stored
        && stored.run == TYPED
        && stored.value == value
        && stored.period == period
    {
        return Ok(stored.clone());
    }
    let next = ActiveModel {
        series_id: Set(series.id),
        measured_at: Set(measured_at),
        value: Set(value.clone()),
        cursor: Set(change.now.saturating_mul(1_000)),
        run: Set(TYPED),
        row_key: Set(String::new()),
        period: Set(period),
    };
    let before = stored.as_ref().map(|stored| stored.value.clone());
    let model = match stored {
        None => next.insert(change.db).await?,
        Some(stored) => {
            keep(change, stored).await?;
            Entity::update(next).exec(change.db).await?
        }
    };
    let detail = json!({ "measuredAt": measured_at, "from": before, "to": value });
    change.audit("measurement.set", "Series", series.id, detail).await?;
    Ok(model)
}

/// Takes the stream's lock, the checkpoint: no sync writes to the series meanwhile, and the next one notices.
async fn hold(change: &Change<'_, impl ConnectionTrait>, series: &series::Model) -> Result<()> {
    checkpoint::Entity::update_many()
        .col_expr(checkpoint::Column::Version, Expr::col(checkpoint::Column::Version).add(1))
        .filter(checkpoint::Column::OrganizationId.eq(change.organization()))
        .filter(checkpoint::Column::StreamId.eq(series.stream_id))
        .exec(change.db)
        .await?;
    Ok(())
}

/// Keeps the value that is about to be replaced.
async fn keep(change: &Change<'_, impl ConnectionTrait>, stored: Model) -> Result<()> {
    let revision = measurement_revision::ActiveModel {
        series_id: Set(stored.series_id),
        measured_at: Set(stored.measured_at),
        value: Set(stored.value),
        cursor: Set(stored.cursor),
        run: Set(stored.run),
        row_key: Set(stored.row_key),
        period: Set(stored.period),
        reason: Set(RevisionReason::Replaced),
        replaced_by_run: Set(TYPED),
        replaced_at: Set(change.now),
        ..Default::default()
    };
    measurement_revision::Entity::insert(revision).exec_without_returning(change.db).await?;
    Ok(())
}
