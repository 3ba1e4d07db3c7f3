//! Choosing an input of an account's opportunities.

use cynic::QueryBuilder;
use leptos::prelude::*;

use crate::components::Loaded;
use crate::query::Query;
use crate::vocabulary::InputKind;
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct InputsVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "InputsVariables")]
struct InputsQuery {
    #[arguments(id: $id)]
    account: Option<AccountInputs>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Account")]
struct AccountInputs {
    #[arguments(first: 50)]
    opportunities: OpportunityConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct OpportunityConnection {
    nodes: Vec<Opportunity>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Opportunity {
    name: String,
    inputs: Vec<Input>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Input {
    id: cynic::Id,
    name: String,
    unit: Option<String>,
    kind: InputKind,
    metric_link: Option<LinkId>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "MetricLink")]
struct LinkId {
    metric: MetricName,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Metric")]
struct MetricName {
    name: String,
}

/// The inputs of an account that hold series; those that are fed already say by what.
#[component]
pub fn InputPicker(account_id: cynic::Id, chosen: RwSignal<Option<cynic::Id>>) -> impl IntoView {
    let page = paths::account(account_id.inner());
    let query = Query::new(move || InputsQuery::build(InputsVariables { id: account_id.clone() }));
    let option = move |opportunity: String, input: Input| {
        let taken = input.metric_link.map(|link| format!("fed by {}", link.metric.name));
        let disabled = taken.is_some();
        let (id, kept) = (input.id.clone(), input.id);
        view! {
            <label class="flex min-h-10 items-center gap-2.5 border-b border-base-300/70 px-3 py-1.5 last:border-0 has-checked:bg-primary/8 has-focus-visible:bg-primary/8" class:opacity-60=disabled class:cursor-pointer=!disabled>
                <input
                    type="radio"
                    name="input"
                    class="size-4 shrink-0 accent-primary"
                    disabled=disabled
                    prop:checked=move || chosen.with(|chosen| chosen.as_ref() == Some(&id))
                    on:change=move |_| chosen.set(Some(kept.clone()))
                />
                <span class="min-w-0 flex-1"><span class="muted">{opportunity}" / "</span>{input.name}</span>
                <span class="text-xs muted">{taken.or(input.unit)}</span>
            </label>
        }
    };
    view! {
        <Loaded query lines=3 let:data>
            {
                let opportunities = data.get_untracked().account.map(|account| account.opportunities.nodes).unwrap_or_default();
                let options: Vec<_> = opportunities
                    .into_iter()
                    .flat_map(|opportunity| opportunity.inputs.into_iter().map(move |input| (opportunity.name.clone(), input)))
                    .filter(|(_, input)| input.kind == InputKind::Series)
                    .collect();
                let page = page.clone();
                let free = options.iter().any(|(_, input)| input.metric_link.is_none());
                let words = if options.is_empty() { "This account has no input that holds a series. " } else { "Every input of this account is fed already. " };
                let more = (!free).then(|| view! {
                    <p class="muted">{words}<a class="underline underline-offset-2" href=page>"Add an input to the account"</a>", then come back."</p>
                });
                if options.is_empty() {
                    more.into_any()
                } else {
                    view! {
                        {more}
                        <fieldset class="max-h-64 min-w-0 overflow-y-auto rounded-field border border-base-300">
                            <legend class="sr-only">"Inputs"</legend>
                            {options.into_iter().map(|(opportunity, input)| option(opportunity, input)).collect_view()}
                        </fieldset>
                    }
                    .into_any()
                }
            }
        </Loaded>
    }
}
