//! Filters that live in the address.

use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use leptos_use_signal_debounce_throttle::signal_debounced;

use super::{Glyph, Icon};

/// A value of the address's query, empty when it is not there.
pub fn query_value(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|query| query.get(name).unwrap_or_default()))
}

/// Sets values of the address's query and goes back to the first page. Empty values are taken out.
pub fn set_query() -> impl Fn(&[(&'static str, String)]) + Clone + Send + Sync + 'static {
    let navigate = use_navigate();
    let location = use_location();
    let query = use_query_map();
    move |changes| {
        let mut map = query.get_untracked();
        for name in ["after", "before"] {
            map.remove(name);
        }
        for (name, value) in changes {
            map.remove(name);
            if !value.is_empty() {
                map.insert(*name, value.clone());
            }
        }
        let address = format!("{}{}", location.pathname.get_untracked(), map.to_query_string());
        navigate(&address, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
    }
}

/// A search field whose text is `q` in the address, a moment after the last key.
#[component]
pub fn SearchBox(#[prop(into)] label: String, placeholder: &'static str) -> impl IntoView {
    let stored = query_value("q");
    let typed = RwSignal::new(stored.get_untracked());
    let settled: Signal<String> = signal_debounced(typed, 250.0);
    let set = set_query();
    Effect::new(move |first: Option<()>| {
        let text = settled.get();
        if first.is_some() && text != stored.get_untracked() {
            set(&[("q", text)]);
        }
    });
    view! {
        <label class="input h-9 w-full min-w-0 border-edge bg-base-100 sm:w-72">
            <Glyph icon=Icon::Search class="size-4 shrink-0 opacity-60"/>
            <span class="sr-only">{label}</span>
            <input
                type="search"
                class="min-w-0 grow"
                placeholder=placeholder
                autocomplete="off"
                prop:value=typed
                on:input=move |event| typed.set(event_target_value(&event))
            />
        </label>
    }
}
