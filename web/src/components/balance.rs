//! The balance line: a whole, its parts, and the visible proof that they add up.

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::format;

/// One part of a whole: its name, its count, and the colors of its bar and its mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    name: &'static str,
    count: i64,
    fill: &'static str,
    help: &'static str,
}

impl Part {
    /// A part with the class that fills its bar.
    pub fn new(name: &'static str, count: i64, fill: &'static str, help: &'static str) -> Self {
        Self { name, count, fill, help }
    }
}

/// `whole = part + part + …`, drawn as a bar and written as an equation.
#[component]
pub fn Balance(
    /// What the whole is.
    whole: &'static str,
    #[prop(into)] count: Signal<i64>,
    #[prop(into)] parts: Signal<Vec<Part>>,
) -> impl IntoView {
    let sum = Memo::new(move |_| parts.with(|parts| parts.iter().map(|part| part.count).sum::<i64>()));
    let bar = move || {
        let whole = count.get().max(sum.get()).max(1) as f64;
        let mut from = 0.0;
        parts.get().into_iter().filter(|part| part.count > 0).map(|part| {
            let width = part.count as f64 / whole * 1000.0;
            let drawn = view! {
                <rect class=part.fill x=format!("{from:.2}") y="0" height="10" width=format!("{:.2}", (width - 1.5).max(1.5))/>
            };
            from += width;
            drawn
        }).collect_view()
    };
    let terms = move || {
        parts.get().into_iter().enumerate().map(|(index, part)| {
            view! {
                <li class="flex items-stretch gap-2.5">
                    <span class="self-start pt-0.5 text-lg leading-6 muted" aria-hidden="true">{if index == 0 { "=" } else { "+" }}</span>
                    <div title=part.help>
                        <span class=if part.count == 0 { "num block text-lg leading-7 muted" } else { "num block text-lg leading-7 font-semibold" }>{format::count(part.count)}</span>
                        <span class="flex items-center gap-1.5 text-xs muted">
                            <svg viewBox="0 0 8 8" class="size-2" aria-hidden="true"><rect class=part.fill width="8" height="8" rx="2"/></svg>
                            {part.name}
                        </span>
                    </div>
                </li>
            }
        }).collect_view()
    };
    let verdict = move || {
        let missing = count.get() - sum.get();
        if missing == 0 {
            view! { <span class="flex items-center gap-1.5 text-success"><Glyph icon=Icon::Success/>"Adds up"</span> }.into_any()
        } else {
            let words = format!("{} not accounted for", format::count(missing));
            view! { <span class="flex items-center gap-1.5 text-error"><Glyph icon=Icon::Failure/>{words}</span> }.into_any()
        }
    };
    view! {
        <div>
            <svg viewBox="0 0 1000 10" preserveAspectRatio="none" class="mb-3 h-2.5 w-full overflow-hidden rounded-selector bg-base-content/8" aria-hidden="true">
                {bar}
            </svg>
            <div class="flex flex-wrap items-start gap-x-2.5 gap-y-3">
                <div>
                    <span class="num block text-lg leading-7 font-semibold">{move || format::count(count.get())}</span>
                    <span class="block text-xs muted">{whole}</span>
                </div>
                <ul class="flex flex-wrap items-start gap-x-2.5 gap-y-3">{terms}</ul>
                <div class="ms-auto self-center text-xs font-medium">{verdict}</div>
            </div>
        </div>
    }
}
