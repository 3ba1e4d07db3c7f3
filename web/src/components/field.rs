//! Form fields: a label, a control, a hint and what is wrong, tied together for screen readers.

use std::sync::atomic::{AtomicU32, Ordering};

use leptos::prelude::*;

static NEXT: AtomicU32 = AtomicU32::new(1);

/// An ID no other element on the page has.
fn fresh_id() -> String {
    format!("field-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The frame of a field.
#[component]
pub fn Field(
    #[prop(into)] id: String,
    #[prop(into)] label: Signal<String>,
    #[prop(optional, into)] hint: MaybeProp<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// Whether only screen readers need the label.
    #[prop(optional)]
    bare: bool,
    children: Children,
) -> impl IntoView {
    let about = format!("{id}-about");
    let label_class = if bare { "sr-only" } else { "text-sm font-medium" };
    let words = move || match (error.get(), hint.get()) {
        (Some(error), _) => view! { <span class="text-error">{error}</span> }.into_any(),
        (None, Some(hint)) => view! { <span class="muted">{hint}</span> }.into_any(),
        (None, None) => ().into_any(),
    };
    view! {
        <div class="flex flex-col gap-1 min-w-0">
            <label class=label_class for=id>{label}</label>
            {children()}
            <p id=about class="text-xs empty:hidden" aria-live="polite">{words}</p>
        </div>
    }
}

fn control_class(
    error: Signal<Option<String>>,
    base: &'static str,
) -> impl Fn() -> String + Clone + Send + 'static {
    move || if error.get().is_some() { format!("{base} border-error") } else { format!("{base} border-edge") }
}

/// A line of text.
#[component]
pub fn Text(
    #[prop(into)] label: Signal<String>,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: MaybeProp<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    /// The type of the control: text when left out.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional)] placeholder: &'static str,
    #[prop(optional)] required: bool,
    /// Whether it holds something a machine reads.
    #[prop(optional)]
    code: bool,
    #[prop(optional)] bare: bool,
) -> impl IntoView {
    let id = fresh_id();
    let class = control_class(
        error,
        if code {
            "input h-9 w-full bg-base-100 font-mono text-[13px]"
        } else {
            "input h-9 w-full bg-base-100"
        },
    );
    view! {
        <Field id=id.clone() label hint error bare>
            <input
                id=id.clone()
                type=kind
                class=class
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
                autocomplete=if autocomplete.is_empty() { "off" } else { autocomplete }
                placeholder=placeholder
                required=required
                spellcheck=if code { "false" } else { "true" }
                aria-describedby=format!("{id}-about")
                aria-invalid=move || error.get().is_some().then_some("true")
            />
        </Field>
    }
}

/// Several lines of text.
#[component]
pub fn Area(
    #[prop(into)] label: Signal<String>,
    value: RwSignal<String>,
    #[prop(optional, into)] hint: MaybeProp<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(default = 3)] rows: u32,
    #[prop(optional)] code: bool,
    #[prop(optional, into)] placeholder: String,
) -> impl IntoView {
    let id = fresh_id();
    let class = control_class(
        error,
        if code {
            "textarea w-full bg-base-100 font-mono text-[13px] leading-5"
        } else {
            "textarea w-full bg-base-100"
        },
    );
    view! {
        <Field id=id.clone() label hint error>
            <textarea
                id=id.clone()
                class=class
                rows=rows
                prop:value=value
                on:input=move |event| value.set(event_target_value(&event))
                placeholder=placeholder
                spellcheck=if code { "false" } else { "true" }
                aria-describedby=format!("{id}-about")
                aria-invalid=move || error.get().is_some().then_some("true")
            ></textarea>
        </Field>
    }
}

/// One of several.
#[component]
pub fn Choice(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] value: Signal<String>,
    #[prop(into)] on_change: Callback<String>,
    /// The short forms with the words for them.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
    #[prop(optional, into)] hint: MaybeProp<String>,
    #[prop(optional, into)] error: Signal<Option<String>>,
    #[prop(optional)] bare: bool,
) -> impl IntoView {
    let id = fresh_id();
    let class = control_class(error, "select h-9 w-full bg-base-100");
    let choices = move || {
        let chosen = value.get();
        let choice = |(key, words): (String, String)| {
            let selected = key == chosen;
            view! { <option value=key selected=selected>{words}</option> }
        };
        options.get().into_iter().map(choice).collect_view()
    };
    view! {
        <Field id=id.clone() label hint error bare>
            <select
                id=id.clone()
                class=class
                on:change=move |event| on_change.run(event_target_value(&event))
                aria-describedby=format!("{id}-about")
                aria-invalid=move || error.get().is_some().then_some("true")
            >
                {choices}
            </select>
        </Field>
    }
}

/// Yes or no.
#[component]
pub fn Check(
    #[prop(into)] label: Signal<String>,
    #[prop(into)] checked: Signal<bool>,
    #[prop(into)] on_change: Callback<bool>,
    #[prop(optional, into)] hint: MaybeProp<String>,
) -> impl IntoView {
    view! {
        <label class="flex items-start gap-2 py-1 cursor-pointer">
            <input
                type="checkbox"
                class="checkbox checkbox-sm mt-px size-5 border-edge checked:border-primary checked:bg-primary checked:text-primary-content"
                prop:checked=checked
                on:change=move |event| on_change.run(event_target_checked(&event))
            />
            <span>{label}{move || hint.get().map(|hint| view! { <span class="block text-xs muted">{hint}</span> })}</span>
        </label>
    }
}
