//! Adding and editing a source, with a test before saving.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_navigate, use_params_map};

use super::source::{CheckSource, SourceVariables};
use super::source_check::{CheckSteps, SourceCheck};
use super::source_cloud_fields::{BigqueryFields, DatabricksFields, SnowflakeFields};
use super::source_config::SourceConfigInput;
use super::source_draft::{Draft, Edited};
use super::source_fields::{ClickhouseFields, Errors, FIELDS, KindChoice, PostgresFields, SqliteFields};
use super::source_key_pairs::{Generate, OfSource};
use crate::components::{
    Button, Icon, LinkButton, Loaded, Look, Missing, Notice, PageHead, Panel, Text, Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::vocabulary::{SnowflakeSignIn, SourceKind, SourceSignIn, UserError};
use crate::{api, paths, schema};

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
    sign_in: SourceSignIn,
}

#[derive(cynic::QueryVariables)]
struct EditedVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "EditedVariables")]
struct EditedQuery {
    #[arguments(id: $id)]
    source: Option<Edited>,
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
    let query = Query::new(move || EditedQuery::build(EditedVariables { id: id.get().into() }));
    view! {
        <Loaded query what="source" let:data>
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
            let (id, navigate) = (source.id, navigate.clone());
            // A key is made and installed before a table can be chosen.
            let keyed = source.sign_in == SourceSignIn::KeyPair;
            let next =
                if is_new && !keyed { paths::stream_new(id.inner()) } else { paths::source(id.inner()) };
            spawn_local(async move {
                // What goes wrong here is told by the source's page, where both can be done again.
                if is_new && keyed {
                    api::ask(Generate::build(OfSource { id })).await.ok();
                    navigate(&next, Default::default());
                } else {
                    navigate(&next, Default::default());
                    if !keyed {
                        api::ask(CheckSource::build(SourceVariables { id })).await.ok();
                    }
                }
            });
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
    let is_new = edited.with_value(Option::is_none);
    let keyed = move || {
        draft.kind.get() == SourceKind::Snowflake && draft.snowflake.get() == SnowflakeSignIn::KeyPair
    };
    let outcome = move || {
        match (check.is_busy(), result.get()) {
        (true, _) => view! { <p class="muted">"Testing the connection …"</p> }.into_any(),
        (false, Some(check)) => view! { <CheckSteps check/> }.into_any(),
        (false, None) if is_new && keyed() => view! { <NextSteps/> }.into_any(),
        (false, None) => view! { <p class="muted">"Test the connection before you save: each step says what it found, and what to do when it fails."</p> }.into_any(),
    }
    };
    let saving = Signal::derive(move || create.is_busy() || update.is_busy());
    view! {
        <div class="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
            <form class="panel flex flex-col gap-4 p-5" on:submit=save>
                {complaint}
                {is_new.then(|| view! { <KindChoice draft/> })}
                <Text label="Name" value=draft.name required=true hint="How people will know it, such as “Product warehouse”." error=errors.of("name")/>
                {move || match draft.kind.get() {
                    SourceKind::Postgres => view! { <PostgresFields draft errors kept_secret/> }.into_any(),
                    SourceKind::Sqlite => view! { <SqliteFields draft errors/> }.into_any(),
                    SourceKind::Clickhouse => view! { <ClickhouseFields draft errors kept_secret/> }.into_any(),
                    SourceKind::Snowflake => view! { <SnowflakeFields draft errors kept_secret/> }.into_any(),
                    SourceKind::Bigquery => view! { <BigqueryFields draft errors kept_secret/> }.into_any(),
                    SourceKind::Databricks => view! { <DatabricksFields draft errors kept_secret/> }.into_any(),
                }}
                {(!is_new).then(|| view! { <p class="text-xs muted">"The streams go on where they stopped. Where this now leads to other data, such as another environment’s, reset their cursors on their pages: rows below the watermarks are not read otherwise."</p> })}
                <div class="flex flex-wrap gap-2 border-t border-base-300 pt-4">
                    <Button look=Look::Primary submit=true busy=saving>{move || match (is_new, keyed()) { (false, _) => "Save", (true, true) => "Save and make a key pair", (true, false) => "Save and choose a table" }}</Button>
                    <Show when=move || !(is_new && keyed())>
                        <Button icon=Icon::Retry busy=Signal::derive(move || check.is_busy()) on:click=test>"Test the connection"</Button>
                    </Show>
                    <LinkButton href=back look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </form>
            <Panel title=Signal::derive(move || if is_new && keyed() { "What comes next".to_owned() } else { "Connection test".to_owned() })><div aria-live="polite">{outcome}</div></Panel>
        </div>
    }
}

/// What is to be done where the source signs in with a key pair.
#[component]
fn NextSteps() -> impl IntoView {
    let steps = [
        "A key pair is made here. Its private half never leaves this server.",
        "You get a script with your own names; an administrator of the warehouse runs it.",
        "You test the key, use it, and choose a table.",
    ];
    let step = |(index, words): (usize, &'static str)| {
        view! {
            <li class="flex gap-3">
                <span class="num grid size-6 shrink-0 place-items-center rounded-full bg-base-200 text-xs font-medium" aria-hidden="true">{index + 1}</span>
                <span class="pt-0.5">{words}</span>
            </li>
        }
    };
    view! { <ol class="flex flex-col gap-3">{steps.into_iter().enumerate().map(step).collect_view()}</ol> }
}
