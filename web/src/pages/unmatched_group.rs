//! One group of waiting readings: what was tried, what could fit, and the acts that free or hide it.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::group_ignore::GroupIgnore;
use super::group_link::{GroupLink, LinkTarget};
use super::sample_rows::SampleRows;
use super::unmatched::ReasonBadge;
use crate::components::{
    Ago, Badge, Button, Empty, Fact, Facts, Glyph, Icon, Loaded, Look, Missing, Notice, PageHead, Panel,
    Toasts, Tone,
};
use crate::query::{Change, Query};
use crate::viewer::Session;
use crate::vocabulary::{
    BigInt, DateTime, MatchOutcome, Normalizer, Permission, UnmatchedReason, UnmatchedStatus, UserError,
};
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
#[cynic(graphql_type = "Account")]
struct AccountName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct IgnoreRule {
    reason: String,
    expires_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct MatchExplanation {
    outcome: MatchOutcome,
    steps: Vec<MatchStep>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct MatchStep {
    space: String,
    normalizer: Normalizer,
    normalized: Option<String>,
    note: Option<String>,
    hits: Vec<AccountName>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct Suggestion {
    score: i32,
    explanation: String,
    account: Option<AccountName>,
    input: Option<SuggestedInput>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Input")]
struct SuggestedInput {
    id: cynic::Id,
    name: String,
    opportunity: OpportunityName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Opportunity")]
struct OpportunityName {
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
        <Loaded query let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.unmatched_group.is_some()));
                move || match (there.get(), data.get_untracked().unmatched_group) {
                    (true, Some(first)) => {
                        let group = Memo::new(move |_| data.get().unmatched_group.unwrap_or_else(|| first.clone()));
                        view! { <Content group query/> }.into_any()
                    }
                    _ => view! { <PageHead title="Unmatched"/><Missing what="group"/> }.into_any(),
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
    let open = move || may && status.get() == UnmatchedStatus::Open;
    let title = Signal::derive(move || {
        group.with(|group| match group.external_metric.as_str() {
            "" => group.external_account.clone(),
            metric => format!("{} · {metric}", group.external_account),
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
        move || !matches!(reason.get(), UnmatchedReason::LinkDisabled | UnmatchedReason::TargetGone);
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
                <Show when=move || status.get() == UnmatchedStatus::Open><Suggestions group begin may/></Show>
                <Tried group/>
            </div>
            <AboutGroup group/>
            <div class="min-w-0 lg:col-span-2"><SampleRows
                    group_id=Signal::derive(move || group.with(|group| group.id.clone()))
                    waiting=Signal::derive(move || group.with(|group| group.waiting.number()))
                /></div>
        </div>
        <GroupLink
            open=linking
            target
            group_id=Signal::derive(move || group.with(|group| group.id.clone()))
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
        <GroupIgnore open=ignoring group_id=Signal::derive(move || group.with(|group| group.id.clone())) done=reload/>
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
fn AboutGroup(group: Memo<UnmatchedGroup>) -> impl IntoView {
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
            </Facts>
        }
    };
    view! { <Panel title="Group">{facts}</Panel> }
}

#[component]
fn Tried(group: Memo<UnmatchedGroup>) -> impl IntoView {
    let explanation = Memo::new(move |_| group.with(|group| group.explanation.clone()));
    let step = |step: MatchStep| {
        let found = match step.hits.len() {
            0 => view! { <Badge text="0 hits"/> }.into_any(),
            hits => view! { <Badge text=format::counted(hits as i64, "hit", "hits") tone=if hits == 1 { Tone::Success } else { Tone::Warning }/> }.into_any(),
        };
        let compared = step.normalized.map_or_else(
            || view! { <span class="muted">"cannot be an ID of this space"</span> }.into_any(),
            |id| view! { "looked for "<span class="font-mono text-[13px] break-all">{id}</span> }.into_any(),
        );
        view! {
            <li class="flex items-start gap-3 border-b border-base-300/70 py-2 last:border-0">
                <div class="min-w-0 flex-1">
                    <p><span class="font-medium">{step.space}</span><span class="text-xs muted">{format!(" · {}", step.normalizer.text())}</span></p>
                    <p class="muted">{compared}</p>
                    {step.note.map(|note| view! { <p class="text-xs muted">{note}</p> })}
                    {step.hits.into_iter().map(|account| view! {
                        <a class="me-2 underline underline-offset-2" href=paths::account(account.id.inner())>{account.name}</a>
                    }).collect_view()}
                </div>
                {found}
            </li>
        }
    };
    let steps = move || {
        let explanation = explanation.get();
        if explanation.steps.is_empty() {
            view! { <p class="muted">"The stream has no external-ID setting, so nothing could be tried."</p> }
                .into_any()
        } else {
            view! { <ol>{explanation.steps.into_iter().map(step).collect_view()}</ol> }.into_any()
        }
    };
    view! {
        <Panel title="What was tried" actions=move || view! { <Badge text=explanation.with(|found| found.outcome).text()/> }>
            {steps}
        </Panel>
    }
}

#[component]
fn Suggestions(group: Memo<UnmatchedGroup>, begin: Callback<Option<LinkTarget>>, may: bool) -> impl IntoView {
    let suggestions = Memo::new(move |_| group.with(|group| group.suggestions.clone()));
    let account_of = move || group.with_untracked(|group| group.account.clone());
    let card = move |suggestion: Suggestion| {
        let (name, target) = match (suggestion.account, suggestion.input, account_of()) {
            (_, Some(input), Some(account)) => (
                format!("{} / {}", input.opportunity.name, input.name),
                Some(LinkTarget::Metric {
                    account: account.id,
                    account_name: account.name,
                    input: Some(input.id),
                }),
            ),
            (Some(account), ..) => {
                (account.name.clone(), Some(LinkTarget::Account(Some((account.id, account.name)))))
            }
            (_, input, _) => (input.map(|input| input.name).unwrap_or_default(), None),
        };
        view! {
            <li class="flex items-center gap-3 border-b border-base-300/70 py-2.5 last:border-0">
                <span class="num grid size-9 shrink-0 place-items-center rounded-full bg-primary/10 text-xs font-semibold text-primary" title="How good it looks, from 0 to 100">
                    {suggestion.score}<span class="sr-only">" of 100"</span>
                </span>
                <div class="min-w-0 flex-1">
                    <p class="font-medium break-words">{name.clone()}</p>
                    <p class="text-xs muted">{suggestion.explanation}</p>
                </div>
                {(may && target.is_some()).then(|| {
                    let target = target.clone();
                    view! {
                        <Button on:click=move |_| begin.run(target.clone())>"Link"<span class="sr-only">{format!(" to {name}")}</span></Button>
                    }
                })}
            </li>
        }
    };
    let body = move || {
        let suggestions = suggestions.get();
        if suggestions.is_empty() {
            view! { <Empty icon=Icon::Search title="Nothing looks alike" text="No account or input resembles this. Link it by hand, add the account, or ignore it with a reason."/> }.into_any()
        } else {
            view! {
                <ul>{suggestions.into_iter().map(card).collect_view()}</ul>
                <p class="mt-2 flex items-center gap-1.5 text-xs muted"><Glyph icon=Icon::Info class="size-3.5 shrink-0"/>"Nothing is linked without you."</p>
            }
            .into_any()
        }
    };
    view! { <Panel title="Suggestions">{body}</Panel> }
}
