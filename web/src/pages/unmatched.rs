//! The inbox of rows that did not make it: groups that wait, and rows that could not be decoded.

use std::time::Duration;

use cynic::QueryBuilder;
use leptos::prelude::*;

use super::groups_table::{GroupTable, UnmatchedGroupConnection};
use super::rejected::RejectedRows;
use crate::components::{Choice, Loaded, PageAt, PageHead, SearchBox, page_at, query_value, set_query};
use crate::query::Query;
use crate::vocabulary::{UnmatchedReason, UnmatchedStatus, Word};
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct GroupsVariables {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: UnmatchedGroupWhere,
    order: UnmatchedGroupOrder,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct UnmatchedGroupWhere {
    #[cynic(skip_serializing_if = "Option::is_none")]
    status: Option<UnmatchedStatus>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    reason: Option<Vec<UnmatchedReason>>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    stream_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    snoozed: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    search: Option<String>,
}

#[derive(cynic::InputObject, Clone, Copy, Debug)]
struct UnmatchedGroupOrder {
    field: UnmatchedGroupOrderField,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum UnmatchedGroupOrderField {
    Waiting,
    LastSeen,
    FirstSeen,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "GroupsVariables")]
struct GroupsQuery {
    #[arguments(first: $first, after: $after, last: $last, before: $before, where: $filter, orderBy: $order)]
    unmatched_groups: UnmatchedGroupConnection,
}

/// The streams one can filter by.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct StreamsQuery {
    #[arguments(first: 100)]
    streams: StreamConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct StreamConnection {
    nodes: Vec<StreamChoice>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Stream")]
struct StreamChoice {
    id: cynic::Id,
    name: String,
}

/// The inbox.
#[component]
pub fn UnmatchedPage() -> impl IntoView {
    let tab = query_value("tab");
    let rejected = Memo::new(move |_| tab.get() == "rejected");
    view! {
        <PageHead title="Unmatched">
            // Rejected rows have no ID to search by.
            <Show when=move || !rejected.get()><SearchBox label="Search unmatched rows" placeholder="Account or metric ID"/></Show>
        </PageHead>
        <Tabs tab/>
        {move || if rejected.get() { view! { <RejectedRows/> }.into_any() } else { view! { <Groups tab/> }.into_any() }}
    }
}

#[component]
fn Tabs(tab: Memo<String>) -> impl IntoView {
    let stream = query_value("stream");
    let link = move |key: &'static str, name: &'static str| {
        let here = move || tab.get() == key;
        view! {
            <a
                href=move || paths::with_query(paths::UNMATCHED, &[("tab", key), ("stream", &stream.get())])
                class="-mb-px flex h-10 flex-1 items-center justify-center border-b-2 border-transparent px-1.5 sm:flex-none sm:px-3 font-medium whitespace-nowrap text-base-content/70 hover:text-base-content aria-[current=page]:border-primary aria-[current=page]:text-primary"
                aria-current=move || here().then_some("page")
            >
                {name}
            </a>
        }
    };
    view! {
        <nav aria-label="Kinds of rows" class="mb-4 flex overflow-x-auto border-b border-base-300">
            {link("", "Open")}
            {link("snoozed", "Snoozed")}
            {link("ignored", "Ignored")}
            {link("resolved", "Resolved")}
            {link("rejected", "Rejected")}
        </nav>
    }
}

#[component]
fn Groups(tab: Memo<String>) -> impl IntoView {
    let at = page_at();
    let (search, reason, stream, sort) =
        (query_value("q"), query_value("reason"), query_value("stream"), query_value("sort"));
    let query = Query::new(move || {
        let PageAt { first, after, last, before } = at.get();
        let status = match tab.get().as_str() {
            "ignored" => UnmatchedStatus::Ignored,
            "resolved" => UnmatchedStatus::Resolved,
            _ => UnmatchedStatus::Open,
        };
        let filter = UnmatchedGroupWhere {
            status: Some(status),
            reason: UnmatchedReason::from_key(&reason.get()).map(|reason| vec![reason]),
            stream_id: Some(stream.get()).filter(|id| !id.is_empty()).map(cynic::Id::new),
            snoozed: (status == UnmatchedStatus::Open).then(|| tab.get() == "snoozed"),
            search: Some(search.get()).filter(|text| !text.is_empty()),
        };
        let field = match sort.get().as_str() {
            "recent" => UnmatchedGroupOrderField::LastSeen,
            "new" => UnmatchedGroupOrderField::FirstSeen,
            _ => UnmatchedGroupOrderField::Waiting,
        };
        GroupsQuery::build(GroupsVariables {
            first,
            after,
            last,
            before,
            filter,
            order: UnmatchedGroupOrder { field },
        })
    })
    .poll(Duration::from_secs(10), || true);
    let filtered = Signal::derive(move || {
        !(search.get().is_empty() && reason.get().is_empty() && stream.get().is_empty())
    });
    view! {
        <div class="mb-4 grid grid-cols-2 gap-2 sm:grid-cols-3 lg:max-w-3xl">
            <Filter name="reason" label="Reason" value=reason options=reasons()/>
            <StreamFilter/>
            <div class="col-span-2 sm:col-span-1"><Filter name="sort" label="Sort by" value=sort options=sorts()/></div>
        </div>
        <Loaded query lines=8 let:data>
            <div class="panel">
                <GroupTable groups=Signal::derive(move || data.get().unmatched_groups) tab filtered done=Callback::new(move |()| query.reload())/>
            </div>
        </Loaded>
    }
}

fn reasons() -> Vec<(String, String)> {
    std::iter::once((String::new(), "Every reason".to_owned())).chain(UnmatchedReason::choices()).collect()
}

fn sorts() -> Vec<(String, String)> {
    [("", "Most readings first"), ("recent", "Last seen first"), ("new", "Newest first")]
        .map(|(key, words)| (key.to_owned(), words.to_owned()))
        .into()
}

/// A choice that lives in the address.
#[component]
fn Filter(
    name: &'static str,
    label: &'static str,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let set = set_query();
    view! { <Choice label bare=true value on_change=move |chosen: String| set(&[(name, chosen)]) options/> }
}

/// Which stream's rows are shown.
#[component]
pub fn StreamFilter() -> impl IntoView {
    let query = Query::new(|| StreamsQuery::build(()));
    let options = Signal::derive(move || {
        let all = query.with(|data| data.streams.nodes.clone()).unwrap_or_default();
        let named = all.into_iter().map(|stream| (stream.id.into_inner(), stream.name));
        std::iter::once((String::new(), "Every stream".to_owned())).chain(named).collect::<Vec<_>>()
    });
    view! { <Filter name="stream" label="Stream" value=query_value("stream") options/> }
}
