//! Ignore rules: readings put out of sight, with a reason and an optional end. They are kept, and counted apart.

use std::collections::{BTreeMap, BTreeSet};

use entity::ignore_rule::{Column, Entity, Model};
use entity::{IgnoreRuleId, OrganizationId, StreamId, unmatched_group};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect,
};
use serde_json::json;

use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::kept::Kept;
use crate::domain::matching_change::{self, Scope};
use crate::domain::{ignored_group, refusal, stream, text};
use crate::error::{Error, Result};

/// Rules that have ended, ended in one transaction.
const ENDED: u64 = 500;

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
    let made = create_all(change, vec![new], None).await?;
    made.into_iter().next().ok_or_else(|| Error::internal("add a rule", "none came of it"))
}

/// Adds rules for groups, or one rule for whatever it names. However many there are, it takes a few statements.
///
/// # Errors
/// When one would match everything, names an unknown stream, or ends in the past.
pub async fn create_all(
    change: &Change<'_, impl ConnectionTrait>,
    new: Vec<NewIgnoreRule>,
    groups: Option<Vec<&unmatched_group::Model>>,
) -> Result<Vec<Model>> {
    let streams: BTreeSet<StreamId> = new.iter().filter_map(|rule| rule.stream).collect();
    for stream in streams {
        stream::exists(change, stream, "streamId").await?;
    }
    let made = new.into_iter().map(|new| checked(change, new)).collect::<Result<Vec<Model>>>()?;
    let Some(first) = made.first() else { return Ok(made) };
    let rows = made.iter().map(|rule| rule.clone().into_active_model().reset_all());
    Entity::insert_many(rows).exec_without_returning(change.db).await?;
    change.audit_each("ignore_rule.create", "IgnoreRule", made.iter().map(told).collect()).await?;
    matching_change::bump(change.db, change.organization()).await?;
    let known = groups.is_some();
    let groups = match groups {
        Some(groups) => groups.into_iter().cloned().collect(),
        None => ignored_group::named_by(change.db, first).await?,
    };
    ignored_group::place(change.db, change.organization(), &groups, change.now).await?;
    // Rules made for some groups may name others too.
    if known || groups.len() as u64 == ignored_group::MOST {
        place_rest(change.db, change.organization(), change.now).await?;
    }
    Ok(made)
}

fn checked(change: &Change<'_, impl ConnectionTrait>, new: NewIgnoreRule) -> Result<Model> {
    let external_account = text::optional("externalAccount", new.external_account)?;
    let external_metric = text::optional("externalMetric", new.external_metric)?;
    if external_account.is_none() && external_metric.is_none() {
        return Err(refusal::required("externalAccount"));
    }
    if new.expires_at.is_some_and(|at| at <= change.now) {
        return Err(Error::invalid("expiresAt", "must be in the future"));
    }
    Ok(Model {
        organization_id: change.organization(),
        id: IgnoreRuleId::new(),
        stream_id: new.stream,
        external_account,
        external_metric,
        reason: text::reason("reason", &new.reason)?,
        expires_at: new.expires_at,
        created_by: change.viewer.user_id(),
        created_at: change.now,
    })
}

/// Has the groups placed that a change of rules did not place itself.
async fn place_rest(db: &impl ConnectionTrait, organization: OrganizationId, now: Micros) -> Result<()> {
    matching_change::enqueue(db, organization, Scope::Ignored, now).await
}

/// Tells whether a rule has ended.
///
/// # Errors
/// When the database fails.
pub async fn any_expired(db: &impl ConnectionTrait, now: Micros) -> Result<bool> {
    Ok(Entity::find().filter(Column::ExpiresAt.lte(now)).limit(1).one(db).await?.is_some())
}

/// Deletes rules that have ended, up to so many, and has what they hid brought back into sight. Tells how many.
///
/// # Errors
/// When the database fails.
pub async fn end_expired(db: &impl ConnectionTrait, now: Micros) -> Result<usize> {
    let ended = Entity::find().filter(Column::ExpiresAt.lte(now)).limit(ENDED).all(db).await?;
    let mut organizations: BTreeMap<OrganizationId, Vec<IgnoreRuleId>> = BTreeMap::new();
    for rule in &ended {
        organizations.entry(rule.organization_id).or_default().push(rule.id);
    }
    for (organization, rules) in organizations {
        take_away(db, organization, &rules).await?;
        place_rest(db, organization, now).await?;
    }
    Ok(ended.len())
}

/// Deletes a rule. What it hid is work again.
///
/// # Errors
/// When there is none.
pub async fn delete(change: &Change<'_, impl ConnectionTrait>, id: IgnoreRuleId) -> Result<IgnoreRuleId> {
    let stored = Entity::kept(change.organization()).filter(Column::Id.eq(id)).one(change.db).await?;
    let stored = stored.ok_or(Error::NotFound("ignore rule"))?;
    delete_all(change, &[stored]).await?;
    Ok(id)
}

/// Deletes rules. What they hid is work again, unless another rule names it.
///
/// # Errors
/// When the database fails.
pub async fn delete_all(change: &Change<'_, impl ConnectionTrait>, rules: &[Model]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let ids: Vec<IgnoreRuleId> = rules.iter().map(|rule| rule.id).collect();
    take_away(change.db, change.organization(), &ids).await?;
    change.audit_each("ignore_rule.delete", "IgnoreRule", rules.iter().map(told).collect()).await?;
    let groups = ignored_group::hidden_by(change.db, change.organization(), &ids).await?;
    ignored_group::place(change.db, change.organization(), &groups, change.now).await?;
    if groups.len() as u64 == ignored_group::MOST {
        place_rest(change.db, change.organization(), change.now).await?;
    }
    Ok(())
}

async fn take_away(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    rules: &[IgnoreRuleId],
) -> Result<()> {
    // First: it holds those back who place groups by the rules they read before.
    matching_change::bump(db, organization).await?;
    Entity::delete_many()
        .filter(Column::OrganizationId.eq(organization))
        .filter(Column::Id.is_in(rules.iter().copied()))
        .exec(db)
        .await?;
    Ok(())
}

/// A rule and what an audit event tells of it.
fn told(model: &Model) -> (String, serde_json::Value) {
    let detail = json!({
        "stream": model.stream_id,
        "externalAccount": model.external_account,
        "externalMetric": model.external_metric,
        "reason": model.reason,
    });
    (model.id.to_string(), detail)
}
