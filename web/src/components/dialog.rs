//! A dialog on the browser's own element, which keeps the focus inside, closes on Escape and gives the focus back.

use leptos::html;
use leptos::prelude::*;

use super::{Button, Glyph, Icon, Look};

/// Whether the dialog one is in is open.
#[derive(Clone, Copy)]
struct Opened(RwSignal<bool>);

/// A dialog that is shown while `open` says so. Its content is built anew each time it opens.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// Whether it needs room for a table.
    #[prop(optional)]
    wide: bool,
    children: ChildrenFn,
) -> impl IntoView {
    provide_context(Opened(open));
    let element = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = element.get() else { return };
        match (open.get(), dialog.open()) {
            // A dialog that is not in the page yet cannot be shown; it is after the next effect.
            (true, false) => drop(dialog.show_modal()),
            (false, true) => dialog.close(),
            _ => {}
        }
    });
    let width = if wide { "max-w-3xl" } else { "max-w-lg" };
    view! {
        <dialog
            node_ref=element
            class=format!("panel m-auto w-[calc(100vw-2rem)] {width} max-h-[calc(100dvh-2rem)] overflow-y-auto p-0 text-base-content shadow-2xl")
            aria-label=title
            on:close=move |_| open.set(false)
        >
            <Show when=move || open.get()>
                <header class="sticky top-0 z-10 flex items-center gap-3 border-b border-base-300 bg-base-100 px-5 py-3">
                    <h2 class="text-base font-semibold">{title}</h2>
                    <button
                        type="button"
                        class="btn btn-ghost btn-sm btn-square ms-auto size-8"
                        aria-label="Close"
                        on:click=move |_| open.set(false)
                    >
                        <Glyph icon=Icon::Close/>
                    </button>
                </header>
                <div class="p-5">{children()}</div>
            </Show>
        </dialog>
    }
}

/// The foot of a dialog: the way out, then what it is for.
#[component]
pub fn DialogFoot(children: Children) -> impl IntoView {
    let close = use_context::<Opened>().map(|Opened(open)| {
        view! { <Button look=Look::Quiet on:click=move |_| open.set(false)>"Cancel"</Button> }
    });
    view! { <div class="flex flex-wrap justify-end gap-2">{close}{children()}</div> }
}
