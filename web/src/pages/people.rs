//! The people of the organization and what each may do.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::components::{
    Ago, Button, Cell, Choice, Dialog, DialogFoot, Icon, Loaded, Look, Notice, Panel, Row, Table, Text,
    Toasts, Tone, amount, column,
};
use crate::query::{Change, Query, settled};
use crate::schema;
use crate::vocabulary::{DateTime, Role, UserError, Word};

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct PeopleQuery {
    #[arguments(first: 100)]
    memberships: MembershipConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct MembershipConnection {
    nodes: Vec<Membership>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
struct Membership {
    user: Person,
    role: Role,
    created_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "User")]
struct Person {
    id: cynic::Id,
    name: String,
    email: String,
}

#[derive(cynic::QueryVariables)]
struct RoleVariables {
    user_id: cynic::Id,
    role: Role,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RoleVariables")]
struct ChangeRole {
    #[arguments(input: { userId: $user_id, role: $role })]
    membership_update: MembershipUpdatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MembershipUpdatePayload {
    membership: Option<Membership>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct RemoveVariables {
    user_id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RemoveVariables")]
struct RemoveMember {
    #[arguments(input: { userId: $user_id })]
    membership_remove: MembershipRemovePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MembershipRemovePayload {
    removed_user_id: Option<cynic::Id>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    name: String,
    email: String,
    password: String,
    role: Role,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateUser {
    #[arguments(input: { name: $name, email: $email, password: $password, role: $role })]
    user_create: UserCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UserCreatePayload {
    membership: Option<Membership>,
    user_errors: Vec<UserError>,
}

/// What a role may do, in a sentence.
fn meaning(role: Role) -> &'static str {
    match role {
        Role::Owner => "May do everything.",
        Role::Admin => "May do everything but change owners and the organization.",
        Role::Support => "Sees all but credentials; links and ignores what waits.",
        Role::Viewer => "Sees all but credentials; changes nothing.",
    }
}

/// The list of people.
#[component]
pub(super) fn People(may: bool) -> impl IntoView {
    let toasts = Toasts::expect();
    let query = Query::new(|| PeopleQuery::build(()));
    let adding = RwSignal::new(false);
    let removing = RwSignal::new(false);
    let leaving = RwSignal::new(None::<Person>);
    let change = Change::new(
        |answer: ChangeRole| {
            settled(answer.membership_update.membership, answer.membership_update.user_errors)
        },
        move |member: Membership| {
            query.reload();
            toasts.say(format!("{} is now {}", member.user.name, member.role.text().to_lowercase()));
        },
    );
    let remove = Change::new(
        |answer: RemoveMember| {
            settled(answer.membership_remove.removed_user_id, answer.membership_remove.user_errors)
        },
        move |_: cynic::Id| {
            removing.set(false);
            query.reload();
            toasts.say("The person is removed and signed out");
        },
    );
    let row = move |member: Membership| {
        let (id, person) = (member.user.id.clone(), member.user.clone());
        let chosen = move |key: String| {
            if let Some(role) = Role::from_key(&key) {
                change.send(ChangeRole::build(RoleVariables { user_id: id.clone(), role }));
            }
        };
        let role = if may {
            view! { <div class="w-36"><Choice label=format!("Role of {}", member.user.name) bare=true value=member.role.key().to_owned() on_change=chosen options=Role::choices()/></div> }.into_any()
        } else {
            member.role.text().into_any()
        };
        view! {
            <Row>
                <Cell><span class="font-medium">{member.user.name}</span><span class="block text-xs muted break-all">{member.user.email}</span></Cell>
                <Cell label="Role">{role}</Cell>
                <Cell label="Joined"><Ago time=member.created_at/></Cell>
                <Cell amount=true>{may.then(|| view! {
                    <Button look=Look::Quiet icon=Icon::Remove on:click=move |_| {
                        leaving.set(Some(person.clone()));
                        removing.set(true);
                    }>"Remove"</Button>
                })}</Cell>
            </Row>
        }
    };
    let complaint = move || {
        change
            .complaint(&[])
            .map(|words| view! { <div class="p-4"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    let refused =
        move || remove.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let actions = move || {
        may.then(|| view! { <Button look=Look::Quiet icon=Icon::Add on:click=move |_| adding.set(true)>"Add a person"</Button> })
    };
    let go = move |_| {
        if let Some(person) = leaving.get_untracked() {
            remove.send(RemoveMember::build(RemoveVariables { user_id: person.id }));
        }
    };
    view! {
        <Panel title="People" flush=true actions>
            {complaint}
            <Loaded query lines=3 let:data>
                <Table caption="People" columns=vec![column("Person"), column("Role"), column("Joined"), amount("")]>
                    <For each=move || data.get().memberships.nodes key=Clone::clone children=row/>
                </Table>
            </Loaded>
        </Panel>
        <Dialog open=adding title="Add a person">
            <NewPerson done=Callback::new(move |()| {
                adding.set(false);
                query.reload();
            })/>
        </Dialog>
        <Dialog open=removing title="Remove this person">
            <div class="flex flex-col gap-4">
                <p>{move || leaving.get().map(|person| person.name)}" can no longer sign in. What they did stays in the audit log."</p>
                {refused}
                <DialogFoot>
                    <Button look=Look::Danger icon=Icon::Remove busy=Signal::derive(move || remove.is_busy()) on:click=go>"Remove"</Button>
                </DialogFoot>
            </div>
        </Dialog>
    }
}

#[component]
fn NewPerson(done: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let text = || RwSignal::new(String::new());
    let (name, email, password) = (text(), text(), text());
    let role = RwSignal::new(Role::Support);
    let create = Change::new(
        |answer: CreateUser| settled(answer.user_create.membership, answer.user_create.user_errors),
        move |member: Membership| {
            toasts.say(format!("{} can sign in now", member.user.name));
            done.run(());
        },
    );
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        create.send(CreateUser::build(CreateVariables {
            name: name.get_untracked().trim().to_owned(),
            email: email.get_untracked().trim().to_owned(),
            password: password.get_untracked(),
            role: role.get_untracked(),
        }));
    };
    let complaint = move || {
        create
            .complaint(&["name", "email", "password"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <form class="flex flex-col gap-4" on:submit=send>
            <Text label="Name" value=name required=true error=Signal::derive(move || create.refusal_of("name"))/>
            <Text label="Email" value=email kind="email" required=true error=Signal::derive(move || create.refusal_of("email"))/>
            <Text
                label="First password"
                value=password
                kind="password"
                autocomplete="new-password"
                required=true
                hint="At least 12 characters. Hand it over in person or by a safe way."
                error=Signal::derive(move || create.refusal_of("password"))
            />
            <Choice
                label="Role"
                value=Signal::derive(move || role.get().key().to_owned())
                on_change=move |key: String| if let Some(chosen) = Role::from_key(&key) { role.set(chosen) }
                options=Role::choices()
                hint=Signal::derive(move || meaning(role.get()).to_owned())
            />
            {complaint}
            <DialogFoot><Button look=Look::Primary submit=true busy=Signal::derive(move || create.is_busy())>"Add the person"</Button></DialogFoot>
        </form>
    }
}
