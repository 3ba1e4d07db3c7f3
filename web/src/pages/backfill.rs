//! Reading a bounded range of a stream again, beside its schedule.

use cynic::MutationBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::components::{Button, Dialog, DialogFoot, Look, Notice, Text, Toasts, Tone};
use crate::query::{Change, settled};
use crate::vocabulary::UserError;
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct BackfillVariables {
    stream_id: cynic::Id,
    since: String,
    until: String,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "BackfillVariables")]
struct StartBackfill {
    #[arguments(input: { streamId: $stream_id, since: $since, until: $until })]
    backfill_start: BackfillStartPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct BackfillStartPayload {
    sync_run: Option<RunId>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "SyncRun")]
struct RunId {
    id: cynic::Id,
}

/// The dialog that reads a range again.
#[component]
pub(super) fn Backfill(
    open: RwSignal<bool>,
    stream_id: Memo<cynic::Id>,
    watermark: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <Dialog open title="Read a range again">
            <Form open stream_id watermark=watermark.get_untracked()/>
        </Dialog>
    }
}

#[component]
fn Form(open: RwSignal<bool>, stream_id: Memo<cynic::Id>, watermark: Option<String>) -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (since, until) = (RwSignal::new(String::new()), RwSignal::new(watermark.unwrap_or_default()));
    let start = Change::new(
        |answer: StartBackfill| settled(answer.backfill_start.sync_run, answer.backfill_start.user_errors),
        move |run: RunId| {
            open.set(false);
            toasts.say("The range is being read again");
            navigate(&paths::run(run.id.inner()), Default::default());
        },
    );
    let trimmed = |text: RwSignal<String>| text.get_untracked().trim().to_owned();
    let send = move |_| {
        start.send(StartBackfill::build(BackfillVariables {
            stream_id: stream_id.get_untracked(),
            since: trimmed(since),
            until: trimmed(until),
        }));
    };
    let incomplete =
        Signal::derive(move || [since, until].iter().any(|text| text.with(|text| text.trim().is_empty())));
    let complaint = move || {
        start.complaint(&["since", "until"]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <div class="flex flex-col gap-4">
            <p class="muted">"The cursor stays where it is and the schedule goes on. A row that has not changed changes nothing."</p>
            <Text label="From" value=since code=true hint="The lowest cursor, written as the source writes it." error=Signal::derive(move || start.refusal_of("since"))/>
            <Text label="Up to" value=until code=true hint="The highest cursor. It is read too." error=Signal::derive(move || start.refusal_of("until"))/>
            {complaint}
            <DialogFoot>
                <Button look=Look::Primary busy=Signal::derive(move || start.is_busy()) disabled=incomplete on:click=send>"Read the range"</Button>
            </DialogFoot>
        </div>
    }
}
