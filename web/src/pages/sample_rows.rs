//! The newest rows of a group, as the source sent them.

use cynic::QueryBuilder;
use leptos::prelude::*;
use serde_json::Value;

use crate::components::{Ago, Cell, Empty, Icon, Loaded, Panel, Row, Table, amount, column};
use crate::query::Query;
use crate::vocabulary::{DateTime, Decimal, Json};
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct SampleVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SampleVariables")]
struct SampleQuery {
    #[arguments(id: $id)]
    unmatched_group: Option<GroupRows>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "UnmatchedGroup")]
struct GroupRows {
    #[arguments(limit: 10)]
    sample_rows: Vec<SampleRow>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "WaitingRow")]
struct SampleRow {
    row_key: String,
    part: String,
    row: Json,
    value: Option<Decimal>,
    measured_at: Option<DateTime>,
    run: Option<RunNumber>,
    created_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "SyncRun")]
struct RunNumber {
    id: cynic::Id,
    number: crate::vocabulary::BigInt,
}

/// The newest rows of a group, asked for anew when another number of them waits.
#[component]
pub fn SampleRows(group_id: Signal<cynic::Id>, waiting: Signal<i64>) -> impl IntoView {
    let asked = Memo::new(move |_| (group_id.get(), waiting.get()));
    let query = Query::new(move || SampleQuery::build(SampleVariables { id: asked.get().0 }));
    let rows = move |data: SampleQuery| {
        let rows = data.unmatched_group.map(|group| group.sample_rows).unwrap_or_default();
        if rows.is_empty() {
            return view! { <Empty icon=Icon::Table title="No rows wait" text="They have found their place, or were ignored."/> }.into_any();
        }
        view! {
            <Table
                caption="The newest waiting rows"
                columns=vec![column("Row key"), column("Measured at"), amount("Value"), column("As received"), column("Run"), column("Received")]
            >
                {rows.into_iter().map(|row| view! { <SampleLine row/> }).collect_view()}
            </Table>
        }
        .into_any()
    };
    view! {
        <Panel title="Sample rows" flush=true>
            <Loaded query lines=4 let:data>{move || rows(data.get())}</Loaded>
        </Panel>
    }
}

#[component]
fn SampleLine(row: SampleRow) -> impl IntoView {
    let key = if row.part.is_empty() { row.row_key } else { format!("{} · {}", row.row_key, row.part) };
    view! {
        <Row>
            <Cell><span class="font-mono text-[13px] break-all">{key}</span></Cell>
            <Cell label="Measured at"><span class="num whitespace-nowrap">{row.measured_at.map(|time| format::minute(time.millis()))}</span></Cell>
            <Cell label="Value" amount=true>{row.value.map(|value| format::decimal(&value.0))}</Cell>
            <Cell label="As received" wide=true><RawRow row=row.row/></Cell>
            <Cell label="Run">{row.run.map(|run| view! { <a class="underline underline-offset-2" href=paths::run(run.id.inner())>{run.number.0}</a> })}</Cell>
            <Cell label="Received"><Ago time=row.created_at/></Cell>
        </Row>
    }
}

/// A row as column and value, side by side.
#[component]
pub fn RawRow(row: Json) -> impl IntoView {
    let Value::Object(columns) = row.0 else { return ().into_any() };
    let cell = |(name, value): (String, Value)| {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        view! { <span class="me-3 inline-block"><span class="muted">{name}"="</span>{text}</span> }
    };
    view! { <span class="font-mono text-xs break-all">{columns.into_iter().map(cell).collect_view()}</span> }
        .into_any()
}
