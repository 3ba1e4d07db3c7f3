//! Ignoring a group, with a reason and perhaps an end.

use cynic::MutationBuilder;
use leptos::prelude::*;

use crate::components::{Area, Button, Dialog, Icon, Look, Notice, Text, Toasts, Tone};
use crate::query::Change;
use crate::schema;
use crate::vocabulary::{DateTime, UserError};

#[derive(cynic::QueryVariables)]
struct IgnoreVariables {
    ids: Vec<cynic::Id>,
    reason: String,
    expires_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "IgnoreVariables")]
struct IgnoreGroup {
    #[arguments(input: { ids: $ids, reason: $reason, expiresAt: $expires_at })]
    unmatched_group_ignore: UnmatchedGroupIgnorePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupIgnorePayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct UnignoreVariables {
    ids: Vec<cynic::Id>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UnignoreVariables")]
struct UnignoreGroup {
    #[arguments(input: { ids: $ids })]
    unmatched_group_unignore: UnmatchedGroupUnignorePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupUnignorePayload {
    user_errors: Vec<UserError>,
}

/// The dialog that ignores a group.
#[component]
pub fn GroupIgnore(open: RwSignal<bool>, group_id: Signal<cynic::Id>, done: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let reason = RwSignal::new(String::new());
    let end = RwSignal::new(String::new());
    let nothing_or = |errors: Vec<UserError>| if errors.is_empty() { Ok(()) } else { Err(errors) };
    let unignore = Change::new(
        move |answer: UnignoreGroup| nothing_or(answer.unmatched_group_unignore.user_errors),
        move |()| {
            done.run(());
            toasts.say("The group is open again");
        },
    );
    let ignore = Change::new(
        move |answer: IgnoreGroup| nothing_or(answer.unmatched_group_ignore.user_errors),
        move |()| {
            open.set(false);
            reason.set(String::new());
            end.set(String::new());
            done.run(());
            toasts.say_with_undo("The group is ignored", move || {
                unignore
                    .send(UnignoreGroup::build(UnignoreVariables { ids: vec![group_id.get_untracked()] }));
            });
        },
    );
    let send = move |_| {
        let day = end.get_untracked();
        // The whole of the chosen day still counts.
        let expires_at = (!day.is_empty()).then(|| DateTime(format!("{day}T23:59:59Z")));
        let reason = reason.get_untracked().trim().to_owned();
        ignore.send(IgnoreGroup::build(IgnoreVariables {
            ids: vec![group_id.get_untracked()],
            reason,
            expires_at,
        }));
    };
    let complaint = move || {
        ignore
            .complaint(&["reason", "expiresAt"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <Dialog open title="Ignore this group">
            <div class="flex flex-col gap-4">
                <p class="muted">"Its readings are counted and not kept until the rule ends. You can open it again at any time."</p>
                <Area label="Reason" value=reason rows=2 placeholder="A test tenant of the billing team" error=Signal::derive(move || ignore.refusal_of("reason"))/>
                <Text label="Until" value=end kind="date" hint="Empty means until somebody opens it again." error=Signal::derive(move || ignore.refusal_of("expiresAt"))/>
                {complaint}
                <div class="flex justify-end gap-2">
                    <Button look=Look::Quiet on:click=move |_| open.set(false)>"Cancel"</Button>
                    <Button
                        look=Look::Danger
                        icon=Icon::Ignore
                        busy=Signal::derive(move || ignore.is_busy())
                        disabled=Signal::derive(move || reason.with(|reason| reason.trim().is_empty()))
                        on:click=send
                    >
                        "Ignore the group"
                    </Button>
                </div>
            </div>
        </Dialog>
    }
}
