//! The one list of the tests, and whether every system is put through each, or says why not.

/// Which tests one system is put through.
pub struct Trials {
    /// The kind.
    pub kind: &'static str,
    /// The tests it is put through; nothing in the place of one that it is not.
    pub kept: &'static [Option<&'static str>],
    /// Those it is not, and why.
    pub omitted: &'static [(&'static str, &'static str)],
}

/// Hands the list of all tests to a macro. A test that is written and not in the list is found below.
macro_rules! every_trial {
    ($to:ident!) => {
        $to! {
            a_sync_without_a_fault_takes_every_row_and_then_nothing,
            a_sign_in_that_ends_in_mid_run_is_told,
            a_refusal_in_mid_run_is_told,
            a_rate_limit_is_waited_for,
            a_rate_limit_that_asks_for_a_short_wait_is_waited_for,
            a_rate_limit_that_asks_for_a_long_wait_is_left_to_the_scheduler,
            status_500_is_tried_again,
            status_502_is_tried_again,
            status_503_is_tried_again,
            status_504_is_tried_again,
            a_service_that_hangs_is_told,
            a_body_that_stops_in_the_middle_is_told,
            slow_bytes_are_waited_for,
            a_reset_in_mid_body_is_told,
            pitfall_16_half_a_body_is_never_taken_as_whole,
            a_truncated_gzip_is_never_taken_as_whole,
            a_length_larger_than_the_body_is_told,
            a_length_smaller_than_the_body_is_told,
            a_small_result_that_breaks_off_every_time_is_told,
            a_web_page_instead_of_data_is_told,
            a_repeated_page_gives_no_row_twice,
            a_skipped_page_loses_no_row,
            pitfall_17_a_total_that_lies_is_not_believed,
            a_result_thrown_away_between_pages_is_read_on_from_where_it_stood,
            a_bomb_does_not_fill_the_memory,
        }
    };
}
pub(crate) use every_trial;

#[test]
fn every_kind_over_http_is_put_through_every_fault_or_says_why_not() {
    let text = include_str!("suite.rs");
    let after = text.split("\npub async fn ").skip(1);
    let every: Vec<&str> =
        after.filter_map(|rest| rest.split_once("<S: System>").map(|(name, _)| name)).collect();
    assert!(every.len() > 20, "the tests are found: {every:?}");
    let mut wrong = Vec::new();
    for trials in crate::systems::ALL {
        for test in &every {
            let kept = trials.kept.contains(&Some(*test));
            let reason = trials.omitted.iter().find(|(name, _)| name == test).map(|(_, reason)| *reason);
            match (kept, reason) {
                (true, Some(_)) => wrong.push(format!("{}: {test} is named twice", trials.kind)),
                (false, None) => wrong.push(format!("{}: {test} is forgotten", trials.kind)),
                (false, Some(reason)) if reason.split_whitespace().count() < 3 => {
                    wrong.push(format!("{}: {test} is omitted for no reason", trials.kind));
                }
                _ => {}
            }
        }
        let stale = trials.omitted.iter().filter(|(name, _)| !every.contains(name));
        wrong.extend(stale.map(|(name, _)| format!("{}: there is no {name}", trials.kind)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Kinds that are not reached over HTTP have no such proxy.
    let kinds = connector::kinds::names().filter(|kind| !["postgres", "sqlite"].contains(kind));
    let missing: Vec<_> =
        kinds.filter(|kind| crate::systems::ALL.iter().all(|trials| trials.kind != *kind)).collect();
    assert!(missing.is_empty(), "no faults for {missing:?}");
}
