//! Metrics: named quantities. Syncs add them on first sight; people name them.

use entity::MetricId;
use entity::metric::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::change::Change;
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// What to change on a metric; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct MetricChange {
    /// A new name.
    pub name: Option<String>,
    /// A new unit, or none.
    pub unit: Option<Option<String>>,
}

/// Finds a metric of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: MetricId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("metric"))
}

/// Finds a metric by its name in the streams.
///
/// # Errors
/// When the database fails.
pub async fn by_external_id(
    change: &Change<'_, impl ConnectionTrait>,
    external_id: &str,
) -> Result<Option<Model>> {
    let found = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::ExternalId.eq(external_id))
        .one(change.db)
        .await?;
    Ok(found)
}

/// Adds a metric before any row names it.
///
/// # Errors
/// When its external ID is taken.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    external_id: &str,
    wanted: MetricChange,
) -> Result<Model> {
    let external_id = text::name("externalId", external_id)?;
    if by_external_id(change, &external_id).await?.is_some() {
        return Err(refusal::taken("externalId", format!("there is a metric {external_id:?} already")));
    }
    let name = text::optional("name", wanted.name)?.unwrap_or_else(|| external_id.clone());
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(MetricId::new()),
        external_id: Set(external_id),
        name: Set(name),
        unit: Set(text::optional("unit", wanted.unit.flatten())?),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "metric.create", &model).await?;
    Ok(model)
}

/// Changes how a metric is shown. Its name in the streams stays.
///
/// # Errors
/// When it is gone or a value is unacceptable.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: MetricId,
    wanted: MetricChange,
) -> Result<Model> {
    let mut next = find(change, id).await?.into_active_model();
    if let Some(name) = wanted.name {
        next.name = Set(text::name("name", &name)?);
    }
    if let Some(unit) = wanted.unit {
        next.unit = Set(text::optional("unit", unit)?);
    }
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "metric.update", &model).await?;
    Ok(model)
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({ "name": model.name, "unit": model.unit });
    change.audit(action, "Metric", model.id, detail).await
}
