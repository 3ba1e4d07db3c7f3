//! The IDs an account is known by in other systems.

use cynic::MutationBuilder;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use super::id_spaces::SpaceChoice;
use crate::components::{
    Ago, Button, Dialog, DialogFoot, Glyph, Icon, Look, Notice, Panel, Text, Toasts, Tone,
};
use crate::query::{Change, settled};
use crate::schema;
use crate::viewer::Session;
use crate::vocabulary::{DateTime, Permission, UserError};

/// An external ID.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "ExternalId")]
pub struct ExternalIdLine {
    /// Its own ID.
    pub id: cynic::Id,
    /// The ID space.
    pub space: String,
    /// The ID as given.
    pub value: String,
    /// The ID as compared.
    pub normalized: String,
    /// When it was added.
    pub created_at: DateTime,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    account_id: cynic::Id,
    space: String,
    value: String,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateExternalId {
    #[arguments(input: { accountId: $account_id, space: $space, value: $value })]
    external_id_create: ExternalIdCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ExternalIdCreatePayload {
    external_id: Option<ExternalIdLine>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct DeleteVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "DeleteVariables")]
struct DeleteExternalId {
    #[arguments(input: { id: $id })]
    external_id_delete: ExternalIdDeletePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ExternalIdDeletePayload {
    user_errors: Vec<UserError>,
}

/// The external IDs of an account, to add to and take from.
#[component]
pub fn ExternalIds(
    account_id: Memo<cynic::Id>,
    ids: Memo<Vec<ExternalIdLine>>,
    reload: Callback<()>,
) -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let adding = RwSignal::new(false);
    let (space, value) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let taken = StoredValue::new(None::<ExternalIdLine>);
    let create = Change::new(
        |answer: CreateExternalId| {
            settled(answer.external_id_create.external_id, answer.external_id_create.user_errors)
        },
        move |made: ExternalIdLine| {
            adding.set(false);
            value.set(String::new());
            reload.run(());
            toasts.say(format!(
                "{} is an ID of this account; rows that waited for it are being matched",
                made.value
            ));
        },
    );
    let delete = Change::new(
        |answer: DeleteExternalId| {
            let errors = answer.external_id_delete.user_errors;
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        },
        move |()| {
            reload.run(());
            let Some(gone) = taken.get_value() else { return };
            toasts.say_with_undo(format!("{} is taken away", gone.value), move || {
                let (space, value) = (gone.space.clone(), gone.value.clone());
                create.send(CreateExternalId::build(CreateVariables {
                    account_id: account_id.get_untracked(),
                    space,
                    value,
                }));
            });
        },
    );
    let may = session.may(Permission::LinksWrite);
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let value = value.get_untracked().trim().to_owned();
        create.send(CreateExternalId::build(CreateVariables {
            account_id: account_id.get_untracked(),
            space: space.get_untracked(),
            value,
        }));
    };
    let line = move |id: ExternalIdLine| {
        let differs = id.normalized != id.value;
        let gone = id.clone();
        view! {
            <li class="flex items-center gap-3 border-b border-base-300/70 py-2 last:border-0">
                <div class="min-w-0 flex-1">
                    <p class="font-mono text-[13px] break-all">{id.value.clone()}</p>
                    <p class="text-xs muted">
                        {id.space}
                        {differs.then(|| view! { " · compared as "<span class="font-mono">{id.normalized}</span> })}
                        " · added "<Ago time=id.created_at/>
                    </p>
                </div>
                {may.then(|| view! {
                    <button
                        type="button"
                        class="btn btn-ghost btn-sm btn-square size-8"
                        aria-label=format!("Take {} away", id.value)
                        on:click=move |_| {
                            taken.set_value(Some(gone.clone()));
                            delete.send(DeleteExternalId::build(DeleteVariables { id: gone.id.clone() }));
                        }
                    >
                        <Glyph icon=Icon::Remove/>
                    </button>
                })}
            </li>
        }
    };
    let complaint =
        move || create.complaint(&["value"]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let refused =
        move || delete.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    view! {
        <Panel
            title="External IDs"
            actions=move || may.then(|| view! { <Button look=Look::Quiet icon=Icon::Add on:click=move |_| adding.set(true)>"Add an ID"</Button> })
        >
            {refused}
            <Show when=move || !ids.with(Vec::is_empty) fallback=|| view! { <p class="muted">"No ID yet: rows cannot be matched to this account."</p> }>
                <ul class="-my-2"><For each=move || ids.get() key=Clone::clone children=line/></ul>
            </Show>
        </Panel>
        <Dialog open=adding title="Add an external ID">
            <form class="flex flex-col gap-4" on:submit=send>
                {complaint}
                <SpaceChoice space/>
                <Text label="External ID" value code=true required=true error=Signal::derive(move || create.refusal_of("value"))/>
                <DialogFoot><Button look=Look::Primary submit=true busy=Signal::derive(move || create.is_busy())>"Add the ID"</Button></DialogFoot>
            </form>
        </Dialog>
    }
}
