//! One group of waiting readings: what was tried, what could fit, and the acts that free or hide it.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::group_ignore::GroupIgnore;
use super::group_link::{GroupLink, LinkTarget};
use super::group_match::{AccountName, MatchExplanation, Suggestion, Tried, WayOut};
use super::group_triage::{GroupTriage, Triage};
use super::groups_table::ReasonBadge;
use super::sample_rows::SampleRows;
use crate::components::{
    Ago, Button, Fact, Facts, Icon, Loaded, Look, Missing, Notice, PageHead, Panel, Toasts, Tone,
};
use crate::query::{Change, Query};
use crate::viewer::Session;
use crate::vocabulary::{BigInt, DateTime, Permission, UnmatchedReason, UnmatchedStatus, UserError};
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct GroupVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "GroupVariables")]
struct GroupQuery {
    #[arguments(id: $id)]
    unmatched_group: Option<UnmatchedGroup>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct UnmatchedGroup {
    id: cynic::Id,
    stream: GroupStream,
    reason: UnmatchedReason,
    external_account: String,
    external_metric: String,
    account: Option<AccountName>,
    waiting: BigInt,
    first_seen_at: DateTime,
    last_seen_at: DateTime,
    status: UnmatchedStatus,
    ignore_rule: Option<IgnoreRule>,
    assignee: Option<Assignee>,
    note: Option<String>,
    snoozed_until: Option<DateTime>,
    resolved_at: Option<DateTime>,
    explanation: MatchExplanation,
    suggestions: Vec<Suggestion>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Stream")]
struct GroupStream {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct IgnoreRule {
    reason: String,
    expires_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "User")]
struct Assignee {
    name: String,
}

#[derive(cynic::QueryVariables)]
struct GroupIds {
    ids: Vec<cynic::Id>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "GroupIds")]
struct UnignoreGroup {
    #[arguments(input: { ids: $ids })]
    unmatched_group_unignore: UnmatchedGroupUnignorePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupUnignorePayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "GroupIds")]
struct ReplayGroup {
    #[arguments(input: { ids: $ids })]
    unmatched_group_replay: UnmatchedGroupReplayPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupReplayPayload {
    user_errors: Vec<UserError>,
}

/// The page of a group.
#[component]
pub fn UnmatchedGroupPage() -> impl IntoView {
    let params = use_params_map();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        GroupQuery::build(GroupVariables { id })
    })
    .poll(Duration::from_secs(3), || true);
    view! {
        <Loaded query what="group" let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.unmatched_group.is_some()));
                move || match (there.get(), data.get_untracked().unmatched_group) {
                    (true, Some(first)) => {
                        let group = Memo::new(move |_| data.get().unmatched_group.unwrap_or_else(|| first.clone()));
                        view! { <Content group query/> }.into_any()
                    }
                    _ => view! { <PageHead title="Group"/><Missing what="group"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Content(group: Memo<UnmatchedGroup>, query: Query<GroupQuery>) -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let target = RwSignal::new(None::<LinkTarget>);
    let (linking, ignoring) = (RwSignal::new(false), RwSignal::new(false));
    let ids = move || GroupIds { ids: vec![group.with_untracked(|group| group.id.clone())] };
    let chosen = Signal::derive(move || vec![group.with(|group| group.id.clone())]);
    let (triaging, act) = (RwSignal::new(false), RwSignal::new(Triage::Assign));
    let triage = Callback::new(move |what: Triage| {
        act.set(what);
        triaging.set(true);
    });
    let reload = Callback::new(move |()| query.reload());
    let none_or = |errors: Vec<UserError>| if errors.is_empty() { Ok(()) } else { Err(errors) };
    let unignore = Change::new(
        move |answer: UnignoreGroup| none_or(answer.unmatched_group_unignore.user_errors),
        move |()| {
            query.reload();
            toasts.say("The group is open again");
        },
    );
    let replay = Change::new(
        move |answer: ReplayGroup| none_or(answer.unmatched_group_replay.user_errors),
        move |()| {
            query.reload();
            toasts.say("The waiting readings are being tried again");
        },
    );
    follow_freed(group, toasts);
    let may = session.may(Permission::UnmatchedTriage);
    let status = Memo::new(move |_| group.with(|group| group.status));
    let reason = Memo::new(move |_| group.with(|group| group.reason));
    let suggestions = Memo::new(move |_| group.with(|group| group.suggestions.clone()));
    let account = Memo::new(move |_| group.with(|group| group.account.clone()));
    let explanation = Memo::new(move |_| group.with(|group| group.explanation.clone()));
    let open = move || may && status.get() == UnmatchedStatus::Open;
    let title = Signal::derive(move || {
        group.with(|group| match group.external_metric.as_str() {
            "" => group.external_account.clone(),
            metric => format!("{}\u{a0}· {metric}", group.external_account),
        })
    });
    let begin = Callback::new(move |suggested: Option<LinkTarget>| {
        target.set(suggested.or_else(|| group.with_untracked(fitting_target)));
        linking.set(true);
    });
    let complaint = move || {
        let words = unignore.complaint(&[]).or_else(|| replay.complaint(&[]))?;
        Some(view! { <div class="mb-5"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    let linkable =
        move || matches!(reason.get(), UnmatchedReason::AccountUnknown | UnmatchedReason::MetricUnlinked);
    let link_words = move || {
        if reason.get() == UnmatchedReason::MetricUnlinked { "Link the metric" } else { "Link to an account" }
    };
    view! {
        <PageHead
            title
            crumbs=vec![("Unmatched".to_owned(), paths::UNMATCHED.to_owned())]
            about=move || view! {
                <p class="mt-1 flex flex-wrap items-center gap-2">
                    {move || view! { <ReasonBadge reason=reason.get()/> }}
                    <span class="muted">{move || reason.get().meaning()}</span>
                </p>
            }
        >
            <Show when=open>
                <Button icon=Icon::Ignore on:click=move |_| ignoring.set(true)>"Ignore"</Button>
                <Button icon=Icon::Retry busy=Signal::derive(move || replay.is_busy()) on:click=move |_| replay.send(ReplayGroup::build(ids()))>"Try again"</Button>
                <Show when=linkable>
                    <Button look=Look::Primary icon=Icon::Link on:click=move |_| begin.run(None)>{link_words}</Button>
                </Show>
            </Show>
            <Show when=move || may && status.get() == UnmatchedStatus::Ignored>
                <Button icon=Icon::Retry busy=Signal::derive(move || unignore.is_busy()) on:click=move |_| unignore.send(UnignoreGroup::build(ids()))>"Open again"</Button>
            </Show>
        </PageHead>
        {complaint}
        <State group/>
        <div class="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <div class="flex flex-col gap-5">
                <Show when=move || status.get() == UnmatchedStatus::Open>
                    <WayOut reason explanation suggestions account begin may/>
                </Show>
                <Tried explanation external_account=Memo::new(move |_| group.with(|group| group.external_account.clone()))/>
            </div>
            <AboutGroup group triage may/>
            <div class="min-w-0 lg:col-span-2"><SampleRows
                    group_id=Signal::derive(move || group.with(|group| group.id.clone()))
                    waiting=Signal::derive(move || group.with(|group| group.waiting.number()))
                /></div>
        </div>
        <GroupLink
            open=linking
            target
            ids=chosen
            waiting=Signal::derive(move || group.with(|group| group.waiting.number()))
            external_account=Signal::derive(move || group.with(|group| group.external_account.clone()))
            external_metric=Signal::derive(move || group.with(|group| group.external_metric.clone()))
            spaces=Signal::derive(move || group.with(|group| {
                // Only a space that can hold the ID, and that the stream tries, would free the rows.
                let fitting = group.explanation.steps.iter().filter(|step| step.normalized.is_some());
                fitting.map(|step| step.space.clone()).collect()
            }))
            done=reload
        />
        <GroupIgnore open=ignoring ids=chosen done=reload/>
        <GroupTriage
            open=triaging
            act
            ids=chosen
            note=Signal::derive(move || group.with(|group| group.note.clone().unwrap_or_default()))
            done=reload
        />
    }
}

/// What linking is about when nobody has suggested anything.
fn fitting_target(group: &UnmatchedGroup) -> Option<LinkTarget> {
    match (group.reason, &group.account) {
        (UnmatchedReason::MetricUnlinked, Some(account)) => Some(LinkTarget::Metric {
            account: account.id.clone(),
            account_name: account.name.clone(),
            input: None,
        }),
        _ => Some(LinkTarget::Account(None)),
    }
}

/// Says how many readings were freed once the group is empty.
fn follow_freed(group: Memo<UnmatchedGroup>, toasts: Toasts) {
    Effect::new(move |before: Option<i64>| {
        let (waiting, resolved) =
            group.with(|group| (group.waiting.number(), group.status == UnmatchedStatus::Resolved));
        if let Some(before) = before
            && before > 0
            && waiting == 0
            && resolved
        {
            toasts.say(format!("{} found a place", format::counted(before, "reading", "readings")));
        }
        waiting
    });
}

#[component]
fn State(group: Memo<UnmatchedGroup>) -> impl IntoView {
    let state = Memo::new(move |_| {
        group.with(|group| (group.status, group.ignore_rule.clone(), group.resolved_at.clone()))
    });
    move || {
        match state.get() {
        (UnmatchedStatus::Open, ..) => ().into_any(),
        (UnmatchedStatus::Ignored, rule, _) => {
            let words = rule.as_ref().map(|rule| rule.reason.clone()).unwrap_or_default();
            let end = rule.and_then(|rule| rule.expires_at);
            view! {
                <div class="mb-5">
                    <Notice>"Ignored: "{words}{end.map(|time| view! { <span class="muted">" · ends "<Ago time/></span> })}</Notice>
                </div>
            }
            .into_any()
        }
        (UnmatchedStatus::Resolved, _, at) => view! {
            <div class="mb-5">
                <Notice tone=Tone::Success>"Resolved: none of its readings waits any more."{at.map(|time| view! { <span class="muted">" "<Ago time/></span> })}</Notice>
            </div>
        }
        .into_any(),
    }
    }
}

#[component]
fn AboutGroup(group: Memo<UnmatchedGroup>, triage: Callback<Triage>, may: bool) -> impl IntoView {
    let facts = move || {
        let group = group.get();
        let code = |text: String| view! { <span class="font-mono text-[13px] break-all">{text}</span> };
        view! {
            <Facts>
                <Fact name="Readings"><span class="num font-medium">{group.waiting.text()}</span>" waiting"</Fact>
                <Fact name="Account ID">{code(group.external_account)}</Fact>
                {(!group.external_metric.is_empty()).then(|| view! { <Fact name="Metric ID">{code(group.external_metric)}</Fact> })}
                {group.account.map(|account| view! {
                    <Fact name="Account"><a class="underline underline-offset-2" href=paths::account(account.id.inner())>{account.name}</a></Fact>
                })}
                <Fact name="Stream"><a class="underline underline-offset-2" href=paths::stream(group.stream.id.inner())>{group.stream.name}</a></Fact>
                <Fact name="First seen"><Ago time=group.first_seen_at/></Fact>
                <Fact name="Last seen"><Ago time=group.last_seen_at/></Fact>
                <Fact name="Assigned to">{group.assignee.map_or_else(|| view! { <span class="muted">"nobody"</span> }.into_any(), |person| person.name.into_any())}</Fact>
                {group.snoozed_until.map(|time| view! { <Fact name="Snoozed"><span class="num">"until "{format::minute(time.millis())}</span></Fact> })}
                {group.note.map(|note| view! { <Fact name="Note"><span class="whitespace-pre-line">{note}</span></Fact> })}
            </Facts>
        }
    };
    let open = Memo::new(move |_| group.with(|group| group.status == UnmatchedStatus::Open));
    let button = move |what: Triage, words: &'static str| {
        view! { <Button on:click=move |_| triage.run(what)>{words}</Button> }
    };
    view! {
        <Panel title="Group">
            {facts}
            <Show when=move || may && open.get()>
                <div class="mt-4 flex flex-wrap gap-2 border-t border-base-300 pt-4">
                    {button(Triage::Assign, "Assign")}
                    {button(Triage::Snooze, "Snooze")}
                    {button(Triage::Note, "Note")}
                </div>
            </Show>
        </Panel>
    }
}
