//! One account: the IDs it is known by, its opportunities with their inputs, and its measurements.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::account_external_ids::{ExternalIdLine, ExternalIds};
use super::account_opportunities::{Opportunities, OpportunityLine};
use super::series::{SeriesChart, SeriesLine, SeriesTable};
use crate::components::{Badge, Icon, Loaded, Missing, PageHead, Panel, query_value};
use crate::query::Query;
use crate::vocabulary::DateTime;
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct AccountVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "AccountVariables")]
struct AccountQuery {
    #[arguments(id: $id)]
    account: Option<Account>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct Account {
    id: cynic::Id,
    name: String,
    domain: Option<String>,
    archived_at: Option<DateTime>,
    external_ids: Vec<ExternalIdLine>,
    #[arguments(first: 50)]
    opportunities: OpportunityConnection,
    #[arguments(first: 100)]
    series: SeriesConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct OpportunityConnection {
    nodes: Vec<OpportunityLine>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SeriesConnection {
    nodes: Vec<SeriesLine>,
    total_count: i32,
}

/// The page of an account.
#[component]
pub fn AccountPage() -> impl IntoView {
    let params = use_params_map();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        AccountQuery::build(AccountVariables { id })
    });
    let reload = Callback::new(move |()| query.reload());
    view! {
        <Loaded query what="account" lines=8 let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.account.is_some()));
                move || match (there.get(), data.get_untracked().account) {
                    (true, Some(first)) => {
                        let account = Memo::new(move |_| data.get().account.unwrap_or_else(|| first.clone()));
                        view! { <Content account reload/> }.into_any()
                    }
                    _ => view! { <PageHead title="Account"/><Missing what="account"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Content(account: Memo<Account>, reload: Callback<()>) -> impl IntoView {
    let chosen = query_value("series");
    let id = Memo::new(move |_| account.with(|account| account.id.clone()));
    let series = Memo::new(move |_| account.with(|account| account.series.nodes.clone()));
    let total = Memo::new(move |_| account.with(|account| account.series.total_count));
    // Without a choice in the address the first series is shown, so that one sees measurements at once.
    let shown = Memo::new(move |_| {
        let chosen = chosen.get();
        series.with(|series| {
            series.iter().find(|line| line.id.inner() == chosen).or_else(|| series.first()).cloned()
        })
    });
    let about = move || {
        let (domain, archived) =
            account.with(|account| (account.domain.clone(), account.archived_at.is_some()));
        view! {
            <p class="mt-1 flex flex-wrap items-center gap-2">
                {domain.map(|domain| view! { <span class="muted">{domain}</span> })}
                {archived.then(|| view! { <Badge text="Archived" icon=Icon::Skipped/> })}
            </p>
        }
    };
    let title = Signal::derive(move || account.with(|account| account.name.clone()));
    view! {
        <PageHead title crumbs=vec![("Accounts".to_owned(), paths::ACCOUNTS.to_owned())] about/>
        <div class="flex flex-col gap-5">
            {move || shown.get().map(|line| view! { <SeriesChart line/> })}
            <SeriesTable series total chosen=Signal::derive(move || shown.get().map(|line| line.id))/>
            <div class="grid items-start gap-5 lg:grid-cols-2">
                <ExternalIds account_id=id ids=Memo::new(move |_| account.with(|account| account.external_ids.clone())) reload/>
                <Panel title="Opportunities and inputs">
                    <Opportunities
                        account_id=id
                        opportunities=Memo::new(move |_| account.with(|account| account.opportunities.nodes.clone()))
                        reload
                    />
                </Panel>
            </div>
        </div>
    }
}
