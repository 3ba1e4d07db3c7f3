//! The metric links: which metric of which account feeds which input.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use super::link_export::ExportButton;
use super::link_form::NewLink;
use crate::components::{
    Button, Cell, Choice, Dialog, Empty, Icon, LinkButton, Loaded, Look, PageAt, PageHead, Pager, Row,
    SearchBox, Table, Toasts, column, page_at, query_value, set_query,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{PageInfo, Permission, UserError};
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct LinksVariables {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: MetricLinkWhere,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct MetricLinkWhere {
    #[cynic(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    search: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "LinksVariables")]
struct LinksQuery {
    #[arguments(first: $first, after: $after, last: $last, before: $before, where: $filter)]
    metric_links: MetricLinkConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct MetricLinkConnection {
    nodes: Vec<LinkLine>,
    page_info: PageInfo,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "MetricLink")]
struct LinkLine {
    id: cynic::Id,
    account: AccountName,
    metric: MetricName,
    input: InputName,
    enabled: bool,
    note: Option<String>,
    version: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Account")]
struct AccountName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Metric")]
struct MetricName {
    name: String,
    external_id: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Input")]
struct InputName {
    name: String,
    opportunity: OpportunityName,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Opportunity")]
struct OpportunityName {
    name: String,
}

#[derive(cynic::QueryVariables)]
struct SwitchVariables {
    id: cynic::Id,
    enabled: bool,
    version: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SwitchVariables")]
struct SwitchLink {
    #[arguments(input: { id: $id, enabled: $enabled, expectedVersion: $version })]
    metric_link_update: MetricLinkUpdatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MetricLinkUpdatePayload {
    metric_link: Option<Switched>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "MetricLink")]
struct Switched {
    id: cynic::Id,
    enabled: bool,
    version: i32,
    metric: MetricName,
}

/// All metric links.
#[component]
pub fn LinksPage() -> impl IntoView {
    let session = Session::expect();
    let (at, search, state) = (page_at(), query_value("q"), query_value("state"));
    let adding = RwSignal::new(false);
    let set = set_query();
    let query = Query::new(move || {
        let PageAt { first, after, last, before } = at.get();
        let enabled = match state.get().as_str() {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        let search = Some(search.get()).filter(|search| !search.is_empty());
        LinksQuery::build(LinksVariables {
            first,
            after,
            last,
            before,
            filter: MetricLinkWhere { enabled, search },
        })
    });
    let reload = Callback::new(move |()| query.reload());
    let may = session.may(Permission::LinksWrite);
    let filtered = Signal::derive(move || !(search.get().is_empty() && state.get().is_empty()));
    let states: Vec<_> = [("", "All links"), ("on", "In force"), ("off", "Switched off")]
        .map(|(key, words)| (key.to_owned(), words.to_owned()))
        .into();
    view! {
        <PageHead title="Metric links">
            <ExportButton/>
            {may.then(|| view! {
                <LinkButton href=paths::LINKS_IMPORT.to_owned() icon=Icon::Upload>"Import"</LinkButton>
                <Button look=Look::Primary icon=Icon::Add on:click=move |_| adding.set(true)>"Add a link"</Button>
            })}
        </PageHead>
        <div class="mb-4 flex flex-wrap items-start gap-2">
            <SearchBox label="Search metric links" placeholder="Account, metric or input"/>
            <div class="w-full sm:w-44"><Choice label="State" bare=true value=state on_change=move |key: String| set(&[("state", key)]) options=states/></div>
        </div>
        <Loaded query lines=8 let:data>
            <div class="panel"><LinkTable links=Signal::derive(move || data.get().metric_links) filtered may reload/></div>
        </Loaded>
        <Dialog open=adding title="Add a metric link"><NewLink open=adding reload/></Dialog>
    }
}

#[component]
fn LinkTable(
    links: Signal<MetricLinkConnection>,
    filtered: Signal<bool>,
    may: bool,
    reload: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let again = StoredValue::new(None::<Change<SwitchLink>>);
    let switch = Change::new(
        |answer: SwitchLink| {
            settled(answer.metric_link_update.metric_link, answer.metric_link_update.user_errors)
        },
        move |link: Switched| {
            reload.run(());
            let words =
                format!("{} is switched {}", link.metric.name, if link.enabled { "on" } else { "off" });
            let back = move || {
                let variables =
                    SwitchVariables { id: link.id.clone(), enabled: !link.enabled, version: link.version };
                if let Some(change) = again.get_value() {
                    change.send(SwitchLink::build(variables));
                }
            };
            toasts.say_with_undo(words, back);
        },
    );
    again.set_value(Some(switch));
    Effect::new(move |_| {
        if let Some(words) = switch.complaint(&[]) {
            toasts.warn(words);
            reload.run(());
        }
    });
    let empty = Memo::new(move |_| links.with(|links| links.nodes.is_empty()));
    let nothing = move || {
        if filtered.get() {
            view! { <Empty icon=Icon::Search title="No link matches" text="Try a part of the account’s, the metric’s or the input’s name."/> }.into_any()
        } else {
            view! {
                <Empty icon=Icon::Link title="No metric links yet" text="A link says: this metric of this account feeds that input. Readings that wait for it are matched at once.">
                    {may.then(|| view! { <LinkButton href=paths::LINKS_IMPORT.to_owned() icon=Icon::Upload>"Import a CSV"</LinkButton> })}
                </Empty>
            }
            .into_any()
        }
    };
    let row = move |link: LinkLine| {
        let (id, version, enabled) = (link.id.clone(), link.version, link.enabled);
        view! { <LinkRow link may on_switch=Callback::new(move |()| switch.send(SwitchLink::build(SwitchVariables { id: id.clone(), enabled: !enabled, version })))/> }
    };
    view! {
        <Show when=move || !empty.get() fallback=nothing>
            <Table caption="Metric links" columns=vec![column("Metric"), column("Account"), column("Feeds"), column("In force")]>
                <For each=move || links.get().nodes key=Clone::clone children=row/>
            </Table>
            <Pager
                info=Signal::derive(move || links.get().page_info)
                total=Signal::derive(move || links.with(|links| links.total_count))
                noun=("link", "links")
            />
        </Show>
    }
}

#[component]
fn LinkRow(link: LinkLine, may: bool, on_switch: Callback<()>) -> impl IntoView {
    let named = (link.metric.name != link.metric.external_id).then_some(link.metric.external_id);
    let label = format!("{} of {} in force", link.metric.name, link.account.name);
    view! {
        <Row>
            <Cell>
                <span class="font-medium">{link.metric.name}</span>
                {named.map(|id| view! { <span class="block font-mono text-xs break-all muted">{id}</span> })}
            </Cell>
            <Cell label="Account"><a class="hover:underline" href=paths::account(link.account.id.inner())>{link.account.name}</a></Cell>
            <Cell label="Feeds" wide=true>
                <span class="muted">{link.input.opportunity.name}" / "</span>{link.input.name}
                {link.note.map(|note| view! { <span class="block text-xs muted">{note}</span> })}
            </Cell>
            <Cell label="In force">
                <input
                    type="checkbox"
                    role="switch"
                    class="toggle toggle-sm h-6 checked:border-primary checked:bg-primary checked:text-primary-content"
                    aria-label=label
                    prop:checked=link.enabled
                    disabled=!may
                    on:change=move |_| on_switch.run(())
                />
            </Cell>
        </Row>
    }
}
