//! Why a group waits: what was tried with its account ID, and what looks alike.

use leptos::prelude::*;

use super::group_link::LinkTarget;
use crate::components::{Badge, Button, Empty, Glyph, Icon, LinkButton, Panel, Tone};
use crate::vocabulary::{MatchOutcome, Normalizer, UnmatchedReason};
use crate::{format, paths, schema};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Account")]
pub(super) struct AccountName {
    pub(super) id: cynic::Id,
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct MatchExplanation {
    pub(super) outcome: MatchOutcome,
    pub(super) steps: Vec<MatchStep>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct MatchStep {
    pub(super) space: String,
    pub(super) normalizer: Normalizer,
    pub(super) normalized: Option<String>,
    pub(super) note: Option<String>,
    pub(super) hits: Vec<AccountName>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    pub(super) score: i32,
    pub(super) explanation: String,
    pub(super) account: Option<AccountName>,
    pub(super) input: Option<SuggestedInput>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Input")]
pub(super) struct SuggestedInput {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) opportunity: OpportunityName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Opportunity")]
pub(super) struct OpportunityName {
    pub(super) name: String,
}

#[component]
pub(super) fn Tried(explanation: Memo<MatchExplanation>, external_account: Memo<String>) -> impl IntoView {
    let code = |id: String| view! { <span class="font-mono text-[13px] break-all">{id}</span> };
    let step = move |step: MatchStep| {
        let found = match step.hits.len() {
            0 => view! { <Badge text="0 hits"/> }.into_any(),
            hits => view! { <Badge text=format::counted(hits as i64, "hit", "hits") tone=if hits == 1 { Tone::Success } else { Tone::Warning }/> }.into_any(),
        };
        let compared = match (step.normalized, step.note) {
            (Some(id), note) => view! {
                "looked for "{code(id)}
                {note.map(|note| view! { <span class="block text-xs">{note}</span> })}
            }
            .into_any(),
            (None, Some(note)) => view! { {code(external_account.get())}" "{note} }.into_any(),
            (None, None) => {
                view! { {code(external_account.get())}" cannot be an ID of this space" }.into_any()
            }
        };
        view! {
            <li class="flex items-start gap-3 border-b border-base-300/70 py-2 last:border-0">
                <div class="min-w-0 flex-1">
                    <p><span class="font-medium">{step.space}</span><span class="text-xs muted">{format!(" · {}", step.normalizer.text())}</span></p>
                    <p class="muted">{compared}</p>
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
            view! { <ol class="-my-2">{explanation.steps.into_iter().map(step).collect_view()}</ol> }
                .into_any()
        }
    };
    view! {
        <Panel title="What was tried" actions=move || view! { <Badge text=explanation.with(|found| found.outcome).text()/> }>
            {steps}
        </Panel>
    }
}

/// The accounts that claim one ID. Nobody can tell which is meant but a person.
#[component]
pub(super) fn Rivals(explanation: Memo<MatchExplanation>) -> impl IntoView {
    let rivals = move || {
        let steps = explanation.with(|found| found.steps.clone());
        let step = steps.into_iter().find(|step| step.hits.len() > 1);
        step.map(|step| (step.space, step.hits))
    };
    let line = |space: String, account: AccountName| {
        view! {
            <li class="flex items-center gap-3 border-b border-base-300/70 py-2 last:border-0">
                <div class="min-w-0 flex-1">
                    <p class="font-medium break-words">{account.name.clone()}</p>
                    <p class="text-xs muted">{format!("has this ID in {space}")}</p>
                </div>
                <LinkButton href=paths::account(account.id.inner())>"Open"<span class="sr-only">{format!(" {}", account.name)}</span></LinkButton>
            </li>
        }
    };
    let body = move || {
        rivals().map(|(space, hits)| {
            view! { <ul>{hits.into_iter().map(|account| line(space.clone(), account)).collect_view()}</ul> }
        })
    };
    view! {
        <Panel title="Accounts with this ID">
            <p class="mb-1 muted text-pretty">"Remove the ID from all accounts but one. The rows that wait then go there by themselves."</p>
            {body}
        </Panel>
    }
}

/// What a person can do about a group, by the reason it waits.
#[component]
pub(super) fn WayOut(
    reason: Memo<UnmatchedReason>,
    explanation: Memo<MatchExplanation>,
    suggestions: Memo<Vec<Suggestion>>,
    account: Memo<Option<AccountName>>,
    begin: Callback<Option<LinkTarget>>,
    may: bool,
) -> impl IntoView {
    let links = Signal::derive(move || {
        let name = account.with(|account| account.as_ref().map(|account| account.name.clone()));
        paths::with_query(paths::LINKS, &[("q", &name.unwrap_or_default())])
    });
    let at_the_link = move |words: &'static str| {
        view! {
            <Panel title="What to do">
                <p class="muted text-pretty">{words}</p>
                <div class="mt-3"><LinkButton href=links icon=Icon::Link>"Open its metric links"</LinkButton></div>
            </Panel>
        }
    };
    move || match reason.get() {
        UnmatchedReason::AccountAmbiguous => view! { <Rivals explanation/> }.into_any(),
        UnmatchedReason::LinkDisabled => at_the_link(
            "Switch the metric link of this account on. The readings that wait then follow it by themselves.",
        )
        .into_any(),
        UnmatchedReason::TargetGone => {
            at_the_link("The input the metric link leads to is archived. Link the metric to another input.")
                .into_any()
        }
        UnmatchedReason::AccountUnknown | UnmatchedReason::MetricUnlinked => {
            view! { <Suggestions suggestions account begin may/> }.into_any()
        }
    }
}

#[component]
fn Suggestions(
    suggestions: Memo<Vec<Suggestion>>,
    account: Memo<Option<AccountName>>,
    begin: Callback<Option<LinkTarget>>,
    may: bool,
) -> impl IntoView {
    let card = move |suggestion: Suggestion| {
        let (name, target) = match (suggestion.account, suggestion.input, account.get_untracked()) {
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
            let text = if account.with(Option::is_some) {
                "No input of this account resembles the metric. Link it by hand, or ignore it with a reason."
            } else {
                "No account resembles this ID. Link it by hand, add the account, or ignore it with a reason."
            };
            view! { <Empty icon=Icon::Search title="Nothing looks alike" text/> }.into_any()
        } else {
            view! {
                <ul class="-mt-2.5">{suggestions.into_iter().map(card).collect_view()}</ul>
                <p class="mt-2 flex items-center gap-1.5 text-xs muted"><Glyph icon=Icon::Info class="size-3.5 shrink-0"/>"Nothing is linked without you."</p>
            }
            .into_any()
        }
    };
    view! { <Panel title="Suggestions">{body}</Panel> }
}
