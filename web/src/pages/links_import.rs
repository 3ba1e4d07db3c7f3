//! Bringing metric links in as CSV: look first, then import.

use cynic::MutationBuilder;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_navigate;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::components::{
    Area, Button, Cell, Check, Icon, LinkButton, Look, Notice, PageHead, Panel, Row, Table, Toasts, Tone,
    column,
};
use crate::query::{Change, settled};
use crate::vocabulary::UserError;
use crate::{api, format, paths, schema};

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum CsvErrorPolicy {
    RejectAll,
    SkipFailed,
}

#[derive(cynic::QueryVariables)]
struct ImportVariables {
    text: String,
    dry_run: bool,
    policy: CsvErrorPolicy,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "ImportVariables")]
struct ImportLinks {
    #[arguments(input: { kind: METRIC_LINKS, text: $text, dryRun: $dry_run, errorPolicy: $policy })]
    csv_import: CsvImportPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct CsvImportPayload {
    report: Option<CsvReport>,
    user_errors: Vec<UserError>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct CsvReport {
    dry_run: bool,
    rows: i32,
    created: i32,
    updated: i32,
    unchanged: i32,
    failed: i32,
    errors: Vec<CsvError>,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
struct CsvError {
    line: i32,
    column: Option<String>,
    message: String,
}

/// The import: a dry run comes first, always.
#[component]
pub fn LinksImportPage() -> impl IntoView {
    let toasts = Toasts::expect();
    let navigate = use_navigate();
    let text = RwSignal::new(String::new());
    let skip = RwSignal::new(false);
    let report = RwSignal::new(None::<CsvReport>);
    // A report is about the text it was made from.
    Effect::new(move |_| {
        text.track();
        report.set(None);
    });
    let send = Change::new(
        |answer: ImportLinks| settled(answer.csv_import.report, answer.csv_import.user_errors),
        move |result: CsvReport| {
            if result.dry_run || result.failed > 0 && !skip.get_untracked() {
                report.set(Some(result));
            } else {
                let changed = i64::from(result.created) + i64::from(result.updated);
                toasts.say(format!(
                    "{} imported; waiting readings are being matched",
                    format::counted(changed, "link", "links")
                ));
                navigate(paths::LINKS, Default::default());
            }
        },
    );
    let run = move |dry_run: bool| {
        let policy =
            if skip.get_untracked() { CsvErrorPolicy::SkipFailed } else { CsvErrorPolicy::RejectAll };
        send.send(ImportLinks::build(ImportVariables { text: text.get_untracked(), dry_run, policy }));
    };
    let importable = Memo::new(move |_| {
        report.with(|report| {
            report.as_ref().is_some_and(|report| {
                report.created + report.updated > 0 && (report.failed == 0 || skip.get())
            })
        })
    });
    let failing =
        Memo::new(move |_| report.with(|report| report.as_ref().is_some_and(|report| report.failed > 0)));
    let complaint =
        move || send.complaint(&[]).map(|words| view! { <Notice tone=Tone::Error>{words}</Notice> });
    let found = move || match report.get() {
        Some(report) => view! { <Report report/> }.into_any(),
        None => view! { <p class="muted">"Check first: nothing is stored until you import."</p> }.into_any(),
    };
    view! {
        <PageHead title="Import metric links" crumbs=vec![("Metric links".to_owned(), paths::LINKS.to_owned())]/>
        <div class="grid items-start gap-5 lg:grid-cols-2">
            <div class="panel flex flex-col gap-4 p-5">
                <FileField text/>
                <Area
                    label="or paste it"
                    value=text
                    rows=10
                    code=true
                    placeholder="account_id,account_name,metric,opportunity,input,enabled,note"
                    hint="The first line names the columns. An export can be changed and imported again."
                />
                {complaint}
                <div class="flex flex-wrap gap-2">
                    <Button
                        look=Look::Primary
                        icon=Icon::Search
                        busy=Signal::derive(move || send.is_busy())
                        disabled=Signal::derive(move || text.with(|text| text.trim().is_empty()))
                        on:click=move |_| run(true)
                    >
                        "Check"
                    </Button>
                    <LinkButton href=paths::LINKS.to_owned() look=Look::Quiet>"Cancel"</LinkButton>
                </div>
            </div>
            <Panel title="What would happen">
                <div class="flex flex-col gap-4" aria-live="polite">
                    {found}
                    <Show when=move || failing.get()>
                        <Check label="Import the good rows and leave out the others" checked=skip on_change=move |on| skip.set(on)/>
                    </Show>
                    <Show when=move || importable.get()>
                        <div><Button look=Look::Primary icon=Icon::Upload busy=Signal::derive(move || send.is_busy()) on:click=move |_| run(false)>"Import"</Button></div>
                    </Show>
                </div>
            </Panel>
        </div>
    }
}

#[component]
fn FileField(text: RwSignal<String>) -> impl IntoView {
    let read = move |event: leptos::ev::Event| {
        let input: web_sys::HtmlInputElement = event_target(&event);
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        spawn_local(async move {
            if let Ok(content) = JsFuture::from(file.unchecked_ref::<web_sys::Blob>().text()).await {
                text.try_set(content.as_string().unwrap_or_default());
            }
        });
    };
    view! {
        <label class="flex flex-col gap-1">
            <span class="text-sm font-medium">"CSV file"</span>
            <input
                type="file"
                accept=".csv,text/csv"
                class="w-full rounded-field border border-base-300 text-sm file:me-3 file:h-9 file:cursor-pointer file:border-0 file:bg-base-content/8 file:px-3 file:font-medium"
                on:change=read
            />
        </label>
    }
}

#[component]
fn Report(report: CsvReport) -> impl IntoView {
    let number = |name: &'static str, count: i32| {
        view! {
            <div>
                <span class="num block text-lg font-semibold">{format::count(count)}</span>
                <span class="text-xs muted">{name}</span>
            </div>
        }
    };
    let row = |error: CsvError| {
        view! {
            <Row>
                <Cell><span class="num whitespace-nowrap">{format!("Line {}", error.line)}</span></Cell>
                <Cell label="Column"><span class="font-mono text-[13px]">{error.column}</span></Cell>
                <Cell label="Problem" wide=true>{api::sentence(&error.message)}</Cell>
            </Row>
        }
    };
    view! {
        <div class="grid grid-cols-3 gap-3 sm:grid-cols-5">
            {number("rows", report.rows)}
            {number("new", report.created)}
            {number("changed", report.updated)}
            {number("equal", report.unchanged)}
            {number("with errors", report.failed)}
        </div>
        {(report.failed == 0).then(|| view! { <Notice tone=Tone::Success>"Every row is good."</Notice> })}
        {(!report.errors.is_empty()).then(|| view! {
            <div class="-mx-4">
                <Table caption="Rows with errors" columns=vec![column("Line"), column("Column"), column("Problem")]>
                    {report.errors.into_iter().map(row).collect_view()}
                </Table>
            </div>
        })}
    }
}
