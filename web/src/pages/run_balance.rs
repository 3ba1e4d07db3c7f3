//! What became of every row of a sync run.

use leptos::prelude::*;

use super::run_record::SyncRun;
use crate::components::{Balance, Panel, Part};
use crate::format;

/// The two sums that must add up.
#[component]
pub(super) fn Balances(run: Signal<SyncRun>) -> impl IntoView {
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
