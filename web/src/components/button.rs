//! Buttons and links that look like buttons.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// How much a button asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Look {
    /// The one thing to do next.
    Primary,
    /// Something else that can be done.
    #[default]
    Plain,
    /// An aside.
    Quiet,
    /// Something that takes away.
    Danger,
}

impl Look {
    fn class(self) -> &'static str {
        match self {
            Self::Primary => "btn btn-sm h-9 btn-primary",
            Self::Plain => "btn btn-sm h-9 border-edge/60 bg-base-100 hover:bg-base-200",
            Self::Quiet => "btn btn-sm h-9 btn-ghost",
            Self::Danger => {
                "btn btn-sm h-9 bg-base-100 border-error/40 text-error hover:bg-error/10 disabled:opacity-50"
            }
        }
    }
}

/// A button. `on:click` goes on it as on any element.
#[component]
pub fn Button(
    #[prop(optional)] look: Look,
    #[prop(optional, into)] icon: Option<Icon>,
    #[prop(optional, into)] busy: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Whether it sends the form it is in.
    #[prop(optional)]
    submit: bool,
    children: Children,
) -> impl IntoView {
    let glyph = move || {
        if busy.get() {
            Some(view! { <Glyph icon=Icon::Busy class="size-4 shrink-0 animate-spin"/> })
        } else {
            icon.map(|icon| view! { <Glyph icon class="size-4 shrink-0"/> })
        }
    };
    view! {
        <button
            type=if submit { "submit" } else { "button" }
            class=look.class()
            disabled=move || busy.get() || disabled.get()
            aria-busy=move || busy.get().then_some("true")
        >
            {glyph}
            {children()}
        </button>
    }
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] look: Look,
    #[prop(optional, into)] icon: Option<Icon>,
    children: Children,
) -> impl IntoView {
    view! {
        <a href=href class=look.class()>
            {icon.map(|icon| view! { <Glyph icon/> })}
            {children()}
        </a>
    }
}
