//! Text to take along: a button that copies, a block of code with one.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen_futures::JsFuture;

use super::{Glyph, Icon, Toasts};

/// Copies a text, then does what follows; says so when the browser does not allow it.
pub fn copy(text: String, done: impl FnOnce() + 'static, toasts: Toasts) {
    // Browsers offer the clipboard on secure pages only.
    let offered = window().is_secure_context();
    spawn_local(async move {
        if offered && JsFuture::from(window().navigator().clipboard().write_text(&text)).await.is_ok() {
            done();
        } else {
            toasts.warn("The browser does not allow copying here. Select the text and copy it by hand.");
        }
    });
}

/// A button that copies a text and says so.
#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    /// What is copied, for screen readers.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let toasts = Toasts::expect();
    let done = move || {
        copied.try_set(true);
        set_timeout(
            move || {
                copied.try_set(false);
            },
            Duration::from_secs(2),
        );
    };
    let take = move |_| copy(text.get_untracked(), done, toasts);
    view! {
        <button type="button" class="btn btn-ghost btn-xs btn-square size-6" aria-label=format!("Copy {what}") title="Copy" on:click=take>
            {move || {
                let icon = if copied.get() { Icon::Check } else { Icon::Copy };
                view! { <Glyph icon class="size-3.5"/> }
            }}
            <span class="sr-only" aria-live="polite">{move || copied.get().then_some("Copied")}</span>
        </button>
    }
}

/// A block of text for a machine, with a button that copies it.
#[component]
pub fn Code(#[prop(into)] text: Signal<String>, #[prop(into)] what: String) -> impl IntoView {
    view! {
        <div class="relative rounded-field border border-base-300 bg-base-200">
            <pre class="overflow-x-auto p-3 pe-10 font-mono text-xs leading-5 whitespace-pre-wrap wrap-anywhere" tabindex="0">{text}</pre>
            <div class="absolute end-1.5 top-1.5"><CopyButton text what/></div>
        </div>
    }
}
