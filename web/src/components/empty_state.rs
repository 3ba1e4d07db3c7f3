//! What stands where there is nothing to show: an empty list, a failure, a missing object.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{Button, Glyph, Icon, LinkButton, Tone};
use crate::api::Failure;
use crate::paths;

/// An empty list that names the next step.
#[component]
pub fn Empty(
    icon: Icon,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="flex flex-col items-center gap-2 px-6 py-9 text-center">
            <span class="grid size-11 place-items-center rounded-full bg-primary/10 text-primary">
                <Glyph icon class="size-5"/>
            </span>
            <h3 class="mt-1 text-base font-semibold">{title}</h3>
            <p class="muted max-w-md text-pretty">{text}</p>
            {children.map(|children| view! { <div class="mt-3 flex flex-wrap justify-center gap-2">{children()}</div> })}
        </div>
    }
}

/// A failure with a way to try again.
#[component]
pub fn Problem(failure: Failure, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    let path = use_location().pathname;
    // Where a page ended is forgotten when the order changes; asking again would not help.
    let again = if failure.is_lost_page() {
        view! { <LinkButton href=path>"Go to the first page"</LinkButton> }.into_any()
    } else {
        view! { <Button icon=Icon::Retry on:click=move |_| retry.run(())>"Try again"</Button> }.into_any()
    };
    let quote = failure.request_id().map(|id| format!("Request {id}"));
    view! {
        <div role="alert" class="panel flex flex-col items-center gap-2 px-6 py-10 text-center">
            <span class="grid size-11 place-items-center rounded-full bg-error/12 text-error">
                <Glyph icon=Icon::Warning class="size-5"/>
            </span>
            <h2 class="mt-1 text-base font-semibold">"This could not be loaded"</h2>
            <p class="muted max-w-md text-pretty">{failure.message()}</p>
            {quote.map(|quote| view! { <p class="font-mono text-xs muted">{quote}</p> })}
            <div class="mt-3">{again}</div>
        </div>
    }
}

/// An object that is not there.
#[component]
pub fn Missing(#[prop(into)] what: String) -> impl IntoView {
    view! {
        <div class="panel">
            <Empty
                icon=Icon::Search
                title=format!("There is no such {what}")
                text="It may have been deleted, or the address is not complete."
            >
                <LinkButton href=paths::OVERVIEW.to_owned()>"Go to the overview"</LinkButton>
            </Empty>
        </div>
    }
}

/// A remark beside content: a color, an icon and words.
#[component]
pub fn Notice(#[prop(optional)] tone: Tone, children: Children) -> impl IntoView {
    let (class, icon) = match tone {
        Tone::Error => ("[--tone:var(--color-error)]", Icon::Failure),
        Tone::Warning => ("[--tone:var(--color-warning)]", Icon::Warning),
        Tone::Success => ("[--tone:var(--color-success)]", Icon::Success),
        Tone::Info | Tone::Neutral => ("[--tone:var(--color-info)]", Icon::Info),
    };
    view! {
        <div
            class=format!("notice flex gap-2.5 rounded-box border px-3.5 py-2.5 {class}")
            role=if tone == Tone::Error { "alert" } else { "status" }
        >
            <Glyph icon class="mt-0.5 size-4 shrink-0"/>
            <div class="min-w-0 flex-1 break-words">{children()}</div>
        </div>
    }
}
