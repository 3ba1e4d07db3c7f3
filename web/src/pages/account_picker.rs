//! Choosing an account by typing a part of its name, domain or external ID.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_use_signal_debounce_throttle::signal_debounced;

use crate::components::{Loaded, Text};
use crate::query::Query;
use crate::schema;

#[derive(cynic::QueryVariables)]
struct FindVariables {
    search: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "FindVariables")]
struct FindAccounts {
    #[arguments(first: 8, where: { search: $search })]
    accounts: AccountConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct AccountConnection {
    nodes: Vec<PickedAccount>,
}

/// An account one can choose.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Account")]
pub struct PickedAccount {
    /// Its ID.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: Option<String>,
}

/// A search field with the accounts it finds, one of which can be chosen.
#[component]
pub fn AccountPicker(chosen: RwSignal<Option<PickedAccount>>) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let search: Signal<String> = signal_debounced(typed, 200.0);
    let query = Query::new(move || {
        FindAccounts::build(FindVariables {
            search: Some(search.get().trim().to_owned()).filter(|text| !text.is_empty()),
        })
    });
    let option = move |account: PickedAccount| {
        let id = account.id.clone();
        let kept = account.clone();
        view! {
            <label class="flex min-h-10 cursor-pointer items-center gap-2.5 border-b border-base-300/70 px-3 py-1.5 last:border-0 has-checked:bg-primary/8 has-focus-visible:bg-primary/8">
                <input
                    type="radio"
                    name="account"
                    class="size-4 shrink-0 accent-primary"
                    prop:checked=move || chosen.with(|chosen| chosen.as_ref().is_some_and(|chosen| chosen.id == id))
                    on:change=move |_| chosen.set(Some(kept.clone()))
                />
                <span class="min-w-0 flex-1 truncate">{account.name}</span>
                <span class="max-w-2/5 truncate text-xs muted">{account.domain}</span>
            </label>
        }
    };
    view! {
        <div class="flex flex-col gap-2">
            <Text label="Find the account" value=typed kind="search" placeholder="Name, domain or external ID"/>
            <Loaded query lines=3 let:data>
                <fieldset class="max-h-64 min-w-0 overflow-y-auto rounded-field border border-base-300">
                    <legend class="sr-only">"Accounts found"</legend>
                    <For each=move || data.get().accounts.nodes key=Clone::clone children=option/>
                    <Show when=move || data.with(|data| data.accounts.nodes.is_empty())>
                        <p class="px-3 py-3 muted">"No account has this in its name, domain or external IDs."</p>
                    </Show>
                </fieldset>
            </Loaded>
        </div>
    }
}
