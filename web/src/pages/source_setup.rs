//! Letting Weir read a source: the scripts with the customer's own names, and the page for their data team.

use cynic::QueryBuilder;
use leptos::prelude::*;

use crate::components::{Code, CopyButton, Loaded, Panel};
use crate::query::Query;
use crate::schema;

#[derive(cynic::QueryVariables)]
struct SetupVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SetupVariables")]
struct SetupQuery {
    #[arguments(id: $id)]
    source: Option<Source>,
    access: Access,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct Source {
    setup: Option<SourceSetup>,
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

/// The panel with the scripts of a source; it tells nothing where nothing is to be granted.
#[component]
pub(super) fn SetupPanel(#[prop(into)] source: Signal<cynic::Id>) -> impl IntoView {
    let query = Query::new(move || SetupQuery::build(SetupVariables { id: source.get() }));
    let page = Signal::derive(move || {
        query
            .with(|data| data.source.as_ref().map(|source| source.instructions.clone()))
            .flatten()
            .unwrap_or_default()
    });
    let actions = move || {
        view! {
            <span class="flex items-center gap-1.5 text-xs muted">"Page for the data team"<CopyButton text=page what="the page for the data team, as Markdown"/></span>
        }
    };
    view! {
        <Panel title="Access at the source" actions>
            <Loaded query lines=4 let:data>
                {
                    let source = Memo::new(move |_| data.get().source);
                    let access = Memo::new(move |_| data.get().access);
                    view! {
                        <div class="flex flex-col gap-4">
                            {move || view! { <Addresses access=access.get()/> }}
                            {move || view! { <Scripts setup=source.get().and_then(|source| source.setup)/> }}
                        </div>
                    }
                }
            </Loaded>
        </Panel>
    }
}

#[component]
fn Scripts(setup: Option<SourceSetup>) -> impl IntoView {
    let Some(setup) = setup else {
        return view! { <p class="muted">"Nothing has to be granted for this kind of source."</p> }
            .into_any();
    };
    view! {
        <p class="muted">"Run by an administrator of the system. It lets Weir read the tables of this source’s streams, and nothing else."</p>
        <Code text=setup.grant what="the script that grants the rights"/>
        <details>
            <summary class="cursor-pointer py-1 text-sm muted">"The script that takes it back"</summary>
            <Code text=setup.revoke what="the script that takes the rights back"/>
        </details>
    }
    .into_any()
}

#[component]
fn Addresses(access: Access) -> impl IntoView {
    let addresses = access.egress_addresses;
    if addresses.is_empty() {
        return view! {
            <p class="muted">"Whoever runs this server can name the addresses its connections come from in "<code class="font-mono text-[13px]">"sources.egress_addresses"</code>"; they are then shown here, for firewalls."</p>
        }
        .into_any();
    }
    let one = |address: String| {
        let text = address.clone();
        view! { <li class="flex items-center gap-1 rounded-field bg-base-200 ps-2 font-mono text-[13px]">{address}<CopyButton text what="the address"/></li> }
    };
    view! {
        <div>
            <p class="mb-1.5 muted">"Connections come from these addresses; let them in where a network policy or firewall asks."</p>
            <ul class="flex flex-wrap gap-1.5">{addresses.into_iter().map(one).collect_view()}</ul>
        </div>
    }
    .into_any()
}
