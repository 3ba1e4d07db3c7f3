//! One stream: is it fresh, how far it has read, what it maps, when it runs, how its runs went.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::cursor_reset::CursorReset;
use crate::components::{
    Ago, Badge, Button, Cell, CopyButton, Empty, Fact, Facts, FreshnessBadge, Icon, LinkButton, Loaded, Look,
    Missing, Notice, PageAt, PageHead, Pager, Panel, Row, RunBadge, Table, Toasts, Tone, amount, column,
    page_at,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{
    BigInt, CursorKind, DateTime, Freshness, NullCursorPolicy, PageInfo, Permission, StreamDestination,
    StreamShape, SyncRunKind, SyncRunStatus, SyncRunTrigger, TableRef, UserError,
};
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct StreamVariables {
    id: cynic::Id,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "StreamVariables")]
struct StreamQuery {
    #[arguments(id: $id)]
    stream: Option<Stream>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(variables = "StreamVariables")]
struct Stream {
    id: cynic::Id,
    name: String,
    source: SourceName,
    table: TableRef,
    shape: StreamShape,
    destination: StreamDestination,
    mapping: StreamMapping,
    cursor: StreamCursor,
    row_key: Vec<String>,
    external_id_setting: Option<ExternalIdSetting>,
    schedule: StreamSchedule,
    next_due_at: Option<DateTime>,
    enabled: bool,
    paused_reason: Option<String>,
    freshness: Freshness,
    last_succeeded_at: Option<DateTime>,
    live_run: Option<LiveRun>,
    checkpoint: Option<Checkpoint>,
    unmatched_count: BigInt,
    rejected_count: BigInt,
    #[arguments(first: $first, after: $after, last: $last, before: $before)]
    runs: SyncRunConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
struct SourceName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct StreamMapping {
    account: String,
    metric: Option<String>,
    value: Option<String>,
    metrics: Vec<String>,
    measured_at: String,
    zone: Option<String>,
    period: Option<String>,
    product: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct StreamCursor {
    column: String,
    kind: CursorKind,
    zone: Option<String>,
    null_cursor: NullCursorPolicy,
    lookback: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct ExternalIdSetting {
    name: String,
    spaces: Vec<IdSpace>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct IdSpace {
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct StreamSchedule {
    description: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "SyncRun")]
struct LiveRun {
    id: cynic::Id,
    number: BigInt,
}

/// How far a stream has read.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The highest cursor taken in.
    pub watermark: String,
    /// Grows with each move.
    pub version: i32,
    /// When it last moved.
    pub updated_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SyncRunConnection {
    nodes: Vec<RunLine>,
    page_info: PageInfo,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRun")]
struct RunLine {
    id: cynic::Id,
    number: BigInt,
    kind: SyncRunKind,
    trigger: SyncRunTrigger,
    status: SyncRunStatus,
    tally: RunTally,
    error: Option<RunError>,
    queued_at: DateTime,
    started_at: Option<DateTime>,
    duration_ms: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRunTally")]
struct RunTally {
    rows_read: BigInt,
    written: BigInt,
    unmatched: BigInt,
    rows_rejected: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRunError")]
struct RunError {
    message: String,
}

#[derive(cynic::QueryVariables)]
struct ById {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct StartRun {
    #[arguments(input: { streamId: $id })]
    sync_run_start: SyncRunStartPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SyncRunStartPayload {
    sync_run: Option<LiveRun>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct PauseStream {
    #[arguments(input: { id: $id })]
    stream_pause: StreamPausePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamPausePayload {
    stream: Option<StreamName>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct ResumeStream {
    #[arguments(input: { id: $id })]
    stream_resume: StreamResumePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamResumePayload {
    stream: Option<StreamName>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    name: String,
}

/// The page of a stream.
#[component]
pub fn StreamPage() -> impl IntoView {
    let params = use_params_map();
    let at = page_at();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        let PageAt { first, after, last, before } = at.get();
        StreamQuery::build(StreamVariables { id, first, after, last, before })
    })
    .poll(Duration::from_secs(4), || true);
    view! {
        <Loaded query let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.stream.is_some()));
                move || match (there.get(), data.get_untracked().stream) {
                    (true, Some(first)) => {
                        let stream = Signal::derive(move || data.get().stream.unwrap_or_else(|| first.clone()));
                        view! { <Content stream query/> }.into_any()
                    }
                    _ => view! { <PageHead title="Stream"/><Missing what="stream"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Content(stream: Signal<Stream>, query: Query<StreamQuery>) -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let resetting = RwSignal::new(false);
    let by_id = move || ById { id: stream.with_untracked(|stream| stream.id.clone()) };
    let start = Change::new(
        |answer: StartRun| settled(answer.sync_run_start.sync_run, answer.sync_run_start.user_errors),
        move |run: LiveRun| navigate(&paths::run(run.id.inner()), Default::default()),
    );
    let resume = Change::new(
        |answer: ResumeStream| settled(answer.stream_resume.stream, answer.stream_resume.user_errors),
        move |stream: StreamName| {
            query.reload();
            toasts.say(format!("{} runs again", stream.name));
        },
    );
    let pause = Change::new(
        |answer: PauseStream| settled(answer.stream_pause.stream, answer.stream_pause.user_errors),
        move |stream: StreamName| {
            query.reload();
            toasts.say_with_undo(format!("{} is paused", stream.name), move || {
                resume.send(ResumeStream::build(by_id()))
            });
        },
    );
    let complaint = move || {
        let words =
            start.complaint(&[]).or_else(|| pause.complaint(&[])).or_else(|| resume.complaint(&[]))?;
        Some(view! { <div class="mb-5"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    let enabled = Memo::new(move |_| stream.with(|stream| stream.enabled));
    let id = Memo::new(move |_| stream.with(|stream| stream.id.clone()));
    let live = Memo::new(move |_| stream.with(|stream| stream.live_run.clone()));
    let reason = Memo::new(move |_| {
        stream.with(|stream| if stream.enabled { None } else { stream.paused_reason.clone() })
    });
    let crumbs = Signal::derive(move || {
        stream.with(|stream| {
            vec![
                ("Sources".to_owned(), paths::SOURCES.to_owned()),
                (stream.source.name.clone(), paths::source(stream.source.id.inner())),
            ]
        })
    });
    let toggle = move || {
        if enabled.get() {
            view! { <Button icon=Icon::Pause busy=Signal::derive(move || pause.is_busy()) on:click=move |_| pause.send(PauseStream::build(by_id()))>"Pause"</Button> }.into_any()
        } else {
            view! { <Button icon=Icon::Play busy=Signal::derive(move || resume.is_busy()) on:click=move |_| resume.send(ResumeStream::build(by_id()))>"Resume"</Button> }.into_any()
        }
    };
    let runs_button = move || {
        match live.get() {
        Some(run) => view! { <a class="btn btn-sm btn-primary h-9" href=paths::run(run.id.inner())>{format!("Watch run {}", run.number.0)}</a> }.into_any(),
        None => view! {
            <Button look=Look::Primary icon=Icon::Play busy=Signal::derive(move || start.is_busy()) on:click=move |_| start.send(StartRun::build(by_id()))>
                "Run now"
            </Button>
        }
        .into_any(),
    }
    };
    let runs = session.may(Permission::SyncsRun);
    let writes = session.may(Permission::SourcesWrite);
    let about = move || {
        let freshness = Memo::new(move |_| stream.with(|stream| stream.freshness));
        let succeeded = move || {
            stream
                .with(|stream| stream.last_succeeded_at.clone())
                .map(|time| view! { <span class="text-xs muted">"last success "<Ago time/></span> })
        };
        view! { <p class="mt-1 flex flex-wrap items-center gap-2"><FreshnessBadge freshness/>{succeeded}</p> }
    };
    view! {
        <PageHead title=Signal::derive(move || stream.with(|stream| stream.name.clone())) crumbs about>
            {writes.then(|| view! {
                {toggle}
                <LinkButton href=Signal::derive(move || paths::stream_edit(id.get().inner())) icon=Icon::Edit>"Edit"</LinkButton>
            })}
            {runs.then(|| view! { {runs_button} })}
        </PageHead>
        {complaint}
        {move || reason.get().map(|reason| view! { <div class="mb-5"><Notice tone=Tone::Warning>"Paused: "{reason}</Notice></div> })}
        <div class="grid items-start gap-5 lg:grid-cols-2">
            <MappingPanel stream/>
            <div class="flex flex-col gap-5">
                <SchedulePanel stream/>
                <CursorPanel stream may_reset=runs on_reset=Callback::new(move |()| resetting.set(true))/>
            </div>
            <div class="lg:col-span-2"><RunsPanel stream/></div>
        </div>
        <CursorReset
            open=resetting
            stream_id=Signal::derive(move || stream.with(|stream| stream.id.clone()))
            checkpoint=Signal::derive(move || stream.with(|stream| stream.checkpoint.clone()))
            done=Callback::new(move |()| query.reload())
        />
    }
}

/// The same value again is no news: panels are built anew only when what they show has changed.
fn part<T: PartialEq + Send + Sync + 'static>(
    stream: Signal<Stream>,
    look: impl Fn(&Stream) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| stream.with(&look))
}

#[component]
fn MappingPanel(stream: Signal<Stream>) -> impl IntoView {
    let mapping = part(stream, |stream| (stream.mapping.clone(), stream.shape, stream.row_key.clone()));
    let place =
        part(stream, |stream| (stream.table.text(), stream.destination, stream.external_id_setting.clone()));
    let code = |text: String| view! { <span class="font-mono text-[13px] break-all">{text}</span> };
    let roles = move || {
        let (mapping, shape, row_key) = mapping.get();
        let (table, destination, setting) = place.get();
        let metric = match shape {
            StreamShape::Long => mapping.metric.clone().unwrap_or_default(),
            StreamShape::Wide => mapping.metrics.join(", "),
        };
        let time = mapping
            .zone
            .clone()
            .map_or_else(|| mapping.measured_at.clone(), |zone| format!("{} in {zone}", mapping.measured_at));
        let tried = setting.map(|setting| {
            let spaces: Vec<_> = setting.spaces.into_iter().map(|space| space.name).collect();
            format!("{}: {}", setting.name, spaces.join(", then "))
        });
        view! {
            <Facts>
                <Fact name="Table">{code(table)}</Fact>
                <Fact name="Shape">{shape.text()}</Fact>
                <Fact name="Account ID">{code(mapping.account)}</Fact>
                <Fact name=if shape == StreamShape::Wide { "Metric columns" } else { "Metric" }>{code(metric)}</Fact>
                {mapping.value.map(|value| view! { <Fact name="Value">{code(value)}</Fact> })}
                <Fact name="Measured at">{code(time)}</Fact>
                {mapping.period.map(|period| view! { <Fact name="Period">{code(period)}</Fact> })}
                {mapping.product.map(|product| view! { <Fact name="Product">{code(product)}</Fact> })}
                <Fact name="Row key">{code(row_key.join(", "))}</Fact>
                <Fact name="Goes to">{destination.text()}</Fact>
                <Fact name="Account IDs">{tried.unwrap_or_else(|| "no setting: every account is unknown".to_owned())}</Fact>
            </Facts>
        }
    };
    view! { <Panel title="Mapping">{roles}</Panel> }
}

#[component]
fn SchedulePanel(stream: Signal<Stream>) -> impl IntoView {
    let schedule = part(stream, |stream| (stream.schedule.description.clone(), stream.next_due_at.clone()));
    let counts = part(stream, |stream| {
        (stream.id.clone(), stream.unmatched_count.text(), stream.rejected_count.text())
    });
    let facts = move || {
        let (description, next) = schedule.get();
        let (id, unmatched, rejected) = counts.get();
        let waiting_rows = paths::with_query(paths::UNMATCHED, &[("stream", id.inner())]);
        let rejected_rows =
            paths::with_query(paths::UNMATCHED, &[("tab", "rejected"), ("stream", id.inner())]);
        view! {
            <Facts>
                <Fact name="Runs">{crate::api::sentence(&description).trim_end_matches('.').to_owned()}</Fact>
                <Fact name="Next run">{match next { Some(time) => view! { <Ago time/> }.into_any(), None => "when somebody starts it".into_any() }}</Fact>
                <Fact name="Unmatched"><a class="num underline underline-offset-2" href=waiting_rows>{unmatched}</a></Fact>
                <Fact name="Rejected"><a class="num underline underline-offset-2" href=rejected_rows>{rejected}</a></Fact>
            </Facts>
        }
    };
    view! { <Panel title="Schedule">{facts}</Panel> }
}

#[component]
fn CursorPanel(stream: Signal<Stream>, may_reset: bool, on_reset: Callback<()>) -> impl IntoView {
    let cursor = part(stream, |stream| stream.cursor.clone());
    let checkpoint = part(stream, |stream| stream.checkpoint.clone());
    let facts = move || {
        let cursor = cursor.get();
        let watermark = match checkpoint.get() {
            Some(checkpoint) => view! {
                <span class="flex items-center gap-1">
                    <span class="font-mono text-[13px] break-all">{checkpoint.watermark.clone()}</span>
                    <CopyButton text=checkpoint.watermark what="the watermark"/>
                </span>
                <span class="text-xs muted">"moved "<Ago time=checkpoint.updated_at/></span>
            }
            .into_any(),
            None => "nothing read yet".into_any(),
        };
        let lookback = match (cursor.kind, cursor.lookback.number()) {
            (_, 0) => "none".to_owned(),
            (CursorKind::Int, steps) => format!("{} below the watermark", format::count(steps)),
            (_, seconds) => format!("{} below the watermark", format::span(seconds)),
        };
        view! {
            <Facts>
                <Fact name="Column"><span class="font-mono text-[13px] break-all">{cursor.column}</span>" "<Badge text=cursor.kind.text()/></Fact>
                <Fact name="Watermark">{watermark}</Fact>
                <Fact name="Read again">{lookback}</Fact>
                <Fact name="Without cursor">{cursor.null_cursor.text()}</Fact>
            </Facts>
        }
    };
    let actions = move || {
        may_reset.then(|| view! {
        <Button look=Look::Quiet icon=Icon::Rewind on:click=move |_| on_reset.run(())>"Move the cursor"</Button>
    })
    };
    view! { <Panel title="Cursor" actions>{facts}</Panel> }
}

#[component]
fn RunsPanel(stream: Signal<Stream>) -> impl IntoView {
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
                {run.error.map(|error| view! { <span class="mt-0.5 block max-w-72 text-xs muted">{error.message}</span> })}
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
