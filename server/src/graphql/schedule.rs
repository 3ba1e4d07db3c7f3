//! Schedules of streams, on the way out and in.

use async_graphql::{Context, Enum, InputObject, Object, OneofObject, Result, SimpleObject};

use crate::auth::Permission;
use crate::domain::schedule::Schedule;
use crate::error::Error;
use crate::graphql::context::Reach;
use crate::graphql::error::Fault;
use crate::graphql::scalar::DateTime;

/// Which sort of schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ScheduleKind {
    /// Only when asked.
    Manual,
    /// Every so many minutes.
    Interval,
    /// At a minute of each hour.
    Hourly,
    /// At a time of each day.
    Daily,
    /// By a cron expression.
    Cron,
}

/// When a stream runs.
#[derive(SimpleObject)]
pub struct StreamSchedule {
    /// Which sort of schedule.
    kind: ScheduleKind,
    /// The interval.
    minutes: Option<i32>,
    /// The minute of the hour.
    minute: Option<i32>,
    /// The time of day, `HH:MM`.
    time: Option<String>,
    /// The zone of the time.
    zone: Option<String>,
    /// The cron expression.
    expression: Option<String>,
    /// The schedule in words.
    description: String,
}

impl From<Schedule> for StreamSchedule {
    fn from(schedule: Schedule) -> Self {
        let mut shown = Self {
            kind: ScheduleKind::Manual,
            minutes: None,
            minute: None,
            time: None,
            zone: None,
            expression: None,
            description: schedule.words(),
        };
        match schedule {
            Schedule::Manual => {}
            Schedule::Interval { minutes } => {
                shown.kind = ScheduleKind::Interval;
                shown.minutes = i32::try_from(minutes).ok();
            }
            Schedule::Hourly { minute } => {
                shown.kind = ScheduleKind::Hourly;
                shown.minute = i32::try_from(minute).ok();
            }
            Schedule::Daily { time, zone } => {
                shown.kind = ScheduleKind::Daily;
                (shown.time, shown.zone) = (Some(time), Some(zone));
            }
            Schedule::Cron { expression, zone } => {
                shown.kind = ScheduleKind::Cron;
                (shown.expression, shown.zone) = (Some(expression), Some(zone));
            }
        }
        shown
    }
}

/// Exactly one sort of schedule.
#[derive(OneofObject)]
pub enum StreamScheduleInput {
    /// Only when asked. Must be true.
    Manual(bool),
    /// Every so many minutes.
    Interval(IntervalScheduleInput),
    /// At a minute of each hour.
    Hourly(HourlyScheduleInput),
    /// At a time of each day.
    Daily(DailyScheduleInput),
    /// By a cron expression.
    Cron(CronScheduleInput),
}

/// Every so many minutes.
#[derive(InputObject)]
pub struct IntervalScheduleInput {
    /// 5, 10, 15, 30 or 60.
    pub minutes: i32,
}

/// At a minute of each hour.
#[derive(InputObject)]
pub struct HourlyScheduleInput {
    /// From 0 to 59.
    pub minute: i32,
}

/// At a time of each day.
#[derive(InputObject)]
pub struct DailyScheduleInput {
    /// `HH:MM`.
    pub time: String,
    /// A named zone, such as `Europe/Berlin`.
    #[graphql(default = "UTC")]
    pub zone: String,
}

/// By a cron expression.
#[derive(InputObject)]
pub struct CronScheduleInput {
    /// Five fields.
    pub expression: String,
    /// A named zone.
    #[graphql(default = "UTC")]
    pub zone: String,
}

impl TryFrom<StreamScheduleInput> for Schedule {
    type Error = Error;

    fn try_from(input: StreamScheduleInput) -> std::result::Result<Self, Error> {
        let whole = |field: &str, number: i32| {
            u32::try_from(number).map_err(|_| Error::invalid(field, "must not be negative"))
        };
        Ok(match input {
            StreamScheduleInput::Manual(true) => Self::Manual,
            StreamScheduleInput::Manual(false) => {
                return Err(Error::invalid(
                    "schedule.manual",
                    "must be true; choose another schedule instead",
                ));
            }
            StreamScheduleInput::Interval(every) => {
                Self::Interval { minutes: whole("schedule.interval.minutes", every.minutes)? }
            }
            StreamScheduleInput::Hourly(hourly) => {
                Self::Hourly { minute: whole("schedule.hourly.minute", hourly.minute)? }
            }
            StreamScheduleInput::Daily(daily) => Self::Daily { time: daily.time, zone: daily.zone },
            StreamScheduleInput::Cron(cron) => Self::Cron { expression: cron.expression, zone: cron.zone },
        })
    }
}

/// The query about schedules.
#[derive(Default)]
pub struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// When a schedule would next be due.
    async fn schedule_next_times(
        &self,
        ctx: &Context<'_>,
        schedule: StreamScheduleInput,
        #[graphql(default = 5, validator(minimum = 1, maximum = 20))] count: i32,
    ) -> Result<Vec<DateTime>> {
        ctx.need(Permission::SourcesRead)?;
        let count = usize::try_from(count).unwrap_or(1);
        let schedule = Schedule::try_from(schedule).map_err(Fault::from)?;
        let times = schedule.next_times(ctx.now(), None, count).map_err(Fault::from)?;
        Ok(times.into_iter().map(DateTime).collect())
    }
}
