//! How a sync run is going: what went wrong, the stage it is at, how fast it reads.

use leptos::prelude::*;

use super::run_record::{SyncRun, SyncRunError};
use crate::components::{Code, Glyph, Icon, Notice, Tile, Tone};
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

/// Where the run is on its way: queued, reading, ended.
#[component]
pub(super) fn Stages(run: Signal<SyncRun>) -> impl IntoView {
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
            <li class=if index < 3 { "flex items-center gap-2 sm:flex-1" } else { "flex items-center gap-2" } aria-current=here.then_some("step")>
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
