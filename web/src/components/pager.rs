//! Moving through the pages of a list. Where one is stands in the address.

use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};

use super::{Glyph, Icon};
use crate::format;
use crate::vocabulary::PageInfo;

/// How many rows a page has.
pub const SIZE: i32 = 25;

/// Which page of a list is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageAt {
    /// How many from the start.
    pub first: Option<i32>,
    /// After which.
    pub after: Option<String>,
    /// How many from the end.
    pub last: Option<i32>,
    /// Before which.
    pub before: Option<String>,
}

/// The page the address asks for.
pub fn page_at() -> Signal<PageAt> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|query| match (query.get("after"), query.get("before")) {
            (None, Some(before)) => PageAt { last: Some(SIZE), before: Some(before), ..PageAt::default() },
            (after, _) => PageAt { first: Some(SIZE), after, ..PageAt::default() },
        })
    })
    .into()
}

/// Links to the pages before and after, with the count.
#[component]
pub fn Pager(
    #[prop(into)] info: Signal<PageInfo>,
    #[prop(into)] total: Signal<i32>,
    /// What is counted: one and many.
    noun: (&'static str, &'static str),
) -> impl IntoView {
    let location = use_location();
    let query = use_query_map();
    let href = move |name: &'static str, cursor: Option<String>| {
        let mut map = query.get();
        map.remove("after");
        map.remove("before");
        if let Some(cursor) = cursor {
            map.replace(name, cursor);
        }
        format!("{}{}", location.pathname.get(), map.to_query_string())
    };
    let turn = move |words: &'static str, icon: Icon, target: Option<String>| match target {
        Some(href) => {
            let (before, after) = match icon {
                Icon::Forward => (None, Some(view! { <Glyph icon/> })),
                _ => (Some(view! { <Glyph icon/> }), None),
            };
            view! { <a href=href class="btn btn-sm btn-ghost h-8">{before}{words}{after}</a> }.into_any()
        }
        None => ().into_any(),
    };
    let back = move || info.with(|info| info.has_previous_page.then(|| info.start_cursor.clone()));
    let on = move || info.with(|info| info.has_next_page.then(|| info.end_cursor.clone()));
    view! {
        <nav class="flex min-h-11 items-center justify-between gap-3 border-t border-base-300 px-4 py-1" aria-label="Pages">
            <span class="num text-xs muted">{move || format::counted(total.get().into(), noun.0, noun.1)}</span>
            <span class="-me-2 flex gap-1">
                {move || turn("Previous", Icon::Back, back().map(|cursor| href("before", cursor)))}
                {move || turn("Next", Icon::Forward, on().map(|cursor| href("after", cursor)))}
            </span>
        </nav>
    }
}
