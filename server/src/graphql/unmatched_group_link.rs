//! Linking unmatched groups to accounts and inputs.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use entity::unmatched_group::Model;
use entity::{AccountId, ExternalIdId, InputId, MetricLinkId, UnmatchedGroupId};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};

use crate::auth::Permission;
use crate::domain::change::Change;
use crate::domain::unmatched::{self, Linked};
use crate::domain::{external_id, metric_link, refusal};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work, load};
use crate::graphql::error::{Outcome, UserError};
use crate::graphql::external_id::ExternalId;
use crate::graphql::id::Global;
use crate::graphql::matching::AskedOf;
use crate::graphql::metric_link::MetricLink;
use crate::graphql::unmatched_group::UnmatchedGroup;

/// The input of `unmatchedGroupLink`.
#[derive(InputObject)]
struct UnmatchedGroupLinkInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// The account their rows belong to.
    account_id: Option<Global<AccountId>>,
    /// The ID space of the new external IDs; the first of the stream's setting when left out.
    space: Option<String>,
    /// The input their metric feeds; for one account and metric only.
    input_id: Option<Global<InputId>>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

/// The answer of `unmatchedGroupLink`.
#[derive(SimpleObject)]
struct UnmatchedGroupLinkPayload {
    /// The groups as they are now.
    groups: Vec<UnmatchedGroup>,
    /// The external IDs made.
    external_ids: Vec<ExternalId>,
    /// The metric links made.
    metric_links: Vec<MetricLink>,
    /// Why the request was refused, if it was.
    user_errors: Vec<UserError>,
}

/// The mutation that links groups.
#[derive(Default)]
pub struct UnmatchedGroupLinkMutation;

#[Object]
impl UnmatchedGroupLinkMutation {
    /// Links groups to an account or an input. Their rows are matched.
    async fn unmatched_group_link(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupLinkInput,
    ) -> Result<UnmatchedGroupLinkPayload> {
        ctx.need(Permission::LinksWrite)?;
        // Matching reads in a transaction of its own, so it is asked before this one begins.
        let account = match (&input.input_id, input.ids.first()) {
            (Some(_), Some(id)) => matched(ctx, id.0).await?,
            _ => None,
        };
        let mut work = Work::begin(ctx, Permission::UnmatchedTriage).await?;
        let done = async {
            if let Some(seen) = work.claim::<Made>(ctx, input.idempotency_key.as_ref(), &input).await? {
                return again(&work.change(), &seen).await;
            }
            let ids: Vec<_> = input.ids.iter().map(|id| id.0).collect();
            let linked = link(&work.change(), &input, &ids, account).await?;
            work.remember(&Made::of(&ids, &linked)).await?;
            Ok((unmatched::find(&work.change(), &ids).await?, linked))
        }
        .await;
        Ok(work.end(done).await?.into())
    }
}

/// The change of a mutation.
type Act<'a> = Change<'a, DatabaseTransaction>;

/// What an idempotent link made.
#[derive(Serialize, Deserialize)]
struct Made {
    groups: Vec<UnmatchedGroupId>,
    external_ids: Vec<ExternalIdId>,
    metric_links: Vec<MetricLinkId>,
}

impl Made {
    fn of(groups: &[UnmatchedGroupId], linked: &Linked) -> Self {
        Self {
            groups: groups.to_vec(),
            external_ids: linked.external_ids.iter().map(|id| id.id).collect(),
            metric_links: linked.metric_links.iter().map(|link| link.id).collect(),
        }
    }
}

async fn again(change: &Act<'_>, made: &Made) -> DomainResult<(Vec<Model>, Linked)> {
    let mut linked = Linked::default();
    for id in &made.external_ids {
        linked.external_ids.push(external_id::find(change, *id).await?);
    }
    for id in &made.metric_links {
        linked.metric_links.push(metric_link::find(change, *id).await?);
    }
    Ok((unmatched::find(change, &made.groups).await?, linked))
}

/// The account that the rows of a group are matched to now.
async fn matched(ctx: &Context<'_>, id: UnmatchedGroupId) -> Result<Option<AccountId>> {
    let Some(group) = load(ctx, id).await? else { return Ok(None) };
    let asked = AskedOf { stream: group.stream_id, text: group.external_account };
    Ok(load(ctx, asked).await?.and_then(|found| found.account))
}

async fn link(
    change: &Act<'_>,
    input: &UnmatchedGroupLinkInput,
    ids: &[UnmatchedGroupId],
    account: Option<AccountId>,
) -> DomainResult<Linked> {
    let groups = unmatched::find(change, ids).await?;
    match (&input.account_id, &input.input_id, &groups[..]) {
        (Some(account), None, groups) => {
            unmatched::link_account(change, groups, account.0, input.space.as_deref()).await
        }
        (None, Some(target), [group]) => {
            let account =
                account.ok_or_else(|| Error::invalid("ids.0", "the account of this group is not known"))?;
            unmatched::link_input(change, group, account, target.0).await
        }
        (None, Some(_), _) => Err(Error::invalid("ids", "an input takes the metric of one group only")),
        (None, None, _) => Err(refusal::required("accountId")),
        (Some(_), Some(_), _) => Err(Error::invalid("inputId", "link the account first, then the metric")),
    }
}

impl From<Outcome<(Vec<Model>, Linked)>> for UnmatchedGroupLinkPayload {
    fn from(outcome: Outcome<(Vec<Model>, Linked)>) -> Self {
        let ((groups, linked), user_errors) = match outcome {
            Ok(done) => (done, Vec::new()),
            Err(user_errors) => ((Vec::new(), Linked::default()), user_errors),
        };
        Self {
            groups: groups.into_iter().map(UnmatchedGroup).collect(),
            external_ids: linked.external_ids.into_iter().map(ExternalId).collect(),
            metric_links: linked.metric_links.into_iter().map(MetricLink).collect(),
            user_errors,
        }
    }
}
