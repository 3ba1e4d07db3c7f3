//! Looking after groups: who does it, what to remember, when to look again.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use crate::components::{Area, Button, Choice, Dialog, DialogFoot, Loaded, Look, Notice, Toasts, Tone};
use crate::query::{Change, Query};
use crate::vocabulary::{DateTime, UserError};
use crate::{format, schema};

const DAY: f64 = 86_400_000.0;

/// What is to be noted of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Triage {
    /// Who looks after them.
    Assign,
    /// When to look again.
    Snooze,
    /// A remark.
    Note,
}

#[derive(cynic::QueryVariables)]
struct AssignVariables {
    ids: Vec<cynic::Id>,
    assignee_id: Option<cynic::Id>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "AssignVariables")]
struct AssignGroups {
    #[arguments(input: { ids: $ids, assigneeId: $assignee_id })]
    unmatched_group_assign: UnmatchedGroupAssignPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupAssignPayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct SnoozeVariables {
    ids: Vec<cynic::Id>,
    until: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SnoozeVariables")]
struct SnoozeGroups {
    #[arguments(input: { ids: $ids, until: $until })]
    unmatched_group_snooze: UnmatchedGroupSnoozePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupSnoozePayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct NoteVariables {
    ids: Vec<cynic::Id>,
    note: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "NoteVariables")]
struct NoteGroups {
    #[arguments(input: { ids: $ids, note: $note })]
    unmatched_group_note: UnmatchedGroupNotePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupNotePayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct PeopleQuery {
    #[arguments(first: 100)]
    memberships: MembershipConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct MembershipConnection {
    nodes: Vec<Membership>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Membership {
    user: Person,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "User")]
struct Person {
    id: cynic::Id,
    name: String,
}

/// The dialog that notes one thing of all given groups.
#[component]
pub(super) fn GroupTriage(
    open: RwSignal<bool>,
    act: RwSignal<Triage>,
    ids: Signal<Vec<cynic::Id>>,
    /// The remark there is.
    #[prop(optional, into)]
    note: Signal<String>,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let settle = move |errors: Vec<UserError>| if errors.is_empty() { Ok(()) } else { Err(errors) };
    let finish = move |words: &'static str| {
        move |()| {
            open.set(false);
            done.run(());
            toasts.say(words);
        }
    };
    let assign = Change::new(
        move |answer: AssignGroups| settle(answer.unmatched_group_assign.user_errors),
        finish("The assignment is saved"),
    );
    let snooze = Change::new(
        move |answer: SnoozeGroups| settle(answer.unmatched_group_snooze.user_errors),
        finish("The snooze is saved"),
    );
    let write = Change::new(
        move |answer: NoteGroups| settle(answer.unmatched_group_note.user_errors),
        finish("The note is saved"),
    );
    let busy = Signal::derive(move || assign.is_busy() || snooze.is_busy() || write.is_busy());
    let complaint = move || {
        let words =
            assign.complaint(&[]).or_else(|| snooze.complaint(&[])).or_else(|| write.complaint(&[]))?;
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    let title = move || {
        let count = ids.with(Vec::len);
        let what = if count == 1 {
            "this group".to_owned()
        } else {
            format!("{} groups", format::count(count as i32))
        };
        match act.get() {
            Triage::Assign => format!("Assign {what}"),
            Triage::Snooze => format!("Snooze {what}"),
            Triage::Note => format!("Note on {what}"),
        }
    };
    let assigned = Callback::new(move |person: String| {
        let assignee_id = Some(person).filter(|id| !id.is_empty()).map(cynic::Id::new);
        assign.send(AssignGroups::build(AssignVariables { ids: ids.get_untracked(), assignee_id }));
    });
    let snoozed = Callback::new(move |days: f64| {
        let until = (days > 0.0).then(|| DateTime(format::rfc3339(format::now() + days * DAY)));
        snooze.send(SnoozeGroups::build(SnoozeVariables { ids: ids.get_untracked(), until }));
    });
    let written = Callback::new(move |text: String| {
        let note = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        write.send(NoteGroups::build(NoteVariables { ids: ids.get_untracked(), note }));
    });
    view! {
        <Dialog open title=Signal::derive(title)>
            <div class="flex flex-col gap-4">
                {complaint}
                {match act.get_untracked() {
                    Triage::Assign => view! { <People busy send=assigned/> }.into_any(),
                    Triage::Snooze => view! { <Days busy send=snoozed/> }.into_any(),
                    Triage::Note => view! { <Remark busy text=note.get_untracked() send=written/> }.into_any(),
                }}
            </div>
        </Dialog>
    }
}

#[component]
fn People(busy: Signal<bool>, send: Callback<String>) -> impl IntoView {
    let query = Query::new(|| PeopleQuery::build(()));
    let chosen = RwSignal::new(String::new());
    view! {
        <Loaded query lines=2 let:data>
            <Choice
                label="Who looks after it"
                value=chosen
                on_change=move |id: String| chosen.set(id)
                options=Signal::derive(move || {
                    let people = data.get().memberships.nodes.into_iter();
                    let named = people.map(|member| (member.user.id.into_inner(), member.user.name));
                    std::iter::once((String::new(), "Nobody".to_owned())).chain(named).collect::<Vec<_>>()
                })
            />
        </Loaded>
        <DialogFoot>
            <Button look=Look::Primary busy on:click=move |_| send.run(chosen.get_untracked())>"Assign"</Button>
        </DialogFoot>
    }
}

#[component]
fn Days(busy: Signal<bool>, send: Callback<f64>) -> impl IntoView {
    let days = RwSignal::new("7".to_owned());
    let options: Vec<_> =
        [("1", "For a day"), ("7", "For a week"), ("30", "For 30 days"), ("0", "Not at all: show again")]
            .map(|(key, words)| (key.to_owned(), words.to_owned()))
            .into();
    view! {
        <p class="muted">"Snoozed groups leave the open list and come back by themselves. Their readings go on waiting."</p>
        <Choice label="How long" value=days on_change=move |key: String| days.set(key) options/>
        <DialogFoot>
            <Button look=Look::Primary busy on:click=move |_| send.run(days.get_untracked().parse().unwrap_or_default())>"Snooze"</Button>
        </DialogFoot>
    }
}

#[component]
fn Remark(busy: Signal<bool>, text: String, send: Callback<String>) -> impl IntoView {
    let text = RwSignal::new(text);
    view! {
        <Area label="Note" value=text rows=4 hint="Everybody who sees the group sees it. Empty takes it away."/>
        <DialogFoot>
            <Button look=Look::Primary busy on:click=move |_| send.run(text.get_untracked())>"Save the note"</Button>
        </DialogFoot>
    }
}
