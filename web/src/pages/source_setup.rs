//! Letting Weir read a source: the scripts with the customer's own names, and the page for their data team.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_use_signal_debounce_throttle::signal_debounced;

use super::source_instructions::Instructions;
use super::source_table_name::TableName;
use super::stream_draft::TableRefInput;
use crate::api::{self, Failure};
use crate::components::{Area, Button, Code, CopyButton, Icon, Loaded, Look, Notice, Panel};
use crate::query::Query;
use crate::schema;

#[derive(cynic::QueryVariables)]
struct SetupVariables {
    id: cynic::Id,
    tables: Option<Vec<TableRefInput>>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SetupVariables")]
struct SetupQuery {
    #[arguments(id: $id)]
    source: Option<Source>,
    access: Access,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(variables = "SetupVariables")]
struct Source {
    #[arguments(tables: $tables)]
    setup: Option<SourceSetup>,
    #[arguments(tables: $tables)]
    instructions: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct SourceSetup {
    grant: String,
    revoke: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct Access {
    egress_addresses: Vec<String>,
    google_service_account: Option<String>,
}

/// The panel with the scripts of a source.
#[component]
pub(super) fn SetupPanel(
    #[prop(into)] source: Signal<cynic::Id>,
    /// The tables that a person names.
    typed: RwSignal<String>,
    /// How tables are named in the source.
    name: TableName,
    /// Whether no stream names a table yet.
    bare: bool,
    /// Whether Weir's own Google account signs in.
    as_weir: bool,
) -> impl IntoView {
    let named: Signal<String> = signal_debounced(typed, 300.0);
    let tables = Memo::new(move |_| named.with(|text| tables_of(text)));
    let query = Query::new(move || {
        let tables = tables.get();
        SetupQuery::build(SetupVariables { id: source.get(), tables: (!tables.is_empty()).then_some(tables) })
    });
    let page = Signal::derive(move || {
        query
            .with(|data| data.source.as_ref().map(|source| source.instructions.clone()))
            .flatten()
            .unwrap_or_default()
    });
    // A name that lacks a part is refused with the whole question.
    let refused = Memo::new(move |_| query.failure().filter(Failure::is_wrong_question));
    let refusal = Signal::derive(move || {
        let words = refused.get()?.message();
        // The field stands beside it.
        Some(words.strip_prefix("Tables: ").map(api::sentence).unwrap_or(words))
    });
    let form = name.form();
    let spelled = if form.starts_with('[') { "; what stands in brackets may be left out" } else { "" };
    let rest = if bare {
        "Spelled exactly. The script grants these and nothing else."
    } else {
        "Empty: the tables of this source’s streams."
    };
    let hint = format!("One on each line, as {form}{spelled}. {rest}");
    let open = RwSignal::new(false);
    let actions = move || {
        view! { <Button look=Look::Quiet icon=Icon::Send disabled=Signal::derive(move || refused.with(Option::is_some)) on:click=move |_| open.set(true)>"For your data team"</Button> }
    };
    let unnamed = Signal::derive(move || bare && tables.with(Vec::is_empty));
    view! {
        <Panel title="Access at the source" actions>
            <div class="flex flex-col gap-5">
                <Area
                    label="Tables Weir may read"
                    value=typed
                    code=true
                    rows=2
                    placeholder=if bare { form } else { String::new() }
                    hint
                    error=refusal
                />
                <Loaded query lines=4 told_elsewhere=true let:data>
                    {
                        let setup = Memo::new(move |_| data.get().source.and_then(|source| source.setup));
                        let access = Memo::new(move |_| data.get().access);
                        view! {
                            <div class="flex flex-col gap-5">
                                <Show when=move || refused.with(Option::is_none)>
                                    {move || view! { <Scripts setup=setup.get() unnamed/> }}
                                </Show>
                                {move || view! { <From access=access.get() as_weir/> }}
                            </div>
                        }
                    }
                </Loaded>
            </div>
        </Panel>
        <Instructions open page/>
    }
}

/// The tables a person has named, one on each line: `CATALOG.SCHEMA.NAME`, `SCHEMA.NAME` or `NAME`.
fn tables_of(text: &str) -> Vec<TableRefInput> {
    let parse = |line: &str| {
        let mut parts = line.rsplitn(3, '.').map(|part| part.trim().to_owned());
        let name = parts.next().filter(|name| !name.is_empty())?;
        let schema = parts.next().filter(|name| !name.is_empty());
        Some(TableRefInput { name, schema, catalog: parts.next().filter(|name| !name.is_empty()) })
    };
    text.lines().map(|line| line.trim().trim_end_matches([',', ';'])).filter_map(parse).collect()
}

#[component]
fn Scripts(setup: Option<SourceSetup>, unnamed: Signal<bool>) -> impl IntoView {
    let Some(setup) = setup else {
        return view! { <p class="muted">"Nothing has to be granted for this kind of source."</p> }
            .into_any();
    };
    view! {
        <div class="flex flex-col gap-2">
            <h3 class="font-medium">"Run this as an administrator"</h3>
            <Show when=move || unnamed.get()>
                <Notice>"No table is named yet, so this grants none."</Notice>
            </Show>
            <Code text=setup.grant what="the script that grants the rights"/>
            <details>
                <summary class="cursor-pointer py-1 text-xs muted">"The script that takes it all back"</summary>
                <div class="mt-1"><Code text=setup.revoke what="the script that takes the rights back"/></div>
            </details>
        </div>
    }
    .into_any()
}

/// Where connections come from, and as whom.
#[component]
fn From(access: Access, as_weir: bool) -> impl IntoView {
    let chip = |text: String, what: &'static str| {
        let copied = text.clone();
        view! { <li class="flex max-w-full items-center gap-1 rounded-field bg-base-200 ps-2 font-mono text-[13px]"><span class="min-w-0 break-all">{text}</span><CopyButton text=copied what/></li> }
    };
    let addresses = access.egress_addresses;
    let from = if addresses.is_empty() {
        view! {
            <p class="text-xs muted">
                "Not known here. The operator of this server can name them in "<code class="font-mono break-all">"sources.egress_addresses"</code>"."
            </p>
        }
        .into_any()
    } else {
        let chips = addresses.into_iter().map(|address| chip(address, "the address")).collect_view();
        view! { <ul class="flex flex-wrap gap-1.5">{chips}</ul> }.into_any()
    };
    let account = access.google_service_account.filter(|_| as_weir).map(|account| {
        view! {
            <div>
                <h3 class="mb-1.5 font-medium">"Weir’s service account"</h3>
                <ul>{chip(account, "the service account")}</ul>
            </div>
        }
    });
    view! {
        {account}
        <div>
            <h3 class="font-medium">"Addresses to let in"</h3>
            <p class="mb-1.5 text-xs muted">"Only where a network policy or firewall limits who may connect."</p>
            {from}
        </div>
    }
}
