//! A field of several columns of a table.

use leptos::prelude::*;

use crate::components::Check;

/// Several columns, in the order they were chosen.
#[component]
pub fn ColumnChecks(
    legend: &'static str,
    chosen: RwSignal<Vec<String>>,
    names: Vec<String>,
) -> impl IntoView {
    let check = move |name: String| {
        let kept = name.clone();
        let checked = Signal::derive(move || chosen.with(|chosen| chosen.contains(&kept)));
        let changed = name.clone();
        let change = move |on: bool| {
            chosen.update(|chosen| {
                chosen.retain(|name| *name != changed);
                if on {
                    chosen.push(changed.clone());
                }
            });
        };
        view! { <Check label=name checked on_change=change/> }
    };
    view! {
        <fieldset class="min-w-0">
            <legend class="mb-1 text-sm font-medium">{legend}</legend>
            <div class="grid max-h-52 gap-x-4 overflow-y-auto rounded-field border border-base-300 px-3 py-1.5 sm:grid-cols-2">
                {names.into_iter().map(check).collect_view()}
            </div>
        </fieldset>
    }
}
