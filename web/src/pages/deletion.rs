//! Deleting a stream or a source: what goes with it, what stays, and a name to type before it is done.

use cynic::MutationBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use crate::components::{Button, Dialog, DialogFoot, Icon, Look, Notice, Text, Toasts, Tone};
use crate::query::{Change, settled};
use crate::vocabulary::UserError;
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct DeleteVariables {
    id: cynic::Id,
    version: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteVariables")]
struct DeleteStream {
    #[arguments(input: { id: $id, expectedVersion: $version })]
    stream_delete: StreamDeletePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamDeletePayload {
    deleted_stream_id: Option<cynic::Id>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteVariables")]
struct DeleteSource {
    #[arguments(input: { id: $id, expectedVersion: $version })]
    source_delete: SourceDeletePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceDeletePayload {
    deleted_source_id: Option<cynic::Id>,
    user_errors: Vec<UserError>,
}

/// What is to be deleted.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Doomed {
    pub(super) id: cynic::Id,
    pub(super) name: String,
    pub(super) version: i32,
}

/// The dialog that deletes a stream.
#[component]
pub(super) fn StreamDeletion(
    open: RwSignal<bool>,
    #[prop(into)] stream: Signal<Doomed>,
    /// The ID of its source, to whose page it leads.
    #[prop(into)]
    source: Signal<cynic::Id>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let delete = Change::new(
        |answer: DeleteStream| {
            settled(answer.stream_delete.deleted_stream_id, answer.stream_delete.user_errors)
        },
        move |_: cynic::Id| {
            toasts.say(format!("{} is deleted", stream.with_untracked(|stream| stream.name.clone())));
            navigate(&paths::source(source.get_untracked().inner()), Default::default());
        },
    );
    let go = Callback::new(move |()| {
        let Doomed { id, version, .. } = stream.get_untracked();
        delete.send(DeleteStream::build(DeleteVariables { id, version }));
    });
    let goes = Signal::derive(|| {
        vec![
            "Every measurement it wrote, also where inputs of opportunities show it, and what was typed into its series"
                .to_owned(),
            "Its unmatched and rejected rows, and the ignore rules made for it alone".to_owned(),
            "Its mapping, schedule, cursor, runs and comparisons".to_owned(),
        ]
    });
    let stays =
        "Accounts, external IDs, metrics, metric links and opportunities. Nothing changes at the source.";
    view! { <Confirmation open noun="stream" doomed=stream goes stays busy=Signal::derive(move || delete.is_busy()) complaint=Signal::derive(move || delete.complaint(&[])) go/> }
}

/// The dialog that deletes a source.
#[component]
pub(super) fn SourceDeletion(
    open: RwSignal<bool>,
    #[prop(into)] source: Signal<Doomed>,
    /// The names of its streams.
    streams: StoredValue<Vec<String>>,
    /// Whether there are scripts for its rights.
    scripted: bool,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let delete = Change::new(
        |answer: DeleteSource| {
            settled(answer.source_delete.deleted_source_id, answer.source_delete.user_errors)
        },
        move |_: cynic::Id| {
            toasts.say(format!("{} is deleted", source.with_untracked(|source| source.name.clone())));
            navigate(paths::SOURCES, Default::default());
        },
    );
    let go = Callback::new(move |()| {
        let Doomed { id, version, .. } = source.get_untracked();
        delete.send(DeleteSource::build(DeleteVariables { id, version }));
    });
    let goes = Signal::derive(move || {
        let streams = streams.with_value(|names| {
            let count = format::counted(names.len() as i64, "stream", "streams");
            let names = names.join(", ");
            (!names.is_empty()).then(|| {
                format!("Its {count} ({names}), with every measurement they wrote, their rows and runs")
            })
        });
        let own = "Its connection details, its credential and its key pairs".to_owned();
        streams.into_iter().chain([own]).collect()
    });
    let stays = if scripted {
        "Accounts, external IDs, metrics, metric links and opportunities. The user and its rights at the source too: \
         the script that takes them back is on this page, so copy it first."
    } else {
        "Accounts, external IDs, metrics, metric links and opportunities. Nothing changes at the source."
    };
    view! { <Confirmation open noun="source" doomed=source goes stays busy=Signal::derive(move || delete.is_busy()) complaint=Signal::derive(move || delete.complaint(&[])) go/> }
}

#[component]
fn Confirmation(
    open: RwSignal<bool>,
    noun: &'static str,
    doomed: Signal<Doomed>,
    goes: Signal<Vec<String>>,
    stays: &'static str,
    busy: Signal<bool>,
    complaint: Signal<Option<String>>,
    go: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let differs =
        Signal::derive(move || doomed.with(|doomed| typed.with(|typed| typed.trim() != doomed.name.trim())));
    // What was typed for one deletion is not meant for another.
    Effect::new(move |_| {
        if !open.get() {
            typed.set(String::new());
        }
    });
    let name = move || doomed.with(|doomed| doomed.name.clone());
    view! {
        <Dialog open title=format!("Delete the {noun}")>
            <form
                class="flex flex-col gap-4"
                on:submit=move |event| {
                    event.prevent_default();
                    if !differs.get_untracked() {
                        go.run(());
                    }
                }
            >
                <p><span class="font-medium break-words">{name}</span>" is deleted for good, at once. This cannot be undone."</p>
                <div>
                    <h3 class="mb-1 font-medium">"What goes"</h3>
                    <ul class="list-disc ps-5 muted">{move || goes.get().into_iter().map(|words| view! { <li class="break-words">{words}"."</li> }).collect_view()}</ul>
                </div>
                <div>
                    <h3 class="mb-1 font-medium">"What stays"</h3>
                    <p class="muted">{stays}</p>
                </div>
                <Text label=format!("Name of the {noun}, to be sure") value=typed hint=Signal::derive(move || Some(format!("Type “{}”.", name())))/>
                {move || complaint.get().map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })}
                <DialogFoot>
                    <Button look=Look::Danger icon=Icon::Remove submit=true busy disabled=differs>{format!("Delete the {noun}")}</Button>
                </DialogFoot>
            </form>
        </Dialog>
    }
}
