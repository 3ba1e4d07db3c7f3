//! Adding, changing, pausing and deleting streams.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result};
use connector::TableRef;
use entity::{ExternalIdSettingId, SourceId, StreamId};

use crate::auth::Permission;
use crate::domain::stream::{self, CursorStart, Reading};
use crate::domain::stream_change::{self, NewStream, StreamChange};
use crate::error::{Error, Result as DomainResult};
use crate::graphql::context::{Reach, Work, load};
use crate::graphql::error::outcome;
use crate::graphql::id::{Global, global};
use crate::graphql::payload::payload;
use crate::graphql::problem::altogether;
use crate::graphql::scalar::BigInt;
use crate::graphql::schedule::StreamScheduleInput;
use crate::graphql::stream::Stream;
use crate::graphql::stream_part::{
    StreamCursorInput, StreamCursorStart, StreamDestination, StreamMappingInput, StreamShape, TableRefInput,
};
use crate::graphql::stream_table::{columns, newest};

/// The input of `streamCreate`.
#[derive(InputObject)]
struct StreamCreateInput {
    /// Where it reads.
    source_id: Global<SourceId>,
    /// The name.
    name: String,
    /// What it reads.
    table: TableRefInput,
    /// Long or wide.
    shape: StreamShape,
    /// Where its readings go.
    #[graphql(default_with = "StreamDestination::Usage")]
    destination: StreamDestination,
    /// Which column plays which role.
    mapping: StreamMappingInput,
    /// How rows are ordered and new ones found.
    cursor: StreamCursorInput,
    /// The columns that identify a row.
    row_key: Vec<String>,
    /// How far ahead of the source's clock a cursor may be.
    #[graphql(default = 86400)]
    future_tolerance_seconds: i32,
    /// How account IDs are matched.
    external_id_setting_id: Option<Global<ExternalIdSettingId>>,
    /// When it runs.
    schedule: StreamScheduleInput,
    /// The most bytes one statement may bill, for kinds that bill by bytes; without it, the source's limit holds.
    maximum_bytes_billed: Option<BigInt>,
    /// Whether it may run.
    #[graphql(default = true)]
    enabled: bool,
    /// Makes a repeated request answer as the first did, for 24 hours.
    idempotency_key: Option<String>,
}

payload! {
    /// The answer of `streamCreate`.
    StreamCreatePayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The input of `streamUpdate`.
#[derive(InputObject)]
struct StreamUpdateInput {
    /// The stream.
    id: Global<StreamId>,
    /// A new name.
    name: Option<String>,
    /// Another table.
    table: Option<TableRefInput>,
    /// Another shape.
    shape: Option<StreamShape>,
    /// Another destination.
    destination: Option<StreamDestination>,
    /// Another mapping.
    mapping: Option<StreamMappingInput>,
    /// Another cursor.
    cursor: Option<StreamCursorInput>,
    /// Where reading goes on; needed when the table, the cursor's column or its kind is another.
    cursor_start: Option<StreamCursorStart>,
    /// Another row key.
    row_key: Option<Vec<String>>,
    /// Another tolerance.
    future_tolerance_seconds: Option<i32>,
    /// Another external-ID setting; null for none.
    external_id_setting_id: MaybeUndefined<Global<ExternalIdSettingId>>,
    /// Another schedule.
    schedule: Option<StreamScheduleInput>,
    /// Another limit of the bytes one statement may bill; null for the source's.
    maximum_bytes_billed: MaybeUndefined<BigInt>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `streamUpdate`.
    StreamUpdatePayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The input of `streamDelete`.
#[derive(InputObject)]
struct StreamDeleteInput {
    /// The stream.
    id: Global<StreamId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `streamDelete`.
    StreamDeletePayload {
        /// The ID of what was deleted; null when refused.
        deleted_stream_id: ID
    }
}

/// The input of `streamPause`.
#[derive(InputObject)]
struct StreamPauseInput {
    /// The stream.
    id: Global<StreamId>,
    /// Why, for others to read.
    reason: Option<String>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `streamPause`.
    StreamPausePayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The input of `streamResume`.
#[derive(InputObject)]
struct StreamResumeInput {
    /// The stream.
    id: Global<StreamId>,
    /// The version this change is based on; a newer one refuses it.
    expected_version: Option<i32>,
}

payload! {
    /// The answer of `streamResume`.
    StreamResumePayload {
        /// The result; null when refused.
        stream: Stream
    }
}

/// The mutations of streams.
#[derive(Default)]
pub struct StreamMutation;

#[Object]
impl StreamMutation {
    /// Adds a stream.
    async fn stream_create(
        &self,
        ctx: &Context<'_>,
        input: StreamCreateInput,
    ) -> Result<StreamCreatePayload> {
        ctx.need(Permission::SourcesWrite)?;
        let table = TableRef::from(input.table.clone());
        // The source is asked before the transaction begins.
        let columns = match outcome(columns(ctx, input.source_id.0, &table).await)? {
            Ok(columns) => columns,
            Err(errors) => return Ok(Err::<Stream, _>(errors).into()),
        };
        let mut work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let made = async {
            if let Some(id) = work.claim(ctx, input.idempotency_key.as_ref(), &input).await? {
                return stream::find(&work.change(), id).await;
            }
            let made = stream_change::create(&work.change(), new_stream(input)?, &columns).await?;
            work.remember(&made.id).await?;
            Ok(made)
        }
        .await;
        Ok(work.end(made).await?.into())
    }

    /// Changes a stream.
    async fn stream_update(
        &self,
        ctx: &Context<'_>,
        input: StreamUpdateInput,
    ) -> Result<StreamUpdatePayload> {
        ctx.need(Permission::SourcesWrite)?;
        let (id, version) = (input.id.0, input.expected_version);
        let stored = load(ctx, id).await?;
        let wanted = match stored {
            Some(stored) => altogether(wanted(ctx, input, &stored)).await,
            None => Err(Error::NotFound("stream")),
        };
        let wanted = match outcome(wanted)? {
            Ok(wanted) => wanted,
            Err(errors) => return Ok(Err::<Stream, _>(errors).into()),
        };
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let made = stream_change::update(&work.change(), id, wanted, version).await;
        Ok(work.end(made).await?.into())
    }

    /// Deletes a stream and all it stored.
    async fn stream_delete(
        &self,
        ctx: &Context<'_>,
        input: StreamDeleteInput,
    ) -> Result<StreamDeletePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let gone = stream_change::delete(&work.change(), input.id.0, input.expected_version).await;
        Ok(work.end(gone.map(global)).await?.into())
    }

    /// Stops a stream from starting new runs.
    async fn stream_pause(&self, ctx: &Context<'_>, input: StreamPauseInput) -> Result<StreamPausePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let (id, version) = (input.id.0, input.expected_version);
        let made = stream_change::set_enabled(&work.change(), id, false, input.reason, version).await;
        Ok(work.end(made).await?.into())
    }

    /// Lets a paused stream run again.
    async fn stream_resume(
        &self,
        ctx: &Context<'_>,
        input: StreamResumeInput,
    ) -> Result<StreamResumePayload> {
        let work = Work::begin(ctx, Permission::SourcesWrite).await?;
        let (id, version) = (input.id.0, input.expected_version);
        let made = stream_change::set_enabled(&work.change(), id, true, None, version).await;
        Ok(work.end(made).await?.into())
    }
}

fn new_stream(input: StreamCreateInput) -> DomainResult<NewStream> {
    Ok(NewStream {
        source: input.source_id.0,
        name: input.name,
        reading: Reading {
            table: input.table.into(),
            shape: input.shape.into(),
            mapping: input.mapping.into(),
            cursor: input.cursor.into(),
            row_key: input.row_key,
        },
        destination: input.destination.into(),
        future_tolerance_seconds: input.future_tolerance_seconds.into(),
        setting: input.external_id_setting_id.map(|id| id.0),
        schedule: input.schedule.try_into()?,
        maximum_bytes_billed: input.maximum_bytes_billed.map(|most| most.0),
        enabled: input.enabled,
    })
}

/// What an update asks for, with the table's columns when it asks for another way to read.
async fn wanted(
    ctx: &Context<'_>,
    input: StreamUpdateInput,
    stored: &entity::stream::Model,
) -> DomainResult<StreamChange> {
    let mut reading = Reading::stored(stored)?;
    let before = reading.clone();
    let said = input.table.is_some()
        || input.shape.is_some()
        || input.mapping.is_some()
        || input.cursor.is_some()
        || input.row_key.is_some();
    if let Some(table) = input.table {
        reading.table = table.into();
    }
    if let Some(shape) = input.shape {
        reading.shape = shape.into();
    }
    if let Some(mapping) = input.mapping {
        reading.mapping = mapping.into();
    }
    if let Some(cursor) = input.cursor {
        reading.cursor = cursor.into();
    }
    if let Some(row_key) = input.row_key {
        reading.row_key = row_key;
    }
    // Saying again how it is read accepts the table as it is now.
    let columns = if said { Some(columns(ctx, stored.source_id, &reading.table).await?) } else { None };
    let start = match (input.cursor_start, &columns) {
        (Some(StreamCursorStart::Keep), _) => Some(CursorStart::Keep),
        (Some(StreamCursorStart::Maximum), Some(columns)) if before.ordered_unlike(&reading) => {
            reading.check(columns)?;
            Some(CursorStart::At(newest(ctx, stored, &reading).await?))
        }
        (Some(_), _) => Some(CursorStart::Beginning),
        (None, _) => None,
    };
    Ok(StreamChange {
        name: input.name,
        reading: columns.map(|columns| (reading, columns)),
        start,
        destination: input.destination.map(Into::into),
        future_tolerance_seconds: input.future_tolerance_seconds.map(Into::into),
        setting: match input.external_id_setting_id {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(id) => Some(Some(id.0)),
        },
        schedule: input.schedule.map(TryInto::try_into).transpose()?,
        maximum_bytes_billed: match input.maximum_bytes_billed {
            MaybeUndefined::Undefined => None,
            MaybeUndefined::Null => Some(None),
            MaybeUndefined::Value(most) => Some(Some(most.0)),
        },
    })
}
