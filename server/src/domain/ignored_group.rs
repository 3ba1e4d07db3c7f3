//! Unmatched groups put out of sight by the ignore rules in force, and back into sight when their rule has ended.
//!
//! A change of rules places the groups it concerns at once, up to so many; a rematch places the rest, page by page.

use std::collections::HashMap;

use entity::unmatched_group::{Column, Entity, Model};
use entity::{GroupStatus, IgnoreRuleId, OrganizationId, StreamId, UnmatchedGroupId, ignore_rule};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::clock::Micros;
use crate::db::Db;
use crate::domain::kept::Kept;
use crate::domain::matching_change;
use crate::error::Result;
use crate::sql::Sql;

/// Most groups placed in one transaction.
pub const MOST: u64 = 1_000;
/// Groups updated in one statement.
const AT_ONCE: usize = 500;

/// What a rule names: an external account, an external metric, or both.
type Named = (Option<String>, Option<String>);

/// The rules in force, found by what they name; of several that fit, the oldest counts.
struct Rules {
    named: HashMap<Named, Vec<(IgnoreRuleId, Option<StreamId>)>>,
    ids: Vec<IgnoreRuleId>,
}

impl Rules {
    async fn load(db: &impl ConnectionTrait, organization: OrganizationId, now: Micros) -> Result<Self> {
        let ends = ignore_rule::Column::ExpiresAt;
        let rows = ignore_rule::Entity::find()
            .filter(ignore_rule::Column::OrganizationId.eq(organization))
            .filter(Condition::any().add(ends.is_null()).add(ends.gt(now)))
            .order_by_asc(ignore_rule::Column::Id)
            .all(db)
            .await?;
        let ids = rows.iter().map(|rule| rule.id).collect();
        let mut named: HashMap<Named, Vec<_>> = HashMap::new();
        for rule in rows {
            let place = (rule.external_account, rule.external_metric);
            named.entry(place).or_default().push((rule.id, rule.stream_id));
        }
        Ok(Self { named, ids })
    }

    fn of(&self, group: &Model) -> Option<IgnoreRuleId> {
        let (account, metric) = (Some(group.external_account.clone()), Some(group.external_metric.clone()));
        let places = [(account.clone(), metric.clone()), (account, None), (None, metric)];
        let rules = places.iter().filter_map(|place| self.named.get(place)).flatten();
        let fit = rules.filter(|(_, stream)| stream.is_none_or(|stream| stream == group.stream_id));
        fit.map(|(id, _)| *id).min()
    }

    /// Where a group belongs, if that is not where it is.
    fn misplaced(&self, group: &Model) -> Option<Option<IgnoreRuleId>> {
        match (group.status, group.ignore_rule_id) {
            (GroupStatus::Open, _) => self.of(group).map(Some),
            (GroupStatus::Ignored, Some(rule)) if self.ids.binary_search(&rule).is_ok() => None,
            (GroupStatus::Ignored, _) => Some(self.of(group)),
            _ => None,
        }
    }
}

/// Places groups as the rules in force say.
///
/// # Errors
/// When the database fails.
pub async fn place(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    groups: &[Model],
    now: Micros,
) -> Result<()> {
    let rules = Rules::load(db, organization, now).await?;
    let (mut hidden, mut shown) = (Vec::new(), Vec::new());
    for group in groups {
        match rules.misplaced(group) {
            Some(Some(rule)) => hidden.push((group.id, rule)),
            Some(None) => shown.push(group.id),
            None => {}
        }
    }
    for some in hidden.chunks(AT_ONCE) {
        Sql::new(db, "WITH placed (id, rule) AS (VALUES ")
            .each(some, |sql, (id, rule)| sql.text("(").bind(*id).text(", ").bind(*rule).text(")"))
            .text(") UPDATE unmatched_group SET status = 'ignored', ignore_rule_id = placed.rule")
            .text(", version = version + 1 FROM placed WHERE unmatched_group.id = placed.id")
            .run(db)
            .await?;
    }
    for some in shown.chunks(AT_ONCE) {
        Sql::new(
            db,
            "UPDATE unmatched_group SET status = 'open', ignore_rule_id = NULL, version = version + 1",
        )
        .text(" WHERE id IN (")
        .bind_all(some.iter().copied())
        .text(")")
        .run(db)
        .await?;
    }
    Ok(())
}

/// Open groups that a rule names, up to [`MOST`].
///
/// # Errors
/// When the database fails.
pub async fn named_by(db: &impl ConnectionTrait, rule: &ignore_rule::Model) -> Result<Vec<Model>> {
    let mut groups =
        Entity::kept(rule.organization_id).filter(Column::Status.eq(GroupStatus::Open)).limit(MOST);
    if let Some(stream) = rule.stream_id {
        groups = groups.filter(Column::StreamId.eq(stream));
    }
    if let Some(account) = &rule.external_account {
        groups = groups.filter(Column::ExternalAccount.eq(account));
    }
    if let Some(metric) = &rule.external_metric {
        groups = groups.filter(Column::ExternalMetric.eq(metric));
    }
    Ok(groups.all(db).await?)
}

/// Groups that rules have put out of sight, up to [`MOST`].
///
/// # Errors
/// When the database fails.
pub async fn hidden_by(
    db: &impl ConnectionTrait,
    organization: OrganizationId,
    rules: &[IgnoreRuleId],
) -> Result<Vec<Model>> {
    let hidden = Entity::kept(organization).filter(Column::IgnoreRuleId.is_in(rules.iter().copied()));
    Ok(hidden.limit(MOST).all(db).await?)
}

/// Places the next groups after one, and tells the last of them; none when there are no more.
///
/// # Errors
/// When the database fails.
pub async fn place_next(
    db: &Db,
    organization: OrganizationId,
    after: Option<UnmatchedGroupId>,
    now: Micros,
) -> Result<Option<UnmatchedGroupId>> {
    let mut page = Entity::kept(organization).order_by_asc(Column::Id).limit(MOST);
    if let Some(after) = after {
        page = page.filter(Column::Id.gt(after));
    }
    let page = page.all(db.orm()).await?;
    let Some(last) = page.last().map(|group| group.id) else { return Ok(None) };
    let rules = Rules::load(db.orm(), organization, now).await?;
    let misplaced = page.iter().filter(|group| rules.misplaced(group).is_some());
    let misplaced: Vec<_> = misplaced.map(|group| group.id).collect();
    if !misplaced.is_empty() {
        let tx = db.begin().await?;
        matching_change::hold_off(&tx, organization).await?;
        let groups = Entity::kept(organization).filter(Column::Id.is_in(misplaced)).all(&tx).await?;
        place(&tx, organization, &groups, now).await?;
        tx.commit().await?;
    }
    Ok(Some(last))
}
