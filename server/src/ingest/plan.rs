//! What a run needs to know of its stream, loaded and checked once.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use connector::{
    Batch, ColumnInfo, ConnectorError, Cost, Cursor, CursorKind, ErrorKind, NullCursors, Position,
    ReadRequest, RunTag, Table, TableRef, Watermark,
};
use entity::{NullCursor, OrganizationId, StreamId, StreamShape, stream};
use sea_orm::{ColumnTrait, QueryFilter};
use serde::de::DeserializeOwned;

use super::mapping::{Layout, Metrics};
use super::paths::Paths;
use super::route::Route;
use crate::app::App;
use crate::clock::Micros;
use crate::domain::kept::Kept;
use crate::domain::mapping::{Mapping, Role};
use crate::domain::refusal;
use crate::domain::stream_columns::{self, Seen};
use crate::error::{Error, Result};

/// A stream, ready to be read and mapped.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The table.
    pub table: TableRef,
    /// The columns to read, each once: mapped ones, cursor, row key.
    pub columns: Vec<String>,
    /// The cursor column.
    pub cursor: Cursor,
    /// The row key columns.
    pub key: Vec<String>,
    /// Which column plays which role.
    pub mapping: Mapping,
    /// Long or wide.
    pub wide: bool,
    /// Where the roles are among `columns`.
    pub layout: Layout,
    /// How its readings are routed.
    pub route: Route,
    /// How far below the watermark to read again.
    pub lookback: i64,
    /// How far ahead of the source's clock a cursor may be, in microseconds.
    pub future_tolerance: Micros,
    /// The zone of a cursor without one.
    pub cursor_zone: Option<Tz>,
    /// What happens to rows without a cursor.
    pub null_cursor: NullCursor,
    /// The table's columns as they were when the mapping was saved or last looked at.
    pub seen: Vec<Seen>,
    /// When they were.
    pub seen_at: Option<Micros>,
    /// The most bytes one statement may bill; the source's own limit holds without one.
    pub most_bytes: Option<u64>,
    /// Grows with each edit of the stream.
    pub version: i32,
}

impl Plan {
    /// Loads a stream.
    ///
    /// # Errors
    /// `NotFound`; `Invalid` when no external-ID setting is chosen or a stored part cannot be used.
    pub async fn load(app: &App, organization: OrganizationId, id: StreamId) -> Result<Self> {
        let found = stream::Entity::kept(organization).filter(stream::Column::Id.eq(id));
        let found = found.one(app.db.orm()).await?;
        Self::of(app, &found.ok_or(Error::NotFound("stream"))?)
    }

    /// Prepares a stream that was loaded.
    ///
    /// # Errors
    /// `Invalid` when no external-ID setting is chosen or a stored part cannot be used.
    pub fn of(app: &App, model: &stream::Model) -> Result<Self> {
        let (organization, id) = (model.organization_id, model.id);
        let setting = model.external_id_setting_id.ok_or_else(|| {
            refusal::missing(
                "externalIdSettingId",
                format!(
                    "stream {:?} has no external-ID setting: choose which ID space its account column holds",
                    model.name
                ),
            )
        })?;
        let route = Route {
            organization,
            stream: id,
            destination: model.destination,
            setting: Some(setting),
            draft: false,
        };
        Self::new(model, route, app.config.sync.cell_bytes)
    }

    /// Prepares a stream that need not be stored yet.
    ///
    /// # Errors
    /// `Invalid` when a part cannot be used.
    pub fn new(model: &stream::Model, route: Route, cell_bytes: usize) -> Result<Self> {
        let mapping: Mapping = parse("mapping", &model.mapping)?;
        let key: Vec<String> = parse("row key", &model.row_key)?;
        let cursor = Cursor { column: model.cursor_column.clone(), kind: cursor_kind(model.cursor_kind) };
        let mut columns: Vec<String> = mapping.columns().into_iter().map(str::to_owned).collect();
        for name in std::iter::once(&cursor.column).chain(&key) {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let wide = model.shape == StreamShape::Wide;
        let layout = layout(&mapping, wide, &columns, &cursor, &key, model, cell_bytes)?;
        Ok(Self {
            table: parse("table", &model.table_ref)?,
            columns,
            cursor,
            key,
            mapping,
            wide,
            layout,
            route,
            lookback: model.lookback,
            future_tolerance: model.future_tolerance,
            cursor_zone: zone("cursor zone", model.cursor_zone.as_deref())?,
            null_cursor: model.null_cursor,
            seen: stream_columns::read(&model.columns)?,
            seen_at: model.columns_seen_at,
            most_bytes: model.maximum_bytes_billed.and_then(|most| u64::try_from(most).ok()),
            version: model.version,
        })
    }

    /// The columns of the row key, as a rejected row tells that its key is another row's too.
    pub fn key_text(&self) -> String {
        self.key.join(", ")
    }

    /// Checks that the table still is what the stream was made for.
    ///
    /// # Errors
    /// A schema error that says which column is gone or of another type.
    pub fn check(&self, table: &Table) -> Result<()> {
        let changed = |reason: String| {
            Error::from(
                ConnectorError::new(ErrorKind::Schema, format!("table {} has changed: {reason}", self.table))
                    .hint("restore the column, or map another in the stream; then resume the stream"),
            )
        };
        self.mapping.check(self.wide, &table.columns).map_err(|error| match error {
            Error::Invalid { reason, .. } => changed(reason),
            other => other,
        })?;
        for name in self.key.iter().chain(std::iter::once(&self.cursor.column)) {
            let column = table.columns.iter().find(|column| column.name == *name);
            let Some(column) = column else {
                return Err(changed(format!("there is no column {name:?} any more")));
            };
            if *name == self.cursor.column && CursorKind::of(column.kind) != Some(self.cursor.kind) {
                return Err(changed(format!("cursor column {name:?} is now {}", column.native)));
            }
        }
        let values = self.mapping.values();
        let values: Vec<&str> =
            values.iter().filter(|value| value.path.is_none()).map(|value| value.column).collect();
        match stream_columns::retyped(&self.seen, &self.columns, &values, &table.columns) {
            Some(reason) => Err(changed(reason)),
            None => Ok(()),
        }
    }

    /// Whether what a batch holds is what the stream was made for, by its columns' types alone.
    pub fn fits(&self, batch: &Batch) -> bool {
        let kept = |seen: &Seen| batch.column(&seen.name).is_none_or(|column| column.kind() == seen.kind);
        if !self.seen.iter().all(kept) {
            return false;
        }
        let columns = batch.columns.iter().map(|column| ColumnInfo {
            name: column.name().to_owned(),
            native: String::new(),
            kind: column.kind(),
            nullable: true,
            key: false,
        });
        self.mapping.check(self.wide, &columns.collect::<Vec<_>>()).is_ok()
    }

    /// The read of everything from a position on.
    pub fn request(
        &self,
        from: Option<Position>,
        until: Option<Watermark>,
        sizes: &crate::config::Sync,
        cost: Cost,
    ) -> ReadRequest {
        ReadRequest {
            table: self.table.clone(),
            columns: self.columns.clone(),
            cursor: self.cursor.clone(),
            key: self.key.clone(),
            from,
            until,
            nulls: NullCursors::First,
            batch_rows: sizes.batch_rows,
            batch_bytes: sizes.batch_bytes,
            cell_bytes: sizes.cell_bytes,
            tag: self.tag(),
            cost: cost.limited(self.most_bytes),
        }
    }

    /// Who reads, for the system's own logs.
    pub fn tag(&self) -> RunTag {
        RunTag { organization: self.route.organization.to_string(), stream: self.route.stream.to_string() }
    }

    /// The highest believable cursor rank when the source's clock says `now`; `None` for integers.
    pub fn cursor_cap(&self, now: Micros) -> Option<i64> {
        believable(self.cursor.kind, self.cursor_zone, now.saturating_add(self.future_tolerance))
    }
}

/// The rank of the last cursor not after an instant; `None` for integers.
pub fn believable(kind: CursorKind, zone: Option<Tz>, at: Micros) -> Option<i64> {
    let wall = |zone: Tz| {
        let offset = DateTime::from_timestamp_micros(at)
            .map_or(0, |at| zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc());
        at.saturating_add(i64::from(offset) * 1_000_000)
    };
    match kind {
        CursorKind::Int => None,
        CursorKind::Zoned => Some(at.saturating_mul(1_000)),
        // Without a stated zone the wall clock may be up to 14 hours ahead of UTC.
        CursorKind::Naive => {
            Some(zone.map_or(at.saturating_add(14 * 3_600_000_000), wall).saturating_mul(1_000))
        }
        CursorKind::Date => {
            let wall = zone.map_or(at.saturating_add(14 * 3_600_000_000), wall);
            Some(wall.div_euclid(86_400_000_000))
        }
    }
}

/// The connector's word for a stored cursor kind.
pub fn cursor_kind(kind: entity::CursorKind) -> CursorKind {
    match kind {
        entity::CursorKind::Int => CursorKind::Int,
        entity::CursorKind::Date => CursorKind::Date,
        entity::CursorKind::Naive => CursorKind::Naive,
        entity::CursorKind::Zoned => CursorKind::Zoned,
    }
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::internal("read a stored stream", format!("{what}: {error}")))
}

fn zone(what: &str, name: Option<&str>) -> Result<Option<Tz>> {
    name.map(|name| {
        name.parse().map_err(|_| {
            Error::invalid(what, format!("{name:?} is not an IANA time zone such as Europe/Berlin"))
        })
    })
    .transpose()
}

fn layout(
    mapping: &Mapping,
    wide: bool,
    columns: &[String],
    cursor: &Cursor,
    key: &[String],
    model: &stream::Model,
    cell_bytes: usize,
) -> Result<Layout> {
    let mut paths = Paths::new(columns.len(), cell_bytes);
    let mut at = |role: Role<'_>| role_place(&mut paths, columns, role);
    let values = mapping.values().into_iter().map(&mut at).collect::<Result<Vec<_>>>()?;
    let metrics = match (wide, mapping.metric(), values.first()) {
        (true, ..) => Metrics::Wide(values),
        (false, Some(metric), Some(value)) => Metrics::Long { metric: at(metric)?, value: *value },
        _ => return Err(Error::invalid("mapping", "a long table needs a metric and a value column")),
    };
    let whole = |name: &str| place_of(columns, name);
    Ok(Layout {
        account: at(mapping.account())?,
        metrics,
        measured_at: at(mapping.measured_at())?,
        zone: zone("mapping.zone", mapping.zone.as_deref())?,
        period: mapping.period().map(&mut at).transpose()?,
        product: mapping.product().map(&mut at).transpose()?,
        cursor: Some(whole(&cursor.column)),
        reject_null_cursor: model.null_cursor == NullCursor::Reject,
        cursor_cap: None,
        key: key.iter().map(|name| whole(name)).collect(),
        cell_bytes,
        paths,
    })
}

fn place_of(columns: &[String], name: &str) -> usize {
    columns.iter().position(|column| column == name).expect("every named column is among those read")
}

/// The place of a role among the columns read, or after them where it is a path into one.
///
/// # Errors
/// `Invalid` when its path is none.
pub fn role_place(paths: &mut Paths, columns: &[String], role: Role<'_>) -> Result<usize> {
    let column = place_of(columns, role.column);
    Ok(role.parsed()?.map_or(column, |path| paths.place(column, role.column, &path)))
}
