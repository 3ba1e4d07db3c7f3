//! Time zones of sessions.

use chrono::{DateTime, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::encode::SECOND;
use super::error::{Outcome, SqlError};

/// The zone of a new account.
pub const DEFAULT: Tz = Tz::America__Los_Angeles;

/// Finds a zone by name, in any case.
pub fn find(name: &str) -> Outcome<Tz> {
    let found = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied();
    found.ok_or_else(|| {
        let text = format!("invalid value [{name}] for parameter 'TIMEZONE'");
        SqlError::new("001008", "22023", text)
    })
}

/// Minutes east of UTC that a zone has at an instant.
pub fn offset_at(zone: Tz, utc_nanos: i128) -> i16 {
    let seconds = i64::try_from(utc_nanos.div_euclid(SECOND)).unwrap_or_default();
    let instant = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc();
    i16::try_from(offset / 60).unwrap_or_default()
}

/// The instant of a wall clock in a zone: the earlier one where the hour repeats, and an hour later where it is skipped.
pub fn instant(zone: Tz, wall_nanos: i128) -> i128 {
    let seconds = i64::try_from(wall_nanos.div_euclid(SECOND)).unwrap_or_default();
    let wall: NaiveDateTime = DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
    let offset = match zone.offset_from_local_datetime(&wall).earliest() {
        Some(offset) => i64::from(offset.fix().local_minus_utc()),
        // Skipped: the offset from before the gap.
        None => i64::from(offset_at(zone, wall_nanos - 24 * 3_600 * SECOND)) * 60,
    };
    wall_nanos - i128::from(offset) * SECOND
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT, SECOND, find, instant, offset_at};

    #[test]
    fn a_zone_has_its_offset() {
        let winter = 1_704_067_200 * SECOND;
        assert_eq!(offset_at(DEFAULT, winter), -480);
        assert_eq!(instant(DEFAULT, winter), winter + 8 * 3_600 * SECOND);
        let kolkata = find("asia/kolkata").expect("a zone");
        assert_eq!(instant(kolkata, winter), winter - 19_800 * SECOND);
        assert!(find("Mars/Base").is_err());
    }
}
