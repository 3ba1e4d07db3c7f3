//! The opportunities of an account with their inputs.

use cynic::MutationBuilder;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Choice, Dialog, DialogFoot, Empty, Icon, Look, Notice, Text, Toasts, Tone,
};
use crate::query::{Change, settled};
use crate::viewer::Session;
use crate::vocabulary::{Decimal, InputKind, Permission, UserError, Word};
use crate::{format, schema};

/// An opportunity with its inputs.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Opportunity")]
pub struct OpportunityLine {
    /// Its ID.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// Its ID in another system.
    pub external_id: Option<String>,
    /// Its inputs.
    pub inputs: Vec<InputLine>,
}

/// An input and what feeds it.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Input")]
pub struct InputLine {
    /// Its name.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// What it holds.
    pub kind: InputKind,
    /// The constant.
    pub constant_value: Option<Decimal>,
    /// The link that feeds it.
    pub metric_link: Option<FeedingLink>,
}

/// The link that feeds an input.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "MetricLink")]
pub struct FeedingLink {
    /// Whether it is in force.
    pub enabled: bool,
    /// The metric.
    pub metric: FeedingMetric,
}

/// The metric of a link.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Metric")]
pub struct FeedingMetric {
    /// Its name.
    pub name: String,
}

#[derive(cynic::QueryVariables)]
struct OpportunityVariables {
    account_id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "OpportunityVariables")]
struct CreateOpportunity {
    #[arguments(input: { accountId: $account_id, name: $name })]
    opportunity_create: OpportunityCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct OpportunityCreatePayload {
    opportunity: Option<Named>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Opportunity")]
struct Named {
    name: String,
}

#[derive(cynic::QueryVariables)]
struct InputVariables {
    opportunity_id: cynic::Id,
    name: String,
    unit: Option<String>,
    kind: InputKind,
    constant_value: Option<Decimal>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "InputVariables")]
struct CreateInput {
    #[arguments(input: { opportunityId: $opportunity_id, name: $name, unit: $unit, kind: $kind, constantValue: $constant_value })]
    input_create: InputCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct InputCreatePayload {
    input: Option<NamedInput>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Input")]
struct NamedInput {
    name: String,
}

/// The opportunities, to look at and add to.
#[component]
pub fn Opportunities(
    account_id: Memo<cynic::Id>,
    opportunities: Memo<Vec<OpportunityLine>>,
    reload: Callback<()>,
) -> impl IntoView {
    let may = Session::expect().may(Permission::AccountsWrite);
    let adding = RwSignal::new(false);
    let adding_input = RwSignal::new(false);
    let opportunity = RwSignal::new(None::<(cynic::Id, String)>);
    let block = move |line: OpportunityLine| {
        let target = (line.id.clone(), line.name.clone());
        let inputs = line.inputs.into_iter().map(|input| view! { <InputRow input/> }).collect_view();
        view! {
            <li class="border-b border-base-300 py-2.5 last:border-0">
                <div class="flex flex-wrap items-center justify-between gap-2">
                    <h3 class="font-medium">{line.name}{line.external_id.map(|id| view! { <span class="ms-2 font-mono text-xs font-normal muted">{id}</span> })}</h3>
                    {may.then(|| view! {
                        <Button look=Look::Quiet icon=Icon::Add on:click=move |_| {
                            opportunity.set(Some(target.clone()));
                            adding_input.set(true);
                        }>"Add an input"</Button>
                    })}
                </div>
                <ul class="mt-1">{inputs}</ul>
            </li>
        }
    };
    let nothing = || view! { <Empty icon=Icon::Account title="No opportunities yet" text="An opportunity is the business case of an account; its inputs are what metric links feed."/> };
    view! {
        <Show when=move || !opportunities.with(Vec::is_empty) fallback=nothing>
            <ul class="-mt-2.5"><For each=move || opportunities.get() key=Clone::clone children=block/></ul>
        </Show>
        {may.then(|| view! { <div class="mt-2"><Button icon=Icon::Add on:click=move |_| adding.set(true)>"Add an opportunity"</Button></div> })}
        <Dialog open=adding title="Add an opportunity"><NewOpportunity account_id open=adding reload/></Dialog>
        <Dialog open=adding_input title=Signal::derive(move || format!("Add an input to {}", opportunity.get().map(|(_, name)| name).unwrap_or_default()))>
            {move || opportunity.get().map(|(id, _)| view! { <NewInput opportunity_id=id open=adding_input reload/> })}
        </Dialog>
    }
}

#[component]
fn InputRow(input: InputLine) -> impl IntoView {
    let fed = match (input.kind, input.metric_link, input.constant_value) {
        (InputKind::Constant, _, value) => {
            let text = value.map_or_else(|| "–".to_owned(), |value| format::decimal(&value.0));
            view! { <span class="num">{text}</span> }.into_any()
        }
        (InputKind::Series, Some(link), _) => view! {
            <span class="muted">"fed by "<span class="text-base-content">{link.metric.name}</span></span>
            {(!link.enabled).then(|| view! { <Badge text="Link disabled" icon=Icon::Pause/> })}
        }
        .into_any(),
        (InputKind::Series, None, _) => {
            view! { <Badge text="Not linked" tone=Tone::Warning icon=Icon::Link/> }.into_any()
        }
    };
    view! {
        <li class="flex flex-wrap items-center justify-between gap-x-3 gap-y-1 py-1">
            <span>{input.name}{input.unit.map(|unit| view! { <span class="ms-1.5 text-xs muted">{unit}</span> })}</span>
            <span class="flex flex-wrap items-center gap-2">{fed}</span>
        </li>
    }
}

#[component]
fn NewOpportunity(account_id: Memo<cynic::Id>, open: RwSignal<bool>, reload: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let name = RwSignal::new(String::new());
    let create = Change::new(
        |answer: CreateOpportunity| {
            settled(answer.opportunity_create.opportunity, answer.opportunity_create.user_errors)
        },
        move |made: Named| {
            open.set(false);
            reload.run(());
            toasts.say(format!("{} is added", made.name));
        },
    );
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked().trim().to_owned();
        create.send(CreateOpportunity::build(OpportunityVariables {
            account_id: account_id.get_untracked(),
            name,
        }));
    };
    let complaint =
        move || create.complaint(&["name"]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    view! {
        <form class="flex flex-col gap-4" on:submit=send>
            {complaint}
            <Text label="Name" value=name required=true error=Signal::derive(move || create.refusal_of("name"))/>
            <DialogFoot><Button look=Look::Primary submit=true busy=Signal::derive(move || create.is_busy())>"Add the opportunity"</Button></DialogFoot>
        </form>
    }
}

#[component]
fn NewInput(opportunity_id: cynic::Id, open: RwSignal<bool>, reload: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let (name, unit, value) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let kind = RwSignal::new(InputKind::Series);
    let create = Change::new(
        |answer: CreateInput| settled(answer.input_create.input, answer.input_create.user_errors),
        move |made: NamedInput| {
            open.set(false);
            reload.run(());
            toasts.say(format!("{} is added", made.name));
        },
    );
    let some = |signal: RwSignal<String>| {
        Some(signal.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
    };
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        let constant_value = some(value).filter(|_| kind.get_untracked() == InputKind::Constant).map(Decimal);
        create.send(CreateInput::build(InputVariables {
            opportunity_id: opportunity_id.clone(),
            name: some(name).unwrap_or_default(),
            unit: some(unit),
            kind: kind.get_untracked(),
            constant_value,
        }));
    };
    let kinds = vec![
        (InputKind::Series.key().to_owned(), "A series of measurements".to_owned()),
        (InputKind::Constant.key().to_owned(), "A constant".to_owned()),
    ];
    let complaint = move || {
        create
            .complaint(&["name", "unit", "constantValue"])
            .map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> })
    };
    view! {
        <form class="flex flex-col gap-4" on:submit=send>
            {complaint}
            <div class="grid gap-4 sm:grid-cols-[minmax(0,2fr)_minmax(0,1fr)]">
                <Text label="Name" value=name required=true error=Signal::derive(move || create.refusal_of("name"))/>
                <Text label="Unit" value=unit error=Signal::derive(move || create.refusal_of("unit"))/>
            </div>
            <Choice
                label="Holds"
                value=Signal::derive(move || kind.get().key().to_owned())
                on_change=move |key: String| if let Some(chosen) = InputKind::from_key(&key) { kind.set(chosen) }
                options=kinds
            />
            <Show when=move || kind.get() == InputKind::Constant>
                <Text label="Value" value code=true error=Signal::derive(move || create.refusal_of("constantValue"))/>
            </Show>
            <DialogFoot><Button look=Look::Primary submit=true busy=Signal::derive(move || create.is_busy())>"Add the input"</Button></DialogFoot>
        </form>
    }
}
