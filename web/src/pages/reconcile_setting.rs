//! When a stream is compared with its table by itself.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::stream_reconcile::ReconcileSetting;
use crate::components::{Button, Check, Dialog, DialogFoot, Look, Notice, Text, Toasts, Tone};
use crate::query::{Change, settled};
use crate::schema;
use crate::vocabulary::UserError;

#[derive(cynic::QueryVariables)]
struct SetVariables {
    stream_id: cynic::Id,
    enabled: bool,
    at: String,
    zone: String,
    days: Option<i32>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SetVariables")]
struct SetReconcile {
    #[arguments(input: { streamId: $stream_id, enabled: $enabled, at: $at, zone: $zone, days: $days })]
    stream_reconcile_set: StreamReconcileSetPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamReconcileSetPayload {
    stream: Option<SetStream>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Stream")]
struct SetStream {
    reconcile: ReconcileSetting,
}

/// The dialog that sets it.
#[component]
pub(super) fn ReconcileSettingDialog(
    open: RwSignal<bool>,
    stream_id: Memo<cynic::Id>,
    setting: Signal<ReconcileSetting>,
    done: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open title="When to compare">
            <Form open stream_id setting=setting.get_untracked() done/>
        </Dialog>
    }
}

#[component]
fn Form(
    open: RwSignal<bool>,
    stream_id: Memo<cynic::Id>,
    setting: ReconcileSetting,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let enabled = RwSignal::new(setting.enabled);
    let (at, zone) = (RwSignal::new(setting.at), RwSignal::new(setting.zone));
    let days = RwSignal::new(setting.days.to_string());
    let set = Change::new(
        |answer: SetReconcile| {
            settled(answer.stream_reconcile_set.stream, answer.stream_reconcile_set.user_errors)
        },
        move |stream: SetStream| {
            open.set(false);
            toasts.say(if stream.reconcile.enabled {
                "The stream is compared with its table every day"
            } else {
                "The stream is compared with its table only when asked"
            });
            done.run(());
        },
    );
    let trimmed = |text: RwSignal<String>| text.get_untracked().trim().to_owned();
    let send = move |_| {
        set.send(SetReconcile::build(SetVariables {
            stream_id: stream_id.get_untracked(),
            enabled: enabled.get_untracked(),
            at: trimmed(at),
            zone: trimmed(zone),
            // What is no number is refused as no number of days.
            days: Some(trimmed(days).parse().unwrap_or(0)),
        }));
    };
    let refusal = move |field: &'static str| Signal::derive(move || set.refusal_of(field));
    let complaint = move || {
        set.complaint(&["at", "zone", "days"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <div class="flex flex-col gap-4">
            <p class="muted">"Each day’s values are added up at the source, in one statement. Only days that differ from what was taken in are read again."</p>
            <Check label="Compare every day" checked=enabled on_change=move |checked| enabled.set(checked)/>
            <div class="grid gap-4 sm:grid-cols-2">
                <Text label="Time" value=at kind="time" error=refusal("at")/>
                <Text label="Zone" value=zone hint="Such as Europe/Berlin." error=refusal("zone")/>
            </div>
            <Text label="Days back" value=days kind="number" hint="Counted back from the watermark. For an integer cursor, blocks of 100,000." error=refusal("days")/>
            {complaint}
            <DialogFoot>
                <Button look=Look::Primary busy=Signal::derive(move || set.is_busy()) on:click=send>"Save"</Button>
            </DialogFoot>
        </div>
    }
}
