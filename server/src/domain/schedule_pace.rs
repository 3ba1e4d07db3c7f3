//! How often a schedule runs, and how long that keeps a warehouse awake which sleeps when nobody asks it.

use serde::{Deserialize, Serialize};

use crate::clock::{DAY, Micros, SECOND};
use crate::domain::schedule::Schedule;
use crate::error::Result;

/// What is worth a word: a warehouse that is awake for half of the day.
const MUCH: Micros = DAY / 2;
/// The runs of a day, when there is one each minute, and one more.
const MOST_RUNS: usize = 24 * 60 + 1;

/// When the warehouse behind a source goes to sleep, as a test of the source was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rest {
    /// After so many seconds without work.
    After(u32),
    /// Never by itself.
    Never,
}

impl From<connector::Rest> for Rest {
    fn from(rest: connector::Rest) -> Self {
        match rest {
            connector::Rest::After(time) => Self::After(u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
            connector::Rest::Never => Self::Never,
        }
    }
}

/// The pace of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Runs in the day to come.
    pub runs: usize,
    /// How long they keep the warehouse awake at least; none where nothing is known of its sleep.
    pub awake: Option<Micros>,
    /// What to know of that, in a sentence.
    pub warning: Option<String>,
}

/// Tells the pace of a schedule from `now` on.
///
/// # Errors
/// When the schedule is not valid.
pub fn pace(schedule: &Schedule, rest: Option<Rest>, now: Micros) -> Result<Pace> {
    let times = schedule.next_times(now, None, MOST_RUNS)?;
    let times: Vec<Micros> = times.into_iter().filter(|time| *time <= now + DAY).collect();
    let Some((rest, first)) = rest.zip(times.first()) else {
        return Ok(Pace { runs: times.len(), awake: None, warning: None });
    };
    // Each run keeps it awake until the next, or until it falls asleep; the day after is taken to be the same.
    let next = times.iter().skip(1).copied().chain([first + DAY]);
    let gaps = times.iter().zip(next).map(|(time, next)| next - time);
    let (awake, warning) = match rest {
        Rest::Never => (DAY, Some(NEVER.to_owned())),
        Rest::After(seconds) => {
            let awake: Micros = gaps.map(|gap| gap.min(i64::from(seconds) * SECOND)).sum();
            let runs =
                format!("it runs {}, and the warehouse sleeps after {}", schedule.words(), span(seconds));
            let warning = match awake {
                _ if awake >= DAY => Some(format!("{runs} without work: it never sleeps, 24 h a day")),
                _ if awake >= MUCH => {
                    let hours = awake / (3_600 * SECOND);
                    Some(format!("{runs} without work: it is awake for at least {hours} h a day"))
                }
                _ => None,
            };
            (awake, warning)
        }
    };
    Ok(Pace { runs: times.len(), awake: Some(awake), warning })
}

const NEVER: &str = "the warehouse never suspends itself: it is awake 24 h a day, however seldom this runs; let it \
                     suspend itself after 60 s";

/// A length of time for people.
fn span(seconds: u32) -> String {
    match seconds {
        60.. if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(schedule: &Schedule, rest: Option<Rest>) -> Pace {
        pace(schedule, rest, 1_767_225_600 * SECOND).expect("a valid schedule")
    }

    #[test]
    fn a_warehouse_that_is_asked_before_it_sleeps_never_does() {
        let often = Schedule::Interval { minutes: 5 };
        let never = told(&often, Some(Rest::After(600)));
        assert_eq!((never.runs, never.awake), (288, Some(DAY)));
        let words = "it runs every 5 minutes, and the warehouse sleeps after 10 min without work: it never sleeps, 24 h a day";
        assert_eq!(never.warning.as_deref(), Some(words));
        let edge = told(&often, Some(Rest::After(300)));
        assert_eq!(edge.awake, Some(DAY));
        let much = told(&Schedule::Interval { minutes: 15 }, Some(Rest::After(600)));
        assert!(much.warning.is_some_and(|words| words.ends_with("at least 16 h a day")));
        let little = told(&often, Some(Rest::After(60)));
        assert_eq!((little.awake, little.warning), (Some(DAY / 5), None));
        assert!(told(&often, Some(Rest::Never)).warning.is_some_and(|words| words.contains("24 h a day")));
    }

    #[test]
    fn nothing_is_said_of_what_is_not_known_or_does_not_run() {
        let often = told(&Schedule::Interval { minutes: 60 }, None);
        assert_eq!((often.runs, often.awake, often.warning), (24, None, None));
        let asked = told(&Schedule::Manual, Some(Rest::After(600)));
        assert_eq!((asked.runs, asked.awake, asked.warning), (0, None, None));
        let cron = |expression: &str| Schedule::Cron { expression: expression.into(), zone: "UTC".into() };
        assert_eq!(told(&cron("* * * * *"), Some(Rest::After(60))).runs, 1_440);
        // Eight busy hours are less than half of a day.
        assert_eq!(told(&cron("*/5 8-15 * * *"), Some(Rest::After(300))).warning, None);
    }
}
