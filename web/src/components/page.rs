//! The frame of a page: its head, its panels, its facts.

use leptos::html;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Glyph, Icon, Notice};
use crate::viewer::Session;
use crate::vocabulary::Permission;

/// A step on the way to a page: its words and its address.
pub type Crumb = (String, String);

/// Whether one has gone from page to page. On the first one the focus stays at the start, where the skip link is.
#[derive(Clone, Copy)]
pub struct Moved(StoredValue<bool>);

impl Moved {
    /// Watches the address from now on.
    pub fn provide() {
        let moved = StoredValue::new(false);
        let path = use_location().pathname;
        let start = path.get_untracked();
        Effect::new(move |_| {
            if path.get() != start {
                moved.set_value(true);
            }
        });
        provide_context(Self(moved));
    }
}

/// The head of a page. It names the tab and takes the focus, so that a screen reader says where one is.
#[component]
pub fn PageHead(
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] crumbs: Signal<Vec<Crumb>>,
    /// What stands under the title.
    #[prop(optional, into)]
    about: ViewFn,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let heading = NodeRef::<html::H1>::new();
    let moved = use_context::<Moved>();
    Effect::new(move |_| document().set_title(&format!("{} · Weir", title.get())));
    Effect::new(move |_| {
        let Some(heading) = heading.get().filter(|_| moved.is_some_and(|Moved(moved)| moved.get_value()))
        else {
            return;
        };
        let in_use = document()
            .active_element()
            .is_some_and(|active| active.tag_name() != "BODY" && active.tag_name() != "A");
        if !in_use {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = heading.focus_with_options(&options);
        }
    });
    let way = move || {
        let crumbs = crumbs.get();
        (!crumbs.is_empty()).then(|| {
            let step = |(index, (words, href)): (usize, Crumb)| {
                let after = index > 0;
                view! {
                    <li class="flex min-w-0 items-center gap-1">
                        {after.then(|| view! { <Glyph icon=Icon::Forward class="size-3.5 shrink-0 opacity-60"/> })}
                        <a href=href class="truncate py-1 hover:underline">{words}</a>
                    </li>
                }
            };
            view! {
                <nav aria-label="You are here" class="text-xs muted">
                    <ol class="flex flex-wrap items-center gap-1">{crumbs.into_iter().enumerate().map(step).collect_view()}</ol>
                </nav>
            }
        })
    };
    view! {
        <header class="mb-5">
            {way}
            <div class="flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
                <div class="min-w-0">
                    // As high as the buttons beside it, so that every page begins at the same place.
                    <h1 node_ref=heading tabindex="-1" class="py-1 text-xl font-semibold tracking-tight break-words outline-none">
                        {title}
                    </h1>
                    {move || about.run()}
                </div>
                {children.map(|children| view! { <div class="flex w-full flex-wrap gap-2 empty:hidden sm:w-auto">{children()}</div> })}
            </div>
        </header>
    }
}

/// A page for those who may use it; others learn why they do not see it.
#[component]
pub fn Only(permission: Permission, title: &'static str, children: Children) -> impl IntoView {
    if Session::expect().may(permission) {
        return children().into_any();
    }
    view! {
        <PageHead title/>
        <Notice>"Your role does not allow this. Ask an owner or admin."</Notice>
    }
    .into_any()
}

/// A part of a page with its own heading.
#[component]
pub fn Panel(
    #[prop(into)] title: Signal<String>,
    /// How many things the part lists.
    #[prop(optional, into)]
    count: MaybeProp<String>,
    /// What can be done with the part, at the right of its heading.
    #[prop(optional, into)]
    actions: ViewFn,
    /// Whether the content goes to the edges, as tables do.
    #[prop(optional)]
    flush: bool,
    children: Children,
) -> impl IntoView {
    view! {
        <section class="panel min-w-0" aria-label=title>
            <header class="flex min-h-12 flex-wrap items-center justify-between gap-x-3 gap-y-1 border-b border-base-300 px-4 py-1.5">
                <h2 class="font-semibold">
                    {title}
                    {move || count.get().map(|count| view! { <span class="num ms-2 font-normal muted">{count}</span> })}
                </h2>
                <div class="flex has-[.btn]:-ms-3 has-[.btn]:-me-2 flex-wrap items-center gap-2 empty:hidden">{move || actions.run()}</div>
            </header>
            <div class=if flush { "" } else { "p-4" }>{children()}</div>
        </section>
    }
}

/// Names and values, side by side.
#[component]
pub fn Facts(children: Children) -> impl IntoView {
    view! { <dl class="grid content-start grid-cols-[minmax(7rem,auto)_minmax(0,1fr)] gap-x-4 gap-y-2">{children()}</dl> }
}

/// One name with its value.
#[component]
pub fn Fact(#[prop(into)] name: String, children: Children) -> impl IntoView {
    view! {
        <dt class="muted">{name}</dt>
        <dd class="min-w-0 break-words">{children()}</dd>
    }
}

/// A number worth seeing first, with its name and what it means.
#[component]
pub fn Tile(
    #[prop(into)] name: String,
    #[prop(into)] value: Signal<String>,
    #[prop(optional, into)] note: ViewFn,
    #[prop(optional, into)] href: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let body = view! {
        <span class="block text-xs font-medium muted">{name}</span>
        <span class="mt-1 flex items-end justify-between gap-3">
            <span class="num text-2xl font-semibold tracking-tight">{value}</span>
            {children.map(|children| children())}
        </span>
        <span class="mt-1 block text-xs muted">{move || note.run()}</span>
    };
    match href {
        Some(href) => {
            view! { <a href=href class="panel block px-4 py-3 hover:border-primary/60">{body}</a> }.into_any()
        }
        None => view! { <div class="panel px-4 py-3">{body}</div> }.into_any(),
    }
}
