//! Short news at the edge of the screen: said politely, gone by itself, with a way back where there is one.

use std::time::Duration;

use leptos::prelude::*;

use super::{Button, Glyph, Icon, Look};

const STAYS: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Toast {
    id: u64,
    text: String,
    failed: bool,
    undo: Option<Callback<()>>,
}

/// The toasts of this tab.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

impl Toasts {
    /// Makes toasts possible on all pages.
    pub fn provide() {
        provide_context(Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(1) });
    }

    /// The toasts of this tab.
    pub fn expect() -> Self {
        use_context().expect("the application provides toasts")
    }

    /// Says what was done.
    pub fn say(self, text: impl Into<String>) {
        self.push(text.into(), false, None);
    }

    /// Says what was done and offers to take it back.
    pub fn say_with_undo(self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        self.push(text.into(), false, Some(Callback::new(move |()| undo())));
    }

    /// Says what went wrong; stays until dismissed.
    pub fn warn(self, text: impl Into<String>) {
        self.push(text.into(), true, None);
    }

    fn push(self, text: String, failed: bool, undo: Option<Callback<()>>) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        self.list.update(|list| list.push(Toast { id, text, failed, undo }));
        if !failed {
            set_timeout(move || self.dismiss(id), STAYS);
        }
    }

    fn dismiss(self, id: u64) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// Where toasts appear.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = Toasts::expect();
    let show = move |toast: Toast| {
        let (icon, class) = if toast.failed {
            (Icon::Failure, "size-5 shrink-0 text-error")
        } else {
            (Icon::Success, "size-5 shrink-0 text-success")
        };
        let id = toast.id;
        view! {
            <li class="panel pointer-events-auto flex items-center gap-3 py-2 ps-4 pe-2 shadow-lg">
                <Glyph icon class/>
                <span class="sr-only">{if toast.failed { "Problem: " } else { "" }}</span>
                <span class="min-w-0 flex-1 break-words">{toast.text}</span>
                {toast.undo.map(|undo| view! {
                    <Button look=Look::Quiet on:click=move |_| { undo.run(()); toasts.dismiss(id); }>"Undo"</Button>
                })}
                <button
                    type="button"
                    class="btn btn-ghost btn-sm btn-square size-8"
                    aria-label="Dismiss"
                    on:click=move |_| toasts.dismiss(id)
                >
                    <Glyph icon=Icon::Close/>
                </button>
            </li>
        }
    };
    view! {
        <div
            class="pointer-events-none fixed inset-x-4 bottom-20 z-50 sm:inset-x-auto sm:end-6 sm:w-96 lg:bottom-6"
            role="status"
            aria-live="polite"
        >
            <ul class="flex flex-col gap-2">
                <For each=move || toasts.list.get() key=|toast| toast.id children=show/>
            </ul>
        </div>
    }
}
