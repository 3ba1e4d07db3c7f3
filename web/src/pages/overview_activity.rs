//! What happened last and what waits longest: two short lists at the foot of the overview.

use leptos::prelude::*;

use super::groups_table::ReasonBadge;
use crate::components::{Ago, Empty, Icon, LinkButton, Look, Panel, RunBadge};
use crate::vocabulary::{BigInt, DateTime, SyncRunKind, SyncRunStatus, UnmatchedReason};
use crate::{format, paths, schema};

/// The newest runs.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "SyncRunConnection")]
pub(super) struct RunConnection {
    pub(super) nodes: Vec<RunLine>,
}

/// A run, in a line.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRun")]
pub(super) struct RunLine {
    id: cynic::Id,
    number: BigInt,
    kind: SyncRunKind,
    status: SyncRunStatus,
    stream: StreamName,
    started_at: Option<DateTime>,
    queued_at: DateTime,
    tally: RunTally,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "SyncRunTally")]
struct RunTally {
    rows_read: BigInt,
}

/// The groups most readings wait in.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "UnmatchedGroupConnection")]
pub(super) struct GroupConnection {
    pub(super) nodes: Vec<GroupLine>,
}

/// A group, in a line.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "UnmatchedGroup")]
pub(super) struct GroupLine {
    id: cynic::Id,
    reason: UnmatchedReason,
    external_account: String,
    external_metric: String,
    account: Option<AccountName>,
    waiting: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Account")]
struct AccountName {
    name: String,
}

const LINE: &str = "flex min-h-13 items-center gap-3 border-b border-base-300/70 px-4 py-2 last:border-0";

/// The newest runs; those in flight count up.
#[component]
pub(super) fn LatestRuns(runs: Memo<Vec<RunLine>>) -> impl IntoView {
    let line = |run: RunLine| {
        let since = run.started_at.unwrap_or(run.queued_at);
        let rows = format::counted(run.tally.rows_read.number(), "row", "rows");
        view! {
            <li class=LINE>
                <div class="min-w-0 flex-1">
                    <a class="block truncate font-medium hover:underline" href=paths::run(run.id.inner())>
                        {format!("{} · {} {}", run.stream.name, run.kind.text(), run.number.0)}
                    </a>
                    <span class="num block text-xs muted">{rows}", "<Ago time=since/></span>
                </div>
                <RunBadge status=run.status/>
            </li>
        }
    };
    let nothing = || view! { <Empty icon=Icon::Clock title="No runs yet" text="A run reads what is new in a table. It starts by its schedule or by hand."/> };
    view! {
        <Panel title="Latest runs" flush=true>
            <Show when=move || !runs.with(Vec::is_empty) fallback=nothing>
                <ul><For each=move || runs.get() key=Clone::clone children=line/></ul>
            </Show>
        </Panel>
    }
}

/// The groups to look at first.
#[component]
pub(super) fn BiggestGroups(groups: Memo<Vec<GroupLine>>) -> impl IntoView {
    let line = |group: GroupLine| {
        let metric = (!group.external_metric.is_empty()).then(|| format!(" · {}", group.external_metric));
        let waiting = format::counted(group.waiting.number(), "reading waits", "readings wait");
        let account = group.account.map(|account| format!("{}, ", account.name));
        view! {
            <li class=LINE>
                <div class="min-w-0 flex-1">
                    <a class="block truncate font-mono text-[13px] font-medium hover:underline" href=paths::unmatched(group.id.inner())>
                        {group.external_account}{metric}
                    </a>
                    <span class="num block truncate text-xs muted">{account}{waiting}</span>
                </div>
                <ReasonBadge reason=group.reason/>
            </li>
        }
    };
    let nothing = || view! { <Empty icon=Icon::Success title="Nothing waits" text="Every reading found its account and its link."/> };
    let actions =
        || view! { <LinkButton href=paths::UNMATCHED.to_owned() look=Look::Quiet>"See all"</LinkButton> };
    view! {
        <Panel title="Most readings wait here" flush=true actions>
            <Show when=move || !groups.with(Vec::is_empty) fallback=nothing>
                <ul><For each=move || groups.get() key=Clone::clone children=line/></ul>
            </Show>
        </Panel>
    }
}
