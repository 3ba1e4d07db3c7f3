//! Ignore rules: readings put out of sight, with a reason and an optional end. They are kept, and counted apart.

use entity::ignore_rule::{ActiveModel, Column, Entity, Model};
use entity::unmatched_group::Column as Group;
use entity::{GroupStatus, IgnoreRuleId, StreamId, stream, unmatched_group};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Set};
use serde_json::json;
use uuid::Uuid;

use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::matching_change;
use crate::domain::{refusal, text};
use crate::error::{Error, Result};

/// A new rule. What is `None` matches everything; at least one part is given.
#[derive(Clone, Debug)]
pub struct NewIgnoreRule {
    /// Only of this stream.
    pub stream: Option<StreamId>,
    /// Only with this account ID, as the rows have it.
    pub external_account: Option<String>,
    /// Only with this metric ID, as the rows have it.
    pub external_metric: Option<String>,
    /// Why.
    pub reason: String,
    /// When it ends.
    pub expires_at: Option<Micros>,
}

/// Adds a rule. What waits and falls under it is out of sight from now on.
///
/// # Errors
/// When it would match everything, names an unknown stream, or ends in the past.
pub async fn create(change: &Change<'_, impl ConnectionTrait>, new: NewIgnoreRule) -> Result<Model> {
    let external_account = text::optional("externalAccount", new.external_account)?;
    let external_metric = text::optional("externalMetric", new.external_metric)?;
    if external_account.is_none() && external_metric.is_none() {
        return Err(refusal::required("externalAccount"));
    }
    if let Some(stream) = new.stream
        && stream::Entity::find_by_id((change.organization(), stream)).one(change.db).await?.is_none()
    {
        return Err(refusal::not_found("streamId", "stream"));
    }
    if new.expires_at.is_some_and(|at| at <= change.now) {
        return Err(Error::invalid("expiresAt", "must be in the future"));
    }
    let model = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(IgnoreRuleId::new()),
        stream_id: Set(new.stream),
        external_account: Set(external_account),
        external_metric: Set(external_metric),
        reason: Set(text::reason("reason", &new.reason)?),
        expires_at: Set(new.expires_at),
        created_by: Set(change.viewer.user_id()),
        created_at: Set(change.now),
    };
    let model = model.insert(change.db).await?;
    audit(change, "ignore_rule.create", &model).await?;
    hide(change.db, &model).await?;
    matching_change::bump(change.db, change.organization()).await?;
    Ok(model)
}

/// Puts the open groups that a rule names out of sight.
async fn hide(db: &impl ConnectionTrait, rule: &Model) -> Result<()> {
    let mut groups = unmatched_group::Entity::update_many()
        .col_expr(Group::Status, Expr::value(GroupStatus::Ignored))
        .col_expr(Group::IgnoreRuleId, Expr::value(rule.id.0))
        .col_expr(Group::Version, Expr::col(Group::Version).add(1))
        .filter(Group::OrganizationId.eq(rule.organization_id))
        .filter(Group::Status.eq(GroupStatus::Open));
    if let Some(stream) = rule.stream_id {
        groups = groups.filter(Group::StreamId.eq(stream));
    }
    if let Some(account) = &rule.external_account {
        groups = groups.filter(Group::ExternalAccount.eq(account));
    }
    if let Some(metric) = &rule.external_metric {
        groups = groups.filter(Group::ExternalMetric.eq(metric));
    }
    groups.exec(db).await?;
    Ok(())
}

/// Brings the groups of a rule back into sight, and then hides those that other rules name.
async fn show(db: &impl ConnectionTrait, rule: &Model, now: Micros) -> Result<()> {
    unmatched_group::Entity::update_many()
        .col_expr(Group::Status, Expr::value(GroupStatus::Open))
        .col_expr(Group::IgnoreRuleId, Expr::value(Option::<Uuid>::None))
        .col_expr(Group::Version, Expr::col(Group::Version).add(1))
        .filter(Group::OrganizationId.eq(rule.organization_id))
        .filter(Group::IgnoreRuleId.eq(rule.id))
        .filter(Group::Status.eq(GroupStatus::Ignored))
        .exec(db)
        .await?;
    let others = Entity::find()
        .filter(Column::OrganizationId.eq(rule.organization_id))
        .filter(Column::Id.ne(rule.id))
        .filter(Column::ExpiresAt.is_null().or(Column::ExpiresAt.gt(now)))
        .all(db)
        .await?;
    for other in others {
        let apart = matches!((other.stream_id, rule.stream_id), (Some(a), Some(b)) if a != b)
            || differ(&other.external_account, &rule.external_account)
            || differ(&other.external_metric, &rule.external_metric);
        if !apart {
            hide(db, &other).await?;
        }
    }
    Ok(())
}

fn differ(one: &Option<String>, other: &Option<String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// Tells whether a rule has ended.
///
/// # Errors
/// When the database fails.
pub async fn any_expired(db: &impl ConnectionTrait, now: Micros) -> Result<bool> {
    Ok(Entity::find().filter(Column::ExpiresAt.lte(now)).limit(1).one(db).await?.is_some())
}

/// Brings back into sight what the rules that have ended since hid. Tells how many rules there were.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(db: &impl ConnectionTrait, now: Micros) -> Result<usize> {
    let ended = Entity::find().filter(Column::ExpiresAt.lte(now)).all(db).await?;
    for rule in &ended {
        show(db, rule, now).await?;
        Entity::delete_by_id((rule.organization_id, rule.id)).exec(db).await?;
        matching_change::bump(db, rule.organization_id).await?;
    }
    Ok(ended.len())
}

/// Deletes a rule. What it hid is work again.
///
/// # Errors
/// When there is none.
pub async fn delete(change: &Change<'_, impl ConnectionTrait>, id: IgnoreRuleId) -> Result<IgnoreRuleId> {
    let stored = Entity::find_by_id((change.organization(), id)).one(change.db).await?;
    let stored = stored.ok_or(Error::NotFound("ignore rule"))?;
    show(change.db, &stored, change.now).await?;
    Entity::delete_by_id((change.organization(), id)).exec(change.db).await?;
    audit(change, "ignore_rule.delete", &stored).await?;
    matching_change::bump(change.db, change.organization()).await?;
    Ok(id)
}

async fn audit(change: &Change<'_, impl ConnectionTrait>, action: &str, model: &Model) -> Result<()> {
    let detail = json!({
        "stream": model.stream_id,
        "externalAccount": model.external_account,
        "externalMetric": model.external_metric,
        "reason": model.reason,
    });
    change.audit(action, "IgnoreRule", model.id, detail).await
}
