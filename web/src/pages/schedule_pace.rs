//! How often a stream runs, and what that means for a warehouse that sleeps when nobody asks it.

use cynic::QueryBuilder;
use leptos::prelude::*;

use super::schedule_form::{ScheduleDraft, StreamScheduleInput};
use crate::components::{Notice, Tone};
use crate::query::Query;
use crate::{api, schema};

#[derive(cynic::QueryVariables)]
struct PaceVariables {
    source_id: cynic::Id,
    schedule: StreamScheduleInput,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "PaceVariables")]
struct PaceQuery {
    #[arguments(sourceId: $source_id, schedule: $schedule)]
    schedule_pace: Option<SchedulePace>,
}

/// The pace of a schedule.
#[derive(cynic::QueryFragment, Clone, Debug, PartialEq, Eq)]
pub(super) struct SchedulePace {
    /// Runs in the day to come.
    pub(super) runs_per_day: i32,
    /// What to know of it.
    pub(super) warning: Option<String>,
}

/// Asks for the pace of what is chosen, again whenever something else is.
pub(super) fn pace_of(source_id: cynic::Id, schedule: ScheduleDraft) -> Memo<Option<SchedulePace>> {
    let query = Query::new(move || {
        PaceQuery::build(PaceVariables { source_id: source_id.clone(), schedule: schedule.input() })
    });
    Memo::new(move |_| {
        // What cannot be a schedule has none; the form says what is wrong with it.
        query.failure().is_none().then(|| query.with(|data| data.schedule_pace.clone()).flatten()).flatten()
    })
}

/// The warning of a pace, where there is one.
#[component]
pub(super) fn PaceWarning(#[prop(into)] warning: Signal<Option<String>>) -> impl IntoView {
    move || {
        let words = warning.get()?;
        Some(view! { <Notice tone=Tone::Warning>{api::sentence(&words)}</Notice> })
    }
}
