//! Whether and when a stream is reconciled by itself; off until somebody wants it.

use entity::reconcile_setting::{ActiveModel, Column, Entity, Model};
use entity::{OrganizationId, StreamId};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use serde_json::json;

use crate::clock::Micros;
use crate::domain::change::Change;
use crate::domain::schedule::Schedule;
use crate::domain::stream;
use crate::error::{Error, Result};

/// The most slices to look back at.
const DAYS_MOST: i32 = 366;

/// When a stream is reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is by itself.
    pub enabled: bool,
    /// The time of day, `HH:MM`.
    pub time: String,
    /// The named zone of that time.
    pub zone: String,
    /// How many slices back from the watermark: days, or blocks of an integer cursor.
    pub days: i32,
    /// When it is next due.
    pub due_at: Option<Micros>,
}

impl Default for Setting {
    fn default() -> Self {
        let (time, zone) = ("03:00".to_owned(), "UTC".to_owned());
        Self { enabled: false, time, zone, days: 35, due_at: None }
    }
}

impl From<Model> for Setting {
    fn from(model: Model) -> Self {
        let Model { enabled, time, zone, days, due_at, .. } = model;
        Self { enabled, time, zone, days, due_at }
    }
}

/// What to change of it; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SettingChange {
    /// On or off.
    pub enabled: Option<bool>,
    /// Another time of day.
    pub time: Option<String>,
    /// Another zone.
    pub zone: Option<String>,
    /// Another reach.
    pub days: Option<i32>,
}

impl Setting {
    /// A stream's setting; the default where nobody has changed it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of(
        db: &impl ConnectionTrait,
        organization: OrganizationId,
        stream: StreamId,
    ) -> Result<Self> {
        let found = Entity::find_by_id((organization, stream)).one(db).await?;
        Ok(found.map(Self::from).unwrap_or_default())
    }

    /// The next time after `now`; none while it is off.
    ///
    /// # Errors
    /// Names the part that cannot be used.
    pub fn next_after(&self, now: Micros) -> Result<Option<Micros>> {
        let daily = Schedule::Daily { time: self.time.clone(), zone: self.zone.clone() };
        let next = daily.next_after(now, None).map_err(|error| match error {
            Error::Invalid { field, reason } if field.ends_with("zone") => Error::invalid("zone", reason),
            Error::Invalid { reason, .. } => Error::invalid("at", reason),
            other => other,
        })?;
        Ok(next.filter(|_| self.enabled))
    }
}

/// Changes when a stream is reconciled.
///
/// # Errors
/// When the stream is gone, or a part is out of range.
pub async fn set(
    change: &Change<'_, impl ConnectionTrait>,
    id: StreamId,
    wanted: SettingChange,
) -> Result<entity::stream::Model> {
    let stream = stream::exists(change, id, "streamId").await?;
    let organization = change.organization();
    let mut setting = Setting::of(change.db, organization, id).await?;
    setting.enabled = wanted.enabled.unwrap_or(setting.enabled);
    setting.time = wanted.time.unwrap_or(setting.time);
    setting.zone = wanted.zone.unwrap_or(setting.zone);
    setting.days = wanted.days.unwrap_or(setting.days);
    if !(1..=DAYS_MOST).contains(&setting.days) {
        return Err(Error::invalid("days", format!("must be between 1 and {DAYS_MOST}")));
    }
    setting.due_at = setting.next_after(change.now)?;
    let row = ActiveModel {
        organization_id: Set(organization),
        stream_id: Set(id),
        enabled: Set(setting.enabled),
        time: Set(setting.time.clone()),
        zone: Set(setting.zone.clone()),
        days: Set(setting.days),
        due_at: Set(setting.due_at),
        updated_at: Set(change.now),
    };
    let columns =
        [Column::Enabled, Column::Time, Column::Zone, Column::Days, Column::DueAt, Column::UpdatedAt];
    let on_conflict =
        OnConflict::columns([Column::OrganizationId, Column::StreamId]).update_columns(columns).to_owned();
    Entity::insert(row).on_conflict(on_conflict).exec_without_returning(change.db).await?;
    let detail = json!({
        "enabled": setting.enabled, "at": setting.time, "zone": setting.zone, "days": setting.days,
    });
    change.audit("stream.reconcile", "Stream", id, detail).await?;
    Ok(stream)
}
