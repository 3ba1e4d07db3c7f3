//! How a sync run is going: what went wrong, how fast it reads.

use leptos::prelude::*;

use super::run_record::{SyncRun, SyncRunError};
use crate::components::{Code, Notice, Tile, Tone};
use crate::vocabulary::{BigInt, SyncRunStatus};
use crate::{api, format};

/// Why the run failed and what to do, or that something does not add up.
#[component]
pub(super) fn Outcome(run: Signal<SyncRun>) -> impl IntoView {
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
                {error.action.map(|action| view! { <p class="mt-1">{api::sentence(&action)}</p> })}
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

#[component]
pub(super) fn Speed(run: Signal<SyncRun>) -> impl IntoView {
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
