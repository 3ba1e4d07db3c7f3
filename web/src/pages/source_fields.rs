//! The fields of a source, kind by kind.

use leptos::prelude::*;

use super::source_draft::Draft;
use crate::components::{Area, Check, Choice, Text};
use crate::vocabulary::{SourceKind, SslMode, Word};

/// The fields that say themselves what is wrong with them.
pub(super) const FIELDS: &[&str] =
    &["name", "host", "port", "database", "user", "password", "path", "caCertificate"];

/// What is wrong with which field.
#[derive(Clone, Copy)]
pub(super) struct Errors(pub(super) Callback<&'static str, Option<String>>);

impl Errors {
    pub(super) fn of(self, field: &'static str) -> Signal<Option<String>> {
        Signal::derive(move || self.0.run(field))
    }
}

#[component]
pub(super) fn KindChoice(draft: Draft) -> impl IntoView {
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
pub(super) fn SqliteFields(draft: Draft, errors: Errors) -> impl IntoView {
    view! { <Text label="File" value=draft.path required=true code=true hint="The path on the machine Weir runs on. It is opened for reading only." error=errors.of("path")/> }
}

#[component]
pub(super) fn ServerFields(
    draft: Draft,
    errors: Errors,
    kind: SourceKind,
    kept_secret: bool,
) -> impl IntoView {
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
