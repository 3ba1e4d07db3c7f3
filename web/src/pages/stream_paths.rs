//! Paths into columns of JSON: which are chosen, and what a few rows have there.

use cynic::QueryBuilder;
use leptos::prelude::*;

use super::source_check::ProblemText;
use super::stream_column::{ColumnType, SourceColumn};
use super::stream_draft::{Draft, TableRefInput};
use super::stream_mapping::StreamMapping;
use crate::components::{Button, Check, Choice, Empty, Icon, Loaded, Look, Notice, Text, Tone};
use crate::query::Query;
use crate::schema;
use crate::vocabulary::ConnectorProblem;

#[derive(cynic::QueryVariables)]
struct PlacesVariables {
    source_id: cynic::Id,
    table: TableRefInput,
    column: String,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PlacesVariables")]
struct PlacesQuery {
    #[arguments(sourceId: $source_id, table: $table, column: $column)]
    source_column_paths: SourceColumnPaths,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct SourceColumnPaths {
    paths: Vec<SourceColumnPath>,
    truncated: bool,
    problem: Option<ConnectorProblem>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct SourceColumnPath {
    path: String,
    example: String,
}

/// A metric inside a column, as saved.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct StreamNestedMetric {
    /// The column.
    pub column: String,
    /// Where in it the number stands.
    pub path: String,
}

impl StreamNestedMetric {
    /// The metric's external ID.
    pub fn name(&self) -> String {
        inside(&self.column, Some(&self.path))
    }
}

/// A metric inside a column.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct StreamNestedMetricInput {
    column: String,
    path: String,
}

impl From<StreamNestedMetric> for StreamNestedMetricInput {
    fn from(StreamNestedMetric { column, path }: StreamNestedMetric) -> Self {
        Self { column, path }
    }
}

/// What is called what stands in a column, or at a path in it.
pub fn inside(column: &str, path: Option<&str>) -> String {
    match path {
        None => column.to_owned(),
        Some(path) if path.starts_with('[') => format!("{column}{path}"),
        Some(path) => format!("{column}.{path}"),
    }
}

/// The paths chosen so far, empty where the whole column is meant.
#[derive(Clone, Copy)]
pub struct Paths {
    /// To the account ID.
    pub account: RwSignal<String>,
    /// To the name of the metric.
    pub metric: RwSignal<String>,
    /// To the value.
    pub value: RwSignal<String>,
    /// To the time.
    pub measured_at: RwSignal<String>,
    /// To the period.
    pub period: RwSignal<String>,
    /// To the product.
    pub product: RwSignal<String>,
    /// The metrics inside columns.
    pub nested: RwSignal<Vec<StreamNestedMetric>>,
    /// Whether columns of text hold JSON too.
    pub in_text: RwSignal<bool>,
}

impl Paths {
    /// None yet.
    pub fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            account: empty(),
            metric: empty(),
            value: empty(),
            measured_at: empty(),
            period: empty(),
            product: empty(),
            nested: RwSignal::new(Vec::new()),
            in_text: RwSignal::new(false),
        }
    }
}

impl Draft {
    /// Takes over the paths of a mapping.
    pub fn fill_paths(self, mapping: &StreamMapping) {
        let paths = self.paths;
        let mut in_text = mapping.nested_metrics.iter().any(|metric| self.wordy(&metric.column));
        for (column, signal, path) in [
            (self.account, paths.account, &mapping.account_path),
            (self.metric, paths.metric, &mapping.metric_path),
            (self.value, paths.value, &mapping.value_path),
            (self.measured_at, paths.measured_at, &mapping.measured_at_path),
            (self.period, paths.period, &mapping.period_path),
            (self.product, paths.product, &mapping.product_path),
        ] {
            signal.set(path.clone().unwrap_or_default());
            in_text |= path.is_some() && column.with_untracked(|name| self.wordy(name));
        }
        paths.nested.set(mapping.nested_metrics.clone());
        paths.in_text.set(in_text);
    }

    fn wordy(self, name: &str) -> bool {
        self.column(name).is_some_and(|column| column.column_type.wordy())
    }

    /// Whether a path may lead into the column of a name.
    pub fn holds_json(self, name: &str) -> bool {
        let json = |column: SourceColumn| column.column_type == ColumnType::Json;
        self.column(name).is_some_and(json) || (self.paths.in_text.get() && self.wordy(name))
    }

    /// The path for a role, if one is chosen and its column can hold JSON.
    pub fn path(self, column: RwSignal<String>, path: RwSignal<String>) -> Option<String> {
        let chosen = path.with(|path| path.trim().to_owned());
        Some(chosen).filter(|path| !path.is_empty() && column.with(|name| self.holds_json(name)))
    }

    /// Whether a role stands in a column of JSON without a path, where only a single value will do.
    pub fn lacks_path(self, column: RwSignal<String>, path: RwSignal<String>) -> bool {
        let json = column
            .with(|name| self.column(name))
            .is_some_and(|column| column.column_type == ColumnType::Json);
        json && path.with(|path| path.trim().is_empty())
    }
}

/// The path into a column that has been chosen for a role, once the column can hold JSON.
#[component]
pub fn PathField(
    draft: Draft,
    label: &'static str,
    column: RwSignal<String>,
    path: RwSignal<String>,
) -> impl IntoView {
    let holds = Memo::new(move |_| column.with(|name| draft.holds_json(name)));
    let looked = RwSignal::new(None::<String>);
    let looks = Memo::new(move |_| looked.get().filter(|name| column.with(|column| column == name)));
    let look = move |_| looked.set(Some(column.get_untracked()));
    let places = move || looks.get().map(|column| view! { <Places draft column path/> });
    view! {
        <Show when=move || holds.get()>
            <div class="flex flex-col gap-2 border-s-2 border-base-300 ps-3">
                <Text
                    label
                    value=path
                    code=true
                    placeholder="usage.seats"
                    hint="Names and places: usage.seats, items[0].count, \"two words\". Empty: the whole column."
                />
                <Show when=move || looks.with(Option::is_none)>
                    <div><Button look=Look::Quiet icon=Icon::Search on:click=look>"Show what is inside"</Button></div>
                </Show>
                {places}
            </div>
        </Show>
    }
}

/// What a few rows have inside a column; a click takes the path.
#[component]
fn Places(draft: Draft, column: String, path: RwSignal<String>) -> impl IntoView {
    let name = column.clone();
    let query = Query::new(move || {
        let (source_id, table) = (draft.source_id.get_value(), draft.table.get_value());
        PlacesQuery::build(PlacesVariables { source_id, table, column: name.clone() })
    });
    let place = move |place: SourceColumnPath| {
        let (mine, taken) = (place.path.clone(), place.path.clone());
        let pressed = move || if path.with(|path| *path == mine) { "true" } else { "false" };
        view! {
            <li>
                <button
                    type="button"
                    class="flex w-full flex-wrap gap-x-3 rounded-field px-2 py-1 text-start hover:bg-base-200 aria-pressed:bg-base-200"
                    aria-pressed=pressed
                    on:click=move |_| path.set(taken.clone())
                >
                    <span class="font-mono text-[13px] break-all">{place.path}</span>
                    <span class="muted text-xs leading-5 break-all">{place.example}</span>
                </button>
            </li>
        }
    };
    let listed = move |found: SourceColumnPaths| {
        match (found.problem, found.paths.is_empty()) {
        (Some(problem), _) => view! { <Notice tone=Tone::Error><ProblemText problem/></Notice> }.into_any(),
        (None, true) => view! {
            <Empty icon=Icon::Table title="Nothing to choose" text="The rows looked at have no values in JSON here."/>
        }
        .into_any(),
        (None, false) => view! {
            <ul class="max-h-52 overflow-y-auto rounded-field border border-base-300 p-1" aria-label=format!("Inside {column}")>
                {found.paths.into_iter().map(place).collect_view()}
            </ul>
            {found.truncated.then_some(view! { <p class="text-xs muted">"There is more than this inside."</p> })}
        }
        .into_any(),
    }
    };
    view! { <Loaded query lines=3 let:data>{listed(data.get_untracked().source_column_paths)}</Loaded> }
}

/// The metrics of a wide table that stand inside columns.
#[component]
pub fn NestedMetrics(draft: Draft) -> impl IntoView {
    let nested = draft.paths.nested;
    let columns = Memo::new(move |_| {
        draft.columns.with_value(|columns| {
            let names = columns.iter().map(|column| column.name.clone());
            names.filter(|name| draft.holds_json(name)).collect::<Vec<_>>()
        })
    });
    let (chosen, path) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let options = Signal::derive(move || {
        let names = columns.get().into_iter().map(|name| (name.clone(), name));
        std::iter::once((String::new(), "Choose a column".to_owned())).chain(names).collect::<Vec<_>>()
    });
    let ready =
        move || !path.with(|path| path.trim().is_empty()) && chosen.with(|name| draft.holds_json(name));
    let add = move |_| {
        let metric = StreamNestedMetric {
            column: chosen.get_untracked(),
            path: path.get_untracked().trim().to_owned(),
        };
        nested.update(|nested| {
            if !nested.contains(&metric) {
                nested.push(metric);
            }
        });
        path.set(String::new());
    };
    let one = move |metric: StreamNestedMetric| {
        let (name, label) = (metric.name(), format!("Leave out {}", metric.name()));
        let remove = move |_| nested.update(|nested| nested.retain(|other| *other != metric));
        view! {
            <li class="flex items-center justify-between gap-2">
                <span class="font-mono text-[13px] break-all">{name}</span>
                <button type="button" class="btn btn-ghost btn-sm" aria-label=label on:click=remove>"Leave out"</button>
            </li>
        }
    };
    let list = move || nested.get().into_iter().map(one).collect_view();
    view! {
        <Show when=move || columns.with(|columns| !columns.is_empty())>
            <fieldset class="flex min-w-0 flex-col gap-3">
                <legend class="mb-1 text-sm font-medium">"Metrics inside columns of JSON"</legend>
                <ul class="empty:hidden">{list}</ul>
                <Choice label="Column" value=chosen on_change=move |key: String| chosen.set(key) options/>
                <PathField draft label="Path to the number" column=chosen path/>
                <div><Button disabled=Signal::derive(move || !ready()) on:click=add>"Add the metric"</Button></div>
            </fieldset>
        </Show>
    }
}

/// Whether columns of text hold JSON too, where there are any.
#[component]
pub fn TextHoldsJson(draft: Draft) -> impl IntoView {
    let any = draft.columns.with_value(|columns| columns.iter().any(|column| column.column_type.wordy()));
    let in_text = draft.paths.in_text;
    any.then(|| {
        view! {
            <Check
                label="Columns of text hold JSON"
                checked=in_text
                on_change=move |on: bool| in_text.set(on)
                hint="A role can then stand at a path inside one."
            />
        }
    })
}
