//! Taking the metric links out as CSV, piece by piece.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::api::{self, Failure};
use crate::components::{Button, Icon, Toasts};
use crate::{file, format, schema};

#[derive(cynic::QueryVariables)]
struct ExportVariables {
    after: Option<String>,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Query", variables = "ExportVariables")]
struct ExportQuery {
    #[arguments(kind: METRIC_LINKS, after: $after)]
    csv_export: CsvExport,
}

#[derive(cynic::QueryFragment, Debug)]
struct CsvExport {
    text: String,
    rows: i32,
    end_cursor: Option<String>,
    has_next_page: bool,
}

/// Saves all metric links as a file that can be imported again.
#[component]
pub fn ExportButton() -> impl IntoView {
    let toasts = Toasts::expect();
    let busy = RwSignal::new(false);
    let export = move |_| {
        busy.set(true);
        spawn_local(async move {
            let result = collect().await;
            busy.try_set(false);
            match result {
                Ok((text, rows)) if file::save("metric-links.csv", "text/csv", &text).is_ok() => {
                    toasts.say(format!("{} exported", format::counted(rows, "link", "links")));
                }
                Ok(_) => toasts.warn("The browser did not let the file be saved."),
                Err(failure) => toasts.warn(failure.message()),
            }
        });
    };
    view! { <Button icon=Icon::Download busy on:click=export>"Export"</Button> }
}

/// Asks for all pieces; each has a header, which only the first keeps.
async fn collect() -> Result<(String, i64), Failure> {
    let (mut text, mut rows, mut after) = (String::new(), 0, None);
    loop {
        let piece = api::ask(ExportQuery::build(ExportVariables { after })).await?.csv_export;
        rows += i64::from(piece.rows);
        let body = if text.is_empty() {
            piece.text.as_str()
        } else {
            piece.text.split_once('\n').map_or("", |(_, body)| body)
        };
        text.push_str(body);
        match piece.end_cursor.filter(|_| piece.has_next_page) {
            Some(cursor) => after = Some(cursor),
            None => return Ok((text, rows)),
        }
    }
}
