//! Times as people feel them, with the exact one on hover.

use leptos::prelude::*;
use leptos_use_interval_fn::use_interval_fn;

use crate::format;
use crate::vocabulary::DateTime;

/// The present, moving every few seconds, shared by all times on the screen.
#[derive(Clone, Copy)]
pub struct Clock(RwSignal<f64>);

impl Clock {
    /// Starts the clock for all pages.
    pub fn provide() {
        let now = RwSignal::new(format::now());
        use_interval_fn(move || now.set(format::now()), 10_000);
        provide_context(Self(now));
    }
}

/// How long ago, or in how long.
#[component]
pub fn Ago(
    #[prop(into)] time: Signal<DateTime>,
    /// How a time is told, given the present.
    #[prop(default = format::relative)]
    say: fn(f64, f64) -> String,
) -> impl IntoView {
    let clock = use_context::<Clock>();
    let millis = Memo::new(move |_| time.get().millis());
    // A time that comes from the server's clock may lie a little ahead of this one.
    let words =
        move || say(millis.get(), clock.map_or_else(format::now, |clock| clock.0.get()).max(format::now()));
    view! {
        <time class="whitespace-nowrap" datetime=move || time.get().0 title=move || format::exact(millis.get())>
            {words}
        </time>
    }
}

/// When a stream runs next by itself; `never` says what it does instead.
#[component]
pub fn NextRun(time: Option<DateTime>, never: &'static str) -> impl IntoView {
    match time {
        Some(time) => view! { <Ago time say=format::due/> }.into_any(),
        None => view! { <span class="muted">{never}</span> }.into_any(),
    }
}

/// The exact time, with how long ago it was.
#[component]
pub fn At(#[prop(into)] time: Signal<DateTime>) -> impl IntoView {
    let exact = move || format::exact(time.get().millis());
    view! { <span class="num sm:whitespace-nowrap">{exact}</span>" "<span class="text-xs muted"><Ago time/></span> }
}
