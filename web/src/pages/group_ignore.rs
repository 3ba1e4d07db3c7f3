//! Ignoring groups, with a reason and perhaps an end.

use cynic::MutationBuilder;
use leptos::prelude::*;

use crate::components::{Area, Button, Dialog, DialogFoot, Icon, Look, Notice, Text, Toasts, Tone};
use crate::query::Change;
use crate::vocabulary::{DateTime, UserError};
use crate::{format, schema};

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

/// The dialog that ignores one or more groups.
#[component]
pub fn GroupIgnore(open: RwSignal<bool>, ids: Signal<Vec<cynic::Id>>, done: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let reason = RwSignal::new(String::new());
    let end = RwSignal::new(String::new());
    let nothing_or = |errors: Vec<UserError>| if errors.is_empty() { Ok(()) } else { Err(errors) };
    let unignore = Change::new(
        move |answer: UnignoreGroup| nothing_or(answer.unmatched_group_unignore.user_errors),
        move |()| {
            done.run(());
            toasts.say("Open again");
        },
    );
    let ignore = Change::new(
        move |answer: IgnoreGroup| nothing_or(answer.unmatched_group_ignore.user_errors),
        move |()| {
            // The selection may be gone once the list is read anew.
            let ignored = ids.get_untracked();
            open.set(false);
            reason.set(String::new());
            end.set(String::new());
            done.run(());
            let words = match ignored.len() {
                1 => "The group is ignored".to_owned(),
                many => format!("{} groups are ignored", format::count(many as i32)),
            };
            toasts.say_with_undo(words, move || {
                unignore.send(UnignoreGroup::build(UnignoreVariables { ids: ignored.clone() }));
            });
        },
    );
    let send = move |_| {
        let day = end.get_untracked();
        // The whole of the chosen day still counts.
        let expires_at = (!day.is_empty()).then(|| DateTime(format!("{day}T23:59:59Z")));
        let reason = reason.get_untracked().trim().to_owned();
        ignore.send(IgnoreGroup::build(IgnoreVariables { ids: ids.get_untracked(), reason, expires_at }));
    };
    let title = move || match ids.with(Vec::len) {
        1 => "Ignore this group".to_owned(),
        many => format!("Ignore {} groups", format::count(many as i32)),
    };
    let complaint = move || {
        ignore
            .complaint(&["reason", "expiresAt"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <Dialog open title=Signal::derive(title)>
            <div class="flex flex-col gap-4">
                <p class="muted">"Its readings are counted and not kept until the rule ends. You can open it again at any time."</p>
                <Area label="Reason" value=reason rows=2 placeholder="A test tenant of the billing team" error=Signal::derive(move || ignore.refusal_of("reason"))/>
                <Text label="Until" value=end kind="date" hint="Empty means until somebody opens it again." error=Signal::derive(move || ignore.refusal_of("expiresAt"))/>
                {complaint}
                <DialogFoot>
                    <Button
                        look=Look::Danger
                        icon=Icon::Ignore
                        busy=Signal::derive(move || ignore.is_busy())
                        disabled=Signal::derive(move || reason.with(|reason| reason.trim().is_empty()))
                        on:click=send
                    >
                        {move || if ids.with(Vec::len) == 1 { "Ignore the group" } else { "Ignore the groups" }}
                    </Button>
                </DialogFoot>
            </div>
        </Dialog>
    }
}
