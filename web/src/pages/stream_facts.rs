//! What a stream maps, when it runs, how far it has read.

use leptos::prelude::*;

use super::schedule_pace::PaceWarning;
use super::stream_paths::{StreamNestedMetric, inside};
use super::stream_record::Stream;
use crate::components::{
    Ago, Badge, Button, CopyButton, Fact, Facts, Icon, LinkButton, Look, NextRun, Notice, Panel, Tone,
};
use crate::vocabulary::{CursorKind, StreamShape};
use crate::{format, paths, size};

/// The same value again is no news: panels are built anew only when what they show has changed.
fn part<T: PartialEq + Send + Sync + 'static>(
    stream: Signal<Stream>,
    look: impl Fn(&Stream) -> T + Send + Sync + 'static,
) -> Memo<T> {
    Memo::new(move |_| stream.with(&look))
}

#[component]
pub(super) fn MappingPanel(stream: Signal<Stream>) -> impl IntoView {
    let mapping = part(stream, |stream| (stream.mapping.clone(), stream.shape, stream.row_key.clone()));
    let news = part(stream, |stream| stream.new_columns.join(", "));
    let place =
        part(stream, |stream| (stream.table.text(), stream.destination, stream.external_id_setting.clone()));
    let code = |text: String| view! { <span class="font-mono text-[13px] wrap-anywhere">{text}</span> };
    let roles = move || {
        let (mapping, shape, row_key) = mapping.get();
        let (table, destination, setting) = place.get();
        let role = |column: &Option<String>, path: &Option<String>| {
            column.as_ref().map(|column| inside(column, path.as_deref()))
        };
        let metric = match shape {
            StreamShape::Long => role(&mapping.metric, &mapping.metric_path).unwrap_or_default(),
            StreamShape::Wide => {
                let nested = mapping.nested_metrics.iter().map(StreamNestedMetric::name);
                mapping.metrics.iter().cloned().chain(nested).collect::<Vec<_>>().join(", ")
            }
        };
        let account = inside(&mapping.account, mapping.account_path.as_deref());
        let measured_at = inside(&mapping.measured_at, mapping.measured_at_path.as_deref());
        let time = match &mapping.zone {
            Some(zone) => format!("{measured_at} in {zone}"),
            None => measured_at,
        };
        let value = role(&mapping.value, &mapping.value_path);
        let period = role(&mapping.period, &mapping.period_path);
        let product = role(&mapping.product, &mapping.product_path);
        let tried = setting.map(|setting| {
            let spaces: Vec<_> = setting.spaces.into_iter().map(|space| space.name).collect();
            format!("{}: {}", setting.name, spaces.join(", then "))
        });
        view! {
            <Facts>
                <Fact name="Table">{code(table)}</Fact>
                <Fact name="Shape">{shape.text()}</Fact>
                <Fact name="Account ID">{code(account)}</Fact>
                <Fact name=if shape == StreamShape::Wide { "Metric columns" } else { "Metric" }>{code(metric)}</Fact>
                {value.map(|value| view! { <Fact name="Value">{code(value)}</Fact> })}
                <Fact name="Measured at">{code(time)}</Fact>
                {period.map(|period| view! { <Fact name="Period">{code(period)}</Fact> })}
                {product.map(|product| view! { <Fact name="Product">{code(product)}</Fact> })}
                <Fact name="Row key">{code(row_key.join(", "))}</Fact>
                <Fact name="Goes to">{destination.text()}</Fact>
                <Fact name="Looked for in">{tried.unwrap_or_else(|| "no setting: every account is unknown".to_owned())}</Fact>
            </Facts>
        }
    };
    let news = move || {
        Some(news.get()).filter(|names| !names.is_empty()).map(|names| {
            view! {
                <Notice tone=Tone::Info>
                    "The table has new columns: "<span class="font-mono text-[13px] break-all">{names}</span>
                    ". Edit the stream to use them."
                </Notice>
            }
        })
    };
    view! { <Panel title="Mapping">{news}{roles}</Panel> }
}

#[component]
pub(super) fn SchedulePanel(stream: Signal<Stream>) -> impl IntoView {
    let schedule = part(stream, |stream| {
        // A time that is kept while nothing runs would be a promise.
        let next = stream.next_due_at.clone().filter(|_| !stream.is_paused());
        (stream.schedule.description.clone(), next, stream.is_paused())
    });
    let limit = part(stream, |stream| stream.maximum_bytes_billed.clone());
    let warning = part(stream, |stream| stream.pace.warning.clone());
    let facts = move || {
        let (description, next, paused) = schedule.get();
        let never = if paused { "none while it is paused" } else { "when somebody starts it" };
        let limit = limit.get().map(|most| {
            let most = size::write(most.number());
            view! { <Fact name="A statement may read"><span class="num">{most}</span></Fact> }
        });
        view! {
            <Facts>
                <Fact name="Runs">{crate::api::sentence(&description).trim_end_matches('.').to_owned()}</Fact>
                <Fact name="Next run"><NextRun time=next never/></Fact>
                {limit}
            </Facts>
        }
    };
    view! {
        <Panel title="Schedule">
            <div class="flex flex-col gap-3">{facts}<PaceWarning warning/></div>
        </Panel>
    }
}

/// What of the stream needs a person.
#[component]
pub(super) fn WaitingPanel(stream: Signal<Stream>) -> impl IntoView {
    let counts = part(stream, |stream| {
        (stream.id.clone(), stream.unmatched_count.text(), stream.rejected_count.text())
    });
    let facts = move || {
        let (id, unmatched, rejected) = counts.get();
        let waiting_rows = paths::with_query(paths::UNMATCHED, &[("stream", id.inner())]);
        let rejected_rows =
            paths::with_query(paths::UNMATCHED, &[("tab", "rejected"), ("stream", id.inner())]);
        view! {
            <Facts>
                <Fact name="Unmatched"><a class="num underline underline-offset-2" href=waiting_rows>{unmatched}" readings"</a></Fact>
                <Fact name="Rejected"><a class="num underline underline-offset-2" href=rejected_rows>{rejected}" rows"</a></Fact>
            </Facts>
        }
    };
    let actions = move || {
        let href = paths::diagnosis(counts.get().0.inner());
        view! { <LinkButton href look=Look::Quiet icon=Icon::Search>"Missing rows?"</LinkButton> }
    };
    view! { <Panel title="What waits for a person" actions>{facts}</Panel> }
}

#[component]
pub(super) fn CursorPanel(
    stream: Signal<Stream>,
    may_reset: bool,
    on_reset: Callback<()>,
    on_refill: Callback<()>,
) -> impl IntoView {
    let cursor = part(stream, |stream| stream.cursor.clone());
    let checkpoint = part(stream, |stream| stream.checkpoint.clone());
    let facts = move || {
        let cursor = cursor.get();
        let watermark = match checkpoint.get() {
            Some(checkpoint) => view! {
                <span class="flex items-center gap-1">
                    <span class="font-mono text-[13px] break-all">{checkpoint.watermark.clone()}</span>
                    <CopyButton text=checkpoint.watermark what="the watermark"/>
                </span>
                <span class="text-xs muted">"moved "<Ago time=checkpoint.updated_at/></span>
            }
            .into_any(),
            None => "nothing read yet".into_any(),
        };
        let lookback = match (cursor.kind, cursor.lookback.number()) {
            (_, 0) => "none".to_owned(),
            (CursorKind::Int, steps) => format!("{} below the watermark", format::count(steps)),
            (_, seconds) => format!("{} below the watermark", format::span(seconds)),
        };
        view! {
            <Facts>
                <Fact name="Column"><span class="font-mono text-[13px] break-all">{cursor.column}</span>" "<Badge text=cursor.kind.text()/></Fact>
                <Fact name="Watermark">{watermark}</Fact>
                <Fact name="Read again">{lookback}</Fact>
                <Fact name="Without cursor">{cursor.null_cursor.text()}</Fact>
            </Facts>
        }
    };
    let actions = move || {
        may_reset.then(|| view! {
        <Button look=Look::Quiet icon=Icon::Retry on:click=move |_| on_refill.run(())>"Read a range"</Button>
        <Button look=Look::Quiet icon=Icon::Rewind on:click=move |_| on_reset.run(())>"Move the cursor"</Button>
    })
    };
    view! { <Panel title="Cursor" actions>{facts}</Panel> }
}
