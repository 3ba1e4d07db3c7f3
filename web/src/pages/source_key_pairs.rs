//! The key pairs of a source: make one, rotate it.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::source_key_pair::{KeyPair, Made, One};
use crate::components::{Button, Empty, Icon, Look, Notice, Panel, Toasts, Tone};
use crate::query::{Change, settled};
use crate::schema;
use crate::vocabulary::UserError;

#[derive(cynic::QueryVariables)]
pub(super) struct OfSource {
    pub(super) id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "OfSource")]
pub(super) struct Generate {
    #[arguments(input: { sourceId: $id })]
    key_pair_generate: KeyPairGeneratePayload,
}

#[derive(cynic::QueryFragment, Debug)]
pub(super) struct KeyPairGeneratePayload {
    key_pair: Option<Made>,
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
    /// Another key is used from now on.
    on_switch: Callback<()>,
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
    let live = pairs.iter().filter(|pair| !pair.is_retired()).count();
    let used = pairs.iter().any(KeyPair::is_used);
    let refused =
        move || generate.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let make = move |words: &'static str, look: Look| {
        view! {
            <Button look icon=Icon::Key busy=Signal::derive(move || generate.is_busy()) on:click=move |_| generate.send(Generate::build(OfSource { id: id.get_value() }))>
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
        let shown = pairs.into_iter().filter(|pair| !pair.is_retired());
        shown
            .map(|pair| view! { <One source=id pair used may on_change on_switch/> })
            .collect_view()
            .into_any()
    };
    view! {
        <Panel title="Key pairs" actions>
            <div class="flex flex-col gap-6">{refused} {body}</div>
        </Panel>
    }
}
