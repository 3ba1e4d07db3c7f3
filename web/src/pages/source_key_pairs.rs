//! The key pairs of a source: make one, install its public half, test it, switch to it, retire the former.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::source_check::{CheckSteps, SourceCheck};
use crate::components::{
    Ago, Badge, Button, Code, CopyButton, Empty, Fact, Facts, Icon, Look, Notice, Panel, Toasts, Tone,
};
use crate::query::{Change, settled};
use crate::schema;
use crate::vocabulary::{DateTime, KeyPairState, UserError};

/// A key pair of a source.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct KeyPair {
    id: cynic::Id,
    slot: i32,
    public_key: String,
    fingerprint: String,
    state: KeyPairState,
    created_at: DateTime,
    activated_at: Option<DateTime>,
    retired_at: Option<DateTime>,
    setup: Option<KeyPairSetup>,
}

/// The statements for a key pair.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub struct KeyPairSetup {
    install: String,
    verify: String,
    remove: String,
}

#[derive(cynic::QueryVariables)]
struct ById {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct Generate {
    #[arguments(input: { sourceId: $id })]
    key_pair_generate: KeyPairGeneratePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct KeyPairGeneratePayload {
    key_pair: Option<Made>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct Activate {
    #[arguments(input: { id: $id })]
    key_pair_activate: KeyPairActivatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct KeyPairActivatePayload {
    key_pair: Option<Made>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct Retire {
    #[arguments(input: { id: $id })]
    key_pair_retire: KeyPairRetirePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct KeyPairRetirePayload {
    key_pair: Option<Made>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "KeyPair")]
struct Made {
    slot: i32,
}

#[derive(cynic::QueryVariables)]
struct TestVariables {
    source: cynic::Id,
    key: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "TestVariables")]
struct TestKey {
    #[arguments(input: { id: $source, keyPairId: $key })]
    source_check: SourceCheckPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct SourceCheckPayload {
    check: Option<SourceCheck>,
    user_errors: Vec<UserError>,
}

/// The panel of a source's key pairs.
#[component]
pub(super) fn KeyPairs(
    source: cynic::Id,
    pairs: Vec<KeyPair>,
    /// Whether the viewer may make and switch keys.
    may: bool,
    on_change: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let id = StoredValue::new(source);
    let generate = Change::new(
        |answer: Generate| settled(answer.key_pair_generate.key_pair, answer.key_pair_generate.user_errors),
        move |made: Made| {
            on_change.run(());
            toasts.say(format!("A key pair is made in slot {}. Install its public half next.", made.slot));
        },
    );
    let live = pairs.iter().filter(|pair| pair.state != KeyPairState::Retired).count();
    let used = pairs.iter().any(|pair| pair.state == KeyPairState::Active);
    let refused =
        move || generate.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let make = move |words: &'static str, look: Look| {
        view! {
            <Button look icon=Icon::Key busy=Signal::derive(move || generate.is_busy()) on:click=move |_| generate.send(Generate::build(ById { id: id.get_value() }))>
                {words}
            </Button>
        }
    };
    let rotates = may && live == 1 && used;
    let actions = move || rotates.then(|| make("Rotate", Look::Quiet));
    let body = if live == 0 {
        view! {
            <Empty icon=Icon::Key title="No key pair yet" text="The pair is made on this server. Its private half never leaves; the public half goes to the warehouse.">
                {may.then(|| make("Make a key pair", Look::Primary))}
            </Empty>
        }
        .into_any()
    } else {
        let shown = pairs.into_iter().filter(|pair| pair.state != KeyPairState::Retired);
        shown.map(|pair| view! { <One source=id pair used may on_change/> }).collect_view().into_any()
    };
    view! {
        <Panel title="Key pairs" actions>
            <div class="flex flex-col gap-6">{refused} {body}</div>
        </Panel>
    }
}

/// One key pair: what to do with it now.
#[component]
fn One(
    source: StoredValue<cynic::Id>,
    pair: KeyPair,
    /// Whether the source signs with some key pair now.
    used: bool,
    may: bool,
    on_change: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let id = StoredValue::new(pair.id.clone());
    let by_id = move || ById { id: id.get_value() };
    let tested = RwSignal::new(None::<SourceCheck>);
    let test = Change::new(
        |answer: TestKey| settled(answer.source_check.check, answer.source_check.user_errors),
        move |check: SourceCheck| tested.set(Some(check)),
    );
    let activate = Change::new(
        |answer: Activate| settled(answer.key_pair_activate.key_pair, answer.key_pair_activate.user_errors),
        move |made: Made| {
            on_change.run(());
            toasts.say(format!("The source signs with the key in slot {} from now on", made.slot));
        },
    );
    let retire = Change::new(
        |answer: Retire| settled(answer.key_pair_retire.key_pair, answer.key_pair_retire.user_errors),
        move |made: Made| {
            on_change.run(());
            toasts.say(format!("The key in slot {} is retired", made.slot));
        },
    );
    let refused = move || {
        let words =
            test.complaint(&[]).or_else(|| activate.complaint(&[])).or_else(|| retire.complaint(&[]))?;
        Some(view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    let active = pair.state == KeyPairState::Active;
    // Switched away from: it signed once and waits to be taken out of the warehouse.
    let former = !active && pair.activated_at.is_some();
    let badge = if active {
        view! { <Badge text="In use" tone=Tone::Success icon=Icon::Success/> }.into_any()
    } else if former {
        view! { <Badge text="Replaced" icon=Icon::Skipped/> }.into_any()
    } else {
        view! { <Badge text="Not in use yet" tone=Tone::Info icon=Icon::Pending/> }.into_any()
    };
    let key = pair.public_key.clone();
    let outcome =
        move || tested.get().map(|check| view! { <div aria-live="polite"><CheckSteps check/></div> });
    let test_button = move |look| {
        view! {
            <Button look icon=Icon::Retry busy=Signal::derive(move || test.is_busy()) on:click=move |_| test.send(TestKey::build(TestVariables { source: source.get_value(), key: id.get_value() }))>
                "Test this key"
            </Button>
        }
    };
    let passed = move || tested.with(|check| check.as_ref().is_some_and(|check| check.ok));
    let switch = move || {
        let look = if passed() { Look::Primary } else { Look::Plain };
        view! {
            <Button look icon=Icon::Check busy=Signal::derive(move || activate.is_busy()) on:click=move |_| activate.send(Activate::build(by_id()))>
                {if used { "Switch to this key" } else { "Use this key" }}
            </Button>
        }
    };
    let retire_button = move || {
        view! {
            <Button look=Look::Quiet icon=Icon::Remove busy=Signal::derive(move || retire.is_busy()) on:click=move |_| retire.send(Retire::build(by_id()))>
                "Retire"
            </Button>
        }
    };
    let install = !active && !former;
    let steps = pair.setup.map(|setup| {
        if install {
            view! {
                <Step number=1 text="Install the public half, as an administrator of the user:"><Code text=setup.install what="the statement that installs the key"/></Step>
                <Step number=2 text="Compare the fingerprint the warehouse shows with the one above:"><Code text=setup.verify what="the statement that shows the key"/></Step>
                <Step number=3 text="Test the key, then switch to it. Syncs go on all the while.">
                    {may.then(|| view! { <div class="flex flex-wrap gap-2">{test_button(Look::Plain)} {switch}</div> })}
                </Step>
            }
            .into_any()
        } else if former {
            view! {
                <Step number=1 text="Take the former public half out of the warehouse:"><Code text=setup.remove what="the statement that removes the key"/></Step>
                <Step number=2 text="Then retire the pair here, which gives its slot free.">{may.then(retire_button)}</Step>
            }
            .into_any()
        } else {
            view! {
                <details class="text-sm">
                    <summary class="cursor-pointer py-1 muted">"The statement that installed it"</summary>
                    <Code text=setup.install what="the statement that installs the key"/>
                </details>
            }
            .into_any()
        }
    });
    view! {
        <section aria-label=format!("Key pair in slot {}", pair.slot) class="flex flex-col gap-3 not-first:border-t not-first:border-base-300 not-first:pt-6">
            <div class="flex flex-wrap items-center justify-between gap-2">
                <h3 class="flex items-center gap-2 font-medium">{format!("Slot {}", pair.slot)} {badge}</h3>
                {(active && may).then(|| test_button(Look::Quiet))}
            </div>
            <Facts>
                <Fact name="Fingerprint"><span class="font-mono text-[13px] break-all">{pair.fingerprint}</span></Fact>
                <Fact name="Public key">
                    <span class="flex items-start gap-1.5"><span class="line-clamp-2 font-mono text-[13px] break-all">{pair.public_key}</span><CopyButton text=key what="the public key"/></span>
                </Fact>
                <Fact name="Made"><Ago time=pair.created_at/></Fact>
                {pair.activated_at.filter(|_| active).map(|time| view! { <Fact name="In use since"><Ago time/></Fact> })}
            </Facts>
            <ol class="flex flex-col gap-3">{steps}</ol>
            {refused}
            {outcome}
        </section>
    }
}

/// A step of what is to be done.
#[component]
fn Step(number: u8, text: &'static str, children: Children) -> impl IntoView {
    view! {
        <li class="flex gap-3">
            <span class="num mt-0.5 grid size-6 shrink-0 place-items-center rounded-full bg-base-200 text-xs font-medium" aria-hidden="true">{number}</span>
            <div class="flex min-w-0 flex-1 flex-col gap-2"><p>{text}</p>{children()}</div>
        </li>
    }
}
