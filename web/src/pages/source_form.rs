//! Adding and editing a source, with a test before saving.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::source::SourceConfig;
use super::source_check::{CheckSteps, SourceCheck};
use crate::components::{
    Area, Button, Check, Choice, Icon, LinkButton, Loaded, Look, Missing, Notice, PageHead, Panel, Text,
    Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::vocabulary::{SourceKind, SslMode, UserError};
use crate::{paths, schema};

/// The connection details of one kind.
#[derive(cynic::InputObject, Clone, Debug)]
enum SourceConfigInput {
    Postgres(PostgresConfigInput),
    Sqlite(SqliteConfigInput),
    Clickhouse(ClickhouseConfigInput),
}

#[derive(cynic::InputObject, Clone, Debug)]
struct PostgresConfigInput {
    host: String,
    port: i32,
    database: String,
    user: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    ssl_mode: SslMode,
    ca_certificate: Option<String>,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct SqliteConfigInput {
    path: String,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct ClickhouseConfigInput {
    host: String,
    port: i32,
    secure: bool,
    database: String,
    user: String,
    #[cynic(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct CheckVariables {
    id: Option<cynic::Id>,
    config: SourceConfigInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CheckVariables")]
struct CheckConfig {
    #[arguments(input: { id: $id, config: $config })]
    source_check: SourceCheckPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceCheckPayload {
    check: Option<SourceCheck>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    name: String,
    config: SourceConfigInput,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateSource {
    #[arguments(input: { name: $name, config: $config })]
    source_create: SourceCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceCreatePayload {
    source: Option<SavedSource>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct UpdateVariables {
    id: cynic::Id,
    name: String,
    config: SourceConfigInput,
    version: i32,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "UpdateVariables")]
struct UpdateSource {
    #[arguments(input: { id: $id, name: $name, config: $config, expectedVersion: $version })]
    source_update: SourceUpdatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceUpdatePayload {
    source: Option<SavedSource>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Source")]
struct SavedSource {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryVariables)]
struct SourceVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SourceVariables")]
struct EditedQuery {
    #[arguments(id: $id)]
    source: Option<Edited>,
}

/// A source that is edited.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Source")]
struct Edited {
    id: cynic::Id,
    name: String,
    config: SourceConfig,
    has_secret: bool,
    version: i32,
}

/// What is typed into the form; the fields of all kinds together, so that switching the kind loses nothing.
#[derive(Clone, Copy)]
struct Draft {
    name: RwSignal<String>,
    kind: RwSignal<SourceKind>,
    host: RwSignal<String>,
    port: RwSignal<String>,
    database: RwSignal<String>,
    user: RwSignal<String>,
    password: RwSignal<String>,
    ssl_mode: RwSignal<SslMode>,
    certificate: RwSignal<String>,
    secure: RwSignal<bool>,
    path: RwSignal<String>,
}

impl Draft {
    fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            name: text(""),
            kind: RwSignal::new(SourceKind::Postgres),
            host: text(""),
            port: text("5432"),
            database: text(""),
            user: text(""),
            password: text(""),
            ssl_mode: RwSignal::new(SslMode::Prefer),
            certificate: text(""),
            secure: RwSignal::new(true),
            path: text(""),
        }
    }

    fn of(source: &Edited) -> Self {
        let draft = Self::new();
        draft.name.set(source.name.clone());
        match source.config.clone() {
            SourceConfig::Postgres(config) => {
                draft.host.set(config.host);
                draft.port.set(config.port.to_string());
                draft.database.set(config.database);
                draft.user.set(config.user);
                draft.ssl_mode.set(config.ssl_mode);
                draft.certificate.set(config.ca_certificate.unwrap_or_default());
            }
            SourceConfig::Sqlite(config) => {
                draft.kind.set(SourceKind::Sqlite);
                draft.path.set(config.path);
            }
            SourceConfig::Clickhouse(config) => {
                draft.kind.set(SourceKind::Clickhouse);
                draft.host.set(config.host);
                draft.port.set(config.port.to_string());
                draft.database.set(config.database);
                draft.user.set(config.user);
                draft.secure.set(config.secure);
            }
            SourceConfig::Other => {}
        }
        draft
    }

    /// Chooses a kind; a port nobody changed follows it.
    fn choose(self, kind: SourceKind) {
        let usual = |kind| if kind == SourceKind::Clickhouse { "8443" } else { "5432" };
        if self.port.get_untracked() == usual(self.kind.get_untracked()) {
            self.port.set(usual(kind).to_owned());
        }
        self.kind.set(kind);
    }

    fn config(self) -> SourceConfigInput {
        let text = |signal: RwSignal<String>| signal.get_untracked().trim().to_owned();
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let port = text(self.port).parse().unwrap_or(0);
        match self.kind.get_untracked() {
            SourceKind::Postgres => SourceConfigInput::Postgres(PostgresConfigInput {
                host: text(self.host),
                port,
                database: text(self.database),
                user: text(self.user),
                password: some(self.password.get_untracked()),
                ssl_mode: self.ssl_mode.get_untracked(),
                ca_certificate: some(text(self.certificate)),
            }),
            SourceKind::Sqlite => SourceConfigInput::Sqlite(SqliteConfigInput { path: text(self.path) }),
            SourceKind::Clickhouse => SourceConfigInput::Clickhouse(ClickhouseConfigInput {
                host: text(self.host),
                port,
                secure: self.secure.get_untracked(),
                database: text(self.database),
                user: text(self.user),
                password: some(self.password.get_untracked()),
            }),
        }
    }
}

/// The page that adds a source.
#[component]
pub fn SourceNewPage() -> impl IntoView {
    view! {
        <PageHead title="Add a source" crumbs=vec![("Sources".to_owned(), paths::SOURCES.to_owned())]/>
        <Form edited=None/>
    }
}

/// The page that edits a source.
#[component]
pub fn SourceEditPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let query = Query::new(move || EditedQuery::build(SourceVariables { id: id.get().into() }));
    view! {
        <Loaded query let:data>
            {
                match data.get_untracked().source {
                    Some(source) => {
                        let crumbs = vec![
                            ("Sources".to_owned(), paths::SOURCES.to_owned()),
                            (source.name.clone(), paths::source(source.id.inner())),
                        ];
                        view! { <PageHead title="Edit the source" crumbs/><Form edited=Some(source)/> }.into_any()
                    }
                    None => view! { <PageHead title="Source"/><Missing what="source"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Form(edited: Option<Edited>) -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let draft = edited.as_ref().map_or_else(Draft::new, Draft::of);
    let kept_secret = edited.as_ref().is_some_and(|source| source.has_secret);
    let back =
        edited.as_ref().map_or_else(|| paths::SOURCES.to_owned(), |source| paths::source(source.id.inner()));
    let result = RwSignal::new(None::<SourceCheck>);
    let check = Change::new(
        |answer: CheckConfig| settled(answer.source_check.check, answer.source_check.user_errors),
        move |check: SourceCheck| result.set(Some(check)),
    );
    let saved = {
        let is_new = edited.is_none();
        move |source: SavedSource| {
            toasts.say(format!("{} is saved", source.name));
            let id = source.id.inner();
            navigate(&if is_new { paths::stream_new(id) } else { paths::source(id) }, Default::default());
        }
    };
    let create = Change::new(
        |answer: CreateSource| settled(answer.source_create.source, answer.source_create.user_errors),
        saved.clone(),
    );
    let update = Change::new(
        |answer: UpdateSource| settled(answer.source_update.source, answer.source_update.user_errors),
        saved,
    );
    let edited = StoredValue::new(edited.map(|source| (source.id, source.version)));
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        let name = draft.name.get_untracked().trim().to_owned();
        match edited.get_value() {
            Some((id, version)) => update.send(UpdateSource::build(UpdateVariables {
                id,
                name,
                config: draft.config(),
                version,
            })),
            None => create.send(CreateSource::build(CreateVariables { name, config: draft.config() })),
        }
    };
    let test = move |_| {
        result.set(None);
        let id = edited.get_value().map(|(id, _)| id);
        check.send(CheckConfig::build(CheckVariables { id, config: draft.config() }));
    };
    let errors = Errors(Callback::new(move |field: &'static str| {
        create.refusal_of(field).or_else(|| update.refusal_of(field)).or_else(|| check.refusal_of(field))
    }));
    let complaint = move || {
        let words = create
            .complaint(FIELDS)
            .or_else(|| update.complaint(FIELDS))
            .or_else(|| check.complaint(FIELDS))?;
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    let outcome = move || {
        match (check.is_busy(), result.get()) {
        (true, _) => view! { <p class="muted">"Testing the connection …"</p> }.into_any(),
        (false, Some(check)) => view! { <CheckSteps check/> }.into_any(),
        (false, None) => view! { <p class="muted">"Test the connection before you save: each step says what it found, and what to do when it fails."</p> }.into_any(),
    }
    };
    let saving = Signal::derive(move || create.is_busy() || update.is_busy());
    let is_new = edited.with_value(Option::is_none);
    view! {
        <div class="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <form class="panel flex flex-col gap-4 p-5" on:submit=save>
                {complaint}
                {is_new.then(|| view! { <KindChoice draft/> })}
                <Text label="Name" value=draft.name required=true hint="How people will know it, such as “Product warehouse”." error=errors.of("name")/>
                {move || match draft.kind.get() {
                    SourceKind::Sqlite => view! { <SqliteFields draft errors/> }.into_any(),
                    kind => view! { <ServerFields draft errors kind kept_secret/> }.into_any(),
                }}
                <div class="flex flex-wrap gap-2 border-t border-base-300 pt-4">
                    <Button look=Look::Primary submit=true busy=saving>{if is_new { "Save and choose a table" } else { "Save" }}</Button>
                    <Button icon=Icon::Retry busy=Signal::derive(move || check.is_busy()) on:click=test>"Test the connection"</Button>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </form>
            <Panel title="Connection test"><div aria-live="polite">{outcome}</div></Panel>
        </div>
    }
}

const FIELDS: &[&str] = &["name", "host", "port", "database", "user", "password", "path", "caCertificate"];

/// What is wrong with which field.
#[derive(Clone, Copy)]
struct Errors(Callback<&'static str, Option<String>>);

impl Errors {
    fn of(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.0.run(field))
    }
}

#[component]
fn KindChoice(draft: Draft) -> impl IntoView {
    let card = move |kind: SourceKind| {
        let about = match kind {
            SourceKind::Postgres => "Server, database, a user that may read",
            SourceKind::Sqlite => "A file on the server",
            SourceKind::Clickhouse => "HTTP interface, a user that may read",
        };
        view! {
            <label class="flex cursor-pointer items-start gap-2.5 rounded-box border border-base-300 p-3 has-checked:border-primary has-checked:bg-primary/6 has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-primary">
                <input
                    type="radio"
                    name="kind"
                    class="mt-0.5 size-4 shrink-0 accent-primary outline-none"
                    prop:checked=move || draft.kind.get() == kind
                    on:change=move |_| draft.choose(kind)
                />
                <span><span class="font-medium">{kind.text()}</span><span class="block text-xs muted">{about}</span></span>
            </label>
        }
    };
    view! {
        <fieldset>
            <legend class="mb-1.5 text-sm font-medium">"Kind"</legend>
            <div class="grid gap-2 sm:grid-cols-3">{SourceKind::ALL.iter().copied().map(card).collect_view()}</div>
        </fieldset>
    }
}

#[component]
fn SqliteFields(draft: Draft, errors: Errors) -> impl IntoView {
    view! { <Text label="File" value=draft.path required=true code=true hint="The path on the machine Weir runs on. It is opened for reading only." error=errors.of("path")/> }
}

#[component]
fn ServerFields(draft: Draft, errors: Errors, kind: SourceKind, kept_secret: bool) -> impl IntoView {
    let hint = if kept_secret {
        "A password is stored. Leave this empty to keep it."
    } else {
        "Kept sealed; it is never shown again."
    };
    let modes = SslMode::choices();
    view! {
        <div class="grid gap-4 sm:grid-cols-[minmax(0,1fr)_7rem]">
            <Text label="Host" value=draft.host required=true code=true error=errors.of("host")/>
            <Text label="Port" value=draft.port required=true code=true kind="number" error=errors.of("port")/>
        </div>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Database" value=draft.database required=true code=true error=errors.of("database")/>
            <Text label="User" value=draft.user required=true code=true error=errors.of("user")/>
        </div>
        <Text label="Password" value=draft.password kind="password" autocomplete="new-password" hint=hint error=errors.of("password")/>
        {if kind == SourceKind::Clickhouse {
            view! { <Check label="Use TLS" checked=draft.secure on_change=move |on| draft.secure.set(on)/> }.into_any()
        } else {
            view! {
                <Choice
                    label="TLS"
                    value=Signal::derive(move || draft.ssl_mode.get().key().to_owned())
                    on_change=move |key: String| if let Some(mode) = SslMode::from_key(&key) { draft.ssl_mode.set(mode) }
                    options=modes
                />
                <Show when=move || draft.ssl_mode.get() == SslMode::VerifyFull>
                    <Area label="Certificate to trust" value=draft.certificate code=true rows=4 hint="PEM, only when the server’s certificate is your own." error=errors.of("caCertificate")/>
                </Show>
            }.into_any()
        }}
    }
}
