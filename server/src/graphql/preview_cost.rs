//! What a stream would read at its source, as far as the source reckons that beforehand.

use async_graphql::{Context, SimpleObject};
use connector::{Cell, Connector, Cost, CursorKind, Moment, Position, Watermark};
use entity::stream;

use crate::clock::Micros;
use crate::domain::checkpoint;
use crate::error::{Error, Result};
use crate::graphql::context::{Reach, load};
use crate::graphql::problem::patiently;
use crate::graphql::scalar::BigInt;
use crate::graphql::stream_state::CheckpointOf;
use crate::ingest::plan::Plan;

/// What a stream would read at its source, before it does.
#[derive(SimpleObject)]
pub struct StreamReadCost {
    /// The bytes the first run reads, which goes through the whole table.
    first_bytes: BigInt,
    /// The bytes a run after that reads, as if it began now; as many as the first where the cursor narrows nothing down.
    poll_bytes: BigInt,
    /// How the table could be read for less, in a sentence; null where nothing is to be said.
    advice: Option<String>,
}

/// Asks the source what the stream would read; none where it does not tell.
///
/// # Errors
/// What the read itself would be refused for.
pub async fn read_cost(
    ctx: &Context<'_>,
    connector: &dyn Connector,
    plan: &Plan,
    model: &stream::Model,
) -> Result<Option<StreamReadCost>> {
    let request = |from: Option<Position>| plan.request(from, None, &ctx.app().config.sync, Cost::default());
    let Some(first) = patiently(connector.estimate(&request(None))).await? else { return Ok(None) };
    let from = begin(ctx, plan, model).await?;
    let poll = match from {
        Some(from) => patiently(connector.estimate(&request(Some(from)))).await?.unwrap_or(first),
        None => first,
    };
    let advice = patiently(connector.advice(&plan.table, &plan.cursor.column)).await?;
    let bytes = |bytes: u64| BigInt(i64::try_from(bytes).unwrap_or(i64::MAX));
    Ok(Some(StreamReadCost { first_bytes: bytes(first), poll_bytes: bytes(poll), advice }))
}

/// Where the next run would begin: at the checkpoint, or for a stream without one about now, which integers cannot say.
async fn begin(ctx: &Context<'_>, plan: &Plan, model: &stream::Model) -> Result<Option<Position>> {
    let stored = load(ctx, CheckpointOf(model.id)).await;
    let stored = stored.map_err(|error| Error::internal("reading a checkpoint", format!("{error:?}")))?;
    let mark = match checkpoint::current(model, stored) {
        Some(checkpoint) => Watermark::parse(plan.cursor.kind, &checkpoint.watermark),
        None => about(plan.cursor.kind, ctx.now()),
    };
    let mark = mark.map(|mark| mark.minus(plan.lookback).unwrap_or(mark));
    Ok(mark.map(|watermark| Position { watermark, key: Vec::new() }))
}

/// The cursor of a row that is written now.
fn about(kind: CursorKind, now: Micros) -> Option<Watermark> {
    let moment = Moment::from_micros(now);
    let cell = match kind {
        CursorKind::Int => return None,
        CursorKind::Date => Cell::Date(i32::try_from(moment.seconds.div_euclid(86_400)).ok()?),
        CursorKind::Naive => Cell::Naive(moment),
        CursorKind::Zoned => Cell::Zoned(moment),
    };
    Watermark::of(kind, &cell)
}
