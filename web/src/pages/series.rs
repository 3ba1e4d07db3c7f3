//! The series of an account: a list, a chart of one, and the same numbers as a table.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::{
    Ago, Badge, Cell, Choice, Empty, Icon, LineChart, Loaded, Panel, Point, Row, Table, Tone, amount, column,
    query_value, set_query,
};
use crate::query::Query;
use crate::vocabulary::{BigInt, DateTime, Decimal};
use crate::{format, paths, schema};

/// A series as it stands in the list.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Series")]
pub struct SeriesLine {
    /// Its ID.
    pub id: cynic::Id,
    /// What is measured.
    pub metric: SeriesMetric,
    /// The account ID its rows carry.
    pub external_account: String,
    /// The product, or empty.
    pub product: String,
    /// Where it comes from.
    pub stream: SeriesStream,
    /// The last measurement.
    pub latest: Option<LatestMeasurement>,
}

/// The metric of a series.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Metric")]
pub struct SeriesMetric {
    /// The name.
    pub name: String,
    /// The unit.
    pub unit: Option<String>,
}

/// The stream of a series.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
pub struct SeriesStream {
    /// Its ID.
    pub id: cynic::Id,
    /// Its name.
    pub name: String,
}

/// The last measurement of a series.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Measurement")]
pub struct LatestMeasurement {
    /// The exact value.
    pub value: Decimal,
    /// When it was measured.
    pub measured_at: DateTime,
}

impl SeriesLine {
    /// The metric with its product.
    fn title(&self) -> String {
        if self.product.is_empty() {
            self.metric.name.clone()
        } else {
            format!("{} · {}", self.metric.name, self.product)
        }
    }
}

#[derive(cynic::QueryVariables)]
struct ChartVariables {
    id: cynic::Id,
    since: Option<DateTime>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "ChartVariables")]
struct ChartQuery {
    #[arguments(id: $id)]
    series: Option<Charted>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Series", variables = "ChartVariables")]
struct Charted {
    #[arguments(since: $since, points: 200)]
    chart: Vec<ChartPoint>,
    #[arguments(last: 20, since: $since)]
    measurements: MeasurementConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct ChartPoint {
    measured_at: DateTime,
    value: Decimal,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct MeasurementConnection {
    nodes: Vec<MeasurementLine>,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Measurement")]
struct MeasurementLine {
    measured_at: DateTime,
    value: Decimal,
    period: Option<String>,
    typed: bool,
    run: Option<RunNumber>,
    row_key: String,
    revisions: Vec<Revision>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "SyncRun")]
struct RunNumber {
    id: cynic::Id,
    number: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "MeasurementRevision")]
struct Revision {
    value: Decimal,
}

/// All series of an account.
#[component]
pub fn SeriesTable(
    series: Memo<Vec<SeriesLine>>,
    total: Memo<i32>,
    chosen: Signal<Option<cynic::Id>>,
) -> impl IntoView {
    let path = use_location().pathname;
    let row = move |line: SeriesLine| {
        let href = move |id: &cynic::Id| paths::with_query(&path.get_untracked(), &[("series", id.inner())]);
        let (id, address, title) = (line.id.clone(), href(&line.id), line.title());
        // Series that would read the same are told apart by the ID their rows carry.
        let alike = series.with_untracked(|all| all.iter().filter(|other| other.title() == title).count());
        let carried = (alike > 1).then_some(line.external_account);
        let value = line.latest.as_ref().map(|latest| format::decimal(&latest.value.0));
        let current = move || (chosen.get().as_ref() == Some(&id)).then_some("true");
        view! {
            <Row>
                <Cell><a class="font-medium hover:underline aria-[current=true]:text-primary" href=address aria-current=current>{title}</a>
                    {carried.map(|id| view! { <span class="block font-mono text-xs muted break-all">{id}</span> })}
                </Cell>
                <Cell label="Latest" amount=true>
                    {value}
                    // The units of one width, so that the digits stand in one line.
                    <span class="ms-1.5 text-start text-xs muted md:inline-block md:w-20 md:truncate md:align-[-0.25rem]">{line.metric.unit}</span>
                </Cell>
                <Cell label="Measured">{line.latest.map(|latest| view! { <Ago time=latest.measured_at/> })}</Cell>
                <Cell label="Stream"><a class="hover:underline" href=paths::stream(line.stream.id.inner())>{line.stream.name}</a></Cell>
            </Row>
        }
    };
    let nothing = || view! { <Empty icon=Icon::Stream title="Nothing measured yet" text="A series appears when a row of a stream is matched to this account."/> };
    let count = Signal::derive(move || Some(total.get()).filter(|total| *total > 0).map(format::count));
    view! {
        <Panel title="Series" count flush=true>
            <Show when=move || !series.with(Vec::is_empty) fallback=nothing>
                <Table caption="Series of this account" columns=vec![column("Metric"), amount("Latest"), column("Measured"), column("Stream")]>
                    <For each=move || series.get() key=Clone::clone children=row/>
                </Table>
            </Show>
        </Panel>
    }
}

/// One series as a line and as a table.
#[component]
pub fn SeriesChart(line: SeriesLine) -> impl IntoView {
    let range = query_value("range");
    let set = set_query();
    let id = line.id.clone();
    let query = Query::new(move || {
        let days = match range.get().as_str() {
            "all" => None,
            "365" => Some(365.0),
            "30" => Some(30.0),
            _ => Some(90.0),
        };
        let since = days.map(|days| DateTime(format::rfc3339(format::now() - days * 86_400_000.0)));
        ChartQuery::build(ChartVariables { id: id.clone(), since })
    });
    let ranges: Vec<_> = [("30", "30 days"), ("", "90 days"), ("365", "1 year"), ("all", "All")]
        .map(|(key, words)| (key.to_owned(), words.to_owned()))
        .into();
    let unit = line.metric.unit.clone().unwrap_or_default();
    let title = line.title();
    let label = title.clone();
    view! {
        <Panel
            title
            actions=move || {
                let set = set.clone();
                view! { <div class="w-28"><Choice label="Range" bare=true value=range on_change=move |key: String| set(&[("range", key)]) options=ranges.clone()/></div> }
            }
        >
            <Loaded query lines=5 let:data>
                <Charts data=Signal::derive(move || data.get().series) label=label.clone() unit=unit.clone()/>
            </Loaded>
        </Panel>
    }
}

#[component]
fn Charts(data: Signal<Option<Charted>>, label: String, unit: String) -> impl IntoView {
    let points = Signal::derive(move || {
        let chart = data.get().map(|series| series.chart).unwrap_or_default();
        chart
            .into_iter()
            .map(|point| Point { at: point.measured_at.millis(), value: point.value.0 })
            .collect::<Vec<_>>()
    });
    let empty = Memo::new(move |_| points.with(Vec::is_empty));
    let said = {
        let label = label.clone();
        Signal::derive(move || {
            let last = points.with(|points| points.last().map(|point| format::decimal(&point.value)));
            format!("{label} over time, last value {}", last.unwrap_or_default())
        })
    };
    let count = move || data.with(|data| data.as_ref().map_or(0, |series| series.measurements.total_count));
    let rows = move || {
        let nodes = data.get().map(|series| series.measurements.nodes).unwrap_or_default();
        nodes.into_iter().rev().map(|measurement| view! { <MeasurementRow measurement/> }).collect_view()
    };
    let unit = StoredValue::new(unit);
    let caption = StoredValue::new(format!("Measurements of {label}, newest first"));
    view! {
        <Show when=move || !empty.get() fallback=|| view! { <Empty icon=Icon::Stream title="No measurements in this range" text="Choose a longer one."/> }>
            <LineChart points label=said unit=unit.get_value()/>
            <details class="mt-3 border-t border-base-300 pt-2">
                <summary class="cursor-pointer py-1 font-medium">{move || format!("As a table: the newest of {}", format::counted(count().into(), "measurement", "measurements"))}</summary>
                <div class="-mx-4">
                    <Table caption=caption.get_value() columns=vec![column("Measured at"), amount("Value"), column("Period"), column("From"), column("Row")]>
                        {rows}
                    </Table>
                </div>
            </details>
        </Show>
    }
}

#[component]
fn MeasurementRow(measurement: MeasurementLine) -> impl IntoView {
    let corrected =
        measurement.revisions.first().map(|revision| format!("was {}", format::decimal(&revision.value.0)));
    let from = match (measurement.typed, measurement.run) {
        (true, _) => "typed by a person".into_any(),
        (false, Some(run)) => view! { <a class="underline underline-offset-2" href=paths::run(run.id.inner())>{format!("run {}", run.number.0)}</a> }.into_any(),
        (false, None) => ().into_any(),
    };
    view! {
        <Row>
            <Cell><span class="num" title=measurement.measured_at.0.clone()>{format::minute(measurement.measured_at.millis())}</span></Cell>
            <Cell label="Value" amount=true>
                {format::decimal(&measurement.value.0)}
                {corrected.map(|words| view! { <span class="ms-2"><Badge text=words tone=Tone::Info/></span> })}
            </Cell>
            <Cell label="Period">{measurement.period}</Cell>
            <Cell label="From">{from}</Cell>
            <Cell label="Row"><span class="font-mono text-xs break-all">{measurement.row_key}</span></Cell>
        </Row>
    }
}
