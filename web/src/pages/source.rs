//! One source: how it is reached, whether that works, what is read from it.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::deletion::{Doomed, SourceDeletion};
use super::source_check::{CheckSteps, ProblemText, SourceCheck};
use super::source_config::SourceConfig;
use super::source_facts::ConfigFacts;
use super::source_key_pair::KeyPair;
use super::source_key_pairs::KeyPairs;
use super::source_setup::SetupPanel;
use super::source_streams::{StreamConnection, Streams};
use super::source_table_name::TableName;
use crate::components::{
    Ago, Badge, Button, Fact, Facts, Icon, LinkButton, Loaded, Look, Missing, Notice, PageHead, Panel,
    Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::viewer::Session;
use crate::vocabulary::{
    BigquerySignIn, ConnectorProblem, DateTime, Permission, SourceKind, SourceSignIn, SourceState, UserError,
};
use crate::{paths, schema};

/// An object by its ID.
#[derive(cynic::QueryVariables)]
pub(super) struct SourceVariables {
    pub(super) id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "SourceVariables")]
struct SourceQuery {
    #[arguments(id: $id)]
    source: Option<Source>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct Source {
    id: cynic::Id,
    name: String,
    version: i32,
    kind: SourceKind,
    config: SourceConfig,
    has_secret: bool,
    sign_in: SourceSignIn,
    key_pairs: Vec<KeyPair>,
    state: SourceState,
    last_check: Option<SourceCheck>,
    problem: Option<ConnectorProblem>,
    created_at: DateTime,
    #[arguments(first: 100)]
    streams: StreamConnection,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SourceVariables")]
pub(super) struct CheckSource {
    #[arguments(input: { id: $id })]
    source_check: SourceCheckPayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub(super) struct SourceCheckPayload {
    check: Option<SourceCheck>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SourceVariables")]
struct PauseSource {
    #[arguments(input: { id: $id })]
    source_pause: SourcePausePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourcePausePayload {
    source: Option<SourceId>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "SourceVariables")]
struct ResumeSource {
    #[arguments(input: { id: $id })]
    source_resume: SourceResumePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceResumePayload {
    source: Option<SourceId>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Source")]
struct SourceId {
    name: String,
}

/// What outlives the content of the page, which is built anew whenever the source has changed.
#[derive(Clone, Copy)]
struct Kept {
    /// The tables that were named for the scripts.
    tables: RwSignal<String>,
    /// How the last test that was made here went.
    fresh: RwSignal<Option<SourceCheck>>,
    check: Change<CheckSource>,
    /// The last test that is stored.
    stored: Memo<Option<SourceCheck>>,
    /// Why runs cannot use the source.
    problem: Memo<Option<ConnectorProblem>>,
}

/// The page of a source.
#[component]
pub fn SourcePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").unwrap_or_default()));
    let query = Query::new(move || SourceQuery::build(SourceVariables { id: id.get().into() }));
    let fresh = RwSignal::new(None::<SourceCheck>);
    let check = Change::new(
        |answer: CheckSource| settled(answer.source_check.check, answer.source_check.user_errors),
        move |result: SourceCheck| {
            // What runs found wrong is over with a test that passes.
            if result.ok {
                query.reload();
            }
            fresh.set(Some(result));
        },
    );
    let problem = Memo::new(move |_| query.with(|data| data.source.as_ref()?.problem.clone()).flatten());
    let stored = Memo::new(move |_| query.with(|data| data.source.as_ref()?.last_check.clone()).flatten());
    let kept = Kept { tables: RwSignal::new(String::new()), fresh, check, stored, problem };
    Effect::new(move |_| {
        id.track();
        kept.fresh.set(None);
        kept.tables.set(String::new());
    });
    view! {
        <Loaded query what="source" let:data>
            {
                // A test or a trouble that is over is no reason to build all anew, under the hand of whoever tests.
                let source = Memo::new(move |_| {
                    data.get().source.map(|source| Source { last_check: None, problem: None, ..source })
                });
                move || match source.get() {
                    Some(source) => view! { <Content source query kept/> }.into_any(),
                    None => view! { <PageHead title="Source"/><Missing what="source"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

#[component]
fn Content(source: Source, query: Query<SourceQuery>, kept: Kept) -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let id = StoredValue::new(source.id.clone());
    let variables = move || SourceVariables { id: id.get_value() };
    let Kept { tables, fresh, check, stored, problem } = kept;
    let resume = Change::new(
        |answer: ResumeSource| settled(answer.source_resume.source, answer.source_resume.user_errors),
        move |source: SourceId| {
            query.reload();
            toasts.say(format!("{} runs again", source.name));
        },
    );
    let pause = Change::new(
        |answer: PauseSource| settled(answer.source_pause.source, answer.source_pause.user_errors),
        move |source: SourceId| {
            query.reload();
            toasts.say_with_undo(format!("{} is paused", source.name), move || {
                resume.send(ResumeSource::build(variables()))
            });
        },
    );
    let paused = source.state == SourceState::Paused;
    let last_check = fresh.get_untracked().or_else(|| stored.get_untracked());
    let works = last_check.as_ref().is_some_and(|check| check.ok);
    let keyed = source.sign_in == SourceSignIn::KeyPair;
    let keyless = keyed && !source.key_pairs.iter().any(KeyPair::is_used);
    let writes = session.may(Permission::SourcesWrite);
    // What nobody has tested yet is tested now, so that nobody has to think of it.
    if writes && !keyless && last_check.is_none() && !untrack(|| check.is_busy()) {
        check.send(CheckSource::build(variables()));
    }
    let shown = move || match fresh.get().or_else(|| stored.get()) {
        Some(check) => {
            let at = check.checked_at.clone();
            view! { <CheckSteps check/><p class="mt-2 text-xs muted">"Tested "<Ago time=at/></p> }.into_any()
        }
        None if check.is_busy() => view! { <p class="muted">"Testing the connection …"</p> }.into_any(),
        None if keyless => {
            view! { <p class="muted">"There is no key in use yet to sign in with."</p> }.into_any()
        }
        None => view! { <p class="muted">"This connection has not been tested."</p> }.into_any(),
    };
    let deleting = RwSignal::new(false);
    let doomed = StoredValue::new(Doomed {
        id: source.id.clone(),
        name: source.name.clone(),
        version: source.version,
    });
    let read = StoredValue::new(source.streams.nodes.iter().map(|stream| stream.name.clone()).collect());
    let complaint = move || {
        let words =
            check.complaint(&[]).or_else(|| pause.complaint(&[])).or_else(|| resume.complaint(&[]))?;
        Some(view! { <div class="mb-5"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    let new_stream = paths::stream_new(source.id.inner());
    let edit = paths::source_edit(source.id.inner());
    let toggle = move || {
        if paused {
            view! { <Button icon=Icon::Play busy=Signal::derive(move || resume.is_busy()) on:click=move |_| resume.send(ResumeSource::build(variables()))>"Resume"</Button> }.into_any()
        } else {
            view! { <Button icon=Icon::Pause busy=Signal::derive(move || pause.is_busy()) on:click=move |_| pause.send(PauseSource::build(variables()))>"Pause"</Button> }.into_any()
        }
    };
    let add = new_stream.clone();
    let credential = match source.sign_in {
        SourceSignIn::Nothing => "None needed",
        SourceSignIn::KeyPair => "A key pair, made and kept here",
        SourceSignIn::Secret if source.has_secret => "Stored, sealed",
        SourceSignIn::Secret => "None",
    };
    // The empty list has the same button, and is where one looks.
    let bare = source.streams.nodes.is_empty();
    let keys = keyed.then(|| {
        let may = session.may(Permission::SecretsWrite);
        let on_change = Callback::new(move |()| query.reload());
        let on_switch = Callback::new(move |()| check.send(CheckSource::build(variables())));
        view! { <div class="lg:col-span-2"><KeyPairs source=source.id.clone() pairs=source.key_pairs may on_change on_switch/></div> }
    });
    let as_weir =
        matches!(&source.config, SourceConfig::Bigquery(config) if config.sign_in == BigquerySignIn::Weir);
    // A file has nobody to ask.
    let scripted = source.kind != SourceKind::Sqlite;
    let setup = scripted.then(|| {
        view! { <div class="lg:col-span-2"><SetupPanel source=source.id.clone() typed=tables name=TableName::of(&source.config) bare as_weir/></div> }
    });
    // Access comes first until it is there.
    let (first, last) = if bare && !works { (setup, None) } else { (None, setup) };
    view! {
        <PageHead
            title=source.name.clone()
            crumbs=vec![("Sources".to_owned(), paths::SOURCES.to_owned())]
            about=move || paused.then(|| view! { <Badge text="Paused: no stream of it starts a run" icon=Icon::Pause/> })
        >
            {writes.then(|| view! {
                {toggle()}
                <LinkButton href=edit icon=Icon::Edit>"Edit"</LinkButton>
                <Button look=Look::Quiet icon=Icon::Remove on:click=move |_| deleting.set(true)>"Delete"</Button>
                {(!bare).then(|| view! { <LinkButton href=new_stream look=Look::Primary icon=Icon::Add>"New stream"</LinkButton> })}
            })}
        </PageHead>
        {complaint}
        {move || problem.get().map(|problem| view! {
            <div class="mb-5">
                <Notice tone=Tone::Error><p class="font-medium">"Runs cannot use this source."</p><ProblemText problem/></Notice>
            </div>
        })}
        <div class="grid grid-cols-1 gap-5 lg:grid-cols-2">
            <Panel title="Connection">
                <Facts>
                    <Fact name="Kind">{source.kind.text()}</Fact>
                    <ConfigFacts config=source.config/>
                    <Fact name="Credential">{credential}</Fact>
                    <Fact name="Added"><Ago time=source.created_at/></Fact>
                </Facts>
            </Panel>
            <Panel
                title="Connection test"
                actions=move || (writes && !keyless).then(|| view! {
                    <Button look=Look::Quiet icon=Icon::Retry busy=Signal::derive(move || check.is_busy()) on:click=move |_| check.send(CheckSource::build(variables()))>
                        "Test now"
                    </Button>
                })
            >
                <div aria-live="polite">{shown}</div>
            </Panel>
            {keys}
            {first}
            <div class="lg:col-span-2"><Streams streams=source.streams.nodes add/></div>
            {last}
        </div>
        <SourceDeletion open=deleting source=Signal::derive(move || doomed.get_value()) streams=read scripted/>
    }
}
