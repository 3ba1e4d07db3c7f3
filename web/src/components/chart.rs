//! A line over time, drawn as SVG; the page shows the same numbers as a table beside it.

use leptos::ev::{MouseEvent, keydown, resize};
use leptos::prelude::*;
use leptos_use_event_listener::use_event_listener;

use crate::format;

/// What is drawn before the place on the screen is known.
const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 26.0;

/// A value at a time. The text is exact; only its place on the screen is rounded.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// When, in milliseconds since the epoch.
    pub at: f64,
    /// The exact value.
    pub value: String,
}

/// Where values and times fall on the screen.
#[derive(Clone, Debug, PartialEq)]
struct Scale {
    from: f64,
    until: f64,
    low: f64,
    high: f64,
    step: f64,
    width: f64,
}

impl Scale {
    fn of(points: &[Point], width: f64) -> Self {
        let values = points.iter().map(|point| format::drawn(&point.value));
        let (least, most) =
            values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
        // Amounts start at zero unless that would press the line flat against the top.
        let floor = if least >= 0.0 && least < most * 0.6 { 0.0 } else { least };
        let span = if most > floor { most - floor } else { most.abs().max(1.0) };
        let step = nice(span / 4.0);
        let low = (floor / step).floor() * step;
        let high = ((most / step).ceil() * step).max(low + step);
        let from = points.first().map_or(0.0, |point| point.at);
        let until = points.last().map_or(1.0, |point| point.at).max(from + 1.0);
        Self { from, until, low, high, step, width }
    }

    fn x(&self, at: f64) -> f64 {
        LEFT + (at - self.from) / (self.until - self.from) * (self.width - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)
    }

    /// How many equal spans between dates leave each date room to be read.
    fn spans(&self) -> i32 {
        ((self.width - LEFT - RIGHT) / 150.0).clamp(1.0, 6.0) as i32
    }

    fn levels(&self) -> impl Iterator<Item = f64> + '_ {
        let count = ((self.high - self.low) / self.step).round() as i32;
        (0..=count).map(|index| self.low + f64::from(index) * self.step)
    }
}

/// The next step of 1, 2 or 5 times a power of ten.
fn nice(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let found = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step);
    found.unwrap_or(10.0) * power
}

/// The line chart. Arrow keys and the pointer read single points, which are also said aloud.
#[component]
pub fn LineChart(
    #[prop(into)] points: Signal<Vec<Point>>,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] unit: Signal<String>,
) -> impl IntoView {
    let frame = NodeRef::<leptos::html::Div>::new();
    let width = RwSignal::new(WIDTH);
    // One unit is one pixel, so that the words keep their size on a phone.
    let measure = move || {
        if let Some(element) = frame.get_untracked() {
            width.set(f64::from(element.client_width()).max(240.0));
        }
    };
    Effect::new(move |_| {
        frame.track();
        measure();
    });
    let _ = use_event_listener(window(), resize, move |_| measure());
    let scale = Memo::new(move |_| points.with(|points| Scale::of(points, width.get())));
    let chosen = RwSignal::new(None::<usize>);
    let _ = use_event_listener(frame, keydown, move |event| {
        let last = points.with_untracked(|points| points.len().saturating_sub(1));
        let next = match (event.key().as_str(), chosen.get_untracked()) {
            ("ArrowLeft", at) => at.map_or(last, |at| at.saturating_sub(1)),
            ("ArrowRight", at) => at.map_or(0, |at| (at + 1).min(last)),
            ("Home", _) => 0,
            ("End", _) => last,
            _ => return,
        };
        event.prevent_default();
        chosen.set(Some(next));
    });
    let hover = move |event: MouseEvent| {
        let Some(element) = frame.get_untracked() else { return };
        let area = element.get_bounding_client_rect();
        let x = (f64::from(event.client_x()) - area.left()) / area.width() * width.get_untracked();
        chosen.set(points.with_untracked(|points| nearest(points, &scale.get_untracked(), x)));
    };
    let path = move || {
        scale.with(|scale| {
            points.with(|points| {
                let mut path = String::with_capacity(points.len() * 14);
                for (index, point) in points.iter().enumerate() {
                    let verb = if index == 0 { 'M' } else { 'L' };
                    path.push_str(&format!(
                        "{verb}{:.1} {:.1}",
                        scale.x(point.at),
                        scale.y(format::drawn(&point.value))
                    ));
                }
                path
            })
        })
    };
    let area = move || {
        scale.with(|scale| {
            format!(
                "{}L{:.1} {:.1}L{LEFT} {:.1}Z",
                path(),
                scale.x(scale.until),
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM
            )
        })
    };
    let levels = move || {
        scale.with(|scale| {
            scale.levels().map(|level| {
                let y = scale.y(level);
                view! {
                    <line class="chart-grid" x1=LEFT.to_string() x2=(scale.width - RIGHT).to_string() y1=format!("{y:.1}") y2=format!("{y:.1}")/>
                    <text class="chart-text" x=(LEFT - 8.0).to_string() y=format!("{:.1}", y + 3.5) text-anchor="end">{format::short(level)}</text>
                }
            }).collect_view()
        })
    };
    let days = move || {
        scale.with(|scale| {
            let spans = scale.spans();
            (0..=spans).map(|index| {
                let at = scale.from + (scale.until - scale.from) * f64::from(index) / f64::from(spans);
                let anchor = match index { 0 => "start", last if last == spans => "end", _ => "middle" };
                view! {
                    <text class="chart-text" x=format!("{:.1}", scale.x(at)) y=(HEIGHT - 8.0).to_string() text-anchor=anchor>
                        {format::day(at)}
                    </text>
                }
            }).collect_view()
        })
    };
    let mark = move || {
        let point = chosen.get().and_then(|index| points.with(|points| points.get(index).cloned()))?;
        let (x, y) = scale.with(|scale| (scale.x(point.at), scale.y(format::drawn(&point.value))));
        Some(view! {
            <line class="stroke-base-content/30" x1=format!("{x:.1}") x2=format!("{x:.1}") y1=TOP.to_string() y2=(HEIGHT - BOTTOM).to_string()/>
            <circle class="fill-primary stroke-base-100" stroke-width="2" cx=format!("{x:.1}") cy=format!("{y:.1}") r="4.5"/>
        })
    };
    let said = move || {
        let index = chosen.get().unwrap_or_else(|| points.with(|points| points.len().saturating_sub(1)));
        points.with(|points| {
            points.get(index).map(|point| {
                format!("{} {} · {}", format::decimal(&point.value), unit.get(), format::minute(point.at))
            })
        })
    };
    view! {
        <div>
            <p class="num mb-1 text-sm" aria-live="polite">{said}</p>
            <div
                node_ref=frame
                tabindex="0"
                role="group"
                aria-label=move || format!("{}. Arrow keys read single values; the table has all.", label.get())
                class="rounded-field"
                on:mousemove=hover
                on:mouseleave=move |_| chosen.set(None)
            >
                <svg viewBox=move || format!("0 0 {} {HEIGHT}", width.get()) class="block w-full" role="img" aria-label=label>
                    {levels}
                    {days}
                    <path class="fill-primary/10" d=area/>
                    <path class="fill-none stroke-primary" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" d=path/>
                    {mark}
                </svg>
            </div>
        </div>
    }
}

fn nearest(points: &[Point], scale: &Scale, x: f64) -> Option<usize> {
    let distance = |point: &Point| (scale.x(point.at) - x).abs();
    points
        .iter()
        .enumerate()
        .min_by(|(_, a), (_, b)| distance(a).total_cmp(&distance(b)))
        .map(|(index, _)| index)
}
