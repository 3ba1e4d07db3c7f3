//! One sync run: where it is, what became of every row, and what to do when it failed.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

use crate::components::{
    Ago, Balance, Button, Code, Fact, Facts, Glyph, Icon, LinkButton, Loaded, Look, Missing, Notice,
    PageHead, Panel, Part, RunBadge, Tile, Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{
    BigInt, DateTime, Permission, SyncRunKind, SyncRunStatus, SyncRunTrigger, UserError,
};
use crate::{api, format, paths, schema};

#[derive(cynic::QueryVariables)]
struct RunVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "RunVariables")]
struct RunQuery {
    #[arguments(id: $id)]
    sync_run: Option<SyncRun>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SyncRun {
    id: cynic::Id,
    number: BigInt,
    stream: StreamName,
    kind: SyncRunKind,
    trigger: SyncRunTrigger,
    status: SyncRunStatus,
    attempt: i32,
    since: Option<String>,
    until: Option<String>,
    cursor_before: Option<String>,
    cursor_after: Option<String>,
    tally: SyncRunTally,
    balanced: Option<bool>,
    error: Option<SyncRunError>,
    cancel_requested_at: Option<DateTime>,
    requested_by: Option<User>,
    queued_at: DateTime,
    started_at: Option<DateTime>,
    finished_at: Option<DateTime>,
    duration_ms: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    id: cynic::Id,
    name: String,
    source: SourceName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
struct SourceName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct User {
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SyncRunTally {
    rows_read: BigInt,
    rows_mapped: BigInt,
    rows_rejected: BigInt,
    rows_repeated: BigInt,
    readings: BigInt,
    written: BigInt,
    unchanged: BigInt,
    superseded: BigInt,
    unmatched: BigInt,
    ignored: BigInt,
    null_cells: BigInt,
    null_cursors: BigInt,
    batches: BigInt,
    bytes_read: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SyncRunError {
    message: String,
    action: Option<String>,
    detail: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RunVariables")]
struct CancelRun {
    #[arguments(input: { id: $id })]
    sync_run_cancel: SyncRunCancelPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SyncRunCancelPayload {
    sync_run: Option<RunId>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RunVariables")]
struct RetryRun {
    #[arguments(input: { id: $id })]
    sync_run_retry: SyncRunRetryPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SyncRunRetryPayload {
    sync_run: Option<RunId>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "SyncRun")]
struct RunId {
    id: cynic::Id,
}

/// The page of a run; it follows the run until it ends.
#[component]
pub fn RunPage() -> impl IntoView {
    let params = use_params_map();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        RunQuery::build(RunVariables { id })
    });
    let live = move || {
        query.with_untracked(|data| data.sync_run.as_ref().is_some_and(|run| run.status.live())) == Some(true)
    };
    let query = query.poll(Duration::from_secs(2), live);
    view! {
        <Loaded query let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.sync_run.is_some()));
                move || match (there.get(), data.get_untracked().sync_run) {
                    (true, Some(first)) => {
                        let run = Signal::derive(move || data.get().sync_run.unwrap_or_else(|| first.clone()));
                        view! { <Content run query/> }.into_any()
                    }
                    _ => view! { <PageHead title="Sync run"/><Missing what="run"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Content(run: Signal<SyncRun>, query: Query<RunQuery>) -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let by_id = move || RunVariables { id: run.with_untracked(|run| run.id.clone()) };
    let cancel = Change::new(
        |answer: CancelRun| settled(answer.sync_run_cancel.sync_run, answer.sync_run_cancel.user_errors),
        move |_: RunId| {
            query.reload();
            toasts.say("The run stops after the batch in hand; what is written stays");
        },
    );
    let retry = Change::new(
        |answer: RetryRun| settled(answer.sync_run_retry.sync_run, answer.sync_run_retry.user_errors),
        move |run: RunId| navigate(&paths::run(run.id.inner()), Default::default()),
    );
    let status = Memo::new(move |_| run.with(|run| run.status));
    let stopping = Memo::new(move |_| run.with(|run| run.status.live() && run.cancel_requested_at.is_some()));
    let again = Memo::new(move |_| {
        matches!(status.get(), SyncRunStatus::Failed | SyncRunStatus::Incomplete | SyncRunStatus::Cancelled)
    });
    let may = session.may(Permission::SyncsRun);
    let title = Signal::derive(move || run.with(|run| format!("{} {}", run.kind.text(), run.number.0)));
    let crumbs = Signal::derive(move || {
        run.with(|run| {
            vec![
                (run.stream.source.name.clone(), paths::source(run.stream.source.id.inner())),
                (run.stream.name.clone(), paths::stream(run.stream.id.inner())),
            ]
        })
    });
    let about = move || {
        view! {
            <p class="mt-1 flex flex-wrap items-center gap-2" aria-live="polite">
                <RunBadge status/>
                <span class="text-xs muted">{move || if stopping.get() { "stopping after the batch in hand" } else if status.get().live() { "live, refreshed every 2 s" } else { "" }}</span>
            </p>
        }
    };
    let complaint = move || {
        let words = cancel.complaint(&[]).or_else(|| retry.complaint(&[]))?;
        Some(view! { <div class="mb-5"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    let stream = Memo::new(move |_| run.with(|run| run.stream.id.clone()));
    view! {
        <PageHead title crumbs about>
            <Show when=move || may && status.get().live()>
                <Button
                    icon=Icon::Stop
                    busy=Signal::derive(move || cancel.is_busy())
                    disabled=stopping
                    on:click=move |_| cancel.send(CancelRun::build(by_id()))
                >
                    "Stop the run"
                </Button>
            </Show>
            <Show when=move || may && again.get()>
                <Button look=Look::Primary icon=Icon::Retry busy=Signal::derive(move || retry.is_busy()) on:click=move |_| retry.send(RetryRun::build(by_id()))>
                    "Run again"
                </Button>
            </Show>
            <LinkButton href=Signal::derive(move || paths::stream(stream.get().inner())) look=Look::Quiet icon=Icon::Stream>"Stream"</LinkButton>
        </PageHead>
        {complaint}
        <div class="flex flex-col gap-5">
            <Outcome run/>
            <Stages run/>
            <Speed run/>
            <Balances run/>
            <Details run/>
        </div>
    }
}

/// Why the run failed and what to do, or that something does not add up.
#[component]
fn Outcome(run: Signal<SyncRun>) -> impl IntoView {
    let error = Memo::new(move |_| run.with(|run| run.error.clone()));
    let unbalanced = Memo::new(move |_| run.with(|run| run.balanced == Some(false)));
    let tone = move || {
        if run.with_untracked(|run| run.status) == SyncRunStatus::Failed {
            Tone::Error
        } else {
            Tone::Warning
        }
    };
    let told = move |error: SyncRunError| {
        view! {
            <Notice tone=tone()>
                <p class="font-medium">{api::sentence(&error.message)}</p>
                {error.action.map(|action| view! { <p class="mt-1">"What to do: "{api::sentence(&action)}</p> })}
                {error.detail.map(|detail| view! {
                    <details class="mt-2 text-xs">
                        <summary class="cursor-pointer py-1 muted">"What the source said"</summary>
                        <Code text=detail what="what the source said"/>
                    </details>
                })}
            </Notice>
        }
    };
    view! {
        {move || error.get().map(told)}
        <Show when=move || unbalanced.get()>
            <Notice tone=Tone::Error>"The sums of this run do not add up. Nothing is shown as done that is not; please report this."</Notice>
        </Show>
    }
}

/// Where the run is on its way: queued, reading, ended.
#[component]
fn Stages(run: Signal<SyncRun>) -> impl IntoView {
    let steps = Memo::new(move |_| {
        run.with(|run| {
            let started = run.started_at.is_some();
            let read = run.tally.batches.number() > 0;
            let ended = !run.status.live();
            let icon = run.status.look().1;
            [
                ("Queued", true, !started && !ended, Icon::Success),
                ("Connected", started, started && !read && !ended, Icon::Success),
                ("Reading, matching, writing", read, read && !ended, Icon::Success),
                (run.status.text(), ended, false, icon),
            ]
        })
    });
    let step = |(index, (name, reached, here, end)): (usize, (&'static str, bool, bool, Icon))| {
        let name = if index == 3 && !reached { "Done" } else { name };
        let (icon, class) = match (reached, here, end) {
            (_, true, _) => (Icon::Busy, "size-4 shrink-0 text-info animate-spin"),
            (true, _, Icon::Success) => (Icon::Success, "size-4 shrink-0 text-success"),
            (true, _, Icon::Failure) => (Icon::Failure, "size-4 shrink-0 text-error"),
            (true, _, end) => (end, "size-4 shrink-0 text-warning"),
            (false, ..) => (Icon::Pending, "size-4 shrink-0 opacity-40"),
        };
        view! {
            <li class="flex items-center gap-2 sm:flex-1" aria-current=here.then_some("step")>
                <Glyph icon class/>
                <span class=if reached || here { "font-medium" } else { "muted" }>{name}</span>
                {(index < 3).then(|| view! { <span class="hidden h-px flex-1 bg-base-300 sm:block" aria-hidden="true"></span> })}
            </li>
        }
    };
    view! {
        <ol class="panel flex flex-col gap-x-3 gap-y-2 px-4 py-3 sm:flex-row" aria-label="Stages">
            {move || steps.get().into_iter().enumerate().map(step).collect_view()}
        </ol>
    }
}

#[component]
fn Speed(run: Signal<SyncRun>) -> impl IntoView {
    let rows = Signal::derive(move || run.with(|run| run.tally.rows_read.text()));
    let millis = move || run.with(|run| run.duration_ms.as_ref().map_or(0, BigInt::number));
    let speed = move || match millis() {
        0 => "no time measured yet".to_owned(),
        millis => {
            let rows = run.with(|run| run.tally.rows_read.number());
            format!("{} rows per second", format::count(rows.saturating_mul(1000) / millis))
        }
    };
    let took =
        Signal::derive(
            move || if millis() == 0 { "–".to_owned() } else { format::duration(millis() as f64) },
        );
    let volume = Signal::derive(move || run.with(|run| format::bytes(run.tally.bytes_read.number())));
    let batches = move || {
        run.with(|run| format!("in {}", format::counted(run.tally.batches.number(), "batch", "batches")))
    };
    let written = Signal::derive(move || run.with(|run| run.tally.written.text()));
    view! {
        <div class="grid grid-cols-2 gap-3 lg:grid-cols-4">
            <Tile name="Rows read" value=rows note=speed/>
            <Tile name="Measurements written" value=written note=batches/>
            <Tile name="Time" value=took note=move || run.with(|run| format!("attempt {}", run.attempt))/>
            <Tile name="Received" value=volume note=|| "from the source"/>
        </div>
    }
}

/// The two sums that must add up.
#[component]
fn Balances(run: Signal<SyncRun>) -> impl IntoView {
    let tally = Memo::new(move |_| run.with(|run| run.tally.clone()));
    let rows = Signal::derive(move || tally.with(|tally| tally.rows_read.number()));
    let row_parts = Signal::derive(move || {
        tally.with(|tally| {
            vec![
                Part::new("mapped", tally.rows_mapped.number(), "fill-primary", "Rows that made readings"),
                Part::new(
                    "rejected",
                    tally.rows_rejected.number(),
                    "fill-error",
                    "Rows that could not be decoded; kept with the reason",
                ),
                Part::new(
                    "repeated",
                    tally.rows_repeated.number(),
                    "fill-base-content/35",
                    "Rows read again and already known",
                ),
            ]
        })
    });
    let readings = Signal::derive(move || tally.with(|tally| tally.readings.number()));
    let reading_parts = Signal::derive(move || {
        tally.with(|tally| {
            vec![
                Part::new(
                    "written",
                    tally.written.number(),
                    "fill-primary",
                    "Measurements added or replaced",
                ),
                Part::new(
                    "unchanged",
                    tally.unchanged.number(),
                    "fill-primary/45",
                    "Readings equal to what is stored",
                ),
                Part::new(
                    "superseded",
                    tally.superseded.number(),
                    "fill-base-content/35",
                    "Readings older than what is stored",
                ),
                Part::new(
                    "unmatched",
                    tally.unmatched.number(),
                    "fill-waiting",
                    "Readings that wait for an account or a link",
                ),
                Part::new(
                    "ignored",
                    tally.ignored.number(),
                    "fill-base-content/20",
                    "Readings an ignore rule hides",
                ),
            ]
        })
    });
    let aside = move || {
        tally.with(|tally| {
            let words = [
                (tally.null_cells.number(), "empty cell made no reading", "empty cells made no reading"),
                (tally.null_cursors.number(), "row had no cursor", "rows had no cursor"),
            ];
            let told: Vec<_> = words
                .iter()
                .filter(|(count, ..)| *count > 0)
                .map(|(count, one, many)| format::counted(*count, one, many))
                .collect();
            (!told.is_empty()).then(
                || view! { <p class="border-t border-base-300 pt-3 text-xs muted">{told.join("; ")}</p> },
            )
        })
    };
    view! {
        <Panel title="Every row accounted for">
            <div class="flex flex-col gap-6">
                <Balance whole="rows read" count=rows parts=row_parts/>
                <Balance whole="readings" count=readings parts=reading_parts/>
                {aside}
            </div>
        </Panel>
    }
}

#[component]
fn Details(run: Signal<SyncRun>) -> impl IntoView {
    let code = |text: Option<String>| view! { <span class="font-mono text-[13px] break-all">{text.unwrap_or_else(|| "–".to_owned())}</span> };
    let details = Memo::new(move |_| {
        run.with(|run| {
            let times = (run.queued_at.clone(), run.started_at.clone(), run.finished_at.clone());
            let cursors =
                (run.cursor_before.clone(), run.cursor_after.clone(), run.since.clone(), run.until.clone());
            let by = run
                .requested_by
                .as_ref()
                .map_or_else(|| run.trigger.text().to_owned(), |user| user.name.clone());
            (times, cursors, by)
        })
    });
    let facts = move || {
        let ((queued, started, finished), (before, after, since, until), by) = details.get();
        view! {
            <Facts>
                <Fact name="Started by">{by}</Fact>
                <Fact name="Queued"><Ago time=queued/></Fact>
                {started.map(|time| view! { <Fact name="Started"><Ago time/></Fact> })}
                {finished.map(|time| view! { <Fact name="Ended"><Ago time/></Fact> })}
                {since.map(|since| view! { <Fact name="From">{code(Some(since))}</Fact> })}
                {until.map(|until| view! { <Fact name="Up to">{code(Some(until))}</Fact> })}
                <Fact name="Watermark before">{code(before)}</Fact>
                <Fact name="Watermark after">{code(after)}</Fact>
            </Facts>
        }
    };
    view! { <Panel title="Details">{facts}</Panel> }
}
