//! Choosing which ID spaces a stream tries, or making a new setting.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use crate::components::{
    Button, Check, Choice, Dialog, DialogFoot, Icon, Loaded, Look, Notice, Text, Toasts, Tone,
};
use crate::query::{Change, Query, settled};
use crate::schema;
use crate::vocabulary::{Normalizer, UserError};

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct SettingsQuery {
    #[arguments(first: 100)]
    external_id_settings: ExternalIdSettingConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct ExternalIdSettingConnection {
    nodes: Vec<Setting>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "ExternalIdSetting")]
struct Setting {
    id: cynic::Id,
    name: String,
    spaces: Vec<SpaceName>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "IdSpace")]
struct SpaceName {
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct SpacesQuery {
    id_spaces: Vec<Space>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "IdSpace")]
struct Space {
    name: String,
    normalizer: Normalizer,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    name: String,
    spaces: Vec<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateSetting {
    #[arguments(input: { name: $name, spaces: $spaces })]
    external_id_setting_create: ExternalIdSettingCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ExternalIdSettingCreatePayload {
    external_id_setting: Option<Setting>,
    user_errors: Vec<UserError>,
}

/// The external-ID settings, the first of which is chosen to begin with.
#[component]
pub fn SettingChoice(chosen: RwSignal<String>) -> impl IntoView {
    let making = RwSignal::new(false);
    let query = Query::new(|| SettingsQuery::build(()));
    Effect::new(move |_| {
        let first = query
            .with(|data| data.external_id_settings.nodes.first().map(|setting| setting.id.clone()))
            .flatten();
        if let Some(first) = first
            && chosen.with_untracked(String::is_empty)
        {
            chosen.set(first.into_inner());
        }
    });
    let options = Signal::derive(move || {
        let settings = query.with(|data| data.external_id_settings.nodes.clone()).unwrap_or_default();
        let named = settings.into_iter().map(|setting| (setting.id.into_inner(), setting.name));
        std::iter::once((String::new(), "None: every account is unknown".to_owned()))
            .chain(named)
            .collect::<Vec<_>>()
    });
    let hint = Signal::derive(move || {
        let id = chosen.get();
        let spaces = query.with(|data| {
            let setting = data.external_id_settings.nodes.iter().find(|setting| setting.id.inner() == id)?;
            Some(setting.spaces.iter().map(|space| space.name.clone()).collect::<Vec<_>>().join(", then "))
        });
        spaces.flatten().map_or_else(
            || "Say which ID spaces are tried, in which order.".to_owned(),
            |spaces| format!("Tries {spaces}."),
        )
    });
    let made = Callback::new(move |id: String| {
        query.reload();
        chosen.set(id);
    });
    view! {
        <div class="flex flex-col items-start gap-2">
            <div class="w-full"><Choice label="Account IDs are looked for in" value=chosen on_change=move |key: String| chosen.set(key) options hint/></div>
            <Button look=Look::Quiet icon=Icon::Add on:click=move |_| making.set(true)>"New external-ID setting"</Button>
        </div>
        <Dialog open=making title="New external-ID setting"><NewSetting open=making made/></Dialog>
    }
}

/// The settings there are, and a form for a new one.
#[component]
pub fn SettingsDialog(open: RwSignal<bool>) -> impl IntoView {
    view! { <Dialog open title="External-ID settings"><Settings/></Dialog> }
}

#[component]
fn Settings() -> impl IntoView {
    let query = Query::new(|| SettingsQuery::build(()));
    let making = RwSignal::new(false);
    let line = |setting: Setting| {
        let spaces: Vec<_> = setting.spaces.into_iter().map(|space| space.name).collect();
        view! {
            <li class="border-b border-base-300/70 py-2 last:border-0">
                <p class="font-medium">{setting.name}</p>
                <p class="text-xs muted">{format!("tries {}", spaces.join(", then "))}</p>
            </li>
        }
    };
    view! {
        <div class="flex flex-col gap-4">
            <p class="muted">"A setting says in which ID spaces a stream looks for the account IDs of its rows, and in which order. A stream chooses one."</p>
            <Loaded query lines=2 let:data>
                <Show
                    when=move || data.with(|data| !data.external_id_settings.nodes.is_empty())
                    fallback=|| view! { <p class="muted">"There is none yet."</p> }
                >
                    <ul>{move || data.get().external_id_settings.nodes.into_iter().map(line).collect_view()}</ul>
                </Show>
            </Loaded>
            <Show
                when=move || making.get()
                fallback=move || view! { <div><Button icon=Icon::Add on:click=move |_| making.set(true)>"New external-ID setting"</Button></div> }
            >
                <NewSetting open=making made=Callback::new(move |_| query.reload())/>
            </Show>
        </div>
    }
}

#[component]
fn NewSetting(open: RwSignal<bool>, made: Callback<String>) -> impl IntoView {
    let toasts = Toasts::expect();
    let name = RwSignal::new(String::new());
    let spaces = RwSignal::new(Vec::<String>::new());
    let query = Query::new(|| SpacesQuery::build(()));
    let create = Change::new(
        |answer: CreateSetting| {
            let payload = answer.external_id_setting_create;
            settled(payload.external_id_setting, payload.user_errors)
        },
        move |setting: Setting| {
            open.set(false);
            toasts.say(format!("{} is added", setting.name));
            made.run(setting.id.into_inner());
        },
    );
    let check = move |space: Space| {
        let (kept, changed) = (space.name.clone(), space.name.clone());
        let order = move || spaces.with(|spaces| spaces.iter().position(|name| *name == kept));
        let label = {
            let (name, order) = (space.name, order.clone());
            Signal::derive(move || {
                order().map_or_else(|| name.clone(), |at| format!("{name}, tried as number {}", at + 1))
            })
        };
        let change = move |on: bool| {
            spaces.update(|spaces| {
                spaces.retain(|name| *name != changed);
                if on {
                    spaces.push(changed.clone());
                }
            });
        };
        view! { <Check label checked=Signal::derive(move || order().is_some()) on_change=change hint=format!("Compared {}.", space.normalizer.text())/> }
    };
    let send = move |_| {
        let variables =
            CreateVariables { name: name.get_untracked().trim().to_owned(), spaces: spaces.get_untracked() };
        create.send(CreateSetting::build(variables));
    };
    let complaint =
        move || create.complaint(&["name"]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    view! {
        <div class="flex flex-col gap-4">
            <Text label="Name" value=name required=true error=Signal::derive(move || create.refusal_of("name"))/>
            <Loaded query lines=3 let:data>
                <fieldset>
                    <legend class="mb-1 text-sm font-medium">"ID spaces, in the order you choose them"</legend>
                    {data.get_untracked().id_spaces.into_iter().map(check).collect_view()}
                </fieldset>
            </Loaded>
            {complaint}
            <DialogFoot>
                <Button
                    look=Look::Primary
                    busy=Signal::derive(move || create.is_busy())
                    disabled=Signal::derive(move || name.with(|name| name.trim().is_empty()) || spaces.with(Vec::is_empty))
                    on:click=send
                >
                    "Add the setting"
                </Button>
            </DialogFoot>
        </div>
    }
}
