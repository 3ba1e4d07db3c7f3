//! When a stream runs: the kinds of schedule, their checks, their words, and the times they name.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use entity::StreamId;
use serde::{Deserialize, Serialize};

use crate::clock::{Micros, SECOND};
use crate::error::{Error, Result};

/// The intervals offered, in minutes.
pub const INTERVALS: [u32; 5] = [5, 10, 15, 30, 60];

/// When a stream runs, as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Schedule {
    /// Only when asked.
    Manual,
    /// Every so many minutes, at a moment of its own for each stream.
    Interval {
        /// One of [`INTERVALS`].
        minutes: u32,
    },
    /// At a minute of each hour.
    Hourly {
        /// From 0 to 59.
        minute: u32,
    },
    /// At a time of each day.
    Daily {
        /// `HH:MM`.
        time: String,
        /// A named zone.
        zone: String,
    },
    /// By a cron expression.
    Cron {
        /// Five fields: minute, hour, day of the month, month, day of the week.
        expression: String,
        /// A named zone.
        zone: String,
    },
}

/// A schedule that has been checked, ready to name times.
enum Rule {
    Never,
    Every { period: Micros, offset: Micros },
    Cron(Box<Cron>, Tz),
}

impl Schedule {
    /// Reads the stored JSON and checks it.
    ///
    /// # Errors
    /// When it is no schedule, or a value is out of range.
    pub fn parse(json: &str) -> Result<Self> {
        let schedule: Self = serde_json::from_str(json)
            .map_err(|error| Error::invalid("schedule", format!("is not readable: {error}")))?;
        schedule.validate()?;
        Ok(schedule)
    }

    /// The JSON to store.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a schedule is plain text and numbers")
    }

    /// Checks every value.
    ///
    /// # Errors
    /// Names the value that is wrong and what would be right.
    pub fn validate(&self) -> Result<()> {
        self.rule(None).map(drop)
    }

    /// The first time after `now`; `None` when it only runs when asked.
    ///
    /// Intervals start at a moment that is the stream's own and stays the same, so that a thousand streams with
    /// one interval do not fire in one second. Wall-clock times follow their zone: a time the clock skips runs at
    /// the next valid minute, a time the clock repeats runs once.
    ///
    /// # Errors
    /// When the schedule is not valid.
    pub fn next_after(&self, now: Micros, stream: Option<StreamId>) -> Result<Option<Micros>> {
        match self.rule(stream)? {
            Rule::Never => Ok(None),
            Rule::Every { period, offset } => {
                Ok(Some((now - offset).div_euclid(period) * period + period + offset))
            }
            Rule::Cron(cron, zone) => next_by_cron(&cron, zone, now).map(Some),
        }
    }

    /// The next times after `now`, at most `count`.
    ///
    /// # Errors
    /// When the schedule is not valid.
    pub fn next_times(&self, now: Micros, stream: Option<StreamId>, count: usize) -> Result<Vec<Micros>> {
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            match self.next_after(times.last().copied().unwrap_or(now), stream)? {
                Some(time) => times.push(time),
                None => break,
            }
        }
        Ok(times)
    }

    /// The schedule in words.
    pub fn words(&self) -> String {
        match self {
            Self::Manual => "only when asked".to_owned(),
            Self::Interval { minutes: 60 } => "every hour".to_owned(),
            Self::Interval { minutes } => format!("every {minutes} minutes"),
            Self::Hourly { minute } => format!("every hour at :{minute:02}"),
            Self::Daily { time, zone } => format!("every day at {time} {zone}"),
            Self::Cron { expression, zone } => {
                steady(expression).unwrap_or_else(|| format!("by the cron expression {expression}, {zone}"))
            }
        }
    }

    fn rule(&self, stream: Option<StreamId>) -> Result<Rule> {
        match self {
            Self::Manual => Ok(Rule::Never),
            Self::Interval { minutes } if INTERVALS.contains(minutes) => {
                let seconds = i64::from(*minutes) * 60;
                // The low half of a version 7 UUID is random.
                let own = stream.map_or(0, |id| id.0.as_u64_pair().1 % seconds.unsigned_abs());
                Ok(Rule::Every { period: seconds * SECOND, offset: own.cast_signed() * SECOND })
            }
            Self::Interval { .. } => {
                Err(Error::invalid("schedule.interval.minutes", "must be 5, 10, 15, 30 or 60"))
            }
            Self::Hourly { minute } if *minute < 60 => {
                Ok(Rule::Every { period: 3600 * SECOND, offset: i64::from(*minute) * 60 * SECOND })
            }
            Self::Hourly { .. } => Err(Error::invalid("schedule.hourly.minute", "must be between 0 and 59")),
            Self::Daily { time, zone } => {
                let zone = parse_zone("schedule.daily.zone", zone)?;
                let (hour, minute) = parse_time(time).ok_or_else(|| {
                    Error::invalid("schedule.daily.time", "must be a time of day such as 02:30")
                })?;
                let cron = parse_cron("schedule.daily.time", &format!("{minute} {hour} * * *"))?;
                Ok(Rule::Cron(Box::new(cron), zone))
            }
            Self::Cron { expression, zone } => {
                let zone = parse_zone("schedule.cron.zone", zone)?;
                Ok(Rule::Cron(Box::new(parse_cron("schedule.cron.expression", expression)?), zone))
            }
        }
    }
}

fn parse_time(text: &str) -> Option<(u32, u32)> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| {
        (part.len() == 2 && part.bytes().all(|it| it.is_ascii_digit())).then(|| part.parse::<u32>().ok())?
    };
    let (hour, minute) = (two_digits(hour)?, two_digits(minute)?);
    (hour < 24 && minute < 60).then_some((hour, minute))
}

fn parse_zone(field: &str, name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        Error::invalid(field, format!("{name:?} is no known zone; give a name such as Europe/Berlin or UTC"))
    })
}

fn parse_cron(field: &str, expression: &str) -> Result<Cron> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    let cron = parser.parse(expression).map_err(|error| {
        Error::invalid(field, format!("{expression:?} is no cron expression of five fields: {error}"))
    })?;
    // Some expressions are well formed and name no day, such as the 30th of February.
    let some_time = DateTime::<Utc>::UNIX_EPOCH.with_timezone(&Tz::UTC);
    cron.find_next_occurrence(&some_time, false)
        .map_err(|_| Error::invalid(field, format!("{expression:?} never comes")))?;
    Ok(cron)
}

/// An expression that means the same steady pace in every hour, in words.
fn steady(expression: &str) -> Option<String> {
    let minutes = expression.split_whitespace().collect::<Vec<_>>().join(" ");
    match minutes.strip_suffix(" * * * *")? {
        "*" => Some("every minute".to_owned()),
        minutes => {
            let minutes = minutes.strip_prefix("*/")?.parse::<u32>().ok()?;
            // Another number of minutes would begin anew with the hour, so that one step is shorter.
            (minutes > 1 && minutes < 60 && 60 % minutes == 0).then(|| format!("every {minutes} minutes"))
        }
    }
}

fn next_by_cron(cron: &Cron, zone: Tz, now: Micros) -> Result<Micros> {
    let from = DateTime::<Utc>::from_timestamp_micros(now)
        .ok_or_else(|| Error::internal("find the next due time", "the clock is out of range"))?;
    cron.find_next_occurrence(&from.with_timezone(&zone), false)
        .map(|time| time.timestamp_micros())
        .map_err(|error| Error::internal("find the next due time", error))
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
