//! A trend in a word's space. Its numbers are said to screen readers.

use leptos::prelude::*;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 28.0;

/// Bars for a short row of counts; the last one, which is today, stands out.
#[component]
pub fn Sparkline(
    #[prop(into)] values: Signal<Vec<f64>>,
    /// What the trend says in words.
    #[prop(into)]
    label: Signal<String>,
) -> impl IntoView {
    let bars = move || {
        let values = values.get();
        let top = values.iter().copied().fold(1.0, f64::max);
        let step = WIDTH / values.len().max(1) as f64;
        let last = values.len().saturating_sub(1);
        let bar = |(index, value): (usize, f64)| {
            // A day without rows keeps a hairline, so that it does not look like missing data.
            let height = (value / top * (HEIGHT - 1.0)).max(1.0);
            let class = if index == last { "fill-primary" } else { "fill-primary/40" };
            view! {
                <rect class=class x=format!("{:.2}", index as f64 * step) y=format!("{:.2}", HEIGHT - height)
                    width=format!("{:.2}", (step - 1.5).max(1.0)) height=format!("{height:.2}") rx="1"/>
            }
        };
        values.into_iter().enumerate().map(bar).collect_view()
    };
    view! {
        <svg viewBox=format!("0 0 {WIDTH} {HEIGHT}") class="h-7 w-24 shrink-0" role="img" aria-label=label>
            {bars}
        </svg>
    }
}
