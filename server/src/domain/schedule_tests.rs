//! Schedules: the times they name, the values they refuse, their words.

use super::*;
use crate::clock::DAY;

fn at(text: &str) -> Micros {
    DateTime::parse_from_rfc3339(text).expect("a time").timestamp_micros()
}

fn times(schedule: &Schedule, from: &str, count: usize) -> Vec<String> {
    let times = schedule.next_times(at(from), None, count).expect("a valid schedule");
    let text = |time| DateTime::<Utc>::from_timestamp_micros(time).expect("in range").to_rfc3339();
    times.into_iter().map(|time| text(time).replace("+00:00", "Z")).collect()
}

fn daily(time: &str, zone: &str) -> Schedule {
    Schedule::Daily { time: time.to_owned(), zone: zone.to_owned() }
}

fn cron(expression: &str, zone: &str) -> Schedule {
    Schedule::Cron { expression: expression.to_owned(), zone: zone.to_owned() }
}

#[test]
fn pitfall_32_a_time_the_clock_skips_runs_at_the_next_valid_minute() {
    // In Berlin 02:00 to 03:00 does not exist on 2026-03-29.
    let schedule = daily("02:30", "Europe/Berlin");
    let expected = ["2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"];
    assert_eq!(times(&schedule, "2026-03-27T12:00:00Z", 3), expected);
    assert_eq!(times(&cron("30 2 * * *", "Europe/Berlin"), "2026-03-27T12:00:00Z", 3), expected);
    // Lord Howe skips half an hour: 02:00 to 02:30 on 2026-10-04.
    let half = times(&daily("02:15", "Australia/Lord_Howe"), "2026-10-03T00:00:00Z", 2);
    assert_eq!(half, ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]);
}

#[test]
fn pitfall_32_a_time_the_clock_repeats_runs_once() {
    // In Berlin 02:00 to 03:00 comes twice on 2026-10-25.
    let expected = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    assert_eq!(times(&daily("02:30", "Europe/Berlin"), "2026-10-23T12:00:00Z", 3), expected);
    // Asked between the two, the second is not taken.
    let next = times(&daily("02:30", "Europe/Berlin"), "2026-10-25T00:45:00Z", 1);
    assert_eq!(next, ["2026-10-26T01:30:00Z"]);
}

#[test]
fn pitfall_32_every_day_of_a_year_has_one_run_in_every_kind_of_zone() {
    for zone in
        ["Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "America/Santiago", "Africa/Cairo", "UTC"]
    {
        for time in ["00:00", "00:30", "02:30", "23:59"] {
            let found = daily(time, zone)
                .next_times(at("2026-01-01T12:00:00Z"), None, 365)
                .expect("a valid schedule");
            let span = (found[364] - found[0]) / SECOND;
            assert_eq!(span.div_euclid(3600) / 24, 364, "{time} {zone}");
            for pair in found.windows(2) {
                let hours = (pair[1] - pair[0]) / SECOND / 3600;
                assert!((23..=25).contains(&hours), "{time} {zone}: {hours} hours after {}", pair[0]);
            }
        }
    }
}

#[test]
fn a_cron_interval_goes_on_through_a_repeated_hour() {
    let found = times(&cron("*/30 * * * *", "Europe/Berlin"), "2026-10-25T00:00:00Z", 4);
    let expected =
        ["2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"];
    assert_eq!(found, expected);
}

#[test]
fn intervals_are_even_spread_and_stable() {
    let schedule = Schedule::Interval { minutes: 5 };
    let now = at("2026-11-21T10:02:03Z");
    let mut seconds = std::collections::HashMap::new();
    for _ in 0..1000 {
        let stream = StreamId::new();
        let found = schedule.next_times(now, Some(stream), 3).expect("a valid schedule");
        assert!(found[0] > now && found[0] <= now + 300 * SECOND);
        assert_eq!((found[1] - found[0], found[2] - found[1]), (300 * SECOND, 300 * SECOND));
        assert_eq!(schedule.next_after(now, Some(stream)).expect("valid"), Some(found[0]));
        *seconds.entry(found[0]).or_insert(0) += 1;
    }
    assert!(seconds.values().all(|count| *count < 20), "a thousand streams fire in few seconds");
    assert_eq!(times(&schedule, "2026-11-21T10:05:00Z", 1), ["2026-11-21T10:10:00Z"]);
}

#[test]
fn hours_days_and_manual() {
    assert_eq!(
        times(&Schedule::Hourly { minute: 15 }, "2026-11-21T10:15:00Z", 2),
        ["2026-11-21T11:15:00Z", "2026-11-21T12:15:00Z"]
    );
    assert_eq!(times(&daily("00:00", "UTC"), "2026-11-21T23:59:59Z", 1), ["2026-11-22T00:00:00Z"]);
    assert_eq!(times(&cron("0 6 * * 1", "UTC"), "2026-11-21T00:00:00Z", 1), ["2026-11-23T06:00:00Z"]);
    assert_eq!(Schedule::Manual.next_after(DAY, None).expect("valid"), None);
    assert!(times(&Schedule::Manual, "2026-11-21T00:00:00Z", 5).is_empty());
}

#[test]
fn every_wrong_value_is_named() {
    let wrong = [
        (Schedule::Interval { minutes: 7 }, "schedule.interval.minutes"),
        (Schedule::Hourly { minute: 60 }, "schedule.hourly.minute"),
        (daily("24:00", "UTC"), "schedule.daily.time"),
        (daily("2:30", "UTC"), "schedule.daily.time"),
        (daily("02:30", "Berlin"), "schedule.daily.zone"),
        (cron("* * * *", "UTC"), "schedule.cron.expression"),
        (cron("* * * * * *", "UTC"), "schedule.cron.expression"),
        (cron("0 0 30 2 *", "UTC"), "schedule.cron.expression"),
        (cron("61 * * * *", "UTC"), "schedule.cron.expression"),
        (cron("0 0 * * *", "Mars/Base"), "schedule.cron.zone"),
    ];
    for (schedule, expected) in wrong {
        match schedule.validate() {
            Err(Error::Invalid { field, reason }) => {
                assert_eq!(field, expected);
                assert!(!reason.is_empty());
            }
            other => panic!("{schedule:?} gave {other:?}"),
        }
    }
}

#[test]
fn the_stored_form_is_the_documented_one() {
    let forms = [
        (Schedule::Manual, r#"{"kind":"manual"}"#, "only when asked"),
        (Schedule::Interval { minutes: 5 }, r#"{"kind":"interval","minutes":5}"#, "every 5 minutes"),
        (Schedule::Interval { minutes: 60 }, r#"{"kind":"interval","minutes":60}"#, "every hour"),
        (Schedule::Hourly { minute: 0 }, r#"{"kind":"hourly","minute":0}"#, "every hour at :00"),
        (
            daily("02:30", "Europe/Berlin"),
            r#"{"kind":"daily","time":"02:30","zone":"Europe/Berlin"}"#,
            "every day at 02:30 Europe/Berlin",
        ),
        (
            cron("*/5 * * * *", "UTC"),
            r#"{"kind":"cron","expression":"*/5 * * * *","zone":"UTC"}"#,
            "every 5 minutes",
        ),
        (
            cron("* * * * *", "UTC"),
            r#"{"kind":"cron","expression":"* * * * *","zone":"UTC"}"#,
            "every minute",
        ),
        (
            cron("*/7 * * * *", "UTC"),
            r#"{"kind":"cron","expression":"*/7 * * * *","zone":"UTC"}"#,
            "by the cron expression */7 * * * *, UTC",
        ),
    ];
    for (schedule, json, words) in forms {
        assert_eq!(schedule.to_json(), json);
        assert_eq!(Schedule::parse(json).expect("own output"), schedule);
        assert_eq!(schedule.words(), words);
    }
    assert!(Schedule::parse(r#"{"kind":"interval","minutes":1}"#).is_err());
}
