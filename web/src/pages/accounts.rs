//! The accounts, and adding one.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::external_id_setting::SettingsDialog;
use super::id_spaces::SpaceChoice;
use crate::components::{
    Ago, Button, Cell, Dialog, DialogFoot, Empty, Icon, Loaded, Look, Notice, PageAt, PageHead, Pager, Row,
    SearchBox, Table, Text, Toasts, Tone, column, page_at, query_value,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{DateTime, PageInfo, Permission, UserError};
use crate::{paths, schema};

#[derive(cynic::QueryVariables)]
struct AccountsVariables {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    search: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "AccountsVariables")]
struct AccountsQuery {
    #[arguments(first: $first, after: $after, last: $last, before: $before, where: { search: $search })]
    accounts: AccountConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct AccountConnection {
    nodes: Vec<AccountLine>,
    page_info: PageInfo,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Account")]
struct AccountLine {
    id: cynic::Id,
    name: String,
    domain: Option<String>,
    external_ids: Vec<ExternalIdLine>,
    updated_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "ExternalId")]
struct ExternalIdLine {
    space: String,
    value: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct AccountExternalIdInput {
    space: String,
    value: String,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    name: String,
    domain: Option<String>,
    external_ids: Vec<AccountExternalIdInput>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateAccount {
    #[arguments(input: { name: $name, domain: $domain, externalIds: $external_ids })]
    account_create: AccountCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct AccountCreatePayload {
    account: Option<AccountMade>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Account")]
struct AccountMade {
    id: cynic::Id,
    name: String,
}

/// All accounts.
#[component]
pub fn AccountsPage() -> impl IntoView {
    let session = Session::expect();
    let (at, search) = (page_at(), query_value("q"));
    let adding = RwSignal::new(false);
    let settings = RwSignal::new(query_value("settings").get_untracked() == "open");
    let query = Query::new(move || {
        let PageAt { first, after, last, before } = at.get();
        let search = Some(search.get()).filter(|search| !search.is_empty());
        AccountsQuery::build(AccountsVariables { first, after, last, before, search })
    });
    let may = session.may(Permission::AccountsWrite);
    view! {
        <PageHead title="Accounts">
            <SearchBox label="Search accounts" placeholder="Name, domain or external ID"/>
            <Button icon=Icon::Key on:click=move |_| settings.set(true)>"ID settings"</Button>
            {may.then(|| view! { <Button look=Look::Primary icon=Icon::Add on:click=move |_| adding.set(true)>"Add an account"</Button> })}
        </PageHead>
        <Loaded query lines=8 let:data>
            <div class="panel">
                <AccountTable accounts=Signal::derive(move || data.get().accounts) searched=Signal::derive(move || !search.get().is_empty())/>
            </div>
        </Loaded>
        <SettingsDialog open=settings/>
        <Dialog open=adding title="Add an account"><NewAccount/></Dialog>
    }
}

#[component]
fn AccountTable(accounts: Signal<AccountConnection>, searched: Signal<bool>) -> impl IntoView {
    let empty = Memo::new(move |_| accounts.with(|accounts| accounts.nodes.is_empty()));
    let nothing = move || {
        if searched.get() {
            view! { <Empty icon=Icon::Search title="No account matches" text="Try a part of its name, its domain or one of its external IDs."/> }.into_any()
        } else {
            view! { <Empty icon=Icon::Account title="No accounts yet" text="An account is a customer you measure. Add one with the IDs your warehouse knows it by; rows that wait for it are matched at once."/> }.into_any()
        }
    };
    view! {
        <Show when=move || !empty.get() fallback=nothing>
            <Table caption="Accounts, by name" columns=vec![column("Account"), column("Domain"), column("External IDs"), column("Changed")]>
                <For each=move || accounts.get().nodes key=Clone::clone let:account><AccountRow account/></For>
            </Table>
            <Pager
                info=Signal::derive(move || accounts.get().page_info)
                total=Signal::derive(move || accounts.with(|accounts| accounts.total_count))
                noun=("account", "accounts")
            />
        </Show>
    }
}

#[component]
fn AccountRow(account: AccountLine) -> impl IntoView {
    let more = account.external_ids.len().saturating_sub(3);
    let id = |id: ExternalIdLine| {
        view! { <span class="me-3 inline-block"><span class="text-xs muted">{id.space}" "</span><span class="font-mono text-[13px] break-all">{id.value}</span></span> }
    };
    view! {
        <Row>
            <Cell><a class="font-medium hover:underline" href=paths::account(account.id.inner())>{account.name}</a></Cell>
            <Cell label="Domain">{account.domain}</Cell>
            <Cell label="External IDs" wide=true>
                {account.external_ids.into_iter().take(3).map(id).collect_view()}
                {(more > 0).then(|| view! { <span class="text-xs muted">{format!("and {more} more")}</span> })}
            </Cell>
            <Cell label="Changed"><Ago time=account.updated_at/></Cell>
        </Row>
    }
}

#[component]
fn NewAccount() -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let (name, domain) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let (space, value) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let create = Change::new(
        |answer: CreateAccount| settled(answer.account_create.account, answer.account_create.user_errors),
        move |account: AccountMade| {
            toasts.say(format!("{} is added; rows that waited for it are being matched", account.name));
            navigate(&paths::account(account.id.inner()), Default::default());
        },
    );
    let trimmed = |signal: RwSignal<String>| signal.get_untracked().trim().to_owned();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let external_ids = Some(AccountExternalIdInput { space: trimmed(space), value: trimmed(value) })
            .filter(|id| !id.value.is_empty())
            .into_iter()
            .collect();
        let domain = Some(trimmed(domain)).filter(|domain| !domain.is_empty());
        create.send(CreateAccount::build(CreateVariables { name: trimmed(name), domain, external_ids }));
    };
    let complaint = move || {
        create
            .complaint(&["name", "domain", "value"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <form class="flex flex-col gap-4" on:submit=send>
            {complaint}
            <Text label="Name" value=name required=true error=Signal::derive(move || create.refusal_of("name"))/>
            <Text label="Domain" value=domain placeholder="example.com" error=Signal::derive(move || create.refusal_of("domain"))/>
            <div class="grid gap-4 sm:grid-cols-2">
                <SpaceChoice space/>
                <Text label="External ID" value code=true hint="Can be left for later." error=Signal::derive(move || create.refusal_of("value"))/>
            </div>
            <DialogFoot><Button look=Look::Primary submit=true busy=Signal::derive(move || create.is_busy())>"Add the account"</Button></DialogFoot>
        </form>
    }
}
