//! What people do about unmatched groups.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use entity::unmatched_group::Model;
use entity::{UnmatchedGroupId, UserId};

use crate::auth::Permission;
use crate::domain::unmatched;
use crate::graphql::context::Work;
use crate::graphql::error::{Outcome, UserError};
use crate::graphql::id::Global;
use crate::graphql::scalar::DateTime;
use crate::graphql::unmatched_group::UnmatchedGroup;

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
