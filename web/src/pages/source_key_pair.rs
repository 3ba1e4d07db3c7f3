//! One key pair of a source: install its public half, test it, switch to it, retire the former.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::source_check::{CheckSteps, SourceCheck};
use crate::components::{
    Ago, Badge, Button, Code, CopyButton, Fact, Facts, Icon, Look, Notice, Toasts, Tone,
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

impl KeyPair {
    /// Whether the source signs with it.
    pub fn is_used(&self) -> bool {
        self.state == KeyPairState::Active
    }

    /// Whether nothing signs with it any more.
    pub fn is_retired(&self) -> bool {
        self.state == KeyPairState::Retired
    }
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
pub(super) struct Made {
    pub(super) slot: i32,
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

/// One key pair: what to do with it now.
#[component]
pub(super) fn One(
    source: StoredValue<cynic::Id>,
    pair: KeyPair,
    /// Whether the source signs with some key pair now.
    used: bool,
    may: bool,
    on_change: Callback<()>,
    on_switch: Callback<()>,
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
            on_switch.run(());
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
    let active = pair.is_used();
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
    let (first, last) = if used {
        (
            "Install the public half, as an administrator of the user:",
            "Test the key, then switch to it. Syncs go on with the old one until then.",
        )
    } else {
        (
            "Install the public half. Where the user is not there yet, run the script under “Access at the source” instead: it makes the user, with this key.",
            "Test the key, then use it.",
        )
    };
    let steps = pair.setup.map(|setup| {
        if install {
            view! {
                <Steps>
                    <Step number=1 text=first><Code text=setup.install what="the statement that installs the key"/></Step>
                    <Step number=2 text="Compare the fingerprint the warehouse shows with the one above:"><Code text=setup.verify what="the statement that shows the key"/></Step>
                    <Step number=3 text=last>
                        {may.then(|| view! { <div class="flex flex-wrap gap-2">{test_button(Look::Plain)} {switch}</div> })}
                        {outcome}
                    </Step>
                </Steps>
            }
            .into_any()
        } else if former {
            view! {
                <Steps>
                    <Step number=1 text="Take the former public half out of the warehouse:"><Code text=setup.remove what="the statement that removes the key"/></Step>
                    <Step number=2 text="Then retire the pair here: its slot is free for the next one.">{may.then(retire_button)}</Step>
                </Steps>
            }
            .into_any()
        } else {
            view! {
                {outcome}
                <details>
                    <summary class="cursor-pointer py-1 text-xs muted">"The statement that installed it"</summary>
                    <div class="mt-1"><Code text=setup.install what="the statement that installs the key"/></div>
                </details>
            }
            .into_any()
        }
    });
    view! {
        <section aria-label=format!("Key pair in slot {}", pair.slot) class="flex flex-col gap-3 not-first:border-t not-first:border-base-300 not-first:pt-6">
            <div class="flex flex-wrap items-center justify-between gap-2">
                <h3 class="flex items-center gap-2 font-medium">{format!("Slot {}", pair.slot)} {badge}</h3>
                {(active && may).then(|| view! { <div class="-me-2">{test_button(Look::Quiet)}</div> })}
            </div>
            <Facts>
                <Fact name="Fingerprint"><span class="font-mono text-[13px] break-all">{pair.fingerprint}</span></Fact>
                <Fact name="Public key">
                    <span class="flex items-center gap-1.5"><span class="min-w-0 truncate font-mono text-[13px]">{pair.public_key}</span><CopyButton text=key what="the public key"/></span>
                </Fact>
                <Fact name="Made"><Ago time=pair.created_at/></Fact>
                {pair.activated_at.filter(|_| active).map(|time| view! { <Fact name="In use since"><Ago time/></Fact> })}
            </Facts>
            {steps}
            {refused}
        </section>
    }
}

/// What is to be done, in order.
#[component]
fn Steps(children: Children) -> impl IntoView {
    view! { <ol class="flex flex-col gap-3">{children()}</ol> }
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
