//! The tests, each written once for every system, and the one list of them.

pub mod cursors;
pub mod limits;
pub mod order;
pub mod places;
pub mod refusals;
pub mod slices;
pub mod values;

/// Hands the list of all tests to a macro, after what the macro is given first. A test that is written and not in the
/// list is found by `promises`.
macro_rules! every_test {
    ($to:ident! $($first:tt)*) => {
        $to! { $($first)*
            order {
                a_full_read_gives_every_row_in_order,
                an_empty_table_gives_no_batch,
                pitfall_01_rows_with_the_boundary_value_arrive,
                a_read_resumes_at_every_batch_edge,
                pitfall_02_ties_longer_than_a_page,
                pitfall_03_the_state_is_one_position,
                pitfall_04_late_rows_are_found_by_a_lookback,
                pitfall_06_nothing_new_gives_no_batch,
                pitfall_11_null_cursors_are_left_out_or_come_first,
                rows_with_a_null_key_are_not_lost,
                text_keys_order_the_same_in_every_read,
            }
            cursors {
                pitfall_05_a_lookback_has_one_unit,
                pitfall_07_the_last_digit_counts,
                every_kind_of_cursor_pages_and_resumes,
                pitfall_09_text_cursors_are_refused,
                pitfall_10_unfit_cursor_types_are_refused,
                pitfall_12_a_row_dated_far_ahead_is_left_out_by_the_upper_bound,
            }
            values {
                integers_keep_every_digit,
                pitfall_14_wide_integers_keep_every_digit,
                pitfall_14_decimals_keep_every_digit,
                floats_are_bit_exact,
                texts_are_exact,
                truth_values_days_and_times_are_exact,
                pitfall_21_the_three_nulls_are_told_apart,
                nulls_of_every_type_are_null,
                a_huge_cell_is_whole_or_cut,
            }
            slices {
                a_slice_has_count_greatest_cursor_and_exact_sums,
                decimals_are_added_up_to_the_last_digit,
                every_kind_of_cursor_has_its_slices,
                slices_of_a_missing_column_are_refused,
            }
            places {
                discover_lists_tables_by_name,
                describe_tells_columns_in_table_order,
                preview_gives_a_few_rows,
                the_newest_cursor_is_told_with_every_digit,
                the_clock_is_right,
                the_check_goes_step_by_step,
                pitfall_20_odd_names_are_kept_and_quoted,
            }
            refusals {
                a_missing_table_is_not_found,
                a_missing_column_stops_the_stream,
                a_dropped_column_is_told_by_name,
                a_cursor_of_another_kind_is_refused,
                nothing_can_be_written,
            }
            limits {
                batches_keep_to_their_bytes,
                memory_is_bounded_by_the_batch,
            }
        }
    };
}
pub(crate) use every_test;
