//! Adding, changing, pausing and deleting streams.

use connector::ColumnInfo;
use entity::stream::{ActiveModel, Column, Entity, Model};
use entity::{Destination, ExternalIdSettingId, SourceId, StreamId};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use serde_json::json;

use crate::clock::SECOND;
use crate::domain::change::{Change, expect_version};
use crate::domain::kept::Kept;
use crate::domain::matching_change::{self, Scope};
use crate::domain::schedule::Schedule;
use crate::domain::stream::{CursorStart, Reading, require_idle};
use crate::domain::{checkpoint, discard, external_id_setting, refusal, source, text};
use crate::error::{Error, Result};

/// The longest tolerance for cursors of the future, in seconds.
const TOLERANCE_MOST: i64 = 366 * 86_400;

/// A new stream.
#[derive(Clone, Debug)]
pub struct NewStream {
    /// Where it reads.
    pub source: SourceId,
    /// The name.
    pub name: String,
    /// How its rows are read.
    pub reading: Reading,
    /// Where its readings go.
    pub destination: Destination,
    /// How far ahead of the source's clock a cursor may be.
    pub future_tolerance_seconds: i64,
    /// How account IDs are matched.
    pub setting: Option<ExternalIdSettingId>,
    /// When it runs.
    pub schedule: Schedule,
    /// The most bytes one statement may bill, where the kind bills by bytes.
    pub maximum_bytes_billed: Option<i64>,
    /// Whether it may run.
    pub enabled: bool,
}

/// What to change on a stream; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct StreamChange {
    /// A new name.
    pub name: Option<String>,
    /// Another way to read, with the columns of the table as they are now.
    pub reading: Option<(Reading, Vec<ColumnInfo>)>,
    /// Where reading goes on when the table or the cursor is another.
    pub start: Option<CursorStart>,
    /// Another destination.
    pub destination: Option<Destination>,
    /// Another tolerance.
    pub future_tolerance_seconds: Option<i64>,
    /// Another setting, or none.
    pub setting: Option<Option<ExternalIdSettingId>>,
    /// Another schedule.
    pub schedule: Option<Schedule>,
    /// Another limit of what one statement may bill, or none.
    pub maximum_bytes_billed: Option<Option<i64>>,
}

/// Adds a stream of a table with these columns. One that runs by itself is due at once.
///
/// # Errors
/// When the source is unknown, the name is taken, or a part does not fit the columns.
pub async fn create(
    change: &Change<'_, impl ConnectionTrait>,
    new: NewStream,
    columns: &[ColumnInfo],
) -> Result<Model> {
    let source = match source::hold(change, new.source).await {
        Err(Error::NotFound(noun)) => return Err(refusal::not_found("sourceId", noun)),
        found => found?,
    };
    let name = free_name(change, &new.name, None).await?;
    new.reading.check(columns)?;
    new.schedule.validate()?;
    let setting = known_setting(change, new.setting).await?;
    let billed = new.maximum_bytes_billed.map(|most| billable(&source.kind, most)).transpose()?;
    let id = StreamId::new();
    let scheduled = new.schedule.next_after(change.now, Some(id))?.is_some();
    let mut row = ActiveModel {
        organization_id: Set(change.organization()),
        id: Set(id),
        source_id: Set(new.source),
        name: Set(name),
        destination: Set(new.destination),
        future_tolerance: Set(tolerance(new.future_tolerance_seconds)?),
        external_id_setting_id: Set(setting),
        schedule: Set(new.schedule.to_json()),
        next_due_at: Set((new.enabled && scheduled).then_some(change.now)),
        enabled: Set(new.enabled),
        paused_reason: Set(None),
        last_succeeded_at: Set(None),
        last_run_id: Set(None),
        version: Set(1),
        created_at: Set(change.now),
        updated_at: Set(change.now),
        deleted_at: Set(None),
        maximum_bytes_billed: Set(billed),
        ..Default::default()
    };
    new.reading.put(&mut row, columns, change.now)?;
    let model = row.insert(change.db).await?;
    let detail = json!({ "name": model.name, "table": new.reading.table });
    change.audit("stream.create", "Stream", id, detail).await?;
    Ok(model)
}

/// Changes a stream. Another way to read tries its rejected rows again; another table or cursor must come with where
/// reading goes on. Saving a way to read again accepts the table as it is, and what was paused for it goes on.
///
/// # Errors
/// When it is gone, was changed in between, is at work, or a part does not fit the columns.
pub async fn update(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    wanted: StreamChange,
    version: Option<i32>,
) -> Result<Model> {
    let stored = held(change, id).await?;
    expect_version("stream", stored.version, version)?;
    let mut row = stored.clone().into_active_model();
    if let Some(name) = &wanted.name {
        row.name = Set(free_name(change, name, Some(id)).await?);
    }
    if let Some(destination) = wanted.destination {
        row.destination = Set(destination);
    }
    if let Some(seconds) = wanted.future_tolerance_seconds {
        row.future_tolerance = Set(tolerance(seconds)?);
    }
    if let Some(setting) = wanted.setting {
        row.external_id_setting_id = Set(known_setting(change, setting).await?);
    }
    if let Some(schedule) = &wanted.schedule {
        schedule.validate()?;
        row.schedule = Set(schedule.to_json());
        row.next_due_at = Set(if stored.enabled { schedule.next_after(change.now, Some(id))? } else { None });
    }
    if let Some(most) = wanted.maximum_bytes_billed {
        row.maximum_bytes_billed = Set(match most {
            Some(most) => Some(billable(&source::find(change, stored.source_id).await?.kind, most)?),
            None => None,
        });
    }
    let mut remapped = false;
    let mut start = None;
    if let Some((reading, columns)) = &wanted.reading {
        reading.check(columns)?;
        let before = Reading::stored(&stored)?;
        if *reading != before {
            require_idle(change, id, None).await?;
            remapped = true;
        }
        start = checkpoint::start(before.ordered_unlike(reading), wanted.start)?;
        reading.put(&mut row, columns, change.now)?;
        if stored.enabled && stored.paused_reason.is_some() {
            row.paused_reason = Set(None);
        }
    } else {
        checkpoint::start(false, wanted.start)?;
    }
    row.version = Set(stored.version + 1);
    row.updated_at = Set(change.now);
    let model = Entity::update(row).exec(change.db).await?;
    change.audit("stream.update", "Stream", id, differences(&stored, &model)).await?;
    if let Some(start) = start {
        checkpoint::restart(change, &stored, &model, &start).await?;
    }
    after(change, &stored, &model, remapped).await?;
    Ok(model)
}

/// Sends on what a change may have freed.
async fn after(
    change: &Change<'_, impl ConnectionTrait>,
    stored: &Model,
    model: &Model,
    remapped: bool,
) -> Result<()> {
    let (organization, stream) = (change.organization(), model.id);
    if remapped {
        let scope = Scope::Rejected { stream, rows: Vec::new() };
        matching_change::enqueue(change.db, organization, scope, change.now).await?;
    }
    let matched = |model: &Model| (model.destination, model.external_id_setting_id);
    if matched(stored) != matched(model) {
        matching_change::announce(change.db, organization, Scope::Stream { stream }, change.now).await?;
    }
    Ok(())
}

/// What an audit event tells of an update.
fn differences(before: &Model, after: &Model) -> serde_json::Value {
    let parts = |model: &Model| {
        [
            ("name", model.name.clone()),
            ("table", model.table_ref.clone()),
            ("shape", model.shape.to_string()),
            ("destination", model.destination.to_string()),
            ("mapping", model.mapping.clone()),
            ("cursor", model.cursor_column.clone()),
            ("lookback", model.lookback.to_string()),
            ("rowKey", model.row_key.clone()),
            ("schedule", model.schedule.clone()),
            (
                "maximumBytesBilled",
                model.maximum_bytes_billed.map_or_else(|| "none".to_owned(), |most| most.to_string()),
            ),
        ]
    };
    let changed = parts(before).into_iter().zip(parts(after)).filter(|(before, after)| before != after);
    let told = changed.map(|((name, from), (_, to))| (name.to_owned(), json!({ "from": from, "to": to })));
    serde_json::Value::Object(told.collect())
}

/// Stops a stream from starting runs, or lets it go on.
///
/// # Errors
/// When it is gone or was changed in between.
pub async fn set_enabled(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    enabled: bool,
    reason: Option<String>,
    version: Option<i32>,
) -> Result<Model> {
    let stored = held(change, id).await?;
    expect_version("stream", stored.version, version)?;
    let schedule = Schedule::parse(&stored.schedule)?;
    let due = if enabled { schedule.next_after(change.now, Some(id))? } else { None };
    let mut row = stored.clone().into_active_model();
    row.enabled = Set(enabled);
    row.paused_reason = Set(if enabled { None } else { text::note("reason", reason)? });
    // What was paused reads at once what it missed.
    row.next_due_at = Set(due.map(|_| change.now));
    row.version = Set(stored.version + 1);
    row.updated_at = Set(change.now);
    let model = Entity::update(row).exec(change.db).await?;
    let action = if enabled { "stream.resume" } else { "stream.pause" };
    change.audit(action, "Stream", id, json!({ "reason": model.paused_reason })).await?;
    Ok(model)
}

/// Deletes a stream with all it stored, its measurements included: at once for whoever looks, bit by bit in the tables.
///
/// # Errors
/// When it is gone, was changed in between, or is at work.
pub async fn delete(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    version: Option<i32>,
) -> Result<StreamId> {
    let stored = held(change, id).await?;
    expect_version("stream", stored.version, version)?;
    let runs = discard::mark(change, id).await?;
    let detail = json!({ "name": stored.name, "cancelledRuns": runs });
    change.audit("stream.delete", "Stream", id, detail).await?;
    Ok(id)
}

async fn held(change: &Change<'_, impl ConnectionTrait>, id: StreamId) -> Result<Model> {
    change.hold("stream", Entity::kept(change.organization()).filter(Column::Id.eq(id))).await
}

/// Refuses a limit of what a statement may bill where the kind does not bill by bytes, and one no statement can keep.
fn billable(kind: &str, most: i64) -> Result<i64> {
    let refuse = |reason: String| Err(Error::invalid("maximumBytesBilled", reason));
    match connector::kinds::least_billed(kind)? {
        None => refuse("this source does not bill by the bytes a statement reads; leave it out".to_owned()),
        Some(least) if u64::try_from(most).is_ok_and(|most| most >= least) => Ok(most),
        Some(least) => {
            refuse(format!("must be at least {least}, which is billed for each table that is read"))
        }
    }
}

async fn free_name(
    change: &Change<'_, impl ConnectionTrait>,
    name: &str,
    own: Option<StreamId>,
) -> Result<String> {
    let name = text::name("name", name)?;
    let same = Entity::kept(change.organization()).filter(Column::Name.eq(&name)).one(change.db).await?;
    match same {
        Some(same) if Some(same.id) != own => {
            Err(refusal::taken("name", format!("there is a stream {name:?} already")))
        }
        _ => Ok(name),
    }
}

async fn known_setting(
    change: &Change<'_, impl ConnectionTrait>,
    setting: Option<ExternalIdSettingId>,
) -> Result<Option<ExternalIdSettingId>> {
    let Some(id) = setting else { return Ok(None) };
    match external_id_setting::find(change, id).await {
        Err(Error::NotFound(noun)) => Err(refusal::not_found("externalIdSettingId", noun)),
        found => Ok(Some(found?.id)),
    }
}

fn tolerance(seconds: i64) -> Result<i64> {
    if (0..=TOLERANCE_MOST).contains(&seconds) {
        return Ok(seconds * SECOND);
    }
    Err(Error::invalid("futureToleranceSeconds", "must be between 0 and 366 days"))
}
