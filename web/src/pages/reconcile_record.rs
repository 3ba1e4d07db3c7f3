//! A comparison of a stream with its table: what the server tells of it, and how it is said.

use leptos::prelude::*;

use super::run_record::SourceCost;
use crate::components::{Ago, Glyph, Icon};
use crate::vocabulary::{BigInt, CursorKind, DateTime, Decimal};
use crate::{api, format, paths, schema};

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
    pub(super) slices: Vec<ReconcileSlice>,
    pub(super) error: Option<ReconcileError>,
    started_at: DateTime,
    finished_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct ReconcileSlice {
    first: Option<String>,
    last: Option<String>,
    gap: ReconcileGap,
    rest: Option<ReconcileGap>,
    run: Option<RunNumber>,
}

impl ReconcileSlice {
    /// Its day, or the cursors it goes from and to.
    fn place(&self) -> String {
        let (Some(first), Some(last)) = (&self.first, &self.last) else {
            return "a slice of another cursor".to_owned();
        };
        let day = |text: &str| text.get(..10).unwrap_or(text).to_owned();
        // The edges of a day are one day.
        if first.contains('-') && day(first) == day(last) { day(first) } else { format!("{first} to {last}") }
    }
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
pub(super) struct ReconcileError {
    pub(super) message: String,
    pub(super) action: Option<String>,
}

/// Days or blocks, counted.
fn slices(count: &BigInt, kind: CursorKind) -> String {
    match kind {
        CursorKind::Int => format::counted(count.number(), "block", "blocks"),
        _ => format::counted(count.number(), "day", "days"),
    }
}

/// What came of a comparison, in a line.
fn outcome(reconcile: &Reconcile, kind: CursorKind) -> String {
    match (&reconcile.finished_at, reconcile.differing_count.number()) {
        (None, 0) => "Being compared".to_owned(),
        (None, _) => format!("{} differ and are being read again", slices(&reconcile.differing_count, kind)),
        (Some(_), 0) if reconcile.error.is_some() => "Not compared".to_owned(),
        (Some(_), 0) => format!("Nothing new differs in {}", slices(&reconcile.slice_count, kind)),
        (Some(_), _) => format!(
            "{} of {} differed; reading again wrote {}",
            reconcile.differing_count.text(),
            slices(&reconcile.slice_count, kind),
            format::counted(reconcile.written.number(), "reading", "readings")
        ),
    }
}

/// What came of a comparison, and what it cost.
pub(super) fn told(reconcile: &Reconcile, kind: CursorKind) -> impl IntoView + use<> {
    let explained = (reconcile.explained_count.number() > 0).then(|| {
        format!(
            "{} differ as they did after they were last read again",
            slices(&reconcile.explained_count, kind)
        )
    });
    let time = reconcile.started_at.clone();
    let cost = Some(&reconcile.cost).filter(|cost| cost.statements.number() > 0).map(SourceCost::text);
    view! {
        <p>{outcome(reconcile, kind)}</p>
        {explained.map(|words| view! { <p class="text-xs muted">{words}</p> })}
        <p class="text-xs muted"><Ago time/>{cost.map(|cost| format!(" · asking cost {cost}"))}</p>
    }
}

/// The comparisons before the last one, a line each, folded away.
#[component]
pub(super) fn Earlier(comparisons: Vec<Reconcile>, kind: CursorKind) -> impl IntoView {
    let line = move |reconcile: Reconcile| {
        let places: Vec<String> = reconcile.slices.iter().map(ReconcileSlice::place).collect();
        let trouble = reconcile.error.as_ref().map(|error| api::sentence(&error.message));
        let outcome = outcome(&reconcile, kind);
        view! {
            <li class="border-b border-base-300/70 py-2 last:border-0">
                <p>{outcome}</p>
                {(!places.is_empty()).then(|| view! { <p class="num text-xs muted">{places.join(", ")}</p> })}
                {trouble.map(|words| view! { <p class="text-xs muted">{words}</p> })}
                <p class="text-xs muted"><Ago time=reconcile.started_at/></p>
            </li>
        }
    };
    let many = !comparisons.is_empty();
    many.then(|| {
        view! {
            <details class="mt-3 border-t border-base-300/70 pt-2">
                <summary class="cursor-pointer py-1 muted">"Earlier comparisons"</summary>
                <ul>{comparisons.into_iter().map(line).collect_view()}</ul>
            </details>
        }
    })
}

/// One slice that differed.
#[component]
pub(super) fn Found(slice: ReconcileSlice) -> impl IntoView {
    let (icon, class) = match &slice.rest {
        Some(rest) if rest.closed => (Icon::Success, "mt-0.5 size-4 shrink-0 text-success"),
        Some(_) => (Icon::Info, "mt-0.5 size-4 shrink-0 text-info"),
        None => (Icon::Pending, "mt-0.5 size-4 shrink-0 text-base-content/80"),
    };
    let place = slice.place();
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
