//! API tokens: for programs that ask Weir, each with its own rights and shown once.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::components::{
    Ago, Badge, Button, Cell, Check, Choice, Code, Dialog, DialogFoot, Empty, Icon, Loaded, Look, Notice,
    Panel, Row, Table, Text, Toasts, Tone, column,
};
use crate::query::{Change, Query, settled};
use crate::vocabulary::{DateTime, Permission, UserError, Word};
use crate::{format, schema};

const DAY: f64 = 86_400_000.0;

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct TokensQuery {
    #[arguments(first: 100)]
    api_tokens: ApiTokenConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct ApiTokenConnection {
    nodes: Vec<ApiToken>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
struct ApiToken {
    id: cynic::Id,
    name: String,
    prefix: String,
    last4: String,
    scopes: Vec<Permission>,
    created_at: DateTime,
    expires_at: Option<DateTime>,
    last_used_at: Option<DateTime>,
    revoked_at: Option<DateTime>,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    name: String,
    scopes: Vec<Permission>,
    expires_at: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateToken {
    #[arguments(input: { name: $name, scopes: $scopes, expiresAt: $expires_at })]
    api_token_create: ApiTokenCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiTokenCreatePayload {
    secret: Option<String>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct RevokeVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RevokeVariables")]
struct RevokeToken {
    #[arguments(input: { id: $id })]
    api_token_revoke: ApiTokenRevokePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ApiTokenRevokePayload {
    api_token: Option<ApiToken>,
    user_errors: Vec<UserError>,
}

/// The list of API tokens.
#[component]
pub(super) fn ApiTokens() -> impl IntoView {
    let toasts = Toasts::expect();
    let query = Query::new(|| TokensQuery::build(()));
    let (adding, revoking) = (RwSignal::new(false), RwSignal::new(false));
    let target = RwSignal::new(None::<ApiToken>);
    let revoke = Change::new(
        |answer: RevokeToken| settled(answer.api_token_revoke.api_token, answer.api_token_revoke.user_errors),
        move |token: ApiToken| {
            revoking.set(false);
            query.reload();
            toasts.say(format!("{} no longer works", token.name));
        },
    );
    let row = move |token: ApiToken| {
        let kept = token.clone();
        let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.text()).collect();
        let state = match (&token.revoked_at, &token.expires_at) {
            (Some(_), _) => view! { <Badge text="Revoked" icon=Icon::Skipped/> }.into_any(),
            (None, Some(end)) if end.millis() < format::now() => {
                view! { <Badge text="Expired" tone=Tone::Warning icon=Icon::Clock/> }.into_any()
            }
            (None, Some(end)) => {
                view! { <span class="muted">"ends "</span><Ago time=end.clone()/> }.into_any()
            }
            (None, None) => view! { <span class="muted">"no end"</span> }.into_any(),
        };
        let live = token.revoked_at.is_none();
        view! {
            <Row>
                <Cell>
                    <span class="font-medium">{token.name}</span>
                    <span class="block font-mono text-xs muted">{token.prefix}"…"{token.last4}</span>
                </Cell>
                <Cell label="May" wide=true><span class="text-xs">{scopes.join(", ")}</span></Cell>
                <Cell label="Last used">{token.last_used_at.map_or_else(|| "never".into_any(), |time| view! { <Ago time/> }.into_any())}</Cell>
                <Cell label="Works">{state}</Cell>
                <Cell>{live.then(|| view! {
                    <Button look=Look::Quiet icon=Icon::Remove on:click=move |_| {
                        target.set(Some(kept.clone()));
                        revoking.set(true);
                    }>"Revoke"</Button>
                })}</Cell>
            </Row>
        }
    };
    let nothing = || view! { <Empty icon=Icon::Key title="No API tokens yet" text="A token lets a program ask Weir, with only the rights you give it."/> };
    let refused =
        move || revoke.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let go = move |_| {
        if let Some(token) = target.get_untracked() {
            revoke.send(RevokeToken::build(RevokeVariables { id: token.id }));
        }
    };
    let actions = move || view! { <Button look=Look::Quiet icon=Icon::Add on:click=move |_| adding.set(true)>"New token"</Button> };
    view! {
        <Panel title="API tokens" flush=true actions>
            <Loaded query lines=3 let:data>
                <Show when=move || data.with(|data| !data.api_tokens.nodes.is_empty()) fallback=nothing>
                    <Table caption="API tokens" columns=vec![column("Token"), column("May"), column("Last used"), column("Works"), column("")]>
                        <For each=move || data.get().api_tokens.nodes key=Clone::clone children=row/>
                    </Table>
                </Show>
            </Loaded>
        </Panel>
        <Dialog open=adding title="New API token">
            <NewToken open=adding made=Callback::new(move |()| query.reload())/>
        </Dialog>
        <Dialog open=revoking title="Revoke this token">
            <div class="flex flex-col gap-4">
                <p>"Programs that use “"{move || target.get().map(|token| token.name)}"” are refused from now on. This cannot be undone."</p>
                {refused}
                <DialogFoot>
                    <Button look=Look::Danger icon=Icon::Remove busy=Signal::derive(move || revoke.is_busy()) on:click=go>"Revoke"</Button>
                </DialogFoot>
            </div>
        </Dialog>
    }
}

#[component]
fn NewToken(open: RwSignal<bool>, made: Callback<()>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let chosen = RwSignal::new(Vec::<Permission>::new());
    let days = RwSignal::new("90".to_owned());
    let secret = RwSignal::new(None::<String>);
    let create = Change::new(
        |answer: CreateToken| settled(answer.api_token_create.secret, answer.api_token_create.user_errors),
        move |text: String| {
            secret.set(Some(text));
            made.run(());
        },
    );
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let days: f64 = days.get_untracked().parse().unwrap_or_default();
        create.send(CreateToken::build(CreateVariables {
            name: name.get_untracked().trim().to_owned(),
            scopes: chosen.get_untracked(),
            expires_at: (days > 0.0).then(|| DateTime(format::rfc3339(format::now() + days * DAY))),
        }));
    };
    let scope = move |scope: &Permission| {
        let scope = *scope;
        let checked = Signal::derive(move || chosen.with(|chosen| chosen.contains(&scope)));
        let change = move |on: bool| {
            chosen.update(|chosen| {
                chosen.retain(|other| *other != scope);
                if on {
                    chosen.push(scope);
                }
            });
        };
        view! { <Check label=scope.text() checked on_change=change/> }
    };
    let ends: Vec<_> = [("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year"), ("0", "Never")]
        .map(|(key, words)| (key.to_owned(), words.to_owned()))
        .into();
    let complaint =
        move || create.complaint(&["name"]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let none = Signal::derive(move || chosen.with(Vec::is_empty));
    let form = move || {
        view! {
            <form class="flex flex-col gap-4" on:submit=send>
                <Text label="Name" value=name required=true hint="The program that uses it." error=Signal::derive(move || create.refusal_of("name"))/>
                <fieldset>
                    <legend class="mb-1 text-sm font-medium">"It may"</legend>
                    <div class="grid gap-x-4 sm:grid-cols-2">{Permission::ALL.iter().map(scope).collect_view()}</div>
                </fieldset>
                <Choice label="Stops working" value=days on_change=move |key: String| days.set(key) options=ends.clone()/>
                {complaint}
                <DialogFoot><Button look=Look::Primary submit=true disabled=none busy=Signal::derive(move || create.is_busy())>"Make the token"</Button></DialogFoot>
            </form>
        }
    };
    move || {
        match secret.get() {
        Some(text) => view! {
            <div class="flex flex-col gap-4">
                <Notice tone=Tone::Warning>"Copy the token now. It is not shown again."</Notice>
                <Code text what="the token"/>
                <div class="flex justify-end"><Button look=Look::Primary on:click=move |_| open.set(false)>"Done"</Button></div>
            </div>
        }
        .into_any(),
        None => form().into_any(),
    }
    }
}
