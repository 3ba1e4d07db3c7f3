//! Changing a stream: the same form as for a new one, filled with what is saved.

use cynic::QueryBuilder;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::cursor_start::CursorChange;
use super::schedule_form::{SavedSchedule, ScheduleDraft};
use super::source_check::ProblemText;
use super::stream_column::SourceColumn;
use super::stream_draft::{Draft, TableRefInput};
use super::stream_form::{Saved, StreamForm};
use super::stream_mapping::StreamMapping;
use crate::components::{LinkButton, Loaded, Missing, Notice, PageHead, Tone};
use crate::query::Query;
use crate::vocabulary::{
    BigInt, ConnectorProblem, CursorKind, NullCursorPolicy, StreamDestination, StreamShape, TableRef,
};
use crate::{format, paths, schema, size};

#[derive(cynic::QueryVariables)]
struct StreamVariables {
    id: cynic::Id,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "StreamVariables")]
struct EditedQuery {
    #[arguments(id: $id)]
    stream: Option<EditedStream>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Stream")]
struct EditedStream {
    id: cynic::Id,
    name: String,
    version: i32,
    source: SourceName,
    table: TableRef,
    shape: StreamShape,
    destination: StreamDestination,
    mapping: StreamMapping,
    cursor: StreamCursor,
    row_key: Vec<String>,
    external_id_setting: Option<SettingId>,
    schedule: SavedSchedule,
    maximum_bytes_billed: Option<BigInt>,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Source")]
struct SourceName {
    id: cynic::Id,
    name: String,
    bills_by_bytes: bool,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
struct StreamCursor {
    column: String,
    kind: CursorKind,
    null_cursor: NullCursorPolicy,
    lookback: BigInt,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "ExternalIdSetting")]
struct SettingId {
    id: cynic::Id,
}

#[derive(cynic::QueryVariables)]
struct TableVariables {
    source_id: cynic::Id,
    table: TableRefInput,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "TableVariables")]
struct ColumnsQuery {
    #[arguments(sourceId: $source_id, table: $table)]
    source_table: TableColumns,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "SourceTableDetail")]
struct TableColumns {
    columns: Vec<SourceColumn>,
    problem: Option<ConnectorProblem>,
}

/// The page that changes a stream.
#[component]
pub fn StreamEditPage() -> impl IntoView {
    let params = use_params_map();
    let query = Query::new(move || {
        let id = params.with(|params| params.get("id").unwrap_or_default()).into();
        EditedQuery::build(StreamVariables { id })
    });
    view! {
        <Loaded query what="stream" lines=10 let:data>
            {
                match data.get_untracked().stream {
                    Some(stream) => {
                        let crumbs = vec![
                            ("Sources".to_owned(), paths::SOURCES.to_owned()),
                            (stream.source.name.clone(), paths::source(stream.source.id.inner())),
                            (stream.name.clone(), paths::stream(stream.id.inner())),
                        ];
                        view! { <PageHead title="Edit the stream" crumbs/><Columns stream/> }.into_any()
                    }
                    None => view! { <PageHead title="Stream"/><Missing what="stream"/> }.into_any(),
                }
            }
        </Loaded>
    }
}

/// The columns are read anew, because they may be why the stream is edited.
#[component]
fn Columns(stream: EditedStream) -> impl IntoView {
    let TableRef { catalog, schema, name } = stream.table.clone();
    let table = TableRefInput { catalog, schema, name };
    let (source_id, asked) = (stream.source.id.clone(), table.clone());
    let query = Query::new(move || {
        ColumnsQuery::build(TableVariables { source_id: source_id.clone(), table: asked.clone() })
    });
    let back = paths::stream(stream.id.inner());
    view! {
        <Loaded query lines=10 let:data>
            {
                let TableColumns { columns, problem } = data.get_untracked().source_table;
                match problem {
                    Some(problem) => view! {
                        <Notice tone=Tone::Error><ProblemText problem/></Notice>
                        <div class="mt-4"><LinkButton href=back.clone()>"Back to the stream"</LinkButton></div>
                    }
                    .into_any(),
                    None => {
                        let words = format::counted(columns.len() as i64, "column", "columns");
                        let draft = filled(&stream, table.clone(), columns);
                        let saved = Saved {
                            id: stream.id.clone(),
                            name: stream.name.clone(),
                            version: stream.version,
                            schedule: ScheduleDraft::of(&stream.schedule),
                            cursor: CursorChange::new(stream.cursor.column.clone(), stream.cursor.kind),
                        };
                        view! { <StreamForm draft columns=words saved/> }.into_any()
                    }
                }
            }
        </Loaded>
    }
}

/// The draft that says what is saved.
fn filled(stream: &EditedStream, table: TableRefInput, columns: Vec<SourceColumn>) -> Draft {
    let draft = Draft::new(stream.source.id.clone(), table, columns, None);
    draft.fill(&stream.mapping);
    draft.billed.set(stream.source.bills_by_bytes);
    draft.limit.set(
        stream.maximum_bytes_billed.as_ref().map_or_else(String::new, |most| size::write(most.number())),
    );
    draft.shape.set(stream.shape);
    draft.destination.set(stream.destination);
    draft.cursor.set(stream.cursor.column.clone());
    draft.null_cursor.set(stream.cursor.null_cursor);
    draft.lookback.set(stream.cursor.lookback.0.clone());
    draft.row_key.set(stream.row_key.clone());
    if let Some(setting) = &stream.external_id_setting {
        draft.setting.set(setting.id.inner().to_owned());
    }
    draft
}
