//! Why rows of a stream may be missing: what is asked of its table, and what is found.

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use connector::{Connector, Watermark};
use entity::{
    GroupStatus, NullCursor, RunKind, RunStatus, StreamId, WaitingKind, id_space, stream, sync_run,
    unmatched_group, waiting_row,
};
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::auth::Permission;
use crate::domain::checkpoint;
use crate::domain::diagnosis::{Facts, Finding, Reached, Sample, Severity, SpaceRate, findings};
use crate::domain::id_shape::IdShape;
use crate::domain::stream::Reading;
use crate::error::Result as DomainResult;
use crate::graphql::context::{Reach, load};
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::id_space::Normalizer;
use crate::graphql::problem::{ConnectorProblem, patiently, sorted};
use crate::graphql::scalar::BigInt;
use crate::graphql::stream_state::CheckpointOf;
use crate::graphql::stream_table::{self, within};
use crate::ingest::matching::{self, Space};
use crate::ingest::paths::Paths;
use crate::ingest::plan::role_place;
use crate::ingest::store::Store;

/// Rows of the table whose account IDs are looked at.
const SAMPLE: u32 = 500;
/// Finished runs whose readings are added up.
const RUNS: u64 = 20;

/// Why rows of a stream may be missing.
#[derive(SimpleObject)]
pub struct StreamDiagnosis {
    /// What was found, the worst first; less when the source could not be asked.
    findings: Vec<StreamFinding>,
    /// The checkpoint's watermark.
    watermark: Option<String>,
    /// The greatest cursor of the table.
    newest_cursor: Option<String>,
    /// Rows of the table beyond the watermark, counted up to 10,000; null when the source could not be asked.
    rows_above: Option<BigInt>,
    /// Rows without a cursor, as the last finished run counted them.
    null_cursors: BigInt,
    /// Readings of the last runs.
    readings: BigInt,
    /// How many of them wait for an account or a link.
    unmatched: BigInt,
    /// Different account IDs looked at.
    sampled_ids: i32,
    /// What they look like, most frequent first.
    id_shapes: Vec<IdShapeCount>,
    /// How many of them each ID space knows, best first.
    id_spaces: Vec<IdSpaceRate>,
    /// Why the source could not be asked.
    problem: Option<ConnectorProblem>,
}

/// One thing found.
#[derive(SimpleObject)]
pub struct StreamFinding {
    /// How bad it is.
    severity: FindingSeverity,
    /// What was found, for a person.
    message: String,
    /// What to do about it.
    action: Option<String>,
}

impl From<Finding> for StreamFinding {
    fn from(finding: Finding) -> Self {
        Self { severity: finding.severity.into(), message: finding.message, action: finding.action }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Severity")]
pub enum FindingSeverity {
    /// Nothing is wrong.
    Fine,
    /// Worth a look.
    Notice,
    /// Rows are missing because of it.
    Problem,
}

/// How many account IDs of the sample look alike.
#[derive(SimpleObject)]
pub struct IdShapeCount {
    /// What they look like.
    shape: ShapeOfId,
    /// How many.
    count: i32,
}

/// What an external ID looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "IdShape", name = "IdShape")]
pub enum ShapeOfId {
    /// A Salesforce ID of 15 characters.
    #[graphql(name = "SALESFORCE_15")]
    Salesforce15,
    /// A Salesforce ID of 18 characters, its checksum right.
    #[graphql(name = "SALESFORCE_18")]
    Salesforce18,
    /// A number, as HubSpot numbers its records.
    Number,
    /// A UUID.
    Uuid,
    /// An e-mail address.
    Email,
    /// A domain name.
    Domain,
    /// Blank.
    Blank,
    /// None of these.
    Other,
}

/// How many account IDs of the sample one ID space knows.
#[derive(SimpleObject)]
pub struct IdSpaceRate {
    /// The space.
    space: String,
    /// Its rule.
    normalizer: Normalizer,
    /// Whether the stream's setting tries it.
    tried: bool,
    /// IDs that are one account's there.
    known: i32,
}

/// The query about what is wrong with a stream.
#[derive(Default)]
pub struct DiagnosisQuery;

#[Object]
impl DiagnosisQuery {
    /// Looks at a stream's table, runs and matching, and tells why rows may be missing. Asks the source.
    async fn stream_diagnosis(
        &self,
        ctx: &Context<'_>,
        id: Global<StreamId>,
    ) -> Result<Option<StreamDiagnosis>> {
        ctx.need(Permission::SourcesRead)?;
        ctx.need(Permission::UnmatchedRead)?;
        let Some(stream) = load(ctx, id.0).await? else { return Ok(None) };
        let stored = load(ctx, CheckpointOf(stream.id)).await?;
        let watermark = checkpoint::current(&stream, stored).map(|checkpoint| checkpoint.watermark);
        let mut facts = counted(ctx, &stream).await.map_err(Fault::from)?;
        facts.watermark = watermark;
        let problem = sorted(asked(ctx, &stream, &mut facts).await).map_err(Fault::from)?.err();
        Ok(Some(told(facts, problem)))
    }
}

/// What our own tables tell.
async fn counted(ctx: &Context<'_>, stream: &stream::Model) -> DomainResult<Facts> {
    let (organization, id) = (stream.organization_id, stream.id);
    let runs = sync_run::Entity::find()
        .filter(sync_run::Column::OrganizationId.eq(organization))
        .filter(sync_run::Column::StreamId.eq(id))
        .filter(sync_run::Column::Kind.eq(RunKind::Sync))
        .filter(sync_run::Column::Status.eq(RunStatus::Succeeded))
        .order_by_desc(sync_run::Column::Number)
        .limit(RUNS)
        .all(ctx.db())
        .await?;
    let ignored = unmatched_group::Entity::find()
        .select_only()
        .column_as(unmatched_group::Column::Waiting.sum().cast_as("bigint"), "total")
        .filter(unmatched_group::Column::OrganizationId.eq(organization))
        .filter(unmatched_group::Column::StreamId.eq(id))
        .filter(unmatched_group::Column::Status.eq(GroupStatus::Ignored));
    let ignored: Option<Option<i64>> = ignored.into_tuple().one(ctx.db()).await?;
    let rejected = waiting_row::Entity::find()
        .filter(waiting_row::Column::OrganizationId.eq(organization))
        .filter(waiting_row::Column::StreamId.eq(id))
        .filter(waiting_row::Column::Kind.eq(WaitingKind::Rejected))
        .count(ctx.db())
        .await?;
    Ok(Facts {
        cursor: stream.cursor_column.clone(),
        null_cursors: runs.first().map_or(0, |run| run.null_cursors),
        null_cursors_rejected: stream.null_cursor == NullCursor::Reject,
        readings: runs.iter().map(|run| run.readings).sum(),
        unmatched: runs.iter().map(|run| run.unmatched).sum(),
        ignored: ignored.flatten().unwrap_or(0),
        rejected: i64::try_from(rejected).unwrap_or(i64::MAX),
        ..Facts::default()
    })
}

/// What the source tells.
async fn asked(ctx: &Context<'_>, stream: &stream::Model, facts: &mut Facts) -> DomainResult<()> {
    let app = ctx.app();
    let reading = Reading::stored(stream)?;
    let connector = app.sources.connector(app, stream.organization_id, stream.source_id).await?;
    let account = reading.mapping.account();
    let columns = [account.column.to_owned()];
    let mut paths = Paths::new(columns.len(), app.config.sync.cell_bytes);
    let place = role_place(&mut paths, &columns, account)?;
    // Each has the whole time: the one may be dear where the other is cheap.
    let limit = within(stream);
    let reached = reached(ctx, &*connector, stream, &reading, facts.watermark.as_deref());
    let reached = patiently(limit.charge(reached));
    let ids = patiently(limit.charge(async {
        let batch = connector.preview(&reading.table, &columns, SAMPLE).await?;
        if batch.columns.is_empty() {
            return Ok(Vec::new());
        }
        let column = &paths.columns(&batch, &[place])[0];
        let mut ids: Vec<String> = (0..batch.rows()).filter_map(|row| column.cell(row).key()).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }));
    let (reached, ids) = tokio::join!(reached, ids);
    let reached = reached.map(|reached| facts.reached = Some(reached));
    facts.sample = sample(ctx, stream, ids?).await?;
    reached
}

/// How far the table goes, and how much of it is beyond the watermark.
async fn reached(
    ctx: &Context<'_>,
    connector: &dyn Connector,
    stream: &stream::Model,
    reading: &Reading,
    watermark: Option<&str>,
) -> connector::Result<Reached> {
    let found = stream_table::reach(connector, reading, stream.future_tolerance, ctx.now()).await?;
    let Some((newest, future)) = found else { return Ok(Reached::default()) };
    let mark = watermark.and_then(|text| Watermark::parse(reading.cursor.kind, text));
    let above = match &mark {
        Some(mark) if mark.compare(&newest).is_some_and(std::cmp::Ordering::is_lt) => {
            let sizes = &ctx.app().config.sync;
            Some(stream_table::above(connector, stream, reading, mark, sizes).await?)
        }
        other => other.as_ref().map(|_| 0),
    };
    Ok(Reached { newest: Some(newest.text), future, above })
}

/// What the account IDs of some rows are to each ID space.
async fn sample(ctx: &Context<'_>, stream: &stream::Model, ids: Vec<String>) -> DomainResult<Sample> {
    let organization = stream.organization_id;
    let all = id_space::Entity::find()
        .filter(id_space::Column::OrganizationId.eq(organization))
        .order_by_asc(id_space::Column::Name)
        .all(ctx.db())
        .await?;
    let all: Vec<Space> =
        all.into_iter().map(|space| Space { name: space.name, normalizer: space.normalizer }).collect();
    let mut store = Store::begin_reading(&ctx.app().db).await?;
    let tried = match stream.external_id_setting_id {
        Some(setting) => matching::spaces(&mut store, organization, setting).await?,
        None => Vec::new(),
    };
    let raws: Vec<&str> = ids.iter().map(String::as_str).collect();
    let told = matching::explain(&mut store, organization, &all, &raws).await?;
    store.commit().await?;
    let mut shapes: Vec<(IdShape, u32)> = Vec::new();
    for id in &ids {
        let shape = IdShape::of(id);
        match shapes.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, count)) => *count += 1,
            None => shapes.push((shape, 1)),
        }
    }
    shapes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let rate = |(index, space): (usize, &Space)| SpaceRate {
        space: space.name.clone(),
        normalizer: space.normalizer,
        tried: tried.contains(space),
        known: told.iter().filter(|(_, steps)| steps[index].accounts.len() == 1).count() as u32,
    };
    let mut spaces: Vec<SpaceRate> = all.iter().enumerate().map(rate).collect();
    spaces.sort_by_key(|space| std::cmp::Reverse(space.known));
    Ok(Sample { ids: ids.len() as u32, shapes, spaces })
}

fn told(facts: Facts, problem: Option<ConnectorProblem>) -> StreamDiagnosis {
    let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let found = findings(&facts);
    let Facts { sample, reached, .. } = facts;
    let above = reached.as_ref().and_then(|reached| reached.above);
    StreamDiagnosis {
        findings: found.into_iter().map(StreamFinding::from).collect(),
        watermark: facts.watermark,
        newest_cursor: reached.and_then(|reached| reached.newest),
        rows_above: above.map(|rows| BigInt(i64::try_from(rows).unwrap_or(i64::MAX))),
        null_cursors: BigInt(facts.null_cursors),
        readings: BigInt(facts.readings),
        unmatched: BigInt(facts.unmatched),
        sampled_ids: number(sample.ids),
        id_shapes: sample
            .shapes
            .into_iter()
            .map(|(shape, count)| IdShapeCount { shape: shape.into(), count: number(count) })
            .collect(),
        id_spaces: sample
            .spaces
            .into_iter()
            .map(|rate| IdSpaceRate {
                space: rate.space,
                normalizer: rate.normalizer.into(),
                tried: rate.tried,
                known: number(rate.known),
            })
            .collect(),
        problem,
    }
}
