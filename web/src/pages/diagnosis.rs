//! Why rows of a stream may be missing: what was found at the source, in the runs, and in the matching.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::source_check::ProblemText;
use crate::components::{
    Badge, Button, Cell, Fact, Facts, Glyph, Icon, Loaded, Missing, Notice, PageHead, Panel, Row, Table,
    Tone, amount, column,
};
use crate::query::Query;
use crate::vocabulary::{BigInt, ConnectorProblem, FindingSeverity, IdShape};
use crate::{api, format, paths, schema};

/// Rows beyond the watermark that the server counts at most.
const MOST_ABOVE: i64 = 10_000;

#[derive(cynic::QueryVariables)]
struct DiagnosisVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "DiagnosisVariables")]
struct DiagnosisQuery {
    #[arguments(id: $id)]
    stream: Option<StreamName>,
    #[arguments(id: $id)]
    stream_diagnosis: Option<StreamDiagnosis>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct StreamDiagnosis {
    findings: Vec<StreamFinding>,
    watermark: Option<String>,
    newest_cursor: Option<String>,
    rows_above: Option<BigInt>,
    null_cursors: BigInt,
    readings: BigInt,
    unmatched: BigInt,
    sampled_ids: i32,
    id_shapes: Vec<IdShapeCount>,
    id_spaces: Vec<IdSpaceRate>,
    problem: Option<ConnectorProblem>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct StreamFinding {
    severity: FindingSeverity,
    message: String,
    action: Option<String>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct IdShapeCount {
    shape: IdShape,
    count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct IdSpaceRate {
    space: String,
    tried: bool,
    known: i32,
}

/// The page that tells why rows may be missing.
#[component]
pub fn DiagnosisPage() -> impl IntoView {
    let params = use_params_map();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        DiagnosisQuery::build(DiagnosisVariables { id })
    });
    view! {
        <Loaded query what="diagnosis" let:data>
            {move || {
                let data = data.get();
                match (data.stream, data.stream_diagnosis) {
                    (Some(stream), Some(diagnosis)) => view! { <Content stream diagnosis again=Callback::new(move |()| query.reload())/> }.into_any(),
                    _ => view! { <PageHead title="Missing rows"/><Missing what="stream"/> }.into_any(),
                }
            }}
        </Loaded>
    }
}

#[component]
fn Content(stream: StreamName, diagnosis: StreamDiagnosis, again: Callback<()>) -> impl IntoView {
    let crumbs = vec![
        ("Sources".to_owned(), paths::SOURCES.to_owned()),
        (stream.name, paths::stream(stream.id.inner())),
    ];
    let text = |text: Option<String>, none: &'static str| match text {
        Some(text) => view! { <span class="font-mono text-[13px] break-all">{text}</span> }.into_any(),
        None => view! { <span class="muted">{none}</span> }.into_any(),
    };
    let asked = diagnosis.problem.is_none();
    let findings = diagnosis.findings;
    let found = !findings.is_empty();
    let problem = diagnosis.problem.map(|problem| {
        view! {
            <Notice tone=Tone::Error>
                <ProblemText problem/>
                <p class="mt-2">"What stands below is known here without asking the source."</p>
            </Notice>
        }
    });
    let untold = if asked { "none" } else { "could not be asked" };
    let above = match diagnosis.rows_above.as_ref().map(BigInt::number) {
        Some(rows) if rows >= MOST_ABOVE => format!("{} rows or more", format::count(MOST_ABOVE)),
        Some(rows) => format::counted(rows, "row", "rows"),
        None if asked => "nothing read yet to count from".to_owned(),
        None => untold.to_owned(),
    };
    let counted = diagnosis.rows_above.is_some();
    let (readings, unmatched) = (diagnosis.readings.number(), diagnosis.unmatched.number());
    let waiting_rows = paths::with_query(paths::UNMATCHED, &[("stream", stream.id.inner())]);
    let runs = match (readings, unmatched) {
        (0, _) => view! { <span class="muted">"no readings"</span> }.into_any(),
        (_, 0) => format::counted(readings, "reading", "readings").into_any(),
        _ => view! {
            {format::counted(readings, "reading", "readings")}", "
            <a class="num underline underline-offset-2" href=waiting_rows>{format::count(unmatched)}" unmatched"</a>
        }
        .into_any(),
    };
    view! {
        <PageHead title="Missing rows" crumbs about=move || view! { <p class="mt-1 muted">"What keeps rows of this stream from becoming measurements, as far as can be told."</p> }>
            <Button icon=Icon::Retry on:click=move |_| again.run(())>"Look again"</Button>
        </PageHead>
        <div class="flex flex-col gap-5">
            {problem}
            {found.then(|| view! { <Panel title="Findings" flush=true><ul>{findings.into_iter().map(|finding| view! { <Found finding/> }).collect_view()}</ul></Panel> })}
            <div class="grid items-start gap-5 lg:grid-cols-2">
                <Panel title="How far it goes">
                    <Facts>
                        <Fact name="Table ends at">{text(diagnosis.newest_cursor, untold)}</Fact>
                        <Fact name="Read up to">{text(diagnosis.watermark, "not read yet")}</Fact>
                        <Fact name="Beyond that"><span class=if counted { "num" } else { "muted" }>{above}</span></Fact>
                        <Fact name="No cursor">{format::counted(diagnosis.null_cursors.number(), "row", "rows")}</Fact>
                        <Fact name="Last runs">{runs}</Fact>
                    </Facts>
                </Panel>
                <Ids sampled=diagnosis.sampled_ids shapes=diagnosis.id_shapes spaces=diagnosis.id_spaces/>
            </div>
        </div>
    }
}

#[component]
fn Found(finding: StreamFinding) -> impl IntoView {
    let (icon, class) = match finding.severity {
        FindingSeverity::Fine => (Icon::Success, "mt-0.5 size-4 shrink-0 text-success"),
        FindingSeverity::Notice => (Icon::Info, "mt-0.5 size-4 shrink-0 text-info"),
        FindingSeverity::Problem => (Icon::Warning, "mt-0.5 size-4 shrink-0 text-error"),
    };
    view! {
        <li class="flex items-start gap-2.5 border-b border-base-300/70 px-4 py-3 last:border-0">
            <Glyph icon class/>
            <div class="min-w-0">
                <p><span class="sr-only">{finding.severity.text()}": "</span>{api::sentence(&finding.message)}</p>
                {finding.action.map(|action| view! { <p class="mt-0.5 muted">{api::sentence(&action)}</p> })}
            </div>
        </li>
    }
}

#[component]
fn Ids(sampled: i32, shapes: Vec<IdShapeCount>, spaces: Vec<IdSpaceRate>) -> impl IntoView {
    let part = move |count: i32| {
        let part = f64::from(count) * 100.0 / f64::from(sampled.max(1));
        // Nothing rounds up to all, nor down to nothing.
        if count > 0 && part < 1.0 { "< 1\u{a0}%".to_owned() } else { format!("{}\u{a0}%", part.floor()) }
    };
    let space = move |rate: IdSpaceRate| {
        view! {
            <Row>
                <Cell><span class="font-mono text-[13px]">{rate.space}</span></Cell>
                <Cell label="Setting">{rate.tried.then(|| view! { <Badge text="Tried" icon=Icon::Check/> })}</Cell>
                <Cell label="Knows" amount=true>{part(rate.known)}</Cell>
            </Row>
        }
    };
    let looks: Vec<String> =
        shapes.iter().map(|shape| format!("{} ({})", shape.shape.text(), part(shape.count))).collect();
    let body = if sampled == 0 {
        view! { <p class="p-4 muted">"No account IDs could be looked at."</p> }.into_any()
    } else {
        view! {
            <p class="px-4 pt-4 pb-3">"They look like: "{looks.join(", ")}"."</p>
            <Table caption="How many of the IDs each ID space knows" columns=vec![column("ID space"), column("Setting"), amount("Knows")]>
                {spaces.into_iter().map(space).collect_view()}
            </Table>
        }
        .into_any()
    };
    view! { <Panel title="Account IDs in a sample" count=format::count(sampled) flush=true>{body}</Panel> }
}
