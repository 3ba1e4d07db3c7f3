//! The form of a new stream: roles, cursor, matching, schedule, with a preview beside it.

use cynic::MutationBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::cursor_start::{CursorChange, CursorStartField};
use super::external_id_setting::SettingChoice;
use super::schedule_form::{ScheduleDraft, ScheduleForm, StreamScheduleInput};
use super::schedule_pace::{PaceWarning, pace_of};
use super::stream_draft::{Draft, StreamCursorInput, StreamDraftInput, TableRefInput};
use super::stream_mapping::StreamMappingInput;
use super::stream_preview::Preview;
use super::stream_roles::{CursorFields, Roles};
use crate::components::{Button, Choice, LinkButton, Look, Notice, Panel, Text, Toasts, Tone};
use crate::query::{Change, settled};
use crate::vocabulary::{BigInt, StreamCursorStart, StreamDestination, StreamShape, UserError, Word};
use crate::{paths, schema};

/// The fields that say themselves what is wrong with them.
const FIELDS: &[&str] = &["name", "maximumBytesBilled"];

#[derive(cynic::InputObject, Clone, Debug)]
struct StreamCreateInput {
    source_id: cynic::Id,
    name: String,
    table: TableRefInput,
    shape: StreamShape,
    destination: StreamDestination,
    mapping: StreamMappingInput,
    cursor: StreamCursorInput,
    row_key: Vec<String>,
    external_id_setting_id: Option<cynic::Id>,
    schedule: StreamScheduleInput,
    #[cynic(skip_serializing_if = "Option::is_none")]
    maximum_bytes_billed: Option<BigInt>,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct StreamUpdateInput {
    id: cynic::Id,
    name: String,
    shape: StreamShape,
    destination: StreamDestination,
    mapping: StreamMappingInput,
    cursor: StreamCursorInput,
    #[cynic(skip_serializing_if = "Option::is_none")]
    cursor_start: Option<StreamCursorStart>,
    row_key: Vec<String>,
    external_id_setting_id: Option<cynic::Id>,
    schedule: StreamScheduleInput,
    maximum_bytes_billed: Option<BigInt>,
    expected_version: i32,
}

#[derive(cynic::QueryVariables)]
struct UpdateVariables {
    input: StreamUpdateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateVariables")]
struct UpdateStream {
    #[arguments(input: $input)]
    stream_update: StreamUpdatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamUpdatePayload {
    stream: Option<StreamMade>,
    user_errors: Vec<UserError>,
}

/// What is known of a stream that is saved already.
#[derive(Clone)]
pub struct Saved {
    /// Its ID.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// The version the changes are based on.
    pub version: i32,
    /// When it runs.
    pub schedule: ScheduleDraft,
    /// The cursor it has.
    pub cursor: CursorChange,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    input: StreamCreateInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateStream {
    #[arguments(input: $input)]
    stream_create: StreamCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct StreamCreatePayload {
    stream: Option<StreamMade>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Stream")]
struct StreamMade {
    id: cynic::Id,
    name: String,
}

/// The whole form.
#[component]
pub fn StreamForm(draft: Draft, columns: String, #[prop(optional)] saved: Option<Saved>) -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let table_name = draft.table.with_value(|table| table.name.clone());
    let name = RwSignal::new(saved.as_ref().map_or(table_name, |saved| saved.name.clone()));
    let schedule = saved.as_ref().map_or_else(ScheduleDraft::new, |saved| saved.schedule);
    let cursor_change = saved.as_ref().map(|saved| saved.cursor);
    let back = saved.as_ref().map_or_else(
        || paths::source(draft.source_id.with_value(|id| id.inner().to_owned()).as_str()),
        |saved| paths::stream(saved.id.inner()),
    );
    let target = StoredValue::new(saved.map(|saved| (saved.id, saved.version)));
    let done = move |stream: StreamMade| {
        toasts.say(format!("{} is saved", stream.name));
        navigate(&paths::stream(stream.id.inner()), Default::default());
    };
    let create = Change::new(
        |answer: CreateStream| settled(answer.stream_create.stream, answer.stream_create.user_errors),
        done.clone(),
    );
    let update = Change::new(
        |answer: UpdateStream| settled(answer.stream_update.stream, answer.stream_update.user_errors),
        done,
    );
    let missing = Memo::new(move |_| {
        draft.missing().or_else(|| cursor_change.and_then(|change| change.missing(draft)))
    });
    let save = move |_| {
        let cursor_start = untrack(|| cursor_change.and_then(|change| change.answer(draft)));
        let limit = move || draft.limit();
        let Some(draft) = untrack(|| draft.input()) else { return };
        let name = name.get_untracked().trim().to_owned();
        let schedule = untrack(|| schedule.input());
        let maximum_bytes_billed = untrack(limit);
        let StreamDraftInput {
            source_id,
            table,
            shape,
            destination,
            mapping,
            cursor,
            row_key,
            external_id_setting_id,
        } = draft;
        match target.get_value() {
            Some((id, version)) => {
                let input = StreamUpdateInput {
                    id,
                    name,
                    shape,
                    destination,
                    mapping,
                    cursor,
                    cursor_start,
                    row_key,
                    external_id_setting_id,
                    schedule,
                    maximum_bytes_billed,
                    expected_version: version,
                };
                update.send(UpdateStream::build(UpdateVariables { input }));
            }
            None => {
                let input = StreamCreateInput {
                    source_id,
                    name,
                    table,
                    shape,
                    destination,
                    mapping,
                    cursor,
                    row_key,
                    external_id_setting_id,
                    schedule,
                    maximum_bytes_billed,
                };
                create.send(CreateStream::build(CreateVariables { input }));
            }
        }
    };
    let refused = move |field: &'static str| {
        Signal::derive(move || create.refusal_of(field).or_else(|| update.refusal_of(field)))
    };
    let pace = pace_of(draft.source_id.get_value(), schedule);
    let warning = Signal::derive(move || pace.with(|pace| pace.as_ref()?.warning.clone()));
    let saving = Signal::derive(move || create.is_busy() || update.is_busy());
    let complaint = move || {
        let words = create.complaint(FIELDS).or_else(|| update.complaint(FIELDS))?;
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <div class="grid items-start gap-5 xl:grid-cols-[minmax(0,2fr)_minmax(0,3fr)] xl:grid-rows-[auto_1fr]">
            <div class="flex flex-col gap-5">
                <Panel title="What the columns mean" actions=move || view! { <span class="text-xs muted">{columns.clone()}</span> }>
                    <Roles draft/>
                </Panel>
                <Panel title="Cursor and row key">
                    <CursorFields draft/>
                    {cursor_change.map(|change| view! { <div class="mt-4 empty:hidden"><CursorStartField draft change/></div> })}
                </Panel>
                <Panel title="Matching">
                    <div class="flex flex-col gap-4">
                        <SettingChoice chosen=draft.setting/>
                        <Choice
                            label="Readings go to"
                            value=Signal::derive(move || draft.destination.get().key().to_owned())
                            on_change=move |key: String| if let Some(chosen) = StreamDestination::from_key(&key) { draft.destination.set(chosen) }
                            options=StreamDestination::choices()
                        />
                    </div>
                </Panel>
                <Panel title="Name and schedule">
                    <div class="flex flex-col gap-4">
                        <Text label="Name" value=name required=true error=refused("name")/>
                        <ScheduleForm schedule/>
                        <PaceWarning warning/>
                        <Show when=move || draft.billed.get()>
                            <Text label="Most a statement may read" value=draft.limit code=true placeholder="10 GiB" hint="Empty: the source’s own limit. One that would read more fails, and costs nothing." error=refused("maximumBytesBilled")/>
                        </Show>
                    </div>
                </Panel>
            </div>
            // Beside the form where there is room; before the end of it where there is not.
            <div class="min-w-0 xl:sticky xl:top-6 xl:row-span-2"><Preview draft pace/></div>
            <div class="flex flex-col gap-5">
                {complaint}
                <div class="flex flex-wrap items-center gap-3">
                    <Button look=Look::Primary busy=saving disabled=Signal::derive(move || missing.get().is_some()) on:click=save>
                        "Save the stream"
                    </Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                    <span class="text-xs muted" aria-live="polite">{move || missing.get()}</span>
                </div>
            </div>
        </div>
    }
}
