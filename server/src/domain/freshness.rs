//! Whether a stream's data is up to date, judged by its own schedule.

use entity::stream::Model;

use crate::clock::{Micros, SECOND};
use crate::domain::schedule::Schedule;
use crate::error::Result;

/// How long a run may take before its stream counts as late.
const GRACE: Micros = 120 * SECOND;

/// Whether a stream's data is up to date.
///
/// In the order in which streams want attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Several runs are overdue or failed.
    Stale,
    /// A run is overdue or failed once.
    Late,
    /// No run has succeeded yet.
    Never,
    /// The last due run succeeded.
    Fresh,
    /// The stream does not run.
    Paused,
}

/// Judges a stream at a time; `paused` and `failed` tell of its source and of its last run.
///
/// # Errors
/// When its schedule cannot be read.
pub fn judge(stream: &Model, paused: bool, failed: bool, now: Micros) -> Result<Freshness> {
    if paused {
        return Ok(Freshness::Paused);
    }
    let Some(succeeded) = stream.last_succeeded_at else { return Ok(Freshness::Never) };
    let schedule = Schedule::parse(&stream.schedule)?;
    let due = schedule.next_times(succeeded, Some(stream.id), 3)?;
    Ok(match due[..] {
        [_, _, third] if now > third + GRACE => Freshness::Stale,
        [first, ..] if now > first + GRACE => Freshness::Late,
        _ if failed => Freshness::Late,
        _ => Freshness::Fresh,
    })
}

#[cfg(test)]
mod tests {
    use entity::{CursorKind, Destination, NullCursor, OrganizationId, SourceId, StreamId, StreamShape};

    use super::*;

    fn stream(schedule: &str, last_succeeded_at: Option<Micros>) -> Model {
        Model {
            organization_id: OrganizationId::new(),
            id: StreamId::new(),
            source_id: SourceId::new(),
            name: "usage".to_owned(),
            table_ref: "{}".to_owned(),
            shape: StreamShape::Long,
            destination: Destination::Usage,
            mapping: "{}".to_owned(),
            cursor_column: "at".to_owned(),
            cursor_kind: CursorKind::Zoned,
            cursor_zone: None,
            null_cursor: NullCursor::Reject,
            lookback: 0,
            row_key: "[]".to_owned(),
            future_tolerance: 0,
            maximum_bytes_billed: None,
            external_id_setting_id: None,
            schedule: schedule.to_owned(),
            next_due_at: None,
            enabled: true,
            paused_reason: None,
            columns: "[]".to_owned(),
            columns_seen_at: None,
            last_succeeded_at,
            last_run_id: None,
            version: 1,
            created_at: 0,
            updated_at: 0,
            deleted_at: None,
        }
    }

    #[test]
    fn a_stream_is_judged_by_its_own_schedule() {
        let hourly = stream(r#"{"kind":"hourly","minute":0}"#, Some(0));
        let at = |minutes: i64| judge(&hourly, false, false, minutes * 60 * SECOND).expect("a schedule");
        assert_eq!(at(61), Freshness::Fresh);
        assert_eq!(at(63), Freshness::Late);
        assert_eq!(at(183), Freshness::Stale);
        assert_eq!(judge(&hourly, false, true, SECOND).expect("a schedule"), Freshness::Late);
        assert_eq!(judge(&hourly, true, true, SECOND).expect("a schedule"), Freshness::Paused);
        let manual = stream(r#"{"kind":"manual"}"#, Some(0));
        assert_eq!(judge(&manual, false, false, i64::MAX / 2).expect("a schedule"), Freshness::Fresh);
        let new = stream(r#"{"kind":"manual"}"#, None);
        assert_eq!(judge(&new, false, false, 0).expect("a schedule"), Freshness::Never);
    }
}
