//! What a few rows of a stream, saved or not, would become.

use std::collections::HashMap;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use entity::{ExternalIdSettingId, OrganizationId, SourceId, StreamId, stream};

use crate::app::App;
use crate::auth::Permission;
use crate::domain::refusal;
use crate::domain::stream::Reading;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, load};
use crate::graphql::error::{UserError, outcome};
use crate::graphql::id::Global;
use crate::graphql::matching::Explained;
use crate::graphql::preview_cost::{StreamReadCost, read_cost};
use crate::graphql::preview_row::{PreviewCounts, PreviewReading, PreviewRow};
use crate::graphql::problem::{ConnectorProblem, altogether, patiently, sorted};
use crate::graphql::rejection::Rejection;
use crate::graphql::scalar::Json;
use crate::graphql::stream_part::{
    StreamCursorInput, StreamDestination, StreamMappingInput, StreamShape, TableRefInput,
};
use crate::graphql::stream_table::within;
use crate::ingest::matching::{self, Space};
use crate::ingest::plan::Plan;
use crate::ingest::preview::{Fate, Preview, preview};
use crate::ingest::route::Route;
use crate::ingest::store::Store;

/// What to preview: a saved stream, a draft, or a draft over a saved one.
#[derive(InputObject)]
pub struct StreamPreviewInput {
    /// The saved stream.
    pub stream_id: Option<Global<StreamId>>,
    /// What is not saved yet.
    pub draft: Option<StreamDraftInput>,
    /// How many rows, at most 100.
    #[graphql(default = 20)]
    pub limit: i32,
}

/// A stream that is not saved.
#[derive(InputObject)]
pub struct StreamDraftInput {
    /// Where it reads.
    pub source_id: Global<SourceId>,
    /// What it reads.
    pub table: TableRefInput,
    /// Long or wide.
    pub shape: StreamShape,
    /// Where its readings go.
    pub destination: StreamDestination,
    /// Which column plays which role.
    pub mapping: StreamMappingInput,
    /// How rows are ordered.
    pub cursor: StreamCursorInput,
    /// The columns that identify a row.
    pub row_key: Vec<String>,
    /// How account IDs are matched.
    pub external_id_setting_id: Option<Global<ExternalIdSettingId>>,
}

/// What a few rows would become.
#[derive(Default, SimpleObject)]
pub struct StreamPreview {
    /// The rows in order.
    rows: Vec<PreviewRow>,
    /// The sums over the rows shown.
    counts: PreviewCounts,
    /// What its runs would read; null where the source does not tell beforehand.
    cost: Option<StreamReadCost>,
    /// Why the source could not be read.
    problem: Option<ConnectorProblem>,
    /// What does not fit the table.
    user_errors: Vec<UserError>,
}

/// The query about previews.
#[derive(Default)]
pub struct PreviewQuery;

#[Object]
impl PreviewQuery {
    /// Reads a few rows and shows what each would become. Stores nothing.
    async fn stream_preview(&self, ctx: &Context<'_>, input: StreamPreviewInput) -> Result<StreamPreview> {
        ctx.need(Permission::SourcesRead)?;
        // Rows and accounts are shown, so both must be allowed.
        ctx.need(Permission::AccountsRead)?;
        let saved = match &input.stream_id {
            Some(id) => load(ctx, id.0).await?,
            None => None,
        };
        let limit = input.limit.clamp(1, 100).unsigned_abs();
        let shown = match model(ctx, input, saved) {
            Ok(model) => altogether(look(ctx, &model, limit)).await,
            Err(error) => Err(error),
        };
        match outcome(sorted(shown))? {
            Ok(Ok(preview)) => Ok(preview),
            Ok(Err(problem)) => Ok(StreamPreview { problem: Some(problem), ..StreamPreview::default() }),
            Err(user_errors) => Ok(StreamPreview { user_errors, ..StreamPreview::default() }),
        }
    }
}

/// The stream to look at: the saved one, or the draft as if it were saved.
fn model(
    ctx: &Context<'_>,
    input: StreamPreviewInput,
    saved: Option<stream::Model>,
) -> DomainResult<stream::Model> {
    if input.stream_id.is_some() && saved.is_none() {
        return Err(refusal::not_found("streamId", "stream"));
    }
    let Some(draft) = input.draft else {
        return saved.ok_or_else(|| refusal::required("streamId"));
    };
    let organization = ctx.viewer().map_err(|_| Error::NotFound("stream"))?.organization;
    let reading = Reading {
        table: draft.table.into(),
        shape: draft.shape.into(),
        mapping: draft.mapping.into(),
        cursor: draft.cursor.into(),
        row_key: draft.row_key,
    };
    reading.model(
        (organization, draft.source_id.0),
        saved.map_or(StreamId(uuid::Uuid::nil()), |saved| saved.id),
        draft.destination.into(),
        draft.external_id_setting_id.map(|id| id.0),
    )
}

async fn look(ctx: &Context<'_>, model: &stream::Model, limit: u32) -> DomainResult<StreamPreview> {
    let app = ctx.app();
    let organization = model.organization_id;
    let connector = match app.sources.connector(app, organization, model.source_id).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("draft.sourceId", noun)),
        opened => opened?,
    };
    let reading = Reading::stored(model)?;
    let table = patiently(connector.describe(&reading.table)).await?;
    reading.check(&table.columns).map_err(|error| match error {
        Error::Invalid { field, reason } => Error::invalid(format!("draft.{field}"), reason),
        other => other,
    })?;
    let setting = model.external_id_setting_id;
    let spaces = match spaces(app, organization, setting).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("draft.externalIdSettingId", noun)),
        spaces => spaces?,
    };
    let route =
        Route { organization, stream: model.id, destination: model.destination, setting, draft: true };
    let plan = Plan::new(model, route, app.config.sync.cell_bytes)?;
    let looked = connector.preview(&plan.table, &plan.columns, limit);
    let batch = patiently(within(model).charge(looked)).await?;
    let shown = preview(app, &plan, &batch).await?;
    let explained = explained(ctx, &plan, &spaces, &shown).await?;
    let cost = read_cost(ctx, connector.as_ref(), &plan, model).await?;
    Ok(StreamPreview { cost, ..told(shown, &explained)? })
}

/// The ID spaces a setting tries.
async fn spaces(
    app: &App,
    organization: OrganizationId,
    setting: Option<ExternalIdSettingId>,
) -> DomainResult<Vec<Space>> {
    let Some(setting) = setting else { return Ok(Vec::new()) };
    let mut store = Store::begin_reading(&app.db).await?;
    let spaces = matching::spaces(&mut store, organization, setting).await?;
    store.commit().await?;
    Ok(spaces)
}

/// How each external account of a preview is matched.
async fn explained(
    ctx: &Context<'_>,
    plan: &Plan,
    spaces: &[Space],
    shown: &Preview,
) -> DomainResult<HashMap<String, Explained>> {
    let mut raws: Vec<&str> =
        shown.rows.iter().flat_map(|row| &row.readings).map(|reading| reading.account.as_str()).collect();
    raws.sort_unstable();
    raws.dedup();
    let mut store = Store::begin_reading(&ctx.app().db).await?;
    let told = matching::explain(&mut store, plan.route.organization, spaces, &raws).await?;
    store.commit().await?;
    Ok(raws.into_iter().zip(told).map(|(raw, told)| (raw.to_owned(), Explained::new(raw, told))).collect())
}

fn told(shown: Preview, explained: &HashMap<String, Explained>) -> DomainResult<StreamPreview> {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let mut counts = PreviewCounts {
        rows: number(shown.rows.len()),
        null_cells: i32::try_from(shown.null_cells).unwrap_or(i32::MAX),
        ..PreviewCounts::default()
    };
    let mut rows = Vec::with_capacity(shown.rows.len());
    for row in shown.rows {
        counts.rejected += i32::from(row.rejection.is_some());
        counts.mapped += i32::from(row.rejection.is_none());
        counts.readings += number(row.readings.len());
        let mut readings = Vec::with_capacity(row.readings.len());
        for reading in row.readings {
            match reading.fate {
                Fate::Written { .. } => counts.matched += 1,
                Fate::Waits(_) => counts.unmatched += 1,
                Fate::Ignored(_) => counts.ignored += 1,
            }
            let value =
                reading.value.parse().map_err(|error| Error::internal("previewing a value", error))?;
            let explained = explained.get(&reading.account).cloned();
            readings.push(PreviewReading { reading, value, explained });
        }
        rows.push(PreviewRow {
            row_key: row.key,
            cursor: row.cursor,
            raw: Json::stored(&row.raw),
            rejection: row.rejection.map(Rejection::from),
            readings,
        });
    }
    Ok(StreamPreview { rows, counts, ..StreamPreview::default() })
}
