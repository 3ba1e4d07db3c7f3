//! What moving a checkpoint would do, counted at the source.

use std::time::Duration;

use async_graphql::{Context, Object, Result, SimpleObject};
use connector::Watermark;
use entity::{StreamId, stream};
use futures::StreamExt;

use crate::auth::Permission;
use crate::domain::checkpoint;
use crate::domain::stream::Reading;
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, load};
use crate::graphql::error::{Fault, UserError, outcome};
use crate::graphql::id::Global;
use crate::graphql::problem::{ConnectorProblem, sorted};
use crate::graphql::scalar::BigInt;
use crate::graphql::stream_state::{Checkpoint, CheckpointOf};
use crate::graphql::stream_table::cursors;

/// How long rows are counted.
const PATIENCE: Duration = Duration::from_secs(6);

/// What moving a checkpoint would do.
#[derive(SimpleObject)]
pub struct CursorResetPreview {
    /// Where it is now.
    checkpoint: Option<Checkpoint>,
    /// Where it would be; null is the beginning.
    watermark: Option<String>,
    /// Rows that would be read; null when the source could not be asked.
    rows_to_read: Option<BigInt>,
    /// Whether that is all of them; counting stops after some seconds.
    exact: bool,
    /// What happens to what is stored, in words.
    effect: String,
    /// Why the source could not be asked.
    problem: Option<ConnectorProblem>,
    /// What is wrong with the watermark.
    user_errors: Vec<UserError>,
}

/// The query about moving checkpoints.
#[derive(Default)]
pub struct CursorQuery;

#[Object]
impl CursorQuery {
    /// What moving the checkpoint would read again.
    async fn cursor_reset_preview(
        &self,
        ctx: &Context<'_>,
        stream_id: Global<StreamId>,
        watermark: Option<String>,
    ) -> Result<CursorResetPreview> {
        ctx.need(Permission::SyncsRun)?;
        let stream = load(ctx, stream_id.0).await?;
        let stream = stream.ok_or_else(|| Fault::from(Error::NotFound("stream")))?;
        let stored = load(ctx, CheckpointOf(stream.id)).await?;
        let to = watermark.map(|text| checkpoint::watermark(&stream, "watermark", &text)).transpose();
        let mut preview = CursorResetPreview {
            checkpoint: checkpoint::current(&stream, stored).map(Checkpoint::from),
            watermark: None,
            rows_to_read: None,
            exact: false,
            effect:
                "nothing stored is deleted; rows read again replace only what has changed since, and values \
                     typed by people stay"
                    .to_owned(),
            problem: None,
            user_errors: Vec::new(),
        };
        let to = match outcome(to)? {
            Ok(to) => to,
            Err(user_errors) => return Ok(CursorResetPreview { user_errors, ..preview }),
        };
        preview.watermark = to.as_ref().map(|mark| mark.text.clone());
        match sorted(count(ctx, &stream, to).await).map_err(Fault::from)? {
            Ok((rows, exact)) => {
                preview.rows_to_read = Some(BigInt(i64::try_from(rows).unwrap_or(i64::MAX)));
                preview.exact = exact;
            }
            Err(problem) => preview.problem = Some(problem),
        }
        Ok(preview)
    }
}

/// Counts the rows a run from a watermark would read, as far as the time goes. Only cursor and key are read.
async fn count(
    ctx: &Context<'_>,
    stream: &stream::Model,
    from: Option<Watermark>,
) -> DomainResult<(usize, bool)> {
    let app = ctx.app();
    let reading = Reading::stored(stream)?;
    let connector = app.sources.connector(app, stream.organization_id, stream.source_id).await?;
    let from = from.map(|mark| mark.minus(stream.lookback).unwrap_or(mark));
    let mut batches = connector.read(cursors(stream, &reading, from, &app.config.sync));
    let mut rows = 0;
    let all = async {
        while let Some(batch) = batches.next().await {
            rows += batch?.rows();
        }
        Ok::<_, Error>(())
    };
    match tokio::time::timeout(PATIENCE, all).await {
        Ok(done) => done.map(|()| (rows, true)),
        Err(_) => Ok((rows, false)),
    }
}
