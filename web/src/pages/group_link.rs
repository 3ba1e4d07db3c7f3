//! Linking groups: their account ID to an account, or their metric to an input.

use cynic::MutationBuilder;
use leptos::prelude::*;

use super::account_picker::{AccountPicker, PickedAccount};
use super::input_picker::InputPicker;
use crate::components::{Button, Choice, Dialog, DialogFoot, Icon, LinkButton, Look, Notice, Toasts, Tone};
use crate::query::Change;
use crate::vocabulary::UserError;
use crate::{format, paths, schema};

/// What a group is to be linked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// An account, perhaps one that was suggested.
    Account(Option<(cynic::Id, String)>),
    /// An input of a known account, perhaps one that was suggested.
    Metric { account: cynic::Id, account_name: String, input: Option<cynic::Id> },
}

#[derive(cynic::QueryVariables)]
struct LinkVariables {
    ids: Vec<cynic::Id>,
    account_id: Option<cynic::Id>,
    space: Option<String>,
    input_id: Option<cynic::Id>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "LinkVariables")]
struct LinkGroup {
    #[arguments(input: { ids: $ids, accountId: $account_id, space: $space, inputId: $input_id })]
    unmatched_group_link: UnmatchedGroupLinkPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct UnmatchedGroupLinkPayload {
    external_ids: Vec<ExternalIdMade>,
    metric_links: Vec<MetricLinkMade>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "ExternalId")]
struct ExternalIdMade {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "MetricLink")]
struct MetricLinkMade {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct ById {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct DeleteExternalId {
    #[arguments(input: { id: $id })]
    external_id_delete: ExternalIdDeletePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct ExternalIdDeletePayload {
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ById")]
struct DeleteMetricLink {
    #[arguments(input: { id: $id })]
    metric_link_delete: MetricLinkDeletePayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct MetricLinkDeletePayload {
    user_errors: Vec<UserError>,
}

/// The dialog that links one or more groups.
#[component]
pub fn GroupLink(
    open: RwSignal<bool>,
    target: RwSignal<Option<LinkTarget>>,
    ids: Signal<Vec<cynic::Id>>,
    waiting: Signal<i64>,
    external_account: Signal<String>,
    external_metric: Signal<String>,
    /// The spaces that fit; an empty name leaves the choice to the setting of the stream.
    spaces: Signal<Vec<String>>,
    done: Callback<()>,
) -> impl IntoView {
    let toasts = Toasts::expect();
    let nothing_or = |errors: Vec<UserError>| if errors.is_empty() { Ok(()) } else { Err(errors) };
    let unlink_account = Change::new(
        move |answer: DeleteExternalId| nothing_or(answer.external_id_delete.user_errors),
        move |()| {
            done.run(());
            toasts.say("The external ID is taken away again");
        },
    );
    let unlink_metric = Change::new(
        move |answer: DeleteMetricLink| nothing_or(answer.metric_link_delete.user_errors),
        move |()| {
            done.run(());
            toasts.say("The metric link is taken away again");
        },
    );
    let link = Change::new(
        |answer: LinkGroup| {
            let payload = answer.unmatched_group_link;
            if payload.user_errors.is_empty() {
                Ok((payload.external_ids, payload.metric_links))
            } else {
                Err(payload.user_errors)
            }
        },
        move |(external_ids, metric_links): (Vec<ExternalIdMade>, Vec<MetricLinkMade>)| {
            open.set(false);
            let words = format!(
                "Linked; {} being matched",
                format::counted(waiting.get_untracked(), "reading is", "readings are")
            );
            // Several new IDs are not one act, so each is taken away on the account's page.
            let only = (external_ids.len() == 1).then(|| external_ids.into_iter().next()).flatten();
            match (only, metric_links.into_iter().next()) {
                (Some(made), _) => toasts.say_with_undo(words, move || {
                    unlink_account.send(DeleteExternalId::build(ById { id: made.id.clone() }))
                }),
                (_, Some(made)) => toasts.say_with_undo(words, move || {
                    unlink_metric.send(DeleteMetricLink::build(ById { id: made.id.clone() }))
                }),
                _ => toasts.say(words),
            }
            done.run(());
        },
    );
    let send = Callback::new(move |choice: Chosen| {
        let (account_id, space, input_id) = match choice {
            Chosen::Account { id, space } => (Some(id), space, None),
            Chosen::Input { id } => (None, None, Some(id)),
        };
        link.send(LinkGroup::build(LinkVariables { ids: ids.get_untracked(), account_id, space, input_id }));
    });
    let complaint =
        move || link.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let busy = Signal::derive(move || link.is_busy());
    let title = move || match target.get() {
        Some(LinkTarget::Metric { .. }) => "Link the metric",
        _ => "Link to an account",
    };
    let possible =
        move || matches!(target.get(), Some(LinkTarget::Metric { .. })) || !spaces.with(Vec::is_empty);
    let form = move || match target.get_untracked() {
        Some(LinkTarget::Metric { account, account_name, input }) => view! {
            <p class="muted">
                <span class="font-mono text-[13px] text-base-content">{external_metric.get_untracked()}</span>
                " of "{account_name}" feeds which input?"
            </p>
            <MetricForm account input busy send/>
        }
        .into_any(),
        other => {
            let suggested = match other {
                Some(LinkTarget::Account(suggested)) => suggested,
                _ => None,
            };
            view! {
                <p class="muted">"Whose ID is "<span class="font-mono text-[13px] text-base-content break-all">{external_account.get_untracked()}</span>"?"</p>
                <AccountForm suggested spaces=spaces.get_untracked() busy send/>
            }
            .into_any()
        }
    };
    view! {
        <Dialog open title=Signal::derive(move || title().to_owned())>
            <div class="flex flex-col gap-4">
                <p class="text-xs muted empty:hidden">{move || possible().then(|| format!("{} will be matched right away.", format::counted(waiting.get(), "waiting reading", "waiting readings")))}</p>
                {form}
                {complaint}
            </div>
        </Dialog>
    }
}

#[derive(Clone)]
enum Chosen {
    Account { id: cynic::Id, space: Option<String> },
    Input { id: cynic::Id },
}

#[component]
fn AccountForm(
    suggested: Option<(cynic::Id, String)>,
    spaces: Vec<String>,
    busy: Signal<bool>,
    send: Callback<Chosen>,
) -> impl IntoView {
    let chosen = RwSignal::new(suggested.map(|(id, name)| PickedAccount { id, name, domain: None }));
    let space = RwSignal::new(spaces.first().cloned().unwrap_or_default());
    let options: Vec<_> = spaces.iter().map(|space| (space.clone(), space.clone())).collect();
    let several = spaces.len() > 1;
    let words = move || {
        chosen.with(|chosen| {
            chosen.as_ref().map_or_else(|| "Link".to_owned(), |account| format!("Link to {}", account.name))
        })
    };
    let go = move |_| {
        let Some(account) = chosen.get_untracked() else { return };
        let space = Some(space.get_untracked()).filter(|space| !space.is_empty());
        send.run(Chosen::Account { id: account.id, space });
    };
    if spaces.is_empty() {
        return view! {
            <Notice tone=Tone::Warning>
                "No ID space this stream tries can hold this ID. Add a fitting space, such as account_id, to its external-ID setting, or ignore the group."
            </Notice>
            <DialogFoot><LinkButton href=paths::ID_SETTINGS.to_owned() look=Look::Primary>"Open the ID settings"</LinkButton></DialogFoot>
        }
        .into_any();
    }
    view! {
        <AccountPicker chosen/>
        {several.then(|| view! {
            <Choice label="As an ID of" value=space on_change=move |key: String| space.set(key) options hint="The ID space the new external ID belongs to."/>
        })}
        <DialogFoot>
            <Button look=Look::Primary icon=Icon::Link busy disabled=Signal::derive(move || chosen.with(Option::is_none)) on:click=go>{words}</Button>
        </DialogFoot>
    }
    .into_any()
}

#[component]
fn MetricForm(
    account: cynic::Id,
    input: Option<cynic::Id>,
    busy: Signal<bool>,
    send: Callback<Chosen>,
) -> impl IntoView {
    let chosen = RwSignal::new(input);
    let go = move |_| {
        let Some(id) = chosen.get_untracked() else { return };
        send.run(Chosen::Input { id });
    };
    view! {
        <InputPicker account_id=account chosen/>
        <DialogFoot>
            <Button look=Look::Primary icon=Icon::Link busy disabled=Signal::derive(move || chosen.with(Option::is_none)) on:click=go>"Link the metric"</Button>
        </DialogFoot>
    }
}
