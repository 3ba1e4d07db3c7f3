//! The way to a new stream: choose a table, then say what its columns mean.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_params_map, use_query_map};
use leptos_use_signal_debounce_throttle::signal_debounced;

use super::source_check::ProblemText;
use super::source_config::SourceConfig;
use super::source_table_name::{TableName, TypedTable};
use super::stream_column::SourceColumn;
use super::stream_draft::{Draft, StreamSuggestion, TableRefInput};
use super::stream_form::StreamForm;
use crate::components::{
    Badge, Cell, Empty, Icon, LinkButton, Loaded, Missing, Notice, PageHead, Row, Table, Text, Tone, amount,
    column,
};
use crate::query::Query;
use crate::vocabulary::{BigInt, ConnectorProblem, TableRef};
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct SourceVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SourceVariables")]
struct SourceQuery {
    #[arguments(id: $id)]
    source: Option<SourceName>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Source")]
struct SourceName {
    id: cynic::Id,
    name: String,
    config: SourceConfig,
    bills_by_bytes: bool,
}

#[derive(cynic::QueryVariables)]
struct TablesVariables {
    source_id: cynic::Id,
    search: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "TablesVariables")]
struct TablesQuery {
    #[arguments(sourceId: $source_id, search: $search)]
    source_tables: SourceTableList,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct SourceTableList {
    tables: Vec<SourceTable>,
    truncated: bool,
    problem: Option<ConnectorProblem>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
struct SourceTable {
    #[cynic(rename = "ref")]
    table: TableRef,
    kind: SourceTableKind,
    row_estimate: Option<BigInt>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum SourceTableKind {
    Table,
    View,
}

#[derive(cynic::QueryVariables)]
struct TableVariables {
    source_id: cynic::Id,
    table: TableRefInput,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "TableVariables")]
struct TableQuery {
    #[arguments(sourceId: $source_id, table: $table)]
    source_table: SourceTableDetail,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct SourceTableDetail {
    columns: Vec<SourceColumn>,
    suggestion: Option<StreamSuggestion>,
    problem: Option<ConnectorProblem>,
}

/// The new-stream flow. The table stands in the address, so that a step can be left and come back to.
#[component]
pub fn StreamNewPage() -> impl IntoView {
    let params = use_params_map();
    let address = use_query_map();
    let id = Memo::new(move |_| cynic::Id::new(params.with(|params| params.get("id").unwrap_or_default())));
    let query = Query::new(move || SourceQuery::build(SourceVariables { id: id.get() }));
    let table = Memo::new(move |_| {
        address.with(|query| {
            let name = query.get("table")?;
            Some(TableRefInput { catalog: query.get("catalog"), schema: query.get("schema"), name })
        })
    });
    view! {
        <Loaded query what="source" let:data>
            {
                move || match data.get().source {
                    Some(source) => {
                        let source_id = source.id.clone();
                        let mut crumbs = vec![
                            ("Sources".to_owned(), paths::SOURCES.to_owned()),
                            (source.name, paths::source(source.id.inner())),
                        ];
                        match table.get() {
                            Some(table) => {
                                crumbs.push(("Choose a table".to_owned(), paths::stream_new(source.id.inner())));
                                view! { <PageHead title=format!("Map {}", table.name) crumbs/><Configure source_id table billed=source.bills_by_bytes/> }.into_any()
                            }
                            None => view! { <PageHead title="Choose a table" crumbs/><ChooseTable source_id name=TableName::of(&source.config)/> }.into_any(),
                        }
                    }
                    None => view! { <PageHead title="Source"/><Missing what="source"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn ChooseTable(source_id: cynic::Id, name: TableName) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let search: Signal<String> = signal_debounced(typed, 250.0);
    let query = Query::new(move || {
        let search = Some(search.get().trim().to_owned()).filter(|text| !text.is_empty());
        TablesQuery::build(TablesVariables { source_id: source_id.clone(), search })
    });
    // It opens by itself where there is nothing to choose from.
    let unlisted = Memo::new(move |_| {
        let bare = search.with(String::is_empty);
        let none = |data: &TablesQuery| data.source_tables.tables.is_empty();
        bare && query.failure().is_none() && query.with(none) == Some(true)
    });
    view! {
        <div class="mb-4 max-w-md"><Text label="Search tables and views" value=typed kind="search" bare=true placeholder="Search tables and views"/></div>
        <Loaded query lines=8 let:data>
            <TableList list=Signal::derive(move || data.get().source_tables) searched=Signal::derive(move || !search.get().is_empty())/>
        </Loaded>
        <details class="panel mt-5 px-4 py-3" open=move || unlisted.get()>
            <summary class="cursor-pointer py-1 font-medium">"The table is not listed"</summary>
            <p class="mt-1 mb-4 muted">"Rights on single tables or views can keep a table out of the list. Type its name; whether it can be read is seen at once."</p>
            <TypedTable name/>
        </details>
    }
}

#[component]
fn TableList(list: Signal<SourceTableList>, searched: Signal<bool>) -> impl IntoView {
    let path = use_location().pathname;
    let row = move |table: SourceTable| {
        let name = table.table.clone();
        let parts = [
            ("catalog", name.catalog.as_deref().unwrap_or_default()),
            ("schema", name.schema.as_deref().unwrap_or_default()),
            ("table", name.name.as_str()),
        ];
        let href = paths::with_query(&path.get_untracked(), &parts);
        let rows = table.row_estimate.map_or_else(|| "–".to_owned(), |rows| format!("~{}", rows.text()));
        view! {
            <Row>
                <Cell><a class="font-mono text-[13px] font-medium break-all hover:underline" href=href>{table.table.text()}</a></Cell>
                <Cell label="Kind">{(table.kind == SourceTableKind::View).then(|| view! { <Badge text="View"/> })}{(table.kind == SourceTableKind::Table).then_some("Table")}</Cell>
                <Cell label="Rows" amount=true>{rows}</Cell>
            </Row>
        }
    };
    let problem = Memo::new(move |_| list.with(|list| list.problem.clone()));
    let cut = Memo::new(move |_| list.with(|list| list.truncated));
    let empty = Memo::new(move |_| list.with(|list| list.tables.is_empty()));
    let nothing = move || {
        let (title, text) = if searched.get() {
            ("No table matches", "Try a part of its name.")
        } else {
            (
                "No table to see",
                "The user of this source may see no table. Grant it the right to read the ones that are wanted, or type the name of one below.",
            )
        };
        view! { <Empty icon=Icon::Table title text/> }
    };
    move || {
        match problem.get() {
        Some(problem) => view! { <Notice tone=Tone::Error><ProblemText problem/></Notice> }.into_any(),
        None => view! {
            <div class="panel">
                <Show when=move || !empty.get() fallback=nothing>
                    <Table caption="Tables and views of the source" columns=vec![column("Name"), column("Kind"), amount("Rows")]>
                        <For each=move || list.get().tables key=Clone::clone children=row/>
                    </Table>
                    <Show when=move || cut.get()><p class="border-t border-base-300 px-4 py-3 text-xs muted">"There are more; search to narrow them down."</p></Show>
                </Show>
            </div>
        }
        .into_any(),
    }
    }
}

#[component]
fn Configure(
    source_id: cynic::Id,
    table: TableRefInput,
    /// Whether the source bills for the bytes a statement reads.
    billed: bool,
) -> impl IntoView {
    let (id, name) = (source_id.clone(), table.clone());
    let query =
        Query::new(move || TableQuery::build(TableVariables { source_id: id.clone(), table: name.clone() }));
    let back = paths::stream_new(source_id.inner());
    view! {
        <Loaded query lines=10 let:data>
            {
                let detail = data.get_untracked().source_table;
                match (detail.problem, detail.columns.is_empty()) {
                    (Some(problem), _) => view! {
                        <Notice tone=Tone::Error><ProblemText problem/></Notice>
                        <div class="mt-4"><LinkButton href=back.clone() icon=Icon::Back>"Choose another table"</LinkButton></div>
                    }
                    .into_any(),
                    (None, true) => view! { <Empty icon=Icon::Table title="This table has no columns" text="Choose another one."/> }.into_any(),
                    (None, false) => {
                        let draft = Draft::new(source_id.clone(), table.clone(), detail.columns, detail.suggestion);
                        draft.billed.set(billed);
                        let columns = format::counted(draft.columns.with_value(Vec::len) as i64, "column", "columns");
                        view! { <StreamForm draft columns/> }.into_any()
                    }
                }
            }
        </Loaded>
    }
}
