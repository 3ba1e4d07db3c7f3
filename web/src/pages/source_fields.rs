//! The fields of a source: the kind, and those of servers and files.

use leptos::prelude::*;

use super::source_draft::Draft;
use crate::components::{Area, Check, Choice, Text};
use crate::vocabulary::{ClickhouseSignIn, SourceKind, SslMode, Word};

/// The fields that say themselves what is wrong with them.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "host",
    "port",
    "database",
    "user",
    "password",
    "path",
    "caCertificate",
    "pathPrefix",
    "account",
    "role",
    "warehouse",
    "schema",
    "token",
    "project",
    "dataset",
    "dataProject",
    "location",
    "maximumBytesBilled",
    "key",
    "catalog",
    "clientId",
    "secret",
];

/// What is wrong with which field.
#[derive(Clone, Copy)]
pub(super) struct Errors(pub(super) Callback<&'static str, Option<String>>);

impl Errors {
    pub(super) fn of(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.0.run(field))
    }
}

/// What is said under the field of a secret.
pub(super) fn secret_hint(kept: bool) -> &'static str {
    if kept { "One is stored. Leave this empty to keep it." } else { "Kept sealed; it is never shown again." }
}

#[component]
pub(super) fn KindChoice(draft: Draft) -> impl IntoView {
    let card = move |kind: SourceKind| {
        let about = match kind {
            SourceKind::Postgres => "Server, database, a user that may read",
            SourceKind::Sqlite => "A file on the server",
            SourceKind::Clickhouse => "HTTP interface, a user that may read",
            SourceKind::Snowflake => "Account, a service user, a key pair made here",
            SourceKind::Bigquery => "Project, a service account",
            SourceKind::Databricks => "Workspace, SQL warehouse, a service principal",
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
            <div class="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">{SourceKind::ALL.iter().copied().map(card).collect_view()}</div>
        </fieldset>
    }
}

#[component]
pub(super) fn SqliteFields(draft: Draft, errors: Errors) -> impl IntoView {
    view! { <Text label="File" value=draft.path required=true code=true hint="The path on the machine Weir runs on. It is opened for reading only." error=errors.of("path")/> }
}

#[component]
fn Server(draft: Draft, errors: Errors) -> impl IntoView {
    view! {
        <div class="grid gap-4 sm:grid-cols-[minmax(0,1fr)_7rem]">
            <Text label="Host" value=draft.host required=true code=true error=errors.of("host")/>
            <Text label="Port" value=draft.port required=true code=true kind="number" error=errors.of("port")/>
        </div>
        <div class="grid gap-4 sm:grid-cols-2">
            <Text label="Database" value=draft.database required=true code=true error=errors.of("database")/>
            <Text label="User" value=draft.user required=true code=true error=errors.of("user")/>
        </div>
    }
}

/// What few need: it takes no room until it is asked for, filled, or wrong.
#[component]
fn Seldom(
    title: &'static str,
    value: RwSignal<String>,
    error: Signal<Option<String>>,
    children: Children,
) -> impl IntoView {
    let filled = value.with_untracked(|text| !text.is_empty());
    let open = Memo::new(move |was: Option<&bool>| was.copied().unwrap_or(filled) || error.get().is_some());
    view! {
        <details open=move || open.get()>
            <summary class="cursor-pointer py-1 muted">{title}</summary>
            <div class="mt-2">{children()}</div>
        </details>
    }
}

#[component]
fn Certificate(draft: Draft, errors: Errors) -> impl IntoView {
    let error = errors.of("caCertificate");
    view! {
        <Seldom title="The server’s certificate is your own" value=draft.certificate error>
            <Area label="Certificate to trust" value=draft.certificate code=true rows=4 hint="The authority’s, as PEM." error/>
        </Seldom>
    }
}

#[component]
pub(super) fn PostgresFields(draft: Draft, errors: Errors, kept_secret: bool) -> impl IntoView {
    let modes = SslMode::choices();
    view! {
        <Server draft errors/>
        <Text label="Password" value=draft.secret kind="password" autocomplete="new-password" hint=secret_hint(kept_secret) error=errors.of("password")/>
        <Choice
            label="TLS"
            value=Signal::derive(move || draft.ssl_mode.get().key().to_owned())
            on_change=move |key: String| if let Some(mode) = SslMode::from_key(&key) { draft.ssl_mode.set(mode) }
            options=modes
        />
        <Show when=move || draft.ssl_mode.get() == SslMode::VerifyFull><Certificate draft errors/></Show>
    }
}

#[component]
pub(super) fn ClickhouseFields(draft: Draft, errors: Errors, kept_secret: bool) -> impl IntoView {
    let hint = secret_hint(kept_secret);
    let secret = move || {
        match draft.clickhouse.get() {
        ClickhouseSignIn::Password => view! { <Text label="Password" value=draft.secret kind="password" autocomplete="new-password" hint error=errors.of("password")/> }.into_any(),
        ClickhouseSignIn::Token => view! { <Text label="JSON Web Token" value=draft.secret kind="password" autocomplete="new-password" hint error=errors.of("password")/> }.into_any(),
        ClickhouseSignIn::Certificate => view! { <Area label="Client certificate and private key" value=draft.secret code=true rows=6 hint="Both as PEM, one after the other. Kept sealed." error=errors.of("password")/> }.into_any(),
    }
    };
    view! {
        <Server draft errors/>
        <Check label="Use TLS" checked=draft.secure on_change=move |on| draft.secure.set(on)/>
        <Choice
            label="Sign in with"
            value=Signal::derive(move || draft.clickhouse.get().key().to_owned())
            on_change=move |key: String| if let Some(way) = ClickhouseSignIn::from_key(&key) { draft.clickhouse.set(way) }
            options=ClickhouseSignIn::choices()
        />
        {secret}
        <Check
            label="Read with FINAL"
            hint="For tables that replace or merge rows: slower, and never reads a row that was replaced."
            checked=draft.merged
            on_change=move |on| draft.merged.set(on)
        />
        <Show when=move || draft.secure.get()><Certificate draft errors/></Show>
        <Seldom title="The server is behind a reverse proxy" value=draft.prefix error=errors.of("pathPrefix")>
            <Text label="Path" value=draft.prefix code=true placeholder="/clickhouse" hint="What the proxy serves the HTTP interface under; empty where that is the whole host." error=errors.of("pathPrefix")/>
        </Seldom>
    }
}
