//! How a stream compared with its table: when last, what differed, what became of it.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::run_record::SourceCost;
use super::stream_record::Stream;
use crate::components::{Ago, Button, Fact, Facts, Glyph, Icon, Look, Notice, Panel, Toasts, Tone};
use crate::query::{Change, settled};
use crate::vocabulary::{BigInt, CursorKind, DateTime, Decimal, UserError};
use crate::{api, format, paths, schema};

/// When a stream is compared by itself.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct ReconcileSetting {
    /// Whether it is.
    pub enabled: bool,
    /// The time of day.
    pub at: String,
    /// The zone of that time.
    pub zone: String,
    /// How far back.
    pub days: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct ReconcileConnection {
    pub(super) nodes: Vec<Reconcile>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct Reconcile {
    slice_count: BigInt,
    differing_count: BigInt,
    explained_count: BigInt,
    written: BigInt,
    cost: SourceCost,
    slices: Vec<ReconcileSlice>,
    error: Option<ReconcileError>,
    started_at: DateTime,
    finished_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct ReconcileSlice {
    first: Option<String>,
    last: Option<String>,
    gap: ReconcileGap,
    rest: Option<ReconcileGap>,
    run: Option<RunNumber>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct ReconcileGap {
    readings: BigInt,
    sum: Option<Decimal>,
    closed: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "SyncRun")]
struct RunNumber {
    id: cynic::Id,
    number: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct ReconcileError {
    message: String,
    action: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct StartVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "StartVariables")]
struct StartReconcile {
    #[arguments(input: { streamId: $id })]
    reconcile_start: ReconcileStartPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ReconcileStartPayload {
    reconcile: Option<StartedReconcile>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Reconcile")]
struct StartedReconcile {
    #[expect(dead_code, reason = "a fragment names at least one field")]
    started_at: DateTime,
}

/// The panel of a stream's page.
#[component]
pub(super) fn ReconcilePanel(
    stream: Signal<Stream>,
    may_start: bool,
    may_set: bool,
    on_set: Callback<()>,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let setting = Memo::new(move |_| stream.with(|stream| (stream.reconcile.clone(), stream.cursor.kind)));
    let last = Memo::new(move |_| stream.with(|stream| stream.reconciles.nodes.first().cloned()));
    let start = Change::new(
        |answer: StartReconcile| {
            settled(answer.reconcile_start.reconcile, answer.reconcile_start.user_errors)
        },
        move |_: StartedReconcile| {
            toasts.say("The stream is being compared with its table");
            done.run(());
        },
    );
    let send = move |_| {
        start.send(StartReconcile::build(StartVariables {
            id: stream.with_untracked(|stream| stream.id.clone()),
        }));
    };
    let facts = move || {
        let (setting, kind) = setting.get();
        let schedule = if setting.enabled {
            format!("Every day at {} {}, {}", setting.at, setting.zone, reach(kind, setting.days))
        } else {
            "Only when asked".to_owned()
        };
        let last = match last.get() {
            Some(reconcile) => told(&reconcile, kind).into_any(),
            None => "Never".into_any(),
        };
        view! {
            <Facts>
                <Fact name="Compares">{schedule}</Fact>
                <Fact name="Last time">{last}</Fact>
            </Facts>
        }
    };
    let trouble = move || {
        last.get().and_then(|reconcile| reconcile.error).map(|error| {
            view! {
                <Notice tone=Tone::Warning>
                    {api::sentence(&error.message)}" "{error.action.map(|action| api::sentence(&action))}
                </Notice>
            }
        })
    };
    let found = move || {
        let slices = last.get().map(|reconcile| reconcile.slices).unwrap_or_default();
        (!slices.is_empty()).then(|| {
            view! { <ul class="mt-3 border-t border-base-300/70">{slices.into_iter().map(|slice| view! { <Found slice/> }).collect_view()}</ul> }
        })
    };
    let complaint =
        move || start.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let actions = move || {
        view! {
            {may_start.then(|| view! { <Button look=Look::Quiet icon=Icon::Retry busy=Signal::derive(move || start.is_busy()) on:click=send>"Compare now"</Button> })}
            {may_set.then(|| view! { <Button look=Look::Quiet icon=Icon::Clock on:click=move |_| on_set.run(())>"Schedule"</Button> })}
        }
    };
    view! { <Panel title="Compared with the table" actions>{complaint}{facts}{trouble}{found}</Panel> }
}

/// How far back, in words.
fn reach(kind: CursorKind, days: i32) -> String {
    match kind {
        CursorKind::Int => format!("the last {} of 100,000", format::counted(days.into(), "block", "blocks")),
        _ => format!("the last {}", format::counted(days.into(), "day", "days")),
    }
}

/// What came of the last comparison.
fn told(reconcile: &Reconcile, kind: CursorKind) -> impl IntoView + use<> {
    let slices = |count: &BigInt| match kind {
        CursorKind::Int => format::counted(count.number(), "block", "blocks"),
        _ => format::counted(count.number(), "day", "days"),
    };
    let outcome = match (&reconcile.finished_at, reconcile.differing_count.number()) {
        (None, 0) => "Being compared".to_owned(),
        (None, _) => format!("{} differ and are being read again", slices(&reconcile.differing_count)),
        (Some(_), 0) if reconcile.error.is_some() => "Not compared".to_owned(),
        (Some(_), 0) => format!("Nothing new differs in {}", slices(&reconcile.slice_count)),
        (Some(_), _) => format!(
            "{} of {} differed; reading again wrote {}",
            reconcile.differing_count.text(),
            slices(&reconcile.slice_count),
            format::counted(reconcile.written.number(), "reading", "readings")
        ),
    };
    let explained = (reconcile.explained_count.number() > 0).then(|| {
        format!("{} differ as they did after they were last read again", slices(&reconcile.explained_count))
    });
    let time = reconcile.started_at.clone();
    let cost = Some(&reconcile.cost).filter(|cost| cost.statements.number() > 0).map(SourceCost::text);
    view! {
        <p>{outcome}</p>
        {explained.map(|words| view! { <p class="text-xs muted">{words}</p> })}
        <p class="text-xs muted"><Ago time/>{cost.map(|cost| format!(" · asking cost {cost}"))}</p>
    }
}

/// One slice that differed.
#[component]
fn Found(slice: ReconcileSlice) -> impl IntoView {
    let (icon, class) = match &slice.rest {
        Some(rest) if rest.closed => (Icon::Success, "mt-0.5 size-4 shrink-0 text-success"),
        Some(_) => (Icon::Info, "mt-0.5 size-4 shrink-0 text-info"),
        None => (Icon::Pending, "mt-0.5 size-4 shrink-0 text-base-content/80"),
    };
    let place = match (slice.first, slice.last) {
        (Some(first), Some(last)) => {
            let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
            // The edges of a day are one day.
            if first.contains('-') && day(&first) == day(&last) {
                day(&first)
            } else {
                format!("{first} to {last}")
            }
        }
        _ => "a slice of another cursor".to_owned(),
    };
    let outcome = match &slice.rest {
        Some(rest) if rest.closed => "Put right".to_owned(),
        Some(rest) => format!("Still: {}", difference(rest)),
        None => "Not read again yet".to_owned(),
    };
    let run = slice.run.map(|run| {
        view! { " by "<a class="num underline underline-offset-2" href=paths::run(run.id.inner())>{format!("run {}", run.number.0)}</a> }
    });
    view! {
        <li class="flex items-start gap-2.5 border-b border-base-300/70 py-2 last:border-0">
            <Glyph icon class/>
            <div class="min-w-0">
                <p><span class="num font-medium">{place}</span>": "{difference(&slice.gap)}</p>
                <p class="text-xs muted">{outcome}{run}</p>
            </div>
        </li>
    }
}

/// What the table held beyond what Weir had, in words.
fn difference(gap: &ReconcileGap) -> String {
    let readings = gap.readings.number();
    let sum = gap.sum.as_ref().filter(|sum| sum.0 != "0").map(|sum| format::decimal(&sum.0));
    let counted = format::counted(readings.abs(), "reading", "readings");
    match (readings, sum) {
        (0, Some(sum)) => format!("values differ, by {sum} in sum"),
        (0, None) => "the newest cursor differs".to_owned(),
        (1.., Some(sum)) => format!("{counted} more in the table, {sum} in sum"),
        (1.., None) => format!("{counted} more in the table"),
        (_, Some(sum)) => format!("{counted} the table does not have, {sum} in sum"),
        (_, None) => format!("{counted} the table does not have"),
    }
}
