//! One stream: is it fresh, how far it has read, what it maps, when it runs, how its runs went.

use std::time::Duration;

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::backfill::Backfill;
use super::cursor_reset::CursorReset;
use super::deletion::{Doomed, StreamDeletion};
use super::reconcile_setting::ReconcileSettingDialog;
use super::stream_facts::{CursorPanel, MappingPanel, SchedulePanel, WaitingPanel};
use super::stream_reconcile::ReconcilePanel;
use super::stream_record::{LiveRun, Stream, StreamQuery, StreamVariables};
use super::stream_runs::RunsPanel;
use crate::components::{
    Ago, Button, FreshnessBadge, Icon, LinkButton, Loaded, Look, Missing, Notice, PageAt, PageHead, Toasts,
    Tone, page_at,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{Permission, UserError};
use crate::{api, paths, schema};

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
        <Loaded query what="stream" let:data>
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
    let (resetting, refilling, setting) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let deleting = RwSignal::new(false);
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
    // A changed table pauses a stream that a person has left running.
    let stopped = Memo::new(move |_| stream.with(|stream| !stream.enabled || stream.paused_reason.is_some()));
    let id = Memo::new(move |_| stream.with(|stream| stream.id.clone()));
    let live = Memo::new(move |_| stream.with(|stream| stream.live_run.clone()));
    let reason = Memo::new(move |_| stream.with(|stream| stream.paused_reason.clone()));
    // A person's pause leaves it off; the table's does not.
    let by_table = Memo::new(move |_| stream.with(|stream| stream.enabled));
    let crumbs = Signal::derive(move || {
        stream.with(|stream| {
            vec![
                ("Sources".to_owned(), paths::SOURCES.to_owned()),
                (stream.source.name.clone(), paths::source(stream.source.id.inner())),
            ]
        })
    });
    let runs = session.may(Permission::SyncsRun);
    let writes = session.may(Permission::SourcesWrite);
    let go_on = move || {
        view! { <Button icon=Icon::Play busy=Signal::derive(move || resume.is_busy()) on:click=move |_| resume.send(ResumeStream::build(by_id()))>"Resume"</Button> }
    };
    let toggle = move || {
        if reason.with(Option::is_some) {
            // The reason has the button beside it.
            ().into_any()
        } else if !stopped.get() {
            view! { <Button icon=Icon::Pause busy=Signal::derive(move || pause.is_busy()) on:click=move |_| pause.send(PauseStream::build(by_id()))>"Pause"</Button> }.into_any()
        } else {
            go_on().into_any()
        }
    };
    let why = move || {
        reason.get().map(|reason| {
            let advice = by_table.get().then_some(
                "No run starts by itself. Mend the table at the source and resume, or edit the stream to fit it.",
            );
            view! {
                <div class="mb-5">
                    <Notice tone=Tone::Warning>
                        <div class="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
                            <div class="min-w-0">
                                <p class="font-medium">"Paused: "{api::sentence(&reason)}</p>
                                {advice.map(|words| view! { <p class="mt-0.5">{words}</p> })}
                            </div>
                            {writes.then(go_on)}
                        </div>
                    </Notice>
                </div>
            }
        })
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
                <Button look=Look::Quiet icon=Icon::Remove on:click=move |_| deleting.set(true)>"Delete"</Button>
            })}
            {runs.then(|| view! { {runs_button} })}
        </PageHead>
        {complaint}
        {why}
        <div class="grid items-start gap-5 lg:grid-cols-2">
            <div class="flex flex-col gap-5">
                <MappingPanel stream/>
                <WaitingPanel stream/>
            </div>
            <div class="flex flex-col gap-5">
                <SchedulePanel stream/>
                <CursorPanel stream may_reset=runs on_reset=Callback::new(move |()| resetting.set(true)) on_refill=Callback::new(move |()| refilling.set(true))/>
                <ReconcilePanel stream may_start=runs may_set=writes on_set=Callback::new(move |()| setting.set(true)) done=Callback::new(move |()| query.reload())/>
            </div>
            <div class="lg:col-span-2"><RunsPanel stream/></div>
        </div>
        <Backfill
            open=refilling
            stream_id=id
            watermark=Signal::derive(move || stream.with(|stream| stream.checkpoint.as_ref().map(|checkpoint| checkpoint.watermark.clone())))
        />
        <ReconcileSettingDialog
            open=setting
            stream_id=id
            setting=Signal::derive(move || stream.with(|stream| stream.reconcile.clone()))
            done=Callback::new(move |()| query.reload())
        />
        <StreamDeletion
            open=deleting
            stream=Signal::derive(move || stream.with(|stream| Doomed { id: stream.id.clone(), name: stream.name.clone(), version: stream.version }))
            source=Signal::derive(move || stream.with(|stream| stream.source.id.clone()))
        />
        <CursorReset
            open=resetting
            stream_id=Signal::derive(move || stream.with(|stream| stream.id.clone()))
            checkpoint=Signal::derive(move || stream.with(|stream| stream.checkpoint.clone()))
            done=Callback::new(move |()| query.reload())
        />
    }
}
