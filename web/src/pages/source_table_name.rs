//! The name of a table in a source, in the parts its kind has: how it is written, and a form to type it where it is not listed.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_navigate};

use super::source_config::SourceConfig;
use crate::components::{Button, Icon, Text};
use crate::paths;

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What the system calls it.
    label: &'static str,
    /// What the source itself names, which holds where the part is left out.
    given: Option<String>,
    /// What it mostly is.
    usual: &'static str,
}

/// The parts before a table's own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TableName {
    catalog: Option<Part>,
    schema: Option<Part>,
    /// Whether names are mostly in capitals.
    capitals: bool,
}

impl TableName {
    /// The parts that names have in a source.
    pub(super) fn of(config: &SourceConfig) -> Self {
        let part = |label, given: Option<&String>| Some(Part { label, given: given.cloned(), usual: "" });
        match config {
            SourceConfig::Postgres(_) => Self {
                schema: Some(Part { label: "Schema", given: None, usual: "public" }),
                ..Self::default()
            },
            SourceConfig::Sqlite(_) | SourceConfig::Other => Self::default(),
            SourceConfig::Clickhouse(config) => {
                Self { schema: part("Database", Some(&config.database)), ..Self::default() }
            }
            SourceConfig::Snowflake(config) => Self {
                catalog: part("Database", config.database.as_ref()),
                schema: part("Schema", config.schema.as_ref()),
                capitals: true,
            },
            SourceConfig::Bigquery(config) => Self {
                catalog: part("Project", config.data_project.as_ref().or(Some(&config.project))),
                schema: part("Dataset", config.dataset.as_ref()),
                capitals: false,
            },
            SourceConfig::Databricks(config) => Self {
                catalog: part("Catalog", config.catalog.as_ref()),
                schema: part("Schema", config.schema.as_ref()),
                capitals: false,
            },
        }
    }

    /// How a name is written, as `[DATABASE.]SCHEMA.TABLE`: what the source names itself stands in brackets.
    pub(super) fn form(&self) -> String {
        let parts: Vec<&Part> = [&self.catalog, &self.schema].into_iter().flatten().collect();
        // A part can be left out only with all before it.
        let free = parts.iter().take_while(|part| part.given.is_some()).count();
        let text = |parts: &[&Part]| parts.iter().map(|part| format!("{}.", part.label)).collect::<String>();
        let (given, needed) = (text(&parts[..free]), text(&parts[free..]));
        let given = if given.is_empty() { given } else { format!("[{given}]") };
        let form = format!("{given}{needed}table");
        if self.capitals { form.to_uppercase() } else { form.to_lowercase() }
    }
}

/// The form to type a name.
#[component]
pub(super) fn TypedTable(name: TableName) -> impl IntoView {
    let (navigate, path) = (use_navigate(), use_location().pathname);
    let text = |part: Option<&Part>| {
        let known = part.map(|part| part.given.clone().unwrap_or_else(|| part.usual.to_owned()));
        RwSignal::new(known.unwrap_or_default())
    };
    let (catalog, schema, table) =
        (text(name.catalog.as_ref()), text(name.schema.as_ref()), RwSignal::new(String::new()));
    let go = move |event: SubmitEvent| {
        event.prevent_default();
        // A name may begin or end with a blank; nobody who types one means it.
        let typed = |part: RwSignal<String>| part.get_untracked().trim().to_owned();
        let (catalog, schema, table) = (typed(catalog), typed(schema), typed(table));
        let parts = [("catalog", catalog.as_str()), ("schema", schema.as_str()), ("table", table.as_str())];
        navigate(&paths::with_query(&path.get_untracked(), &parts), Default::default());
    };
    let field = |part: Option<Part>, value: RwSignal<String>| {
        part.map(|Part { label, given, .. }| {
            // Where the source names none, the table's name must.
            view! { <Text label value code=true required=given.is_none()/> }
        })
    };
    view! {
        <form class="flex flex-col gap-4" on:submit=go>
            <div class="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
                {field(name.catalog, catalog)}
                {field(name.schema, schema)}
                <Text label="Table or view" value=table code=true required=true/>
            </div>
            <p class="text-xs muted">"Spelled exactly as the source shows it, capitals included."</p>
            <div><Button icon=Icon::Forward submit=true>"Open the table"</Button></div>
        </form>
    }
}
