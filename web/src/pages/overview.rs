//! The overview: is the data fresh, what waits, what runs, what is left to set up.

use std::time::Duration;

use cynic::QueryBuilder;
use leptos::prelude::*;

use super::overview_activity::{
    BiggestGroups, GroupConnection, GroupLine, LatestRuns, RunConnection, RunLine,
};
use crate::components::{
    Ago, Badge, Cell, Empty, FreshnessCell, Glyph, Icon, LinkButton, Loaded, Look, NextRun, PageHead, Panel,
    Row, Sparkline, Table, Tile, amount, column,
};
use crate::query::Query;
use crate::vocabulary::{BigInt, Date, DateTime, Freshness, SyncRunStatus};
use crate::{format, paths, schema};

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct OverviewQuery {
    overview: Overview,
    #[arguments(first: 6)]
    sync_runs: RunConnection,
    #[arguments(first: 6, where: { status: OPEN }, orderBy: { field: WAITING })]
    unmatched_groups: GroupConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Overview {
    streams: Vec<StreamLine>,
    rows_today: BigInt,
    written_today: BigInt,
    open_groups: i32,
    waiting_readings: BigInt,
    rejected_rows: BigInt,
    unmatched_trend: Vec<DayCount>,
    checklist: Vec<ChecklistItem>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
struct StreamLine {
    id: cynic::Id,
    name: String,
    source: SourceName,
    freshness: Freshness,
    last_succeeded_at: Option<DateTime>,
    next_due_at: Option<DateTime>,
    unmatched_count: BigInt,
    rejected_count: BigInt,
    last_run: Option<LastRun>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Source")]
struct SourceName {
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRun")]
struct LastRun {
    id: cynic::Id,
    status: SyncRunStatus,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct DayCount {
    date: Date,
    count: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Copy, Debug)]
struct ChecklistItem {
    step: ChecklistStep,
    done: bool,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum ChecklistStep {
    AddAccounts,
    ChooseIdSpaces,
    AddSource,
    AddStream,
    FirstSync,
    FirstLink,
    FirstMeasurement,
}

impl ChecklistStep {
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::AddAccounts => {
                ("Add accounts", "Who is measured, with their IDs in other systems.", paths::ACCOUNTS)
            }
            Self::ChooseIdSpaces => {
                ("Choose ID spaces", "Which external IDs a stream tries, in which order.", paths::ID_SETTINGS)
            }
            Self::AddSource => ("Add a source", "A warehouse or database to read from.", paths::SOURCE_NEW),
            Self::AddStream => (
                "Map a table",
                "Which column is the account, the metric, the value, the time.",
                paths::SOURCES,
            ),
            Self::FirstSync => (
                "Run the first sync",
                "Start it on the stream's page, or wait for the schedule.",
                paths::SOURCES,
            ),
            Self::FirstLink => {
                ("Link a metric", "Say which input of an account a metric feeds.", paths::LINKS)
            }
            Self::FirstMeasurement => {
                ("See a measurement", "It appears on the account's page.", paths::ACCOUNTS)
            }
        }
    }
}

/// The page one comes to first.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let query = Query::new(|| OverviewQuery::build(())).poll(Duration::from_secs(5), || true);
    view! {
        <PageHead title="Overview"/>
        <Loaded query lines=10 let:data>
            <Content
                overview=Signal::derive(move || data.get().overview)
                runs=Memo::new(move |_| data.with(|data| data.sync_runs.nodes.clone()))
                groups=Memo::new(move |_| data.with(|data| data.unmatched_groups.nodes.clone()))
            />
        </Loaded>
    }
}

#[component]
fn Content(
    overview: Signal<Overview>,
    runs: Memo<Vec<RunLine>>,
    groups: Memo<Vec<GroupLine>>,
) -> impl IntoView {
    let setting_up =
        Memo::new(move |_| overview.with(|overview| overview.checklist.iter().any(|item| !item.done)));
    let streams = move || overview.with(|overview| overview.streams.clone());
    let empty = Memo::new(move |_| overview.with(|overview| overview.streams.is_empty()));
    view! {
        <div class="flex flex-col gap-5">
            <Show when=move || setting_up.get()>
                <Checklist items=Signal::derive(move || overview.with(|overview| overview.checklist.clone()))/>
            </Show>
            <Show when=move || !empty.get()><Tiles overview/></Show>
            <Panel title="Streams" flush=true>
                <Show when=move || !empty.get() fallback=NoStreams>
                    <Table
                        caption="Streams, those that need attention first"
                        columns=vec![column("Stream"), column("Freshness"), column("Last success"), column("Next run"), amount("Unmatched"), amount("Rejected")]
                    >
                        <For each=streams key=Clone::clone let:stream><StreamRow stream/></For>
                    </Table>
                </Show>
            </Panel>
            // Before the first stream there is nothing to count, and one thing to do.
            <Show when=move || !empty.get()>
                <div class="grid items-start gap-5 lg:grid-cols-2">
                    <BiggestGroups groups/>
                    <LatestRuns runs/>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn Tiles(overview: Signal<Overview>) -> impl IntoView {
    let trend = Signal::derive(move || {
        overview.with(|overview| {
            overview.unmatched_trend.iter().map(|day| format::drawn(&day.count.0)).collect::<Vec<_>>()
        })
    });
    let trend_words = Signal::derive(move || {
        overview.with(|overview| {
            let sum: i64 = overview.unmatched_trend.iter().map(|day| day.count.number()).sum();
            let since = overview.unmatched_trend.first().map(|day| day.date.0.clone()).unwrap_or_default();
            format!("{} went to wait since {since}", format::counted(sum, "reading", "readings"))
        })
    });
    let groups = move || {
        overview.with(|overview| {
            format!("in {}", format::counted(overview.open_groups.into(), "open group", "open groups"))
        })
    };
    let written =
        move || overview.with(|overview| format!("{} measurements written", overview.written_today.text()));
    let fresh = Signal::derive(move || {
        overview.with(|overview| {
            let on = overview.streams.iter().filter(|stream| stream.freshness != Freshness::Paused).count();
            let fresh = overview.streams.iter().filter(|stream| stream.freshness == Freshness::Fresh).count();
            format!("{fresh} of {on}")
        })
    });
    view! {
        <div class="grid grid-cols-2 gap-3 lg:grid-cols-4">
            <Tile name="Fresh streams" value=fresh note=|| "paused ones left out"/>
            <Tile name="Rows read today" value=Signal::derive(move || overview.with(|o| o.rows_today.text())) note=written/>
            <Tile
                name="Unmatched readings"
                value=Signal::derive(move || overview.with(|o| o.waiting_readings.text()))
                note=groups
                href=paths::UNMATCHED.to_owned()
            >
                <span class="hidden sm:block"><Sparkline values=trend label=trend_words/></span>
            </Tile>
            <Tile
                name="Rejected rows"
                value=Signal::derive(move || overview.with(|o| o.rejected_rows.text()))
                note=|| "could not be decoded"
                href=paths::with_query(paths::UNMATCHED, &[("tab", "rejected")])
            />
        </div>
    }
}

#[component]
fn StreamRow(stream: StreamLine) -> impl IntoView {
    let rejected = stream.rejected_count.text();
    let waiting = paths::with_query(paths::UNMATCHED, &[("stream", stream.id.inner())]);
    let failed = stream.last_run.filter(|run| run.status == SyncRunStatus::Failed);
    let paused = stream.freshness == Freshness::Paused;
    let never = if paused { "none while paused" } else { "by hand" };
    let next = stream.next_due_at.filter(|_| !paused);
    view! {
        <Row>
            <Cell>
                <a class="font-medium hover:underline" href=paths::stream(stream.id.inner())>{stream.name}</a>
                <span class="block text-xs muted">{stream.source.name}</span>
            </Cell>
            <FreshnessCell freshness=stream.freshness failed=failed.map(|run| run.id.into_inner())/>
            <Cell label="Last success">
                {match stream.last_succeeded_at { Some(time) => view! { <Ago time/> }.into_any(), None => view! { <span class="muted">"never"</span> }.into_any() }}
            </Cell>
            <Cell label="Next run">
                <NextRun time=next never/>
            </Cell>
            <Cell label="Unmatched" amount=true>
                <a class="hover:underline" href=waiting>{stream.unmatched_count.text()}</a>
            </Cell>
            <Cell label="Rejected" amount=true>{rejected}</Cell>
        </Row>
    }
}

/// The steps of a new installation; each ticks itself off.
#[component]
fn Checklist(items: Signal<Vec<ChecklistItem>>) -> impl IntoView {
    let done = move || items.with(|items| items.iter().filter(|item| item.done).count());
    let step = move |(item, next): (ChecklistItem, bool)| {
        let (title, about, href) = item.step.words();
        let (icon, class) = match (item.done, next) {
            (true, _) => (Icon::Success, "size-5 shrink-0 text-success"),
            (false, true) => (Icon::Pending, "size-5 shrink-0 text-primary"),
            (false, false) => (Icon::Pending, "size-5 shrink-0 opacity-40"),
        };
        view! {
            <li class="flex items-start gap-3 py-1.5">
                <Glyph icon class/>
                <div class="min-w-0 flex-1">
                    <span class=if item.done { "muted line-through" } else { "font-medium" }>
                        {if item.done { title.into_any() } else { view! { <a class="hover:underline" href=href>{title}</a> }.into_any() }}
                    </span>
                    <span class="sr-only">{if item.done { " (done)" } else { " (to do)" }}</span>
                    {(!item.done).then(|| view! { <p class="text-xs muted">{about}</p> })}
                </div>
                {next.then(|| view! { <LinkButton href=href.to_owned() look=Look::Primary>"Do this next"</LinkButton> })}
            </li>
        }
    };
    let steps = move || {
        let items = items.get();
        let next = items.iter().position(|item| !item.done);
        items.into_iter().enumerate().map(|(index, item)| step((item, Some(index) == next))).collect_view()
    };
    let progress = move || view! { <Badge text=format!("{} of {} done", done(), items.with(Vec::len))/> };
    view! {
        <Panel title="From a warehouse to a measurement" actions=progress>
            <ol class="grid gap-x-8 md:grid-flow-col md:grid-cols-2 md:grid-rows-4">{steps}</ol>
        </Panel>
    }
}

#[component]
fn NoStreams() -> impl IntoView {
    view! {
        <Empty icon=Icon::Stream title="No streams yet" text="A stream is a table Weir reads again and again. Add a source, then choose a table of it.">
            <LinkButton href=paths::SOURCE_NEW.to_owned() icon=Icon::Add>"Add a source"</LinkButton>
        </Empty>
    }
}
