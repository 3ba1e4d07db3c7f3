//! How often a stream runs, and what that means for a warehouse that sleeps when nobody asks it.

use async_graphql::{Context, Object, Result, SimpleObject};
use entity::{SourceId, source};

use crate::auth::Permission;
use crate::clock::SECOND;
use crate::domain::schedule::Schedule;
use crate::domain::schedule_pace::{Pace, Rest, pace};
use crate::error::Result as DomainResult;
use crate::graphql::context::{Reach, load};
use crate::graphql::error::Fault;
use crate::graphql::id::Global;
use crate::graphql::schedule::StreamScheduleInput;
use crate::graphql::source_check::SourceCheck;

/// The pace of a schedule.
#[derive(SimpleObject)]
pub struct SchedulePace {
    /// Runs in the day to come.
    runs_per_day: i32,
    /// After how many seconds without work the source's warehouse goes to sleep, as its last test was told; null where
    /// that is not known, or never.
    rest_seconds: Option<i32>,
    /// For how many seconds of a day the runs keep the warehouse awake, at least; null where that is not known.
    awake_seconds_per_day: Option<i32>,
    /// What to know of that, in a sentence with the figure; null where nothing is.
    warning: Option<String>,
}

impl SchedulePace {
    fn new(pace: Pace, rest: Option<Rest>) -> Self {
        let awake = pace.awake.and_then(|awake| i32::try_from(awake / SECOND).ok());
        Self {
            runs_per_day: i32::try_from(pace.runs).unwrap_or(i32::MAX),
            rest_seconds: match rest {
                Some(Rest::After(seconds)) => i32::try_from(seconds).ok(),
                Some(Rest::Never) | None => None,
            },
            awake_seconds_per_day: awake,
            warning: pace.warning,
        }
    }
}

/// The pace of a schedule at a source.
///
/// # Errors
/// When the schedule is not valid.
pub fn paced(ctx: &Context<'_>, schedule: &Schedule, source: &source::Model) -> DomainResult<SchedulePace> {
    let check = source.last_check.as_deref().and_then(SourceCheck::stored);
    let rest = check.and_then(|check| check.rest());
    Ok(SchedulePace::new(pace(schedule, rest, ctx.now())?, rest))
}

/// The query about paces.
#[derive(Default)]
pub struct SchedulePaceQuery;

#[Object]
impl SchedulePaceQuery {
    /// How often a schedule would run at a source; null when there is no such source.
    async fn schedule_pace(
        &self,
        ctx: &Context<'_>,
        source_id: Global<SourceId>,
        schedule: StreamScheduleInput,
    ) -> Result<Option<SchedulePace>> {
        ctx.need(Permission::SourcesRead)?;
        let schedule = Schedule::try_from(schedule).map_err(Fault::from)?;
        let source = load(ctx, source_id.0).await?;
        let told = source.map(|source| paced(ctx, &schedule, &source)).transpose();
        told.map_err(|error| Fault::from(error).into())
    }
}
