//! Adding a metric link: account, metric, input.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use super::account_picker::{AccountPicker, PickedAccount};
use super::input_picker::InputPicker;
use crate::components::{Button, Choice, DialogFoot, Icon, Look, Notice, Toasts, Tone};
use crate::query::{Change, Query, settled};
use crate::schema;
use crate::vocabulary::UserError;

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query")]
struct MetricsQuery {
    #[arguments(first: 100)]
    metrics: MetricConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct MetricConnection {
    nodes: Vec<Metric>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct Metric {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryVariables)]
struct CreateVariables {
    account_id: cynic::Id,
    metric_id: cynic::Id,
    input_id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "CreateVariables")]
struct CreateLink {
    #[arguments(input: { accountId: $account_id, metricId: $metric_id, inputId: $input_id })]
    metric_link_create: MetricLinkCreatePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MetricLinkCreatePayload {
    metric_link: Option<LinkMade>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "MetricLink")]
struct LinkMade {
    metric: Metric,
}

/// The form for a new link; each choice opens the next.
#[component]
pub fn NewLink(open: RwSignal<bool>, reload: Callback<()>) -> impl IntoView {
    let toasts = Toasts::expect();
    let account = RwSignal::new(None::<PickedAccount>);
    let metric = RwSignal::new(String::new());
    let input = RwSignal::new(None::<cynic::Id>);
    let metrics = Query::new(|| MetricsQuery::build(()));
    let create = Change::new(
        |answer: CreateLink| {
            settled(answer.metric_link_create.metric_link, answer.metric_link_create.user_errors)
        },
        move |link: LinkMade| {
            open.set(false);
            reload.run(());
            toasts.say(format!(
                "{} is linked; readings that waited for it are being matched",
                link.metric.name
            ));
        },
    );
    let metric_choices = Signal::derive(move || {
        let nodes = metrics.with(|data| data.metrics.nodes.clone()).unwrap_or_default();
        let named = nodes.into_iter().map(|metric| (metric.id.into_inner(), metric.name));
        std::iter::once((String::new(), "Choose a metric".to_owned())).chain(named).collect::<Vec<_>>()
    });
    let ready = Memo::new(move |_| {
        account.with(Option::is_some) && !metric.with(String::is_empty) && input.with(Option::is_some)
    });
    let send = move |_| {
        let (Some(account), Some(input_id)) = (account.get_untracked(), input.get_untracked()) else {
            return;
        };
        create.send(CreateLink::build(CreateVariables {
            account_id: account.id,
            metric_id: metric.get_untracked().into(),
            input_id,
        }));
    };
    let inputs = move || {
        account.get().map(|account| {
            input.set(None);
            view! {
                <div class="flex flex-col gap-1">
                    <p class="text-sm font-medium">{format!("Input of {}", account.name)}</p>
                    <InputPicker account_id=account.id chosen=input/>
                </div>
            }
        })
    };
    let complaint =
        move || create.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    view! {
        <div class="flex flex-col gap-4">
            <AccountPicker chosen=account/>
            {inputs}
            <Choice label="Metric" value=metric on_change=move |key: String| metric.set(key) options=metric_choices/>
            {complaint}
            <DialogFoot>
                <Button
                    look=Look::Primary
                    icon=Icon::Link
                    busy=Signal::derive(move || create.is_busy())
                    disabled=Signal::derive(move || !ready.get())
                    on:click=send
                >
                    "Add the link"
                </Button>
            </DialogFoot>
        </div>
    }
}
