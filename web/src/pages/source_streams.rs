//! The streams that read from a source.

use leptos::prelude::*;

use crate::components::{
    Ago, Cell, Empty, FreshnessCell, Icon, LinkButton, Look, Panel, Row, Table, amount, column,
};
use crate::vocabulary::{BigInt, DateTime, Freshness, SyncRunStatus, TableRef};
use crate::{format, paths, schema};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct StreamConnection {
    pub(super) nodes: Vec<StreamLine>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
pub(super) struct StreamLine {
    id: cynic::Id,
    pub(super) name: String,
    table: TableRef,
    freshness: Freshness,
    last_succeeded_at: Option<DateTime>,
    unmatched_count: BigInt,
    last_run: Option<LastRun>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRun")]
struct LastRun {
    id: cynic::Id,
    status: SyncRunStatus,
}

/// The panel of a source's page.
#[component]
pub(super) fn Streams(streams: Vec<StreamLine>, add: String) -> impl IntoView {
    let count = (!streams.is_empty()).then(|| format::count(streams.len() as i64));
    let row = |stream: StreamLine| {
        let failed = stream.last_run.filter(|run| run.status == SyncRunStatus::Failed);
        view! {
            <Row>
                <Cell><a class="font-medium hover:underline" href=paths::stream(stream.id.inner())>{stream.name}</a></Cell>
                <Cell label="Table"><span class="font-mono text-[13px] break-all">{stream.table.text()}</span></Cell>
                <FreshnessCell freshness=stream.freshness failed=failed.map(|run| run.id.into_inner())/>
                <Cell label="Last success">
                    {match stream.last_succeeded_at { Some(time) => view! { <Ago time/> }.into_any(), None => view! { <span class="muted">"never"</span> }.into_any() }}
                </Cell>
                <Cell label="Unmatched" amount=true>{stream.unmatched_count.text()}</Cell>
            </Row>
        }
    };
    let body = if streams.is_empty() {
        view! {
            <Empty icon=Icon::Stream title="No streams yet" text="Choose a table, say which column plays which role, and see what would match before you save.">
                <LinkButton href=add look=Look::Primary icon=Icon::Add>"New stream"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <Table caption="Streams of this source" columns=vec![column("Stream"), column("Table"), column("Freshness"), column("Last success"), amount("Unmatched")]>
                {streams.into_iter().map(row).collect_view()}
            </Table>
        }
        .into_any()
    };
    view! { <Panel title="Streams" count flush=true>{body}</Panel> }
}
