//! The list of sources.

use cynic::QueryBuilder;
use leptos::prelude::*;

use crate::components::{
    Ago, Badge, Cell, Empty, Icon, LinkButton, Loaded, Look, PageAt, PageHead, Pager, Row, SearchBox, Table,
    Tone, amount, column, page_at, query_value,
};
use crate::query::Query;
use crate::viewer::Session;
use crate::vocabulary::{DateTime, PageInfo, Permission, SourceKind, SourceState};
use crate::{api, paths, schema};

#[derive(cynic::QueryVariables)]
struct SourcesVariables {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    search: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SourcesVariables")]
struct SourcesQuery {
    #[arguments(first: $first, after: $after, last: $last, before: $before, where: { search: $search })]
    sources: SourceConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct SourceConnection {
    nodes: Vec<SourceLine>,
    page_info: PageInfo,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Source")]
struct SourceLine {
    id: cynic::Id,
    name: String,
    kind: SourceKind,
    state: SourceState,
    last_check: Option<LastCheck>,
    problem: Option<SourceProblem>,
    streams: StreamCount,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "ConnectorProblem")]
struct SourceProblem {
    message: String,
    action: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SourceCheck")]
struct LastCheck {
    ok: bool,
    checked_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "StreamConnection")]
struct StreamCount {
    total_count: i32,
}

/// All sources.
#[component]
pub fn SourcesPage() -> impl IntoView {
    let session = Session::expect();
    let (at, search) = (page_at(), query_value("q"));
    let query = Query::new(move || {
        let PageAt { first, after, last, before } = at.get();
        let search = Some(search.get()).filter(|search| !search.is_empty());
        SourcesQuery::build(SourcesVariables { first, after, last, before, search })
    });
    let may_add = move || session.may(Permission::SourcesWrite);
    view! {
        <PageHead title="Sources">
            <SearchBox label="Search sources" placeholder="Search by name"/>
            <Show when=may_add>
                <LinkButton href=paths::SOURCE_NEW.to_owned() look=Look::Primary icon=Icon::Add>"Add a source"</LinkButton>
            </Show>
        </PageHead>
        <Loaded query let:data>
            <div class="panel">
                <SourceTable sources=Signal::derive(move || data.get().sources) searched=Signal::derive(move || !search.get().is_empty())/>
            </div>
        </Loaded>
    }
}

#[component]
fn SourceTable(sources: Signal<SourceConnection>, searched: Signal<bool>) -> impl IntoView {
    let empty = Memo::new(move |_| sources.with(|sources| sources.nodes.is_empty()));
    let nothing = move || {
        if searched.get() {
            view! { <Empty icon=Icon::Search title="No source matches" text="Try a part of its name."/> }
                .into_any()
        } else {
            view! {
                <Empty
                    icon=Icon::Source
                    title="No sources yet"
                    text="A source is a warehouse or database Weir reads usage from, with a user that may only read: a cloud warehouse, a database server or a file."
                >
                    <LinkButton href=paths::SOURCE_NEW.to_owned() look=Look::Primary icon=Icon::Add>"Add a source"</LinkButton>
                </Empty>
            }
            .into_any()
        }
    };
    view! {
        <Show when=move || !empty.get() fallback=nothing>
            <Table caption="Sources" columns=vec![column("Source"), column("Kind"), column("State"), column("Connection"), amount("Streams")]>
                <For each=move || sources.get().nodes key=Clone::clone let:source><SourceRow source/></For>
            </Table>
            <Pager
                info=Signal::derive(move || sources.get().page_info)
                total=Signal::derive(move || sources.with(|sources| sources.total_count))
                noun=("source", "sources")
            />
        </Show>
    }
}

#[component]
fn SourceRow(source: SourceLine) -> impl IntoView {
    let check = match source.last_check {
        Some(check) => view! {
            <span class="flex flex-wrap items-center gap-2">
                <Badge
                    text=if check.ok { "Works" } else { "Fails" }
                    tone=if check.ok { Tone::Success } else { Tone::Error }
                    icon=if check.ok { Icon::Success } else { Icon::Failure }
                />
                <span class="text-xs muted">"tested "<Ago time=check.checked_at/></span>
            </span>
        }
        .into_any(),
        None => view! { <span class="muted">"not tested"</span> }.into_any(),
    };
    let paused = source.state == SourceState::Paused;
    let problem = source.problem.map(|problem| {
        let action = problem.action.map(|action| view! { <span class="block text-xs muted">{api::sentence(&action)}</span> });
        view! { <span class="block max-w-prose text-xs text-error">{api::sentence(&problem.message)}</span>{action} }
    });
    view! {
        <Row>
            <Cell>
                <a class="font-medium hover:underline" href=paths::source(source.id.inner())>{source.name}</a>
                {problem}
            </Cell>
            <Cell label="Kind">{source.kind.text()}</Cell>
            <Cell label="State">
                <Badge
                    text=source.state.text()
                    tone=if paused { Tone::Neutral } else { Tone::Success }
                    icon=if paused { Icon::Pause } else { Icon::Play }
                />
            </Cell>
            <Cell label="Connection">{check}</Cell>
            <Cell label="Streams" amount=true>{source.streams.total_count}</Cell>
        </Row>
    }
}
