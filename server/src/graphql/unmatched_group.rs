//! Unmatched groups: the object, its lists and its queries.

use async_graphql::{Context, Enum, ID, InputObject, InputType, Object, Result};
use entity::unmatched_group::{Column, Entity, Model};
use entity::{StreamId, UnmatchedGroupId, UserId};
use sea_orm::{ColumnTrait, Condition, QueryFilter, Select};

use crate::auth::Permission;
use crate::domain::kept::Kept;
use crate::graphql::account::Account;
use crate::graphql::context::{Reach, load, maybe, must};
use crate::graphql::id::{Global, global};
use crate::graphql::ignore_rule::IgnoreRule;
use crate::graphql::loaders::Slice;
use crate::graphql::matching::{AskedOf, Explained, MatchExplanation};
use crate::graphql::page::{Page, nested, page};
use crate::graphql::scalar::{BigInt, DateTime};
use crate::graphql::search::contains;
use crate::graphql::stream::Stream;
use crate::graphql::suggestion::{Suggestion, Wanted};
use crate::graphql::user::User;
use crate::graphql::waiting_row::{RowsOf, WaitingRow};
use crate::graphql::window::{Key, Order, PageArgs, Window};

/// A stored row on its way out.
#[derive(Clone)]
pub struct UnmatchedGroup(pub Model);

impl From<Model> for UnmatchedGroup {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Waiting rows of a stream that share a reason and a key.
#[Object]
impl UnmatchedGroup {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// The stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Stream> {
        must(ctx, self.0.stream_id).await
    }

    /// Why the rows wait.
    async fn reason(&self) -> UnmatchedReason {
        self.0.reason.into()
    }

    /// The account ID in the rows.
    async fn external_account(&self) -> &str {
        &self.0.external_account
    }

    /// The metric ID in the rows, or empty.
    async fn external_metric(&self) -> &str {
        &self.0.external_metric
    }

    /// The matched account, when only the metric is missing.
    async fn account(&self, ctx: &Context<'_>) -> Result<Option<Account>> {
        match load(ctx, self.asked()).await? {
            Some(Explained { account, .. }) => maybe(ctx, account).await,
            None => Ok(None),
        }
    }

    /// Readings that wait now.
    async fn waiting(&self) -> BigInt {
        BigInt(self.0.waiting)
    }

    /// When the first came.
    async fn first_seen_at(&self) -> DateTime {
        DateTime(self.0.first_seen_at)
    }

    /// When the last came.
    async fn last_seen_at(&self) -> DateTime {
        DateTime(self.0.last_seen_at)
    }

    /// Where the work on it is.
    async fn status(&self) -> UnmatchedStatus {
        self.0.status.into()
    }

    /// The rule that hides it.
    async fn ignore_rule(&self, ctx: &Context<'_>) -> Result<Option<IgnoreRule>> {
        maybe(ctx, self.0.ignore_rule_id).await
    }

    /// Who looks after it.
    async fn assignee(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.assignee_id).await
    }

    /// A remark.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// Until when it is hidden.
    async fn snoozed_until(&self) -> Option<DateTime> {
        self.0.snoozed_until.map(DateTime)
    }

    /// When nothing was left.
    async fn resolved_at(&self) -> Option<DateTime> {
        self.0.resolved_at.map(DateTime)
    }

    /// How the account was looked for.
    async fn explanation(&self, ctx: &Context<'_>) -> Result<MatchExplanation> {
        let found = load(ctx, self.asked()).await?;
        Ok(MatchExplanation(found.unwrap_or_else(|| Explained::unknown(&self.0.external_account))))
    }

    /// What it could be linked to, best first. Never applied without a person.
    async fn suggestions(&self, ctx: &Context<'_>) -> Result<Vec<Suggestion>> {
        let account = load(ctx, self.asked()).await?.and_then(|found| found.account);
        let key = Wanted { reason: self.0.reason, text: self.text().to_owned(), account };
        let found = load(ctx, key).await?.unwrap_or_default();
        Ok(found.into_iter().map(Suggestion).collect())
    }

    /// The newest rows.
    async fn sample_rows(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 20, validator(minimum = 1, maximum = 100))] limit: i32,
    ) -> Result<Vec<WaitingRow>> {
        let window = Window { limit: u64::from(limit.unsigned_abs()) - 1, backward: false, bound: None };
        let rows = load(ctx, Slice::<RowsOf>::new(Key::Int(self.0.id.0), window)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(WaitingRow::from).collect())
    }

    /// All rows, newest first.
    async fn rows(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<WaitingRow>> {
        nested::<RowsOf, _>(ctx, PageArgs::new(first, after, last, before), Key::Int(self.0.id.0)).await
    }

    /// Grows with each change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

/// Why a reading waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::UnmatchedReason")]
pub enum UnmatchedReason {
    /// No account has this ID.
    AccountUnknown,
    /// Several accounts have this ID.
    AccountAmbiguous,
    /// No link leads from this metric of the account to an input.
    MetricUnlinked,
    /// The link is switched off.
    LinkDisabled,
    /// The input, its opportunity or the account is archived.
    TargetGone,
}

/// Where the work on a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::GroupStatus")]
pub enum UnmatchedStatus {
    /// Someone should look.
    Open,
    /// A rule hides it.
    Ignored,
    /// Nothing waits any more.
    Resolved,
}

impl UnmatchedGroup {
    fn asked(&self) -> AskedOf {
        AskedOf { stream: self.0.stream_id, text: self.0.external_account.clone() }
    }

    /// What is to be linked: the account ID, or the metric ID once the account is known.
    fn text(&self) -> &str {
        match self.0.reason {
            entity::UnmatchedReason::AccountUnknown | entity::UnmatchedReason::AccountAmbiguous => {
                &self.0.external_account
            }
            _ => &self.0.external_metric,
        }
    }
}

/// Which groups.
#[derive(InputObject, Default)]
pub struct UnmatchedGroupWhere {
    /// Only with this status; left out, all.
    pub status: Option<UnmatchedStatus>,
    /// Only with one of these reasons.
    pub reason: Option<Vec<UnmatchedReason>>,
    /// Only of this stream.
    pub stream_id: Option<Global<StreamId>>,
    /// Only of this person.
    pub assignee_id: Option<Global<UserId>>,
    /// Only those of nobody.
    pub unassigned: Option<bool>,
    /// Hidden ones, or those that are not.
    pub snoozed: Option<bool>,
    /// Part of the account or metric ID.
    pub search: Option<String>,
}

impl UnmatchedGroupWhere {
    fn apply(self, mut rows: Select<Entity>, now: i64) -> Select<Entity> {
        if let Some(status) = self.status {
            rows = rows.filter(Column::Status.eq(entity::GroupStatus::from(status)));
        }
        if let Some(reasons) = self.reason {
            rows = rows.filter(Column::Reason.is_in(reasons.into_iter().map(entity::UnmatchedReason::from)));
        }
        if let Some(stream) = self.stream_id {
            rows = rows.filter(Column::StreamId.eq(stream.0));
        }
        if let Some(assignee) = self.assignee_id {
            rows = rows.filter(Column::AssigneeId.eq(assignee.0));
        }
        match self.unassigned {
            Some(true) => rows = rows.filter(Column::AssigneeId.is_null()),
            Some(false) => rows = rows.filter(Column::AssigneeId.is_not_null()),
            None => {}
        }
        match self.snoozed {
            Some(true) => rows = rows.filter(Column::SnoozedUntil.gt(now)),
            Some(false) => {
                let visible = Column::SnoozedUntil.is_null();
                rows = rows.filter(Condition::any().add(visible).add(Column::SnoozedUntil.lte(now)));
            }
            None => {}
        }
        if let Some(text) = &self.search {
            let account = contains(Column::ExternalAccount, text);
            rows = rows.filter(Condition::any().add(account).add(contains(Column::ExternalMetric, text)));
        }
        rows
    }
}

/// How to sort groups.
#[derive(InputObject)]
pub struct UnmatchedGroupOrder {
    /// By what.
    pub field: UnmatchedGroupOrderField,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Desc")]
    pub direction: OrderDirection,
}

/// Which way to sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum OrderDirection {
    /// Smallest or oldest first.
    Asc,
    /// Largest or newest first.
    Desc,
}

/// What groups are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UnmatchedGroupOrderField {
    /// How many readings wait.
    Waiting,
    /// When the last came.
    LastSeen,
    /// When the first came.
    FirstSeen,
}

impl UnmatchedGroupOrder {
    fn order(wanted: Option<Self>) -> Order<Entity> {
        let (field, direction) = match wanted {
            Some(wanted) => (wanted.field, wanted.direction),
            None => (UnmatchedGroupOrderField::LastSeen, OrderDirection::Desc),
        };
        let column = match field {
            UnmatchedGroupOrderField::Waiting => Column::Waiting,
            UnmatchedGroupOrderField::LastSeen => Column::LastSeenAt,
            UnmatchedGroupOrderField::FirstSeen => Column::FirstSeenAt,
        };
        match direction {
            OrderDirection::Asc => Order::ascending([column, Column::Id]),
            OrderDirection::Desc => Order::descending([column, Column::Id]),
        }
    }
}

/// The queries about unmatched groups.
#[derive(Default)]
pub struct UnmatchedGroupQuery;

#[Object]
impl UnmatchedGroupQuery {
    /// Groups of waiting rows that share a reason and a key.
    async fn unmatched_groups(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        r#where: Option<UnmatchedGroupWhere>,
        order_by: Option<UnmatchedGroupOrder>,
    ) -> Result<Page<UnmatchedGroup>> {
        let organization = ctx.need(Permission::UnmatchedRead)?;
        let filters = format!("{} {}", r#where.to_value(), order_by.to_value());
        let rows = Entity::kept(organization);
        let rows = r#where.unwrap_or_default().apply(rows, ctx.now());
        let order = UnmatchedGroupOrder::order(order_by);
        page(ctx, PageArgs::new(first, after, last, before), &["unmatchedGroups", &filters], order, rows)
            .await
    }

    /// One group.
    async fn unmatched_group(
        &self,
        ctx: &Context<'_>,
        id: Global<UnmatchedGroupId>,
    ) -> Result<Option<UnmatchedGroup>> {
        maybe(ctx, Some(id.0)).await
    }
}
