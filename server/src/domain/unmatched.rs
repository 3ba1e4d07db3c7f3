//! Unmatched groups: what people do about readings that wait. All take up to 500 groups at once.

use std::collections::HashMap;

use entity::unmatched_group::{Column, Entity, Model};
use entity::{
    AccountId, ExternalIdSettingId, GroupStatus, InputId, StreamId, UnmatchedGroupId, UnmatchedReason,
    UserId, external_id, ignore_rule, metric_link, stream,
};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use serde_json::json;

use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::external_id::NewExternalId;
use crate::domain::ignore_rule::NewIgnoreRule;
use crate::domain::kept::Kept;
use crate::domain::matching_change::{self, Scope};
use crate::domain::metric::MetricChange;
use crate::domain::metric_link::NewMetricLink;
use crate::domain::{
    external_id as ids, external_id_setting, ignore_rule as rules, ignored_group, member, metric, refusal,
    text,
};
use crate::error::{Error, Result};

/// The most groups in one act.
pub const GROUPS_MOST: usize = 500;

/// Finds groups of the organization, in the order asked for.
///
/// # Errors
/// When there are too many, or one is not here.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, ids: &[UnmatchedGroupId]) -> Result<Vec<Model>> {
    if ids.is_empty() {
        return Err(refusal::required("ids"));
    }
    if ids.len() > GROUPS_MOST {
        return Err(refusal::limit("ids", format!("at most {GROUPS_MOST} groups at once")));
    }
    let rows = Entity::kept(change.organization())
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(change.db)
        .await?;
    let mut groups = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let found = rows.iter().find(|row| row.id == *id).cloned();
        groups.push(found.ok_or_else(|| refusal::not_found(&format!("ids.{index}"), "group"))?);
    }
    Ok(groups)
}

/// What linking made.
#[derive(Clone, Debug, Default)]
pub struct Linked {
    /// The external IDs made.
    pub external_ids: Vec<external_id::Model>,
    /// The metric links made.
    pub metric_links: Vec<metric_link::Model>,
}

/// Says that the rows of groups belong to an account: gives it their external IDs, in the space named or in the first
/// one that the stream's setting tries.
///
/// # Errors
/// When a group waits for something else, or an ID cannot be one of the space or belongs to another account.
pub async fn link_account(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    account: AccountId,
    space: Option<&str>,
) -> Result<Linked> {
    let mut firsts: HashMap<StreamId, String> = HashMap::new();
    let mut wanted = Vec::with_capacity(groups.len());
    for (index, group) in groups.iter().enumerate() {
        let field = format!("ids.{index}");
        match group.reason {
            UnmatchedReason::AccountUnknown => {}
            UnmatchedReason::AccountAmbiguous => {
                let reason = "several accounts have this ID; take it from all but one";
                return Err(Error::invalid(field, reason));
            }
            _ => return Err(Error::invalid(field, "the account of this group is known; link its metric")),
        }
        let space = match (space, firsts.get(&group.stream_id)) {
            (Some(space), _) => space.to_owned(),
            (None, Some(first)) => first.clone(),
            (None, None) => first_space(change, group, &field).await?,
        };
        firsts.insert(group.stream_id, space.clone());
        let value = group.external_account.clone();
        wanted.push(NewExternalId { space, value, field: String::new() });
    }
    let external_ids = ids::create(change, account, &wanted).await?;
    audit(change, "unmatched_group.link", groups, json!({ "account": account })).await?;
    Ok(Linked { external_ids, ..Linked::default() })
}

async fn first_space(
    change: &Change<'_, impl ConnectionTrait>,
    group: &Model,
    field: &str,
) -> Result<String> {
    let id = setting_of(change, group).await?;
    let setting = external_id_setting::find(change, id).await?;
    let first = external_id_setting::spaces(&setting)?.into_iter().next();
    first.ok_or_else(|| Error::invalid(field, "the stream's external-ID setting names no space"))
}

/// The setting that matched the rows of a group.
///
/// # Errors
/// When the stream has none.
pub async fn setting_of(
    change: &Change<'_, impl ConnectionTrait>,
    group: &Model,
) -> Result<ExternalIdSettingId> {
    let stream = stream::Entity::find_by_id((change.organization(), group.stream_id)).one(change.db).await?;
    let setting = stream.and_then(|stream| stream.external_id_setting_id);
    setting.ok_or_else(|| Error::invalid("ids", "the stream of this group has no external-ID setting"))
}

/// Says that the metric of a group, whose account is known, feeds an input.
///
/// # Errors
/// When the group waits for something else, or the input cannot take the link.
pub async fn link_input(
    change: &Change<'_, impl ConnectionTrait>,
    group: &Model,
    account: AccountId,
    input: InputId,
) -> Result<Linked> {
    if matches!(group.reason, UnmatchedReason::AccountUnknown | UnmatchedReason::AccountAmbiguous) {
        return Err(Error::invalid("ids.0", "the account of this group is not known yet; link it first"));
    }
    let metric = match metric::by_external_id(change, &group.external_metric).await? {
        Some(metric) => metric,
        None => metric::create(change, &group.external_metric, MetricChange::default()).await?,
    };
    let new = NewMetricLink { account, metric: metric.id, input, enabled: true, note: None };
    let made = crate::domain::metric_link::create(change, new).await?;
    audit(change, "unmatched_group.link", std::slice::from_ref(group), json!({ "input": input })).await?;
    Ok(Linked { metric_links: vec![made], ..Linked::default() })
}

/// Ignores groups: a rule for each puts aside what waits and what comes.
///
/// # Errors
/// When the reason is missing or the end is in the past.
pub async fn ignore(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    reason: &str,
    expires_at: Option<Micros>,
) -> Result<()> {
    let rule = |group: &Model| NewIgnoreRule {
        stream: Some(group.stream_id),
        external_account: Some(group.external_account.clone()),
        external_metric: Some(group.external_metric.clone()).filter(|metric| !metric.is_empty()),
        reason: reason.to_owned(),
        expires_at,
    };
    let open: Vec<&Model> = groups.iter().filter(|group| group.status != GroupStatus::Ignored).collect();
    rules::create_all(change, open.iter().map(|group| rule(group)).collect(), Some(open)).await?;
    audit(change, "unmatched_group.ignore", groups, json!({ "reason": reason })).await
}

/// Opens ignored groups again by deleting the rules made for them.
///
/// # Errors
/// When a group is ignored by a rule that covers more than it.
pub async fn unignore(change: &Change<'_, impl ConnectionTrait>, groups: &[Model]) -> Result<()> {
    let ids = groups.iter().filter_map(|group| group.ignore_rule_id);
    let found = ignore_rule::Entity::find()
        .filter(ignore_rule::Column::OrganizationId.eq(change.organization()))
        .filter(ignore_rule::Column::Id.is_in(ids))
        .all(change.db)
        .await?;
    let mut orphans = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let Some(rule) = found.iter().find(|rule| Some(rule.id) == group.ignore_rule_id) else {
            orphans.push(group.clone());
            continue;
        };
        let own = rule.stream_id == Some(group.stream_id)
            && rule.external_account.as_deref() == Some(group.external_account.as_str())
            && rule.external_metric.as_deref().unwrap_or_default() == group.external_metric;
        if !own {
            let reason = "a rule ignores this group and others; delete the rule instead";
            return Err(Error::invalid(format!("ids.{index}"), reason));
        }
    }
    rules::delete_all(change, &found).await?;
    // Their rule has ended, and nobody has put them back into sight yet.
    ignored_group::place(change.db, change.organization(), &orphans, change.now).await?;
    audit(change, "unmatched_group.unignore", groups, json!({})).await
}

/// Tries what waits in groups again.
///
/// # Errors
/// When the database fails.
pub async fn replay(change: &Change<'_, impl ConnectionTrait>, groups: &[Model]) -> Result<()> {
    let scope = Scope::Groups { groups: groups.iter().map(|group| group.id).collect() };
    matching_change::enqueue(change.db, change.organization(), scope, change.now).await?;
    audit(change, "unmatched_group.replay", groups, json!({})).await
}

/// Assigns groups to a member, or to nobody.
///
/// # Errors
/// When there is no such member.
pub async fn assign(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    assignee: Option<UserId>,
) -> Result<()> {
    if let Some(user) = assignee
        && let Err(Error::Refused(_)) = member::find(change, user).await
    {
        return Err(refusal::not_found("assigneeId", "member"));
    }
    edit(change, groups, Column::AssigneeId, assignee.map(|user| user.0)).await?;
    audit(change, "unmatched_group.assign", groups, json!({ "assignee": assignee })).await
}

/// Writes a note on groups, or takes it away.
///
/// # Errors
/// When it is too long.
pub async fn note(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    note: Option<String>,
) -> Result<()> {
    let note = text::note("note", note)?;
    edit(change, groups, Column::Note, note.clone()).await?;
    audit(change, "unmatched_group.note", groups, json!({ "note": note })).await
}

/// Hides groups until a time, or shows them again.
///
/// # Errors
/// When the time is in the past.
pub async fn snooze(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    until: Option<Micros>,
) -> Result<()> {
    if until.is_some_and(|at| at <= change.now) {
        return Err(Error::invalid("until", "must be in the future"));
    }
    edit(change, groups, Column::SnoozedUntil, until).await?;
    audit(change, "unmatched_group.snooze", groups, json!({ "until": until })).await
}

/// Sets one column of groups.
async fn edit(
    change: &Change<'_, impl ConnectionTrait>,
    groups: &[Model],
    column: Column,
    value: impl Into<Value>,
) -> Result<()> {
    Entity::update_many()
        .col_expr(column, Expr::value(value))
        .col_expr(Column::Version, Expr::col(Column::Version).add(1))
        .filter(Column::OrganizationId.eq(change.organization()))
        .filter(Column::Id.is_in(groups.iter().map(|group| group.id)))
        .exec(change.db)
        .await?;
    Ok(())
}

async fn audit(
    change: &Change<'_, impl ConnectionTrait>,
    action: &str,
    groups: &[Model],
    detail: serde_json::Value,
) -> Result<()> {
    change.audit_all(action, "UnmatchedGroup", groups.iter().map(|group| group.id), &detail).await
}
