//! Acting on many groups at once.

use leptos::prelude::*;

use super::group_ignore::GroupIgnore;
use super::group_link::{GroupLink, LinkTarget};
use super::group_triage::{GroupTriage, Triage};
use super::groups_table::GroupLine;
use crate::components::{Button, Check, Icon, Look};
use crate::format;
use crate::vocabulary::UnmatchedReason;

/// The strip above the list: how many are chosen, and what can be done with them.
#[component]
pub(super) fn Selection(
    chosen: RwSignal<Vec<GroupLine>>,
    page: Signal<Vec<GroupLine>>,
    done: Callback<()>,
) -> impl IntoView {
    let (linking, ignoring, triaging) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let act = RwSignal::new(Triage::Assign);
    let target = RwSignal::new(Some(LinkTarget::Account(None)));
    let ids = Signal::derive(move || {
        chosen.with(|all| all.iter().map(|group| group.id.clone()).collect::<Vec<_>>())
    });
    let count = Memo::new(move |_| chosen.with(Vec::len));
    let all = Signal::derive(move || {
        let ids = ids.get();
        page.with(|page| !page.is_empty() && page.iter().all(|group| ids.contains(&group.id)))
    });
    // Only the account is missing in all of them, so one account can be the answer for all.
    let linkable =
        move || chosen.with(|all| all.iter().all(|group| group.reason == UnmatchedReason::AccountUnknown));
    let accounts = Signal::derive(move || {
        let mut names =
            chosen.with(|all| all.iter().map(|group| group.external_account.clone()).collect::<Vec<_>>());
        names.sort();
        names.dedup();
        names.join(", ")
    });
    let waiting = Signal::derive(move || {
        chosen.with(|all| all.iter().map(|group| group.waiting.number()).sum::<i64>())
    });
    let words = move || match count.get() {
        0 => "Choose all on this page".to_owned(),
        many => format!("{} chosen", format::counted(many as i64, "group", "groups")),
    };
    let begin = move |what: Triage| {
        move |_| {
            act.set(what);
            triaging.set(true);
        }
    };
    view! {
        <div class="flex min-h-12 flex-wrap items-center gap-x-4 gap-y-1 border-b border-base-300 px-4 py-1">
            <Check label=Signal::derive(words) checked=all on_change=move |on: bool| chosen.set(if on { page.get_untracked() } else { Vec::new() })/>
            <Show when=move || count.get() != 0>
                <div class="flex flex-wrap items-center gap-2" role="group" aria-label="With the chosen groups">
                    <Show when=linkable>
                        <Button look=Look::Primary icon=Icon::Link on:click=move |_| linking.set(true)>"Link"</Button>
                    </Show>
                    <Button icon=Icon::Ignore on:click=move |_| ignoring.set(true)>"Ignore"</Button>
                    <Button icon=Icon::Clock on:click=begin(Triage::Snooze)>"Snooze"</Button>
                    <Button icon=Icon::Person on:click=begin(Triage::Assign)>"Assign"</Button>
                    <Button look=Look::Quiet on:click=move |_| chosen.set(Vec::new())>"Clear"</Button>
                </div>
            </Show>
        </div>
        <GroupLink
            open=linking
            target
            ids
            waiting
            external_account=accounts
            external_metric=Signal::derive(String::new)
            spaces=Signal::derive(|| vec![String::new()])
            done
        />
        <GroupIgnore open=ignoring ids done/>
        <GroupTriage open=triaging act ids done/>
    }
}
