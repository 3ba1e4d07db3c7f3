//! The page a customer's data team gets: shown as it is sent, to be copied or saved.

use leptos::prelude::*;

use crate::components::{Button, Dialog, DialogFoot, Icon, Look, Toasts, copy};
use crate::file;

/// The dialog with the page.
#[component]
pub(super) fn Instructions(open: RwSignal<bool>, page: Signal<String>) -> impl IntoView {
    let toasts = Toasts::expect();
    let save = move |_| {
        let saved = page.with_untracked(|page| file::save("let-weir-read.md", "text/markdown", page));
        if saved.is_err() {
            toasts.warn("The browser did not let the file be saved.");
        }
    };
    let take = move |_| copy(page.get_untracked(), move || toasts.say("The page is copied"), toasts);
    view! {
        <Dialog open title="For your data team" wide=true>
            <div class="flex flex-col gap-4">
                <p class="muted">"All they need to let Weir in, with your own names. Nothing in it is secret: send it any way you like."</p>
                <pre class="max-h-[55dvh] overflow-auto rounded-field border border-base-300 bg-base-200 p-3 font-mono text-xs leading-5 whitespace-pre-wrap wrap-anywhere" tabindex="0" aria-label="The page">{page}</pre>
                <DialogFoot>
                    <Button icon=Icon::Download on:click=save>"Save as Markdown"</Button>
                    <Button look=Look::Primary icon=Icon::Copy on:click=take>"Copy"</Button>
                </DialogFoot>
            </div>
        </Dialog>
    }
}
