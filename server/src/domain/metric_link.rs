//! Metric links: the rules that a metric of an account feeds an input of one of its opportunities.

use entity::metric_link::{ActiveModel, Column, Entity, Model};
use entity::{AccountId, InputId, InputKind, MetricId, MetricLinkId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::domain::change::{Change, expect_version};
use crate::domain::matching_change::{self, Scope};
use crate::domain::{account, input, metric, opportunity, refusal, text};
use crate::error::{Error, Result};

/// A new link.
#[derive(Clone, Debug)]
pub struct NewMetricLink {
    /// The account.
    pub account: AccountId,
    /// The metric.
    pub metric: MetricId,
    /// The input.
    pub input: InputId,
    /// Whether it is in force.
    pub enabled: bool,
    /// A remark.
    pub note: Option<String>,
}

/// What to change on a link; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct MetricLinkChange {
    /// Another input.
    pub input: Option<InputId>,
    /// Whether it is in force.
    pub enabled: Option<bool>,
    /// A new remark, or none.
    pub note: Option<Option<String>>,
}

/// Finds a link of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: MetricLinkId) -> Result<Model> {
    let found = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    found.ok_or(Error::NotFound("metric link"))
}

/// The link of a metric of an account, if there is one.
///
/// # Errors
/// When the database fails.
pub async fn of(
    change: &Change<'_, impl ConnectionTrait>,
    account: AccountId,
    metric: MetricId,
) -> Result<Option<Model>> {
    let found = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::AccountId.eq(account))
        .filter(Column::MetricId.eq(metric))
        .one(change.db)
        .await?;
    Ok(found)
}

/// Links a metric of an account to an input of one of its opportunities. Rows that waited for it are matched.
///
/// # Errors
/// When one of them is unknown or of another account, or the metric or the input has a link already.
pub async fn create(change: &Change<'_, impl ConnectionTrait>, new: NewMetricLink) -> Result<Model> {
    account::exists(change, new.account, "accountId").await?;
    match metric::find(change, new.metric).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("metricId", noun)),
        found => drop(found?),
    }
    if of(change, new.account, new.metric).await?.is_some() {
        return Err(refusal::taken("metricId", "this metric of the account has a link already"));
    }
    free_input(change, new.account, new.input, None).await?;
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(MetricLinkId::new()),
        account_id: Set(new.account),
        metric_id: Set(new.metric),
        input_id: Set(new.input),
        enabled: Set(new.enabled),
        note: Set(text::note("note", new.note)?),
        created_by: Set(change.viewer.user_id()),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "metric_link.create", &model).await?;
    announce(change, &model).await?;
    Ok(model)
}

/// Changes a link.
///
/// # Errors
/// When it is gone, was changed in between, or the new input is unknown, of another account or taken.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: MetricLinkId,
    wanted: MetricLinkChange,
    version: Option<i32>,
) -> Result<Model> {
    let stored = change.hold("metric link", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("metric link", stored.version, version)?;
    let mut next = stored.clone().into_active_model();
    if let Some(input) = wanted.input {
        free_input(change, stored.account_id, input, Some(id)).await?;
        next.input_id = Set(input);
    }
    if let Some(enabled) = wanted.enabled {
        next.enabled = Set(enabled);
    }
    if let Some(note) = wanted.note {
        next.note = Set(text::note("note", note)?);
    }
    next.version = Set(stored.version + 1);
    next.updated_at = Set(change.now);
    let model = Entity::update(next).exec(change.db).await?;
    audit(change, "metric_link.update", &model).await?;
    if model.enabled != stored.enabled || model.input_id != stored.input_id {
        announce(change, &model).await?;
    }
    Ok(model)
}

/// Deletes a link. Its measurements stay on their series, so that linking again shows them again.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn delete(
    change: &Change<'_, impl ConnectionTrait>,
    id: MetricLinkId,
    version: Option<i32>,
) -> Result<MetricLinkId> {
    let stored = change.hold("metric link", Entity::find_by_id((change.organization(), id))).await?;
    expect_version("metric link", stored.version, version)?;
    Entity::delete_by_id((change.organization(), id)).exec(change.db).await?;
    audit(change, "metric_link.delete", &stored).await?;
    announce(change, &stored).await?;
    Ok(id)
}

/// Refuses an input that cannot take a link of the account.
async fn free_input(
    change: &Change<'_, impl ConnectionTrait>,
    account: AccountId,
    id: InputId,
    own: Option<MetricLinkId>,
) -> Result<()> {
    let target = match input::find(change, id).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("inputId", noun)),
        found => found?,
    };
    if target.kind != InputKind::Series {
        return Err(Error::invalid(
            "inputId",
            "a constant takes no measurements; choose an input of a series",
        ));
    }
    if opportunity::find(change, target.opportunity_id).await?.account_id != account {
        return Err(Error::invalid("inputId", "this input belongs to an opportunity of another account"));
    }
    let same = Entity::find()
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::InputId.eq(id))
        .one(change.db)
        .await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("inputId", "another metric feeds this input already"))
        }
        _ => Ok(()),
    }
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({
        "account": model.account_id,
        "metric": model.metric_id,
        "input": model.input_id,
        "enabled": model.enabled,
    });
    change.audit(action, "MetricLink", model.id, detail).await
}

async fn announce(change: &Change<'_, impl ConnectionTrait>, model: &Model) -> Result<()> {
    let scope = Scope::Account { account: model.account_id, metric: Some(model.metric_id) };
    matching_change::announce(change.db, change.organization(), scope, change.now).await
}
