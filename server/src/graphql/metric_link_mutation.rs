//! Linking metrics to inputs, and undoing it.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use entity::{AccountId, InputId, MetricId, MetricLinkId};

use crate::auth::Permission;
use crate::domain::metric_link::{self, MetricLinkChange, NewMetricLink};
use crate::graphql::context::Work;
use crate::graphql::id::{Global, global};
use crate::graphql::metric_link::MetricLink;
use crate::graphql::payload::payload;

/// The input of `metricLinkCreate`.
#[derive(InputObject)]
struct MetricLinkCreateInput {
    /// The account.
    account_id: Global<AccountId>,
    /// The metric.
    metric_id: Global<MetricId>,
    /// The input.
    input_id: Global<InputId>,
    /// Whether it is in force.
    #[graphql(default = true)]
    enabled: bool,
    /// A remark.
    note: Option<String>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `metricLinkCreate`.
    MetricLinkCreatePayload {
        /// The result; null when refused.
        metric_link: MetricLink
    }
}

/// The input of `metricLinkUpdate`.
#[derive(InputObject)]
struct MetricLinkUpdateInput {
    /// The link.
    id: Global<MetricLinkId>,
    /// Another input.
    input_id: Option<Global<InputId>>,
    /// Whether it is in force.
    enabled: Option<bool>,
    /// A new remark; null removes it.
    note: MaybeUndefined<String>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `metricLinkUpdate`.
    MetricLinkUpdatePayload {
        /// The result; null when refused.
        metric_link: MetricLink
    }
}

/// The input of `metricLinkDelete`.
#[derive(InputObject)]
struct MetricLinkDeleteInput {
    /// The link.
    id: Global<MetricLinkId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `metricLinkDelete`.
    MetricLinkDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_metric_link_id: ID
    }
}

/// The mutations of metric links.
#[derive(Default)]
pub struct MetricLinkMutation;

#[Object]
impl MetricLinkMutation {
    /// Links a metric of an account to an input.
    async fn metric_link_create(
        &self,
        ctx: &Context<'_>,
        input: MetricLinkCreateInput,
    ) -> Result<MetricLinkCreatePayload> {
        let mut work = Work::begin(ctx, Permission::LinksWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return metric_link::find(&work.change(), id).await;
            }
            let new = NewMetricLink {
                account: input.account_id.0,
                metric: input.metric_id.0,
                input: input.input_id.0,
                enabled: input.enabled,
                note: input.note,
            };
            let made = metric_link::create(&work.change(), new).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes a metric link.
    async fn metric_link_update(
        &self,
        ctx: &Context<'_>,
        input: MetricLinkUpdateInput,
    ) -> Result<MetricLinkUpdatePayload> {
        let work = Work::begin(ctx, Permission::LinksWrite).await?;
        let wanted = MetricLinkChange {
            input: input.input_id.map(|id| id.0),
            enabled: input.enabled,
            note: input.note.into(),
        };
        let made = metric_link::update(&work.change(), input.id.0, wanted, input.expected_version).await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes a metric link. Its measurements stay on their series.
    async fn metric_link_delete(
        &self,
        ctx: &Context<'_>,
        input: MetricLinkDeleteInput,
    ) -> Result<MetricLinkDeletePayload> {
        let work = Work::begin(ctx, Permission::LinksWrite).await?;
        let gone = metric_link::delete(&work.change(), input.id.0, input.expected_version).await;
        Ok(work.end(gone.map(global)).await?.into())
    }
}
