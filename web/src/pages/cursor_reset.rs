//! Moving a stream's cursor: where to, what that would do, and why.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use super::source_check::ProblemText;
use super::stream_record::Checkpoint;
use crate::components::{Button, Dialog, DialogFoot, Icon, Loaded, Look, Notice, Text, Toasts, Tone};
use crate::query::{Change, Query, settled};
use crate::vocabulary::{BigInt, ConnectorProblem, UserError};
use crate::{api, format, schema};

#[derive(cynic::QueryVariables)]
struct PreviewVariables {
    stream_id: cynic::Id,
    watermark: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PreviewVariables")]
struct PreviewQuery {
    #[arguments(streamId: $stream_id, watermark: $watermark)]
    cursor_reset_preview: CursorResetPreview,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct CursorResetPreview {
    rows_to_read: Option<BigInt>,
    effect: String,
    problem: Option<ConnectorProblem>,
}

#[derive(cynic::QueryVariables)]
struct ResetVariables {
    stream_id: cynic::Id,
    watermark: Option<String>,
    reason: String,
    version: Option<i32>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ResetVariables")]
struct ResetCursor {
    #[arguments(input: { streamId: $stream_id, watermark: $watermark, reason: $reason, expectedVersion: $version })]
    cursor_reset: CursorResetPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct CursorResetPayload {
    stream: Option<StreamName>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    name: String,
}

/// The dialog that moves a cursor.
#[component]
pub fn CursorReset(
    open: RwSignal<bool>,
    stream_id: Signal<cynic::Id>,
    checkpoint: Signal<Option<Checkpoint>>,
    done: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open title="Move the cursor">
            <Form open stream_id=stream_id.get_untracked() checkpoint=checkpoint.get_untracked() done/>
        </Dialog>
    }
}

#[component]
fn Form(
    open: RwSignal<bool>,
    stream_id: cynic::Id,
    checkpoint: Option<Checkpoint>,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let watermark = RwSignal::new(String::new());
    let reason = RwSignal::new(String::new());
    let stream_id = StoredValue::new(stream_id);
    // What the preview on the screen is about; moving is offered only while it still fits.
    let previewed = RwSignal::new(None::<Option<String>>);
    let wanted =
        move || Some(watermark.with_untracked(|text| text.trim().to_owned())).filter(|text| !text.is_empty());
    let reset = Change::new(
        |answer: ResetCursor| settled(answer.cursor_reset.stream, answer.cursor_reset.user_errors),
        move |stream: StreamName| {
            open.set(false);
            toasts.say(format!("The cursor of {} is moved; the next run reads from there", stream.name));
            done.run(());
        },
    );
    let version = checkpoint.as_ref().map(|checkpoint| checkpoint.version);
    let now =
        checkpoint.map_or_else(|| "nothing has been read".to_owned(), |checkpoint| checkpoint.watermark);
    let send = move |_| {
        let reason = reason.get_untracked().trim().to_owned();
        reset.send(ResetCursor::build(ResetVariables {
            stream_id: stream_id.get_value(),
            watermark: wanted(),
            reason,
            version,
        }));
    };
    let changed = Memo::new(move |_| {
        watermark.track();
        previewed.get().is_some_and(|previewed| previewed != wanted())
    });
    let preview = move || match previewed.get() {
        Some(watermark) => view! { <Preview stream_id=stream_id.get_value() watermark/> }.into_any(),
        None => ().into_any(),
    };
    let complaint = move || {
        reset
            .complaint(&["watermark", "reason"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <div class="flex flex-col gap-4">
            <p class="muted">"Now at "<span class="font-mono text-[13px] text-base-content">{now}</span>". Rows from the new cursor on are read again; a row read twice changes nothing."</p>
            <Text
                label="New cursor"
                value=watermark
                code=true
                hint="Written as the source writes it. Empty means from the beginning."
                error=Signal::derive(move || reset.refusal_of("watermark"))
            />
            {preview}
            <Show when=move || previewed.get().is_some() && !changed.get()>
                <Text label="Reason" value=reason required=true hint="Kept in the audit log." error=Signal::derive(move || reset.refusal_of("reason"))/>
            </Show>
            {complaint}
            <DialogFoot>
                <Show
                    when=move || previewed.get().is_some() && !changed.get()
                    fallback=move || view! { <Button look=Look::Primary icon=Icon::Search on:click=move |_| previewed.set(Some(wanted()))>"Show what happens"</Button> }
                >
                    <Button
                        look=Look::Primary
                        icon=Icon::Rewind
                        busy=Signal::derive(move || reset.is_busy())
                        disabled=Signal::derive(move || reason.with(|reason| reason.trim().is_empty()))
                        on:click=send
                    >
                        "Move the cursor"
                    </Button>
                </Show>
            </DialogFoot>
        </div>
    }
}

#[component]
fn Preview(stream_id: cynic::Id, watermark: Option<String>) -> impl IntoView {
    let query = Query::new(move || {
        PreviewQuery::build(PreviewVariables { stream_id: stream_id.clone(), watermark: watermark.clone() })
    });
    view! {
        <Loaded query lines=2 let:data>
            {
                move || {
                    let preview = data.get().cursor_reset_preview;
                    let rows = preview.rows_to_read.map_or_else(
                        || "The source could not say how many rows that is.".to_owned(),
                        |rows| format!("{} will be read again.", format::counted(rows.number(), "row", "rows")),
                    );
                    view! {
                        <Notice>
                            <p class="font-medium">{rows}</p>
                            <p class="muted">{api::sentence(&preview.effect)}</p>
                            {preview.problem.map(|problem| view! { <div class="mt-2"><ProblemText problem/></div> })}
                        </Notice>
                    }
                }
            }
        </Loaded>
    }
}
