//! The lists of all rules: the only place that names them.
//!
//! A rule that is in no list is unreachable and does not compile.

/// Passes the list of all rules to the macro `$callback`.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_rule {
    ($callback:path, $arguments:tt) => {
        $callback! { $arguments
            reading {
                reading_an_absent_record_returns_none,
                a_record_comes_back_byte_for_byte,
                columns_come_back,
                every_id_is_kept,
                every_kind_is_kept,
                the_largest_record_fits,
                a_replacement_replaces_everything,
            }
            expectations {
                an_insert_over_a_record_conflicts,
                a_replacement_of_another_revision_conflicts,
                a_replacement_of_an_absent_record_conflicts,
                a_guard_of_another_revision_conflicts,
                a_guard_of_absence_passes_only_then,
                a_purge_of_another_revision_conflicts,
                a_purged_record_is_absent,
            }
            atomicity {
                a_conflict_anywhere_leaves_nothing,
                a_duplicate_anywhere_leaves_nothing,
                a_record_too_large_anywhere_leaves_nothing,
                the_first_failing_write_is_named,
                conflicts_are_reported_before_duplicates,
                limits_are_reported_before_conflicts,
                a_refused_commit_gives_no_unique_key_up,
            }
            unique {
                a_taken_unique_key_is_refused,
                a_unique_key_is_unique_within_its_kind,
                unique_keys_are_compared_whole,
                a_replacement_may_keep_its_unique_key,
                a_unique_key_given_up_in_the_same_commit_is_free,
                unique_keys_can_be_exchanged,
                a_unique_key_given_up_earlier_is_free,
                a_unique_key_twice_in_a_commit_is_refused,
                a_guarded_record_holds_its_unique_key,
            }
            revisions {
                revisions_grow,
                a_commit_has_one_revision,
                guards_alone_take_no_revision,
                a_guard_writes_nothing,
                the_head_is_the_newest_commit,
                the_head_never_falls,
                the_floor_is_the_newest_purge,
                the_epoch_stays,
                every_store_has_its_own_epoch,
            }
            renewing {
                a_renewed_store_has_another_epoch,
                a_renewed_epoch_is_random,
                a_renewal_keeps_everything,
                a_renewal_keeps_expected_revisions,
                a_cursor_goes_on_after_a_renewal,
                a_wait_is_woken_by_a_renewal_as_by_a_commit,
                concurrent_renewals_and_commits_lose_nothing,
            }
            scanning {
                a_scan_of_nothing_ends,
                a_scan_meets_every_record_once,
                pages_of_every_size_cover_everything,
                a_scan_continues_with_later_writes,
                the_cursor_of_an_empty_scan_sees_later_writes,
                a_cursor_can_be_used_again,
                a_record_rewritten_between_pages_is_scanned,
                a_record_inserted_between_pages_is_scanned,
                a_purge_between_pages_hides_nothing_else,
                a_purge_raises_the_floor,
            }
            finding {
                finding_equals_scanning,
                found_records_are_ordered_by_id,
                found_pages_cover_everything,
                any_number_of_records_is_found,
                replaced_records_are_not_found,
                a_column_that_is_not_set_matches_nothing,
            }
            last_used {
                the_latest_use_wins,
                the_last_use_is_read_everywhere,
                a_use_is_no_commit,
                a_use_wakes_no_waiter,
                a_use_of_an_absent_record_is_ignored,
                any_number_of_uses_is_recorded,
                the_last_use_stays_with_a_replacement,
                the_last_use_ends_with_a_purge,
            }
            waiting {
                a_wait_without_writes_times_out,
                a_wait_for_existing_records_returns_in_time,
                a_write_during_a_wait_is_seen_afterwards,
            }
            limits {
                limits_let_every_record_through,
                a_commit_of_the_most_writes_is_taken,
                a_commit_of_too_many_writes_is_refused,
                a_commit_of_too_many_bytes_is_refused,
                a_record_too_large_is_refused,
                a_unique_key_too_long_is_refused,
            }
            concurrency {
                concurrent_increments_lose_nothing,
                one_creator_of_a_unique_key_wins,
                one_creator_of_a_record_wins,
                concurrent_commits_have_distinct_revisions,
                a_read_sees_every_commit_that_returned,
                a_page_is_one_snapshot,
                a_scan_during_writes_loses_nothing,
            }
            walking {
                a_random_walk_agrees_with_memory,
            }
        }
    };
}

/// Passes the list of the rules for stores on disk to the macro `$callback`.
#[doc(hidden)]
#[macro_export]
macro_rules! __for_each_durability_rule {
    ($callback:path, $arguments:tt) => {
        $callback! { $arguments
            durability {
                reopening_keeps_everything,
                reopening_keeps_head_and_floor,
                reopening_keeps_an_empty_store,
                reopening_keeps_expected_revisions,
                reopening_keeps_cursors,
                reopening_keeps_a_renewed_epoch,
            }
            walking {
                a_random_walk_with_reopening_agrees_with_memory,
            }
        }
    };
}
