//! How a source is reached, as facts.

use leptos::prelude::*;

use super::source_config::SourceConfig;
use crate::components::Fact;
use crate::size;

/// The facts of a source's connection, kind by kind.
#[component]
pub(super) fn ConfigFacts(config: SourceConfig) -> impl IntoView {
    let fact = |name: &'static str, value: String| view! { <Fact name><span class="font-mono text-[13px] break-all">{value}</span></Fact> };
    let some = move |name: &'static str, value: Option<String>| value.map(|value| fact(name, value));
    match config {
        SourceConfig::Postgres(config) => view! {
            {fact("Server", format!("{}:{}", config.host, config.port))}
            {fact("Database", config.database)}
            {fact("User", config.user)}
            <Fact name="TLS">{config.ssl_mode.text()}</Fact>
        }
        .into_any(),
        SourceConfig::Sqlite(config) => fact("File", config.path).into_any(),
        SourceConfig::Clickhouse(config) => view! {
            {fact("Server", format!("{}:{}", config.host, config.port))}
            {some("Path", config.path_prefix)}
            {fact("Database", config.database)}
            {fact("User", config.user)}
            <Fact name="Signs in with">{config.sign_in.text()}</Fact>
            <Fact name="TLS">{if config.secure { "On" } else { "Off" }}</Fact>
            {config.merged.then(|| view! { <Fact name="Reads">"With FINAL"</Fact> })}
        }
        .into_any(),
        SourceConfig::Snowflake(config) => view! {
            {fact("Account", config.account)}
            {fact("User", config.user)}
            {fact("Role", config.role)}
            {fact("Warehouse", config.warehouse)}
            {some("Database", config.database)}
            {some("Schema", config.schema)}
        }
        .into_any(),
        SourceConfig::Bigquery(config) => view! {
            {fact("Project", config.project)}
            {some("Project of the data", config.data_project)}
            {some("Dataset", config.dataset)}
            {some("Location", config.location)}
            {some("Most per statement", config.maximum_bytes_billed.map(|most| size::write(most.number())))}
            <Fact name="Signs in with">{config.sign_in.text()}</Fact>
        }
        .into_any(),
        SourceConfig::Databricks(config) => view! {
            {fact("Workspace", config.host)}
            {fact("SQL warehouse", config.warehouse)}
            {some("Catalog", config.catalog)}
            {some("Schema", config.schema)}
            {some("Service principal", config.client_id)}
        }
        .into_any(),
        SourceConfig::Other => ().into_any(),
    }
}
