//! One sync run: where it is, what became of every row, and what to do when it failed.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::run_balance::Balances;
use super::run_progress::{Outcome, Speed};
use super::run_record::{SourceCost, SyncRun};
use super::run_stages::Stages;
use crate::components::{
    At, Button, Fact, Facts, Icon, Loaded, Look, Missing, Notice, PageHead, Panel, RunBadge, Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{Permission, SyncRunStatus, UserError};
use crate::{paths, schema};

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
        <Loaded query what="run" let:data>
            {
                let there = Memo::new(move |_| data.with(|data| data.sync_run.is_some()));
                move || match (there.get(), data.get_untracked().sync_run) {
                    (true, Some(first)) => {
                        let run = Signal::derive(move || data.get().sync_run.unwrap_or_else(|| first.clone()));
                        view! { <Content run query/> }.into_any()
                    }
                    _ => view! { <PageHead title="Run"/><Missing what="run"/> }.into_any(),
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
                ("Sources".to_owned(), paths::SOURCES.to_owned()),
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
            let cost = Some(&run.cost).filter(|cost| cost.statements.number() > 0).map(SourceCost::text);
            (times, cursors, by, cost)
        })
    });
    let facts = move || {
        let ((queued, started, finished), (before, after, since, until), by, cost) = details.get();
        view! {
            <div class="grid gap-x-10 gap-y-2 lg:grid-cols-2">
            <Facts>
                <Fact name="Started by">{by}</Fact>
                <Fact name="Queued"><At time=queued/></Fact>
                {started.map(|time| view! { <Fact name="Started"><At time/></Fact> })}
                {finished.map(|time| view! { <Fact name="Ended"><At time/></Fact> })}
            </Facts>
            <Facts>
                {since.map(|since| view! { <Fact name="From">{code(Some(since))}</Fact> })}
                {until.map(|until| view! { <Fact name="Up to">{code(Some(until))}</Fact> })}
                <Fact name="Watermark before">{code(before)}</Fact>
                <Fact name="Watermark after">{code(after)}</Fact>
                {cost.map(|cost| view! { <Fact name="Cost at the source"><span class="num">{cost}</span></Fact> })}
            </Facts>
            </div>
        }
    };
    view! { <Panel title="Details">{facts}</Panel> }
}
