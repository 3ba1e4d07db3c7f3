//! Rows that could not be decoded: what was wrong, in which column, and trying them again.

use cynic::{MutationBuilder, QueryBuilder};
use leptos::prelude::*;

use super::unmatched::StreamFilter;
use crate::components::{
    Ago, Badge, Button, Cell, Choice, Empty, Icon, Loaded, Notice, PageAt, Pager, Row, Table, Toasts, Tone,
    column, page_at, query_value, set_query,
};
use crate::query::{Change, Query};
use crate::viewer::Session;
use crate::vocabulary::{DateTime, PageInfo, Permission, RejectionReason, UserError, Word};
use crate::{format, paths, schema};

#[derive(cynic::QueryVariables)]
struct RejectedVariables {
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: RejectedRowWhere,
}

#[derive(cynic::InputObject, Clone, Debug)]
struct RejectedRowWhere {
    #[cynic(skip_serializing_if = "Option::is_none")]
    stream_id: Option<cynic::Id>,
    #[cynic(skip_serializing_if = "Option::is_none")]
    reason: Option<RejectionReason>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "RejectedVariables")]
struct RejectedQuery {
    #[arguments(first: $first, after: $after, last: $last, before: $before, where: $filter)]
    rejected_rows: WaitingRowConnection,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct WaitingRowConnection {
    nodes: Vec<RejectedRow>,
    page_info: PageInfo,
    total_count: i32,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "WaitingRow")]
struct RejectedRow {
    id: cynic::Id,
    row_key: String,
    stream: StreamName,
    rejection: Option<Rejection>,
    missing_columns: Vec<String>,
    created_at: DateTime,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
#[cynic(graphql_type = "Stream")]
struct StreamName {
    id: cynic::Id,
    name: String,
}

#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq, Hash)]
struct Rejection {
    reason: RejectionReason,
    column: Option<String>,
    raw: Option<String>,
}

#[derive(cynic::QueryVariables)]
struct RetryVariables {
    stream_id: cynic::Id,
}

#[derive(cynic::QueryFragment, Debug)]
#[cynic(graphql_type = "Mutation", variables = "RetryVariables")]
struct RetryRejected {
    #[arguments(input: { streamId: $stream_id })]
    rejected_row_retry: RejectedRowRetryPayload,
}

#[derive(cynic::QueryFragment, Debug)]
struct RejectedRowRetryPayload {
    retried: i32,
    user_errors: Vec<UserError>,
}

/// The rejected rows, by stream and reason.
#[component]
pub fn RejectedRows() -> impl IntoView {
    let session = Session::expect();
    let toasts = Toasts::expect();
    let at = page_at();
    let (stream, reason) = (query_value("stream"), query_value("reason"));
    let set = set_query();
    let query = Query::new(move || {
        let PageAt { first, after, last, before } = at.get();
        let filter = RejectedRowWhere {
            stream_id: Some(stream.get()).filter(|id| !id.is_empty()).map(cynic::Id::new),
            reason: RejectionReason::from_key(&reason.get()),
        };
        RejectedQuery::build(RejectedVariables { first, after, last, before, filter })
    });
    let retry = Change::new(
        |answer: RetryRejected| {
            let payload = answer.rejected_row_retry;
            if payload.user_errors.is_empty() { Ok(payload.retried) } else { Err(payload.user_errors) }
        },
        move |count: i32| {
            query.reload();
            toasts.say(format!(
                "{} tried again with the mapping of today",
                format::counted(count.into(), "row is", "rows are")
            ));
        },
    );
    let reasons: Vec<_> = std::iter::once((String::new(), "Every reason".to_owned()))
        .chain(RejectionReason::choices())
        .collect();
    let may = session.may(Permission::UnmatchedTriage);
    let chosen = move || may && !stream.get().is_empty();
    let complaint = move || {
        retry
            .complaint(&[])
            .map(|words| view! { <div class="mb-4"><Notice tone=Tone::Error>{words}</Notice></div> })
    };
    view! {
        <div class="mb-4 grid grid-cols-2 items-start gap-2 sm:flex">
            <div class="sm:w-56"><Choice label="Reason" bare=true value=reason on_change=move |key: String| set(&[("reason", key)]) options=reasons/></div>
            <div class="sm:w-56"><StreamFilter/></div>
            <Show when=chosen>
                <Button
                    icon=Icon::Retry
                    busy=Signal::derive(move || retry.is_busy())
                    on:click=move |_| retry.send(RetryRejected::build(RetryVariables { stream_id: stream.get_untracked().into() }))
                >
                    "Try this stream’s rows again"
                </Button>
            </Show>
        </div>
        {complaint}
        <Loaded query lines=8 let:data>
            <div class="panel"><RejectedTable rows=Signal::derive(move || data.get().rejected_rows)/></div>
        </Loaded>
    }
}

#[component]
fn RejectedTable(rows: Signal<WaitingRowConnection>) -> impl IntoView {
    let empty = Memo::new(move |_| rows.with(|rows| rows.nodes.is_empty()));
    let nothing = || {
        view! { <Empty icon=Icon::Success title="No rejected rows" text="A row is rejected when a cell cannot be decoded. It is kept with the column and the text, and can be tried again after the mapping is changed."/> }
    };
    view! {
        <Show when=move || !empty.get() fallback=nothing>
            <Table caption="Rejected rows, newest first" columns=vec![column("Row"), column("Problem"), column("Column"), column("Text"), column("Stream"), column("Received")]>
                <For each=move || rows.get().nodes key=Clone::clone let:row><RejectedLine row/></For>
            </Table>
            <Pager
                info=Signal::derive(move || rows.get().page_info)
                total=Signal::derive(move || rows.with(|rows| rows.total_count))
                noun=("row", "rows")
            />
        </Show>
    }
}

#[component]
fn RejectedLine(row: RejectedRow) -> impl IntoView {
    let (reason, column, raw) = match row.rejection {
        Some(rejection) => (Some(rejection.reason), rejection.column, rejection.raw),
        None => (None, None, None),
    };
    let code = |text: Option<String>| {
        text.map(|text| view! { <span class="font-mono text-[13px] break-all">{text}</span> })
    };
    let missing = (!row.missing_columns.is_empty()).then(|| {
        let words = format!("Waits to be read again with {}.", row.missing_columns.join(", "));
        view! { <span class="mt-0.5 block text-xs muted">{words}</span> }
    });
    view! {
        <Row>
            <Cell>{code(Some(row.row_key))}</Cell>
            <Cell label="Problem" wide=true>
                {reason.map(|reason| view! { <Badge text=reason.text() tone=Tone::Error icon=Icon::Failure/> })}
                {missing}
            </Cell>
            <Cell label="Column">{code(column)}</Cell>
            <Cell label="Text">{code(raw).map_or_else(|| view! { <span class="muted">"empty"</span> }.into_any(), IntoAny::into_any)}</Cell>
            <Cell label="Stream"><a class="hover:underline md:whitespace-nowrap" href=paths::stream(row.stream.id.inner())>{row.stream.name}</a></Cell>
            <Cell label="Received"><Ago time=row.created_at/></Cell>
        </Row>
    }
}
