//! What a draft would do with real rows: as received, as read, as matched.

use cynic::QueryBuilder;
use leptos::prelude::*;

use super::sample_rows::RawRow;
use super::schedule_pace::SchedulePace;
use super::source_check::ProblemText;
use super::stream_draft::{Draft, StreamDraftInput};
use crate::components::{
    Badge, Button, Cell, Empty, Icon, Loaded, Look, Notice, Panel, Row, Table, Tone, column,
};
use crate::query::Query;
use crate::vocabulary::{BigInt, ConnectorProblem, DateTime, Decimal, Json, UnmatchedReason, UserError};
use crate::{api, format, schema, size};

#[derive(cynic::QueryVariables)]
struct PreviewVariables {
    draft: StreamDraftInput,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PreviewVariables")]
struct PreviewQuery {
    #[arguments(input: { draft: $draft, limit: 20 })]
    stream_preview: StreamPreview,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct StreamPreview {
    rows: Vec<PreviewRow>,
    counts: PreviewCounts,
    cost: Option<StreamReadCost>,
    problem: Option<ConnectorProblem>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct PreviewRow {
    row_key: String,
    raw: Json,
    rejection: Option<Rejection>,
    readings: Vec<PreviewReading>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Rejection {
    message: String,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct PreviewReading {
    external_account: String,
    external_metric: String,
    value: Decimal,
    measured_at: DateTime,
    outcome: ReadingOutcome,
    reason: Option<UnmatchedReason>,
    account: Option<AccountName>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Account")]
struct AccountName {
    name: String,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum ReadingOutcome {
    Matched,
    Unmatched,
    Ignored,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct PreviewCounts {
    rows: i32,
    rejected: i32,
    readings: i32,
    matched: i32,
    unmatched: i32,
    ignored: i32,
    null_cells: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct StreamReadCost {
    first_bytes: BigInt,
    poll_bytes: BigInt,
    advice: Option<String>,
}

/// The preview of a draft, made when asked for, because it asks the warehouse.
#[component]
pub(super) fn Preview(
    draft: Draft,
    /// How often the stream would run.
    pace: Memo<Option<SchedulePace>>,
) -> impl IntoView {
    let input = Memo::new(move |_| draft.input());
    let asked = RwSignal::new(None::<StreamDraftInput>);
    let old = Memo::new(move |_| asked.with(Option::is_some) && asked.get() != input.get());
    let ask = move |_| asked.set(input.get_untracked());
    let actions = move || {
        view! {
            <Show when=move || old.get()><Badge text="Of an earlier choice" tone=Tone::Warning icon=Icon::Warning/></Show>
            <Button look=Look::Quiet icon=Icon::Search disabled=Signal::derive(move || input.with(Option::is_none)) on:click=ask>"Preview 20 rows"</Button>
        }
    };
    let body = move || {
        match asked.get() {
        Some(input) => view! { <Answer draft=input limit=Signal::derive(move || draft.limit()) pace/> }.into_any(),
        None => view! { <Empty icon=Icon::Table title="See it before you save" text="The preview reads 20 rows and sends them down the same way as a run: as received, as read, as matched."/> }.into_any(),
    }
    };
    view! { <Panel title="Preview" flush=true actions>{body}</Panel> }
}

#[component]
fn Answer(
    draft: StreamDraftInput,
    limit: Signal<Option<BigInt>>,
    pace: Memo<Option<SchedulePace>>,
) -> impl IntoView {
    let query = Query::new(move || PreviewQuery::build(PreviewVariables { draft: draft.clone() }));
    view! {
        <Loaded query lines=6 let:data>
            {
                move || {
                    let preview = data.get().stream_preview;
                    let rows = preview.rows.into_iter().map(|row| view! { <Line row/> }).collect_view();
                    let refused: Vec<String> =
                        preview.user_errors.iter().map(|error| api::sentence(&error.message)).collect();
                    match preview.problem {
                        Some(problem) => view! { <div class="p-4"><Notice tone=Tone::Error><ProblemText problem/></Notice></div> }.into_any(),
                        None if !refused.is_empty() => {
                            view! { <div class="p-4"><Notice tone=Tone::Error>{refused.join(" ")}</Notice></div> }.into_any()
                        }
                        None => view! {
                            <Counts counts=preview.counts/>
                            {preview.cost.map(|cost| view! { <ReadCost cost limit pace/> })}
                            <div
                                class="relative max-h-[calc(100dvh-12rem)] min-h-64 overflow-y-auto"
                                role="region"
                                aria-label="Preview rows"
                                tabindex="0"
                            >
                                <Table caption="Rows as received, as read, as matched" columns=vec![column("As received"), column("As read and matched")]>
                                    {rows}
                                </Table>
                            </div>
                        }
                        .into_any(),
                    }
                }
            }
        </Loaded>
    }
}

/// What the runs would read at the source.
#[component]
fn ReadCost(
    cost: StreamReadCost,
    limit: Signal<Option<BigInt>>,
    pace: Memo<Option<SchedulePace>>,
) -> impl IntoView {
    let (first, poll) = (cost.first_bytes.number(), cost.poll_bytes.number());
    let words = move || {
        let runs = pace.with(|pace| pace.as_ref().map_or(0, |pace| i64::from(pace.runs_per_day)));
        let each = format!("A run reads about {}", format::bytes(poll));
        let daily = match runs {
            0 | 1 => String::new(),
            runs => format!(", at most {} a day at this schedule", format::bytes(poll.saturating_mul(runs))),
        };
        let whole = if first == poll {
            String::new()
        } else {
            format!(" The first one reads {}.", format::bytes(first))
        };
        format!("{each}{daily}.{whole}")
    };
    let over = move || {
        let most = limit.get()?.number();
        (most < first.max(poll)).then(|| {
            let words = if most < poll { "Every run" } else { "The first run" };
            view! { <Notice tone=Tone::Warning>{format!("{words} would read more than the limit of {} and fail.", size::write(most))}</Notice> }
        })
    };
    view! {
        <div class="flex flex-col gap-2 border-b border-base-300 px-4 py-3">
            <p class="num">{words}</p>
            {cost.advice.map(|advice| view! { <p class="text-xs muted">{api::sentence(&advice)}</p> })}
            {over}
        </div>
    }
}

#[component]
fn Counts(counts: PreviewCounts) -> impl IntoView {
    let badge = |count: i32, words: &'static str, tone: Tone| {
        (count > 0).then(|| view! { <Badge text=format!("{} {words}", format::count(count)) tone/> })
    };
    view! {
        <p class="flex flex-wrap items-center gap-2 border-b border-base-300 px-4 py-3" aria-live="polite">
            <span class="num font-medium">{format!("{} make {}", format::counted(counts.rows.into(), "row", "rows"), format::counted(counts.readings.into(), "reading", "readings"))}</span>
            {badge(counts.matched, "matched", Tone::Success)}
            {badge(counts.unmatched, "would wait", Tone::Warning)}
            {badge(counts.ignored, "ignored", Tone::Neutral)}
            {badge(counts.rejected, "rejected", Tone::Error)}
            {badge(counts.null_cells, if counts.null_cells == 1 { "empty cell" } else { "empty cells" }, Tone::Neutral)}
        </p>
    }
}

#[component]
fn Line(row: PreviewRow) -> impl IntoView {
    let read = row.readings.into_iter().map(|reading| {
        let (words, tone) = match (reading.outcome, reading.reason) {
            (ReadingOutcome::Matched, _) => {
                (reading.account.map_or_else(|| "Matched".to_owned(), |account| account.name), Tone::Success)
            }
            (ReadingOutcome::Unmatched, reason) => {
                (reason.map_or("Unmatched", UnmatchedReason::text).to_owned(), Tone::Warning)
            }
            (ReadingOutcome::Ignored, _) => ("Ignored".to_owned(), Tone::Neutral),
        };
        view! {
            <li class="flex flex-wrap items-start justify-between gap-x-3 gap-y-0.5 border-b border-base-300/70 py-1.5 first:pt-0 last:border-0 last:pb-0">
                <div class="num min-w-0">
                    <span class="font-medium">{format::decimal(&reading.value.0)}</span>
                    <span class="muted">" "{reading.external_metric}</span>
                    <span class="block text-xs muted">
                        <span class="font-mono break-all">{reading.external_account}</span>
                        " · "{format::minute(reading.measured_at.millis())}
                    </span>
                </div>
                <Badge text=words tone/>
            </li>
        }
    });
    let rejection = row.rejection.map(|rejection| {
        view! { <p class="text-error"><Badge text="Rejected" tone=Tone::Error icon=Icon::Failure/>" "{api::sentence(&rejection.message)}</p> }
    });
    view! {
        <Row>
            <Cell><span class="sr-only">{row.row_key}</span><RawRow row=row.raw/></Cell>
            <Cell label="As read and matched" wide=true>{rejection}<ul class="md:min-w-72">{read.collect_view()}</ul></Cell>
        </Row>
    }
}
