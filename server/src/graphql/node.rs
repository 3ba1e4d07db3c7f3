//! Any object by its global ID.

use async_graphql::{Context, ID, Interface, Object, Result};

use crate::graphql::account::Account;
use crate::graphql::api_token::ApiToken;
use crate::graphql::audit_event::AuditEvent;
use crate::graphql::context::{Reach, maybe};
use crate::graphql::error::Fault;
use crate::graphql::external_id::ExternalId;
use crate::graphql::external_id_setting::ExternalIdSetting;
use crate::graphql::id::{NodeId, decode};
use crate::graphql::ignore_rule::IgnoreRule;
use crate::graphql::input::Input;
use crate::graphql::key_pair::KeyPair;
use crate::graphql::metric::Metric;
use crate::graphql::metric_link::MetricLink;
use crate::graphql::opportunity::Opportunity;
use crate::graphql::organization::Organization;
use crate::graphql::reconcile::Reconcile;
use crate::graphql::series::Series;
use crate::graphql::source::Source;
use crate::graphql::stream::Stream;
use crate::graphql::sync_run::SyncRun;
use crate::graphql::unmatched_group::UnmatchedGroup;
use crate::graphql::user::User;
use crate::graphql::waiting_row::WaitingRow;

/// The most IDs in one question.
const MOST: usize = 100;

/// Makes the interface and the way from an ID to its object, from one list.
macro_rules! nodes {
    ($($noun:ident => $id:ident),* $(,)?) => {
        /// An object with a global ID.
        #[derive(Interface)]
        #[graphql(field(name = "id", ty = "ID", desc = "The global ID."))]
        pub enum Node {
            $(
                #[doc = stringify!($noun)]
                $noun($noun),
            )*
            /// The organization.
            Organization(Organization),
        }

        /// The object with an ID; none when it is no ID, or the viewer cannot see it.
        async fn find(ctx: &Context<'_>, id: &str) -> Result<Option<Node>> {
            let Some((name, inside)) = decode(id) else { return Ok(None) };
            $(
                if name == entity::$id::TYPE {
                    let Ok(key) = inside.parse::<entity::$id>() else { return Ok(None) };
                    return Ok(maybe::<_, $noun>(ctx, Some(key)).await?.map(Node::from));
                }
            )*
            let own = entity::OrganizationId::TYPE == name
                && inside == ctx.viewer()?.organization.to_string();
            match own {
                true => Ok(Some(Node::Organization(crate::graphql::organization::own(ctx).await?))),
                false => Ok(None),
            }
        }
    };
}

nodes! {
    Account => AccountId,
    ApiToken => ApiTokenId,
    AuditEvent => AuditEventId,
    ExternalId => ExternalIdId,
    ExternalIdSetting => ExternalIdSettingId,
    IgnoreRule => IgnoreRuleId,
    Input => InputId,
    KeyPair => KeyPairId,
    Metric => MetricId,
    MetricLink => MetricLinkId,
    Opportunity => OpportunityId,
    Reconcile => ReconcileId,
    Series => SeriesId,
    Source => SourceId,
    Stream => StreamId,
    SyncRun => SyncRunId,
    UnmatchedGroup => UnmatchedGroupId,
    User => UserId,
    WaitingRow => WaitingRowId,
}

/// The queries by global ID.
#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this global ID, or null when the viewer cannot see it.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        ctx.viewer()?;
        seen(find(ctx, &id).await)
    }

    /// The objects with these global IDs, at most 100, in the same order.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        ctx.viewer()?;
        if ids.len() > MOST {
            let error = crate::error::Error::invalid("ids", format!("at most {MOST} IDs at once"));
            return Err(Fault::from(error).into());
        }
        let found = futures::future::join_all(ids.iter().map(|id| find(ctx, id))).await;
        found.into_iter().map(seen).collect()
    }
}

/// What the viewer may not see is not there.
fn seen(found: Result<Option<Node>>) -> Result<Option<Node>> {
    match found {
        Err(error) if Fault::forbidden(&error) => Ok(None),
        found => found,
    }
}
