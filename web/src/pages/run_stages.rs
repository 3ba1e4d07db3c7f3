//! The stages of a sync run: which are behind it, where it is, and which one it did not get through.

use leptos::prelude::*;

use super::run_record::SyncRun;
use crate::components::{Glyph, Icon};
use crate::vocabulary::{SyncRunKind, SyncRunStatus};

/// Sorts of trouble with which nobody has been let in.
const SHUT_OUT: [&str; 4] = ["config", "auth", "unavailable", "rate_limited"];
/// Sorts of trouble that only a source tells that has let somebody in.
const LET_IN: [&str; 4] = ["permission", "not_found", "schema", "protocol"];

/// How a stage went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not reached.
    Ahead,
    /// Under way.
    Here,
    /// Behind it.
    Done,
    /// The run ended in it.
    Broken,
}

#[derive(Clone, Copy, PartialEq)]
struct Stage {
    name: &'static str,
    state: State,
    /// How it is shown when it is behind, or broken.
    icon: Icon,
}

/// Whether the source has answered: nothing else is known of a connection.
fn connected(run: &SyncRun) -> bool {
    let tally = &run.tally;
    let came = [&tally.rows_read, &tally.batches, &tally.bytes_read].iter().any(|count| count.number() > 0);
    let told = run.error.as_ref().filter(|_| !run.status.live()).map(|error| error.kind.as_str());
    match told {
        _ if came || run.status == SyncRunStatus::Succeeded => true,
        Some(kind) if SHUT_OUT.contains(&kind) => false,
        Some(kind) if LET_IN.contains(&kind) => true,
        _ => run.cost.statements.number() > 0,
    }
}

fn stages(run: &SyncRun) -> Vec<Stage> {
    let stage = |name, state| Stage { name, state, icon: Icon::Success };
    let look = run.status.look().1;
    let ended = !run.status.live();
    let queued = run.status == SyncRunStatus::Queued;
    let again = queued && run.error.is_some();
    let reached = connected(run);
    // What a run that has started does after the stages before it.
    let work = |ready: bool| match run.status {
        SyncRunStatus::Queued | SyncRunStatus::Skipped => State::Ahead,
        SyncRunStatus::Succeeded => State::Done,
        _ if !ready || run.started_at.is_none() => State::Ahead,
        SyncRunStatus::Running => State::Here,
        _ => State::Broken,
    };
    let mut all = vec![stage(
        if again { "Waiting to try again" } else { "Queued" },
        if queued { State::Here } else { State::Done },
    )];
    if run.kind == SyncRunKind::Replay {
        // What waited is here already: nobody is asked for it.
        all.push(Stage { icon: look, ..stage("Matching, writing", work(true)) });
    } else {
        let (name, state) = match work(true) {
            State::Here | State::Broken | State::Done if reached => ("Connected", State::Done),
            State::Broken if run.status == SyncRunStatus::Cancelled => ("Connecting", State::Ahead),
            State::Broken => ("Not connected", State::Broken),
            other => ("Connecting", other),
        };
        all.push(Stage { icon: look, ..stage(name, state) });
        all.push(Stage { icon: look, ..stage("Reading, matching, writing", work(reached)) });
    }
    let end = if ended { (run.status.text(), State::Done) } else { ("Done", State::Ahead) };
    all.push(Stage { icon: look, ..stage(end.0, end.1) });
    let last = all.len() - 1;
    for stage in all.iter_mut().take(last).filter(|stage| stage.state == State::Done) {
        stage.icon = Icon::Success;
    }
    all
}

/// Where the run is on its way: queued, connecting, reading, ended.
#[component]
pub(super) fn Stages(run: Signal<SyncRun>) -> impl IntoView {
    let all = Memo::new(move |_| run.with(stages));
    let step = |(last, stage): (bool, Stage)| {
        let Stage { name, state, icon } = stage;
        let (icon, class) = match (state, icon) {
            (State::Here, _) => (Icon::Busy, "size-4 shrink-0 text-info animate-spin"),
            (State::Ahead, _) => (Icon::Pending, "size-4 shrink-0 opacity-40"),
            (_, Icon::Success) => (Icon::Success, "size-4 shrink-0 text-success"),
            (_, Icon::Failure) => (Icon::Failure, "size-4 shrink-0 text-error"),
            (_, Icon::Skipped) => (Icon::Skipped, "size-4 shrink-0 text-base-content/80"),
            (_, end) => (end, "size-4 shrink-0 text-warning"),
        };
        let muted = state == State::Ahead;
        view! {
            <li class=if last { "flex items-center gap-2" } else { "flex items-center gap-2 sm:flex-1" } aria-current=(state == State::Here).then_some("step")>
                <Glyph icon class/>
                <span class=if muted { "muted" } else { "font-medium" }>
                    {name}{(state == State::Broken).then(|| view! { <span class="sr-only">" (not finished)"</span> })}
                </span>
                {(!last).then(|| view! { <span class="hidden h-px flex-1 bg-base-300 sm:block" aria-hidden="true"></span> })}
            </li>
        }
    };
    let steps = move || {
        let all = all.get();
        let last = all.len() - 1;
        all.into_iter().enumerate().map(|(index, stage)| step((index == last, stage))).collect_view()
    };
    view! {
        <ol class="panel flex flex-col gap-x-3 gap-y-2 px-4 py-3 sm:flex-row" aria-label="Stages">{steps}</ol>
    }
}
