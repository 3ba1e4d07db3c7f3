//! Ignore rules.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::ignore_rule::{Column, Entity, Model};
use entity::{IgnoreRuleId, StreamId};
use sea_orm::EntityTrait;

use crate::auth::Permission;
use crate::domain::ignore_rule::{self, NewIgnoreRule};
use crate::domain::kept::Kept;
use crate::error::Error;
use crate::graphql::context::{Reach, Work, maybe};
use crate::graphql::id::{Global, global};
use crate::graphql::page::{Page, page};
use crate::graphql::payload::payload;
use crate::graphql::scalar::DateTime;
use crate::graphql::stream::Stream;
use crate::graphql::user::User;
use crate::graphql::window::{Order, PageArgs};

/// A stored row on its way out.
#[derive(Clone)]
pub struct IgnoreRule(pub Model);

impl From<Model> for IgnoreRule {
    fn from(model: Model) -> Self {
        Self(model)
    }
}

/// Readings put out of sight. They are kept, and counted apart.
#[Object]
impl IgnoreRule {
    /// The global ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Only of this stream.
    async fn stream(&self, ctx: &Context<'_>) -> Result<Option<Stream>> {
        maybe(ctx, self.0.stream_id).await
    }

    /// Only with this account ID.
    async fn external_account(&self) -> Option<&str> {
        self.0.external_account.as_deref()
    }

    /// Only with this metric ID.
    async fn external_metric(&self) -> Option<&str> {
        self.0.external_metric.as_deref()
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// When it ends.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// Who made it.
    async fn created_by(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        maybe(ctx, self.0.created_by).await
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }
}

/// The queries about ignore rules.
#[derive(Default)]
pub struct IgnoreRuleQuery;

#[Object]
impl IgnoreRuleQuery {
    /// The ignore rules, newest first.
    async fn ignore_rules(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Page<IgnoreRule>> {
        let organization = ctx.need(Permission::UnmatchedRead)?;
        let rows = Entity::kept(organization);
        let order = Order::descending([Column::Id]);
        page(ctx, PageArgs::new(first, after, last, before), &["ignoreRules"], order, rows).await
    }
}

/// The input of `ignoreRuleCreate`.
#[derive(InputObject)]
struct IgnoreRuleCreateInput {
    /// Only of this stream.
    stream_id: Option<Global<StreamId>>,
    /// Only with this account ID.
    external_account: Option<String>,
    /// Only with this metric ID.
    external_metric: Option<String>,
    /// Why.
    reason: String,
    /// When it ends.
    expires_at: Option<DateTime>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `ignoreRuleCreate`.
    IgnoreRuleCreatePayload {
        /// The result; null when refused.
        ignore_rule: IgnoreRule
    }
}

/// The input of `ignoreRuleDelete`.
#[derive(InputObject)]
struct IgnoreRuleDeleteInput {
    /// The rule.
    id: Global<IgnoreRuleId>,
}

payload! {
    /// The answer of `ignoreRuleDelete`.
    IgnoreRuleDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_ignore_rule_id: ID
    }
}

/// The mutations of ignore rules.
#[derive(Default)]
pub struct IgnoreRuleMutation;

#[Object]
impl IgnoreRuleMutation {
    /// Adds an ignore rule.
    async fn ignore_rule_create(
        &self,
        ctx: &Context<'_>,
        input: IgnoreRuleCreateInput,
    ) -> Result<IgnoreRuleCreatePayload> {
        let mut work = Work::begin(ctx, Permission::UnmatchedTriage).await?;
        let made = async {
            if let Some(id) = work.claim::<IgnoreRuleId>(ctx, input.idempotency_key.as_ref(), &input).await? {
                let found =
                    Entity::find_by_id((work.change().organization(), id)).one(work.change().db).await?;
                return found.ok_or(Error::NotFound("ignore rule"));
            }
            let new = NewIgnoreRule {
                stream: input.stream_id.map(|id| id.0),
                external_account: input.external_account,
                external_metric: input.external_metric,
                reason: input.reason,
                expires_at: input.expires_at.map(|at| at.0),
            };
            let made = ignore_rule::create(&work.change(), new).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes an ignore rule. What it hid is work again.
    async fn ignore_rule_delete(
        &self,
        ctx: &Context<'_>,
        input: IgnoreRuleDeleteInput,
    ) -> Result<IgnoreRuleDeletePayload> {
        let work = Work::begin(ctx, Permission::UnmatchedTriage).await?;
        let gone = ignore_rule::delete(&work.change(), input.id.0).await;
        Ok(work.end(gone.map(global)).await?.into())
    }
}
