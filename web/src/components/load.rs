//! The three states around content: on its way, failed, there.

use leptos::prelude::*;
use serde::de::DeserializeOwned;

use super::{Button, Icon, Missing, Notice, PageHead, Problem, Tone};
use crate::format;
use crate::query::Query;

/// Shows the content of a query, which is built once and then follows the signal it is given.
#[component]
pub fn Loaded<T, F, V>(
    query: Query<T>,
    /// How many lines the skeleton has.
    #[prop(default = 6)]
    lines: usize,
    /// What the page is about, when nothing but the answer can give it its heading: `source`.
    #[prop(optional)]
    what: Option<&'static str>,
    /// Whether a refused question is told elsewhere, as beside the field that is wrong.
    #[prop(optional)]
    told_elsewhere: bool,
    children: F,
) -> impl IntoView
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
    F: Fn(Signal<T>) -> V + Send + Sync + Clone + 'static,
    V: IntoView + 'static,
{
    let ready = Memo::new(move |_| query.is_ready());
    let retry = Callback::new(move |()| query.reload());
    let failure = move || query.failure().filter(|failure| !(told_elsewhere && failure.is_wrong_question()));
    let waiting = move || {
        let head = what.map(|what| view! { <PageHead title=format::word(what)/> });
        let body = match (failure(), what) {
            (Some(failure), Some(what)) if failure.is_wrong_question() => {
                view! { <Missing what/> }.into_any()
            }
            (Some(failure), _) => view! { <Problem failure retry/> }.into_any(),
            (None, _) => view! { <Skeleton lines/> }.into_any(),
        };
        view! { {head}{body} }
    };
    let stale = move || {
        failure().map(|failure| {
            view! {
                <div class="mb-4">
                    <Notice tone=Tone::Warning>
                        <div class="flex flex-wrap items-center gap-3">
                            <span>"What you see may be old. " {failure.message()}</span>
                            <Button icon=Icon::Retry on:click=move |_| query.reload()>"Try again"</Button>
                        </div>
                    </Notice>
                </div>
            }
        })
    };
    move || {
        if ready.get() {
            let latest = query.with_untracked(Clone::clone).expect("a ready query has an answer");
            let data = Signal::derive(move || query.with(Clone::clone).unwrap_or_else(|| latest.clone()));
            view! { {stale}{children(data)} }.into_any()
        } else {
            view! { {waiting} }.into_any()
        }
    }
}

/// Gray lines where content will be; shown only after a moment, so that quick answers do not flicker.
#[component]
fn Skeleton(lines: usize) -> impl IntoView {
    let line = |index: usize| {
        let width = ["w-full", "w-11/12", "w-4/5", "w-full", "w-2/3"][index % 5];
        view! { <div class=format!("skeleton h-5 rounded-field {width}")></div> }
    };
    view! {
        <div class="panel appear-late flex flex-col gap-4 p-5" role="status">
            <span class="sr-only">"Loading"</span>
            {(0..lines).map(line).collect_view()}
        </div>
    }
}
