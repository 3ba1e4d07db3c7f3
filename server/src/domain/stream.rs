//! Streams: tables chosen to be read, each with mapping, cursor, row key and schedule.

use chrono_tz::Tz;
use connector::{ColumnInfo, CursorKind, TableRef, Type, Watermark};
use entity::stream::{ActiveModel, Column, Entity, Model};
use entity::{
    Destination, ExternalIdSettingId, NullCursor, OrganizationId, RunKind, RunStatus, SourceId, StreamId,
    StreamShape, sync_run,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Set};

use crate::clock::{DAY, Micros, SECOND};
use crate::domain::change::Change;
use crate::domain::kept::Kept;
use crate::domain::mapping::Mapping;
use crate::domain::schedule::Schedule;
use crate::domain::sync_run as sync_runs;
use crate::domain::{json_path, refusal, stream_columns};
use crate::error::{Error, Result};

/// Why a cursor or row key stands in no JSON: the source orders and finds rows by them.
const WHOLE: &str = "; cursor and row key are whole columns: let a view make one of what stands at a path";

/// How rows are ordered and new ones found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CursorPlan {
    /// The column.
    pub column: String,
    /// What it holds.
    pub kind: CursorKind,
    /// The zone of a cursor without one.
    pub zone: Option<String>,
    /// What happens to rows without a cursor.
    pub null_cursor: NullCursor,
    /// Cursor units for an integer, seconds for a time.
    pub lookback: i64,
}

/// Everything that decides how the rows of a table are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The table.
    pub table: TableRef,
    /// Long or wide.
    pub shape: StreamShape,
    /// Which column plays which role.
    pub mapping: Mapping,
    /// How rows are ordered.
    pub cursor: CursorPlan,
    /// The columns that identify a row.
    pub row_key: Vec<String>,
}

/// Where a stream goes on whose table or cursor has become another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CursorStart {
    /// At the watermark it has, which must be of the new cursor's kind.
    Keep,
    /// At the first row.
    Beginning,
    /// At this cursor; at the first row of a table that has none.
    At(Option<Watermark>),
}

impl Reading {
    /// How a stored stream reads.
    ///
    /// # Errors
    /// When a stored part cannot be read.
    pub fn stored(model: &Model) -> Result<Self> {
        let unit = if model.cursor_kind == entity::CursorKind::Int { 1 } else { SECOND };
        Ok(Self {
            table: parse(&model.table_ref)?,
            shape: model.shape,
            mapping: parse(&model.mapping)?,
            cursor: CursorPlan {
                column: model.cursor_column.clone(),
                kind: connector_kind(model.cursor_kind),
                zone: model.cursor_zone.clone(),
                null_cursor: model.null_cursor,
                lookback: model.lookback / unit,
            },
            row_key: parse(&model.row_key)?,
        })
    }

    /// A stream that is not stored, to preview it.
    ///
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn model(
        &self,
        (organization_id, source_id): (OrganizationId, SourceId),
        id: StreamId,
        destination: Destination,
        external_id_setting_id: Option<ExternalIdSettingId>,
    ) -> Result<Model> {
        Ok(Model {
            organization_id,
            id,
            source_id,
            name: String::new(),
            table_ref: text_of(&self.table)?,
            shape: self.shape,
            destination,
            mapping: text_of(&self.mapping)?,
            cursor_column: self.cursor.column.clone(),
            cursor_kind: stored_kind(self.cursor.kind),
            cursor_zone: self.cursor.zone.clone(),
            null_cursor: self.cursor.null_cursor,
            lookback: self.lookback().unwrap_or_default(),
            row_key: text_of(&self.row_key)?,
            future_tolerance: DAY,
            external_id_setting_id,
            schedule: Schedule::Manual.to_json(),
            next_due_at: None,
            enabled: false,
            paused_reason: None,
            columns: "[]".to_owned(),
            columns_seen_at: None,
            last_succeeded_at: None,
            last_run_id: None,
            version: 0,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
            maximum_bytes_billed: None,
        })
    }

    /// Checks every part against the columns of the table.
    ///
    /// # Errors
    /// Names the first part that does not fit.
    pub fn check(&self, columns: &[ColumnInfo]) -> Result<()> {
        self.mapping.check(self.shape == StreamShape::Wide, columns)?;
        let find = |field: &str, name: &str| {
            columns.iter().find(|column| column.name == name).ok_or_else(|| {
                let whole = json_path::meant(name, columns).map_or("", |_| WHOLE);
                Error::invalid(field, format!("the table has no column {name:?}; names are exact{whole}"))
            })
        };
        let cursor = find("cursor.column", &self.cursor.column)?;
        match CursorKind::of(cursor.kind) {
            None => {
                let whole = if cursor.kind == Type::Json { WHOLE } else { "" };
                let reason = format!(
                    "column {:?} is {}, which does not order rows safely{whole}",
                    cursor.name, cursor.native
                );
                return Err(Error::invalid("cursor.column", reason));
            }
            Some(kind) if kind != self.cursor.kind => {
                return Err(Error::invalid(
                    "cursor.kind",
                    format!("column {:?} is {}", cursor.name, cursor.native),
                ));
            }
            Some(_) => {}
        }
        if let Some(zone) = &self.cursor.zone
            && zone.parse::<Tz>().is_err()
        {
            let reason = format!("{zone:?} is not an IANA time zone such as Europe/Berlin");
            return Err(Error::invalid("cursor.zone", reason));
        }
        if self.cursor.lookback < 0 || self.lookback().is_none() {
            return Err(Error::invalid("cursor.lookback", "must be zero or more, and not beyond all bounds"));
        }
        if self.row_key.is_empty() {
            return Err(refusal::required("rowKey"));
        }
        for (index, name) in self.row_key.iter().enumerate() {
            let field = format!("rowKey.{index}");
            find(&field, name)?;
            if self.row_key[..index].contains(name) {
                return Err(Error::invalid(field, format!("column {name:?} is named twice")));
            }
        }
        Ok(())
    }

    /// Whether another way of reading orders other rows, so that a watermark of this one says nothing there.
    pub fn ordered_unlike(&self, other: &Self) -> bool {
        let order =
            |reading: &Self| (reading.table.clone(), reading.cursor.column.clone(), reading.cursor.kind);
        order(self) != order(other)
    }

    /// The columns it reads, each once: mapped ones, cursor, row key.
    pub fn columns(&self) -> Vec<&str> {
        let mut names = self.mapping.columns();
        for name in std::iter::once(&self.cursor.column).chain(&self.row_key) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The lookback as stored: cursor units, or microseconds for times.
    fn lookback(&self) -> Option<i64> {
        let unit = if self.cursor.kind == CursorKind::Int { 1 } else { SECOND };
        self.cursor.lookback.checked_mul(unit)
    }

    /// Writes this way of reading into a row, with the names and types of the table's columns.
    ///
    /// # Errors
    /// When a part cannot be written as JSON.
    pub fn put(&self, row: &mut ActiveModel, columns: &[ColumnInfo], now: Micros) -> Result<()> {
        row.table_ref = Set(text_of(&self.table)?);
        row.shape = Set(self.shape);
        row.mapping = Set(text_of(&self.mapping)?);
        row.cursor_column = Set(self.cursor.column.clone());
        row.cursor_kind = Set(stored_kind(self.cursor.kind));
        row.cursor_zone = Set(self.cursor.zone.clone());
        row.null_cursor = Set(self.cursor.null_cursor);
        row.lookback = Set(self.lookback().unwrap_or_default());
        row.row_key = Set(text_of(&self.row_key)?);
        row.columns = Set(stream_columns::write(&stream_columns::saved(columns))?);
        row.columns_seen_at = Set(Some(now));
        Ok(())
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::internal("reading a stored stream", error))
}

fn text_of(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal("writing a stream", error))
}

/// The connector's word for a stored cursor kind.
pub fn connector_kind(kind: entity::CursorKind) -> CursorKind {
    match kind {
        entity::CursorKind::Int => CursorKind::Int,
        entity::CursorKind::Date => CursorKind::Date,
        entity::CursorKind::Naive => CursorKind::Naive,
        entity::CursorKind::Zoned => CursorKind::Zoned,
    }
}

/// The stored word for a connector's cursor kind.
pub fn stored_kind(kind: CursorKind) -> entity::CursorKind {
    match kind {
        CursorKind::Int => entity::CursorKind::Int,
        CursorKind::Date => entity::CursorKind::Date,
        CursorKind::Naive => entity::CursorKind::Naive,
        CursorKind::Zoned => entity::CursorKind::Zoned,
    }
}

/// Finds a stream of the organization.
///
/// # Errors
/// When there is none.
pub async fn find(change: &Change<'_, impl ConnectionTrait>, id: StreamId) -> Result<Model> {
    let found = Entity::kept(change.organization()).filter(Column::Id.eq(id)).one(change.db).await?;
    found.ok_or(Error::NotFound("stream"))
}

/// Refuses unless the organization has the stream; `field` names the input that gave it.
///
/// # Errors
/// When there is none.
pub async fn exists(change: &Change<'_, impl ConnectionTrait>, id: StreamId, field: &str) -> Result<Model> {
    match find(change, id).await {
        Err(Error::NotFound(noun)) => Err(refusal::not_found(field, noun)),
        found => found,
    }
}

/// Takes back the runs of the stream that wait to start, for what they would read goes away or moves. Refuses while
/// one is at work. Returns the numbers of those taken back.
///
/// # Errors
/// When one is at work.
pub async fn stand_down(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    kind: Option<RunKind>,
) -> Result<Vec<i64>> {
    // First, for it locks the runs it takes back: what a worker took in between is seen to be at work.
    let taken_back = sync_runs::take_back(change.db, change.now, change.organization(), id, kind).await?;
    require_idle(change, id, kind).await?;
    Ok(taken_back)
}

/// Refuses while a run of the stream is at work.
///
/// # Errors
/// When one is.
pub async fn require_idle(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    kind: Option<RunKind>,
) -> Result<()> {
    let mut live = sync_run::Entity::find()
        .filter(sync_run::Column::OrganizationId.eq(change.organization()))
        .filter(sync_run::Column::StreamId.eq(id))
        .filter(sync_run::Column::Status.eq(RunStatus::Running));
    if let Some(kind) = kind {
        live = live.filter(sync_run::Column::Kind.eq(kind));
    }
    match live.one(change.db).await? {
        None => Ok(()),
        Some(run) => {
            Err(Error::Conflict(format!("run {} is at work on this stream; cancel it or wait", run.number)))
        }
    }
}
