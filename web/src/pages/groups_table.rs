//! The list of groups that wait.

use leptos::prelude::*;

use super::groups_selection::Selection;
use crate::components::{Ago, Badge, Cell, Empty, Icon, LinkButton, Pager, Row, Table, Tone, amount, column};
use crate::viewer::Session;
use crate::vocabulary::{BigInt, DateTime, PageInfo, Permission, UnmatchedReason};
use crate::{paths, schema};

#[derive(cynic::QueryFragment, Clone, Debug)]
pub(super) struct UnmatchedGroupConnection {
    pub(super) nodes: Vec<GroupLine>,
    pub(super) page_info: PageInfo,
    pub(super) total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "UnmatchedGroup")]
pub(super) struct GroupLine {
    pub(super) id: cynic::Id,
    pub(super) reason: UnmatchedReason,
    pub(super) external_account: String,
    pub(super) external_metric: String,
    pub(super) account: Option<AccountName>,
    pub(super) stream: StreamName,
    pub(super) assignee: Option<Assignee>,
    pub(super) waiting: BigInt,
    pub(super) first_seen_at: DateTime,
    pub(super) last_seen_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Account")]
pub(super) struct AccountName {
    pub(super) name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
pub(super) struct StreamName {
    pub(super) name: String,
}

/// Who looks after a group.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "User")]
pub(super) struct Assignee {
    pub(super) name: String,
}

/// The groups of a tab; open ones can be chosen to act on many at once.
#[component]
pub(super) fn GroupTable(
    groups: Signal<UnmatchedGroupConnection>,
    tab: Memo<String>,
    filtered: Signal<bool>,
    done: Callback<()>,
) -> impl IntoView {
    let empty = Memo::new(move |_| groups.with(|groups| groups.nodes.is_empty()));
    let nothing = move || {
        match (filtered.get(), tab.get().as_str()) {
        (true, _) => view! {
            <Empty icon=Icon::Search title="Nothing matches these filters" text="Take one away to see more.">
                <LinkButton href=Signal::derive(move || paths::with_query(paths::UNMATCHED, &[("tab", &tab.get())]))>"Clear the filters"</LinkButton>
            </Empty>
        }
        .into_any(),
        (false, "snoozed") => view! { <Empty icon=Icon::Clock title="Nothing is snoozed" text="Groups you snooze leave the open list and come back by themselves."/> }.into_any(),
        (false, "ignored") => view! { <Empty icon=Icon::Ignore title="Nothing is ignored" text="Groups you ignore with a reason are listed here until the rule ends."/> }.into_any(),
        (false, "resolved") => view! { <Empty icon=Icon::Check title="Nothing resolved yet" text="A group moves here by itself when none of its rows waits any more."/> }.into_any(),
        _ => view! { <Empty icon=Icon::Success title="Every reading found its place" text="When a row names an account or a metric Weir does not know, it waits here and nothing is lost."/> }.into_any(),
    }
    };
    let chosen = RwSignal::new(Vec::<GroupLine>::new());
    let may = Session::expect().may(Permission::UnmatchedTriage);
    let selectable = move || may && matches!(tab.get().as_str(), "" | "snoozed");
    Effect::new(move |_| {
        tab.track();
        chosen.set(Vec::new());
    });
    let finished = Callback::new(move |()| {
        chosen.set(Vec::new());
        done.run(());
    });
    view! {
        <Show when=move || !empty.get() fallback=nothing>
            <Show when=selectable>
                <Selection chosen page=Signal::derive(move || groups.get().nodes) done=finished/>
            </Show>
            <Table
                caption="Groups of readings that wait"
                columns=vec![column("Account and metric ID"), column("Reason"), column("Stream"), amount("Readings"), column("First seen"), column("Last seen")]
            >
                <For each=move || groups.get().nodes key=Clone::clone let:group><GroupRow group chosen selectable=selectable()/></For>
            </Table>
            <Pager
                info=Signal::derive(move || groups.get().page_info)
                total=Signal::derive(move || groups.with(|groups| groups.total_count))
                noun=("group", "groups")
            />
        </Show>
    }
}

#[component]
fn GroupRow(group: GroupLine, chosen: RwSignal<Vec<GroupLine>>, selectable: bool) -> impl IntoView {
    let select = selectable.then(|| view! { <Select group=group.clone() chosen/> });
    let metric = (!group.external_metric.is_empty()).then_some(group.external_metric);
    view! {
        <Row>
            <Cell>
                <div class="flex items-start gap-3">
                {select}
                <div class="min-w-0">
                <a class="font-medium break-all hover:underline" href=paths::unmatched(group.id.inner())>
                    <span class="font-mono text-[13px]">{group.external_account}</span>
                    {metric.map(|metric| view! { <span class="muted">" · "</span><span class="font-mono text-[13px]">{metric}</span> })}
                </a>
                {group.account.map(|account| view! { <span class="block text-xs muted">{account.name}</span> })}
                {group.assignee.map(|person| view! { <span class="block text-xs muted">"with "{person.name}</span> })}
                </div>
                </div>
            </Cell>
            <Cell label="Reason"><ReasonBadge reason=group.reason/></Cell>
            <Cell label="Stream">{group.stream.name}</Cell>
            <Cell label="Readings" amount=true>{group.waiting.text()}</Cell>
            <Cell label="First seen"><Ago time=group.first_seen_at/></Cell>
            <Cell label="Last seen"><Ago time=group.last_seen_at/></Cell>
        </Row>
    }
}

/// The box that chooses one group.
#[component]
fn Select(group: GroupLine, chosen: RwSignal<Vec<GroupLine>>) -> impl IntoView {
    let name = format!("Choose {} {}", group.external_account, group.external_metric);
    let id = group.id.clone();
    let checked = move || chosen.with(|chosen| chosen.iter().any(|other| other.id == id));
    let change = move |on: bool| {
        chosen.update(|chosen| {
            chosen.retain(|other| other.id != group.id);
            if on {
                chosen.push(group.clone());
            }
        });
    };
    view! {
        <input
            type="checkbox"
            class="checkbox checkbox-sm size-5 shrink-0 border-edge checked:border-primary checked:bg-primary checked:text-primary-content"
            aria-label=name.trim().to_owned()
            prop:checked=checked
            on:change=move |event| change(event_target_checked(&event))
        />
    }
}

/// Why a group waits.
#[component]
pub(super) fn ReasonBadge(reason: UnmatchedReason) -> impl IntoView {
    let (tone, icon) = match reason {
        UnmatchedReason::AccountUnknown | UnmatchedReason::AccountAmbiguous => (Tone::Warning, Icon::Account),
        UnmatchedReason::MetricUnlinked => (Tone::Info, Icon::Link),
        UnmatchedReason::LinkDisabled => (Tone::Neutral, Icon::Pause),
        UnmatchedReason::TargetGone => (Tone::Error, Icon::Skipped),
    };
    view! { <span title=reason.meaning()><Badge text=reason.text() tone icon/></span> }
}
