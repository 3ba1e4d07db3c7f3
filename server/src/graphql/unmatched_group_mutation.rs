//! What people do about unmatched groups.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use entity::unmatched_group::Model;
use entity::{AccountId, InputId, UnmatchedGroupId, UserId};
use sea_orm::DatabaseTransaction;

use crate::auth::Permission;
use crate::domain::change::Change;
use crate::domain::refusal;
use crate::domain::unmatched::{self, Linked};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work, load};
use crate::graphql::error::{Outcome, UserError};
use crate::graphql::external_id::ExternalId;
use crate::graphql::id::Global;
use crate::graphql::matching::AskedOf;
use crate::graphql::metric_link::{MetricLink, RollUp};
use crate::graphql::scalar::DateTime;
use crate::graphql::unmatched_group::UnmatchedGroup;
use crate::graphql::unmatched_link::{Made, again};

/// Makes a payload of groups, and the conversion from an outcome.
macro_rules! groups_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        struct $name {
            /// The groups as they are now.
            groups: Vec<UnmatchedGroup>,
            /// Why the request was refused, if it was.
            user_errors: Vec<UserError>,
        }

        impl From<Outcome<Vec<Model>>> for $name {
            fn from(outcome: Outcome<Vec<Model>>) -> Self {
                let (groups, user_errors) = match outcome {
                    Ok(groups) => (groups, Vec::new()),
                    Err(user_errors) => (Vec::new(), user_errors),
                };
                Self { groups: groups.into_iter().map(UnmatchedGroup).collect(), user_errors }
            }
        }
    };
}

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
    /// How values of a period become one.
    #[graphql(default_with = "RollUp::Last")]
    roll_up: RollUp,
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

/// The input of `unmatchedGroupIgnore`.
#[derive(InputObject)]
struct UnmatchedGroupIgnoreInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// Why.
    reason: String,
    /// When to look again.
    expires_at: Option<DateTime>,
}

groups_payload! {
    /// The answer of `unmatchedGroupIgnore`.
    UnmatchedGroupIgnorePayload
}

/// The input of `unmatchedGroupUnignore`.
#[derive(InputObject)]
struct UnmatchedGroupUnignoreInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
}

groups_payload! {
    /// The answer of `unmatchedGroupUnignore`.
    UnmatchedGroupUnignorePayload
}

/// The input of `unmatchedGroupReplay`.
#[derive(InputObject)]
struct UnmatchedGroupReplayInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

groups_payload! {
    /// The answer of `unmatchedGroupReplay`.
    UnmatchedGroupReplayPayload
}

/// The input of `unmatchedGroupAssign`.
#[derive(InputObject)]
struct UnmatchedGroupAssignInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// The person; null for nobody.
    assignee_id: Option<Global<UserId>>,
}

groups_payload! {
    /// The answer of `unmatchedGroupAssign`.
    UnmatchedGroupAssignPayload
}

/// The input of `unmatchedGroupNote`.
#[derive(InputObject)]
struct UnmatchedGroupNoteInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// The note; null removes it.
    note: Option<String>,
}

groups_payload! {
    /// The answer of `unmatchedGroupNote`.
    UnmatchedGroupNotePayload
}

/// The input of `unmatchedGroupSnooze`.
#[derive(InputObject)]
struct UnmatchedGroupSnoozeInput {
    /// The groups, at most 500.
    ids: Vec<Global<UnmatchedGroupId>>,
    /// Until when; null shows them again.
    until: Option<DateTime>,
}

groups_payload! {
    /// The answer of `unmatchedGroupSnooze`.
    UnmatchedGroupSnoozePayload
}

/// The change of a mutation.
type Act<'a> = Change<'a, DatabaseTransaction>;

/// Does something to the groups of an input, and answers with the groups as they are then.
macro_rules! on_groups {
    ($ctx:ident, $input:ident, |$change:ident, $groups:ident| $act:expr) => {{
        let work = Work::begin($ctx, Permission::UnmatchedTriage).await?;
        let done = async {
            let $change = work.change();
            let ids: Vec<_> = $input.ids.iter().map(|id| id.0).collect();
            let found = unmatched::find(&$change, &ids).await?;
            let $groups = &found[..];
            $act.await?;
            unmatched::find(&$change, &ids).await
        }
        .await;
        Ok(work.end(done).await?.into())
    }};
}

/// The mutations of unmatched groups.
#[derive(Default)]
pub struct UnmatchedGroupMutation;

#[Object]
impl UnmatchedGroupMutation {
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

    /// Ignores groups with a reason and an optional end.
    async fn unmatched_group_ignore(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupIgnoreInput,
    ) -> Result<UnmatchedGroupIgnorePayload> {
        let expires_at = input.expires_at.map(|at| at.0);
        on_groups!(ctx, input, |change, groups| {
            unmatched::ignore(&change, groups, &input.reason, expires_at)
        })
    }

    /// Opens ignored groups again.
    async fn unmatched_group_unignore(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupUnignoreInput,
    ) -> Result<UnmatchedGroupUnignorePayload> {
        on_groups!(ctx, input, |change, groups| unmatched::unignore(&change, groups))
    }

    /// Tries the waiting rows of groups again.
    async fn unmatched_group_replay(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupReplayInput,
    ) -> Result<UnmatchedGroupReplayPayload> {
        let mut work = Work::begin(ctx, Permission::UnmatchedTriage).await?;
        let done = async {
            let ids: Vec<_> = input.ids.iter().map(|id| id.0).collect();
            let seen = work.claim::<bool>(ctx, input.idempotency_key.as_ref(), &input).await?;
            let groups = unmatched::find(&work.change(), &ids).await?;
            if seen.is_none() {
                unmatched::replay(&work.change(), &groups).await?;
                work.remember(&true).await?;
            }
            Ok(groups)
        }
        .await;
        Ok(work.end(done).await?.into())
    }

    /// Assigns groups to a member, or to nobody.
    async fn unmatched_group_assign(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupAssignInput,
    ) -> Result<UnmatchedGroupAssignPayload> {
        let assignee = input.assignee_id.map(|id| id.0);
        on_groups!(ctx, input, |change, groups| unmatched::assign(&change, groups, assignee))
    }

    /// Writes a note on groups.
    async fn unmatched_group_note(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupNoteInput,
    ) -> Result<UnmatchedGroupNotePayload> {
        let note = input.note.clone();
        on_groups!(ctx, input, |change, groups| unmatched::note(&change, groups, note))
    }

    /// Hides groups until a time.
    async fn unmatched_group_snooze(
        &self,
        ctx: &Context<'_>,
        input: UnmatchedGroupSnoozeInput,
    ) -> Result<UnmatchedGroupSnoozePayload> {
        let until = input.until.map(|at| at.0);
        on_groups!(ctx, input, |change, groups| unmatched::snooze(&change, groups, until))
    }
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
            unmatched::link_input(change, group, account, target.0, input.roll_up.into()).await
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
