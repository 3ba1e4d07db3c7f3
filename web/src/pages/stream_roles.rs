//! What the columns of a stream's table mean: the roles, the cursor, the row key.

use leptos::prelude::*;

use super::column_checks::ColumnChecks;
use super::stream_column::{ColumnType, SourceColumn};
use super::stream_draft::Draft;
use super::stream_paths::{NestedMetrics, PathField, TextHoldsJson};
use crate::components::{Choice, Text};
use crate::vocabulary::{CursorKind, NullCursorPolicy, StreamShape, Word};

/// The choices of a column: all that fit, with their types.
fn choices(draft: Draft, nothing: &str, fits: fn(&SourceColumn) -> bool) -> Vec<(String, String)> {
    let named =
        |column: &SourceColumn| (column.name.clone(), format!("{} · {}", column.name, column.native_type));
    let fitting = draft
        .columns
        .with_value(|columns| columns.iter().filter(|column| fits(column)).map(named).collect::<Vec<_>>());
    std::iter::once((String::new(), nothing.to_owned())).chain(fitting).collect()
}

/// The column of one role.
#[component]
fn Role(
    label: &'static str,
    value: RwSignal<String>,
    options: Vec<(String, String)>,
    #[prop(optional, into)] hint: MaybeProp<String>,
) -> impl IntoView {
    view! { <Choice label value on_change=move |key: String| value.set(key) options hint/> }
}

/// What the columns mean.
#[component]
pub fn Roles(draft: Draft) -> impl IntoView {
    let any: fn(&SourceColumn) -> bool = |_| true;
    let shape = move |key: String| {
        if let Some(shape) = StreamShape::from_key(&key) {
            draft.shape.set(shape);
        }
    };
    let shapes = StreamShape::choices();
    let values = move || {
        match draft.shape.get() {
        StreamShape::Long => view! {
            <Role label="Metric" value=draft.metric options=choices(draft, "Choose a column", any) hint="Which quantity the row is about."/>
            <PathField draft label="Path to the metric" column=draft.metric path=draft.paths.metric/>
            <Role label="Value" value=draft.value options=choices(draft, "Choose a column", |column| column.column_type.countable() || column.column_type == ColumnType::Json)/>
            <PathField draft label="Path to the value" column=draft.value path=draft.paths.value/>
        }
        .into_any(),
        StreamShape::Wide => view! {
            <ColumnChecks legend="Metric columns" chosen=draft.metrics names=draft.columns.with_value(|columns| {
                columns.iter().filter(|column| column.column_type.countable()).map(|column| column.name.clone()).collect()
            })/>
            <NestedMetrics draft/>
        }
        .into_any(),
    }
    };
    view! {
        <div class="flex flex-col gap-4">
            <Choice label="Shape" value=Signal::derive(move || draft.shape.get().key().to_owned()) on_change=shape options=shapes/>
            <Role label="Account ID" value=draft.account options=choices(draft, "Choose a column", any) hint="The customer’s ID in another system."/>
            <PathField draft label="Path to the account ID" column=draft.account path=draft.paths.account/>
            {values}
            <Role label="Measured at" value=draft.measured_at options=choices(draft, "Choose a column", |column| column.column_type.time() || column.column_type == ColumnType::Json)/>
            <PathField draft label="Path to the time" column=draft.measured_at path=draft.paths.measured_at/>
            <Show when=move || draft.needs_zone()>
                <Text label="Zone of these times" value=draft.zone hint="The column holds no zone, so say which it is, such as Europe/Berlin."/>
            </Show>
            <div class="grid gap-4 sm:grid-cols-2">
                <Role label="Period" value=draft.period options=choices(draft, "None", any)/>
                <Role label="Product" value=draft.product options=choices(draft, "None", any)/>
            </div>
            <PathField draft label="Path to the period" column=draft.period path=draft.paths.period/>
            <PathField draft label="Path to the product" column=draft.product path=draft.paths.product/>
            <TextHoldsJson draft/>
        </div>
    }
}

/// The cursor and the row key.
#[component]
pub fn CursorFields(draft: Draft) -> impl IntoView {
    let policies = NullCursorPolicy::choices();
    let unit = Signal::derive(move || {
        match draft.cursor_kind() {
            Some(CursorKind::Int) => {
                "Steps below the highest cursor, for rows that commit late. Empty: 1000."
            }
            Some(CursorKind::Date) => {
                "Seconds below the highest cursor, for rows that commit late. Empty: a day."
            }
            _ => "Seconds below the highest cursor, for rows that commit late. Empty: 600.",
        }
        .to_owned()
    });
    view! {
        <div class="flex flex-col gap-4">
            <Role
                label="Cursor"
                value=draft.cursor
                options=choices(draft, "Choose a column", |column| column.cursor_kind.is_some())
                hint="Grows with each new or changed row. Texts cannot be cursors."
            />
            <div class="grid gap-4 sm:grid-cols-2">
                <Text label="Read again" value=draft.lookback kind="number" hint=unit/>
                <Choice
                    label="Rows without a cursor"
                    value=Signal::derive(move || draft.null_cursor.get().key().to_owned())
                    on_change=move |key: String| if let Some(policy) = NullCursorPolicy::from_key(&key) { draft.null_cursor.set(policy) }
                    options=policies
                />
            </div>
            <ColumnChecks legend="Row key: the columns that identify a row" chosen=draft.row_key names=draft.columns.with_value(|columns| {
                columns.iter().map(|column| column.name.clone()).collect()
            })/>
        </div>
    }
}
