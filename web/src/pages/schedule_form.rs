//! When a stream runs: chosen in words, with the next times shown.

use cynic::QueryBuilder;
use leptos::prelude::*;

use crate::components::{Choice, Text};
use crate::query::Query;
use crate::vocabulary::DateTime;
use crate::{format, schema};

/// When a stream runs.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub enum StreamScheduleInput {
    /// Only when started.
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
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct IntervalScheduleInput {
    minutes: i32,
}

/// At a minute of each hour.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct HourlyScheduleInput {
    minute: i32,
}

/// At a time of each day.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct DailyScheduleInput {
    time: String,
    zone: String,
}

/// By a cron expression.
#[derive(cynic::InputObject, Clone, Debug, PartialEq, Eq)]
pub struct CronScheduleInput {
    expression: String,
    zone: String,
}

#[derive(cynic::QueryVariables)]
struct TimesVariables {
    schedule: StreamScheduleInput,
}

#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "Query", variables = "TimesVariables")]
struct TimesQuery {
    #[arguments(schedule: $schedule, count: 3)]
    schedule_next_times: Vec<DateTime>,
}

/// A schedule as it is saved.
#[derive(cynic::QueryFragment, Clone, Debug)]
#[cynic(graphql_type = "StreamSchedule")]
pub struct SavedSchedule {
    kind: ScheduleKind,
    minutes: Option<i32>,
    minute: Option<i32>,
    time: Option<String>,
    zone: Option<String>,
    expression: Option<String>,
}

#[derive(cynic::Enum, Clone, Copy, Debug, PartialEq, Eq)]
enum ScheduleKind {
    Manual,
    Interval,
    Hourly,
    Daily,
    Cron,
}

/// The choices made so far.
#[derive(Clone, Copy)]
pub struct ScheduleDraft {
    kind: RwSignal<String>,
    minute: RwSignal<String>,
    time: RwSignal<String>,
    zone: RwSignal<String>,
    expression: RwSignal<String>,
}

impl ScheduleDraft {
    /// Starts with every 15 minutes.
    pub fn new() -> Self {
        let text = |text: &str| RwSignal::new(text.to_owned());
        Self {
            kind: text("15"),
            minute: text("0"),
            time: text("02:30"),
            zone: text("UTC"),
            expression: text("*/20 6-20 * * 1-5"),
        }
    }

    /// Starts with what is saved.
    pub fn of(saved: &SavedSchedule) -> Self {
        let draft = Self::new();
        draft.kind.set(match saved.kind {
            ScheduleKind::Manual => "manual".to_owned(),
            ScheduleKind::Interval => saved.minutes.unwrap_or(15).to_string(),
            ScheduleKind::Hourly => "hourly".to_owned(),
            ScheduleKind::Daily => "daily".to_owned(),
            ScheduleKind::Cron => "cron".to_owned(),
        });
        let minute = saved.minute.map(|minute| minute.to_string());
        let parts = [
            (draft.minute, &minute),
            (draft.time, &saved.time),
            (draft.zone, &saved.zone),
            (draft.expression, &saved.expression),
        ];
        for (signal, value) in parts {
            if let Some(value) = value {
                signal.set(value.clone());
            }
        }
        draft
    }

    /// The choices as the API takes them.
    pub fn input(self) -> StreamScheduleInput {
        let text = |signal: RwSignal<String>| signal.get().trim().to_owned();
        match self.kind.get().as_str() {
            "manual" => StreamScheduleInput::Manual(true),
            "hourly" => StreamScheduleInput::Hourly(HourlyScheduleInput {
                minute: text(self.minute).parse().unwrap_or(0),
            }),
            "daily" => StreamScheduleInput::Daily(DailyScheduleInput {
                time: text(self.time),
                zone: text(self.zone),
            }),
            "cron" => StreamScheduleInput::Cron(CronScheduleInput {
                expression: text(self.expression),
                zone: text(self.zone),
            }),
            minutes => StreamScheduleInput::Interval(IntervalScheduleInput {
                minutes: minutes.parse().unwrap_or(15),
            }),
        }
    }
}

/// The fields of a schedule.
#[component]
pub fn ScheduleForm(schedule: ScheduleDraft) -> impl IntoView {
    let kinds: Vec<_> = [
        ("5", "Every 5 minutes"),
        ("10", "Every 10 minutes"),
        ("15", "Every 15 minutes"),
        ("30", "Every 30 minutes"),
        ("60", "Every hour"),
        ("hourly", "At a minute of each hour"),
        ("daily", "Once a day"),
        ("cron", "By a cron expression"),
        ("manual", "Only by hand"),
    ]
    .map(|(key, words)| (key.to_owned(), words.to_owned()))
    .into();
    let kind = Memo::new(move |_| schedule.kind.get());
    let fields = move || match kind.get().as_str() {
        "hourly" => view! { <Text label="Minute" value=schedule.minute kind="number"/> }.into_any(),
        "daily" => view! {
            <div class="grid gap-4 sm:grid-cols-2">
                <Text label="Time" value=schedule.time kind="time"/>
                <Text label="Zone" value=schedule.zone hint="Such as Europe/Berlin."/>
            </div>
        }
        .into_any(),
        "cron" => view! {
            <div class="grid gap-4 sm:grid-cols-2">
                <Text label="Cron expression" value=schedule.expression code=true/>
                <Text label="Zone" value=schedule.zone hint="Such as Europe/Berlin."/>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    };
    let query = Query::new(move || TimesQuery::build(TimesVariables { schedule: schedule.input() }));
    let next = move || {
        let times = query.with(|data| data.schedule_next_times.clone()).unwrap_or_default();
        match (query.failure(), kind.get() == "manual", times.is_empty()) {
            (Some(failure), ..) => failure.message(),
            (None, true, _) => "It runs when somebody starts it.".to_owned(),
            (None, false, true) => String::new(),
            (None, false, false) => {
                let words: Vec<_> = times.iter().map(|time| format::minute(time.millis())).collect();
                format!("Next, in your zone: {}", words.join(" · "))
            }
        }
    };
    view! {
        <Choice label="Runs" value=schedule.kind on_change=move |key: String| schedule.kind.set(key) options=kinds/>
        {fields}
        <p class="num text-xs muted" aria-live="polite">{next}</p>
    }
}
