//! The runs of a stream, newest first.

use leptos::prelude::*;

use super::stream_record::Stream;
use crate::components::{Ago, Cell, Empty, Icon, Pager, Panel, Row, RunBadge, Table, amount, column};
use crate::vocabulary::{BigInt, DateTime, PageInfo, SyncRunKind, SyncRunStatus, SyncRunTrigger};
use crate::{api, format, paths, schema};

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SyncRunConnection {
    pub(super) nodes: Vec<RunLine>,
    pub(super) page_info: PageInfo,
    pub(super) total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRun")]
pub(super) struct RunLine {
    pub(super) id: cynic::Id,
    pub(super) number: BigInt,
    pub(super) kind: SyncRunKind,
    pub(super) trigger: SyncRunTrigger,
    pub(super) status: SyncRunStatus,
    pub(super) tally: RunTally,
    pub(super) error: Option<RunError>,
    pub(super) queued_at: DateTime,
    pub(super) started_at: Option<DateTime>,
    pub(super) duration_ms: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRunTally")]
pub(super) struct RunTally {
    pub(super) rows_read: BigInt,
    pub(super) written: BigInt,
    pub(super) unmatched: BigInt,
    pub(super) rows_rejected: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRunError")]
pub(super) struct RunError {
    pub(super) message: String,
}

#[component]
pub(super) fn RunsPanel(stream: Signal<Stream>) -> impl IntoView {
    let empty = Memo::new(move |_| stream.with(|stream| stream.runs.nodes.is_empty()));
    let nothing = || view! { <Empty icon=Icon::Clock title="No runs yet" text="Start one with “Run now”, or wait for the schedule."/> };
    view! {
        <Panel title="Runs" flush=true>
            <Show when=move || !empty.get() fallback=nothing>
                <Table
                    caption="Runs, newest first"
                    columns=vec![column("Run"), column("Status"), column("Started"), amount("Took"), amount("Rows read"), amount("Written"), amount("Unmatched"), amount("Rejected")]
                >
                    <For each=move || stream.get().runs.nodes key=Clone::clone let:run><RunRow run/></For>
                </Table>
                <Pager
                    info=Signal::derive(move || stream.get().runs.page_info)
                    total=Signal::derive(move || stream.with(|stream| stream.runs.total_count))
                    noun=("run", "runs")
                />
            </Show>
        </Panel>
    }
}

#[component]
fn RunRow(run: RunLine) -> impl IntoView {
    let took =
        run.duration_ms.map_or_else(|| "–".to_owned(), |millis| format::duration(millis.number() as f64));
    view! {
        <Row>
            <Cell>
                <a class="font-medium whitespace-nowrap hover:underline" href=paths::run(run.id.inner())>{format!("{} {}", run.kind.text(), run.number.0)}</a>
                <span class="block text-xs muted">{format!("by {}", run.trigger.text())}</span>
            </Cell>
            <Cell label="Status">
                <RunBadge status=run.status/>
                {run.error.map(|error| view! { <span class="mt-0.5 block max-w-72 text-xs muted">{api::sentence(&error.message)}</span> })}
            </Cell>
            <Cell label="Started"><Ago time=run.started_at.unwrap_or(run.queued_at)/></Cell>
            <Cell label="Took" amount=true>{took}</Cell>
            <Cell label="Rows read" amount=true>{run.tally.rows_read.text()}</Cell>
            <Cell label="Written" amount=true>{run.tally.written.text()}</Cell>
            <Cell label="Unmatched" amount=true>{run.tally.unmatched.text()}</Cell>
            <Cell label="Rejected" amount=true>{run.tally.rows_rejected.text()}</Cell>
        </Row>
    }
}
