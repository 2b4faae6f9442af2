//! Tests of the rules: each planted fault is detected by the rules listed with it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed set-up fails the test")]

mod commit;
mod store;

use std::panic;
use std::path::Path;
use std::sync::Arc;

use symbolon::TokenStore;
use symbolon_conformance::{RULES, StoreFactory, rules};

use store::Faulty;

/// Defines one variant and one test for each fault.
macro_rules! faults {
    ($($fault:ident $test:ident: $($rule:ident)+;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Fault {
            None,
            $($fault,)*
        }

        /// Every fault with the rules that detect it.
        const TABLE: &[(Fault, &[Named])] = &[
            $((Fault::$fault, &[$((stringify!($rule), rules::$rule),)+]),)*
        ];

        $(
            #[test]
            fn $test() {
                found(Fault::$fault);
            }
        )*
    };
}

faults! {
    NothingCompared nothing_is_compared:
        an_insert_over_a_record_conflicts concurrent_increments_lose_nothing;
    OlderIsTaken older_revisions_are_accepted: a_replacement_of_another_revision_conflicts;
    InsertReplaces an_insert_replaces_a_record: an_insert_over_a_record_conflicts;
    ComparedBeforeTheLock revisions_are_compared_before_locking:
        concurrent_increments_lose_nothing;
    GuardIgnored guards_are_ignored: a_guard_of_another_revision_conflicts;
    GuardOfAbsencePasses a_guard_of_absence_passes: a_guard_of_absence_passes_only_then;
    GuardWrites guards_write: a_guard_writes_nothing;
    GuardGivesUp guards_release_unique_keys: a_guarded_record_holds_its_unique_key;
    GuardsTakeRevision guards_take_a_revision: guards_alone_take_no_revision;
    PurgeNotCompared purges_are_not_compared: a_purge_of_another_revision_conflicts;
    PurgeTakesNoRevision purges_take_no_revision: revisions_grow the_head_never_falls;
    NoFloor purges_raise_no_floor: the_floor_is_the_newest_purge;
    EveryCommitRaisesFloor every_commit_raises_the_floor: the_floor_is_the_newest_purge;
    HeadOfRecords the_head_falls: the_head_never_falls;
    RevisionAWrite each_write_has_its_own_revision: a_commit_has_one_revision;
    UniqueNotChecked unique_keys_are_not_checked:
        a_taken_unique_key_is_refused one_creator_of_a_unique_key_wins;
    UniqueOverKinds unique_keys_span_kinds: a_unique_key_is_unique_within_its_kind;
    UniqueKeysFolded unique_keys_are_folded: unique_keys_are_compared_whole;
    EmptyUniqueKeyIsNone an_empty_unique_key_is_none: a_record_comes_back_byte_for_byte;
    NothingGivenUp no_unique_key_is_released: unique_keys_can_be_exchanged;
    ReplacementGivesNothingUp replacements_release_no_unique_key:
        a_unique_key_given_up_in_the_same_commit_is_free;
    UniqueKeyOutlivesReplacement a_unique_key_outlives_a_replacement:
        a_unique_key_given_up_earlier_is_free replaced_records_are_not_found;
    TakenKeyIsFreed a_reused_unique_key_is_released:
        a_unique_key_given_up_in_the_same_commit_is_free;
    UniqueKeyOutlivesPurge a_unique_key_outlives_a_purge: a_unique_key_given_up_earlier_is_free;
    HalfIsLeft a_refused_commit_is_partly_written:
        a_conflict_anywhere_leaves_nothing a_duplicate_anywhere_leaves_nothing;
    NoPlaceNamed the_failing_write_is_not_named: the_first_failing_write_is_named;
    DuplicatesFirst duplicates_are_reported_first: conflicts_are_reported_before_duplicates;
    ColumnsNotReplaced columns_are_not_replaced: a_replacement_replaces_everything;
    BytesEndAtZero trailing_zero_bytes_are_dropped: a_record_comes_back_byte_for_byte;
    IdsOf63Bits ids_have_63_bits: every_id_is_kept;
    PageTooLong a_page_is_too_long: pages_of_every_size_cover_everything;
    PageTooShort a_page_omits_a_record: pages_of_every_size_cover_everything;
    EveryPageEnds every_page_has_an_end: pages_of_every_size_cover_everything;
    ScanNewOnly a_page_ends_with_its_commit: pages_of_every_size_cover_everything;
    ScanByKey a_scan_continues_by_key: a_record_rewritten_between_pages_is_scanned;
    EpochOfScan each_scan_has_another_epoch: the_epoch_stays;
    OneEpoch all_stores_have_one_epoch: every_store_has_its_own_epoch;
    FindIgnoresOrigin a_filter_is_ignored: finding_equals_scanning;
    FindIgnoresAfter after_is_ignored: found_pages_cover_everything;
    FindIgnoresLimit the_limit_of_a_query_is_ignored: found_pages_cover_everything;
    FindCapped the_number_of_results_is_capped: any_number_of_records_is_found;
    FindOrdersSigned ids_are_ordered_signed: found_records_are_ordered_by_id;
    UseLowers an_earlier_use_replaces_a_later_one: the_latest_use_wins;
    UseIsWrite a_use_takes_a_revision: a_use_is_no_commit;
    UseOfNothingFails a_use_of_nothing_fails: a_use_of_an_absent_record_is_ignored;
    UsesCapped the_number_of_uses_is_capped: any_number_of_uses_is_recorded;
    ReplacementForgetsUse a_replacement_forgets_the_use: the_last_use_stays_with_a_replacement;
    WaitOversleeps a_wait_oversleeps: a_wait_without_writes_times_out;
    WaitLies a_wait_does_not_wait: a_wait_without_writes_times_out;
    Unlimited limits_are_not_enforced: a_record_too_large_is_refused;
    WritesUnlimited writes_are_not_counted: a_commit_of_too_many_writes_is_refused;
    CommitSizeUnlimited bytes_are_not_counted: a_commit_of_too_many_bytes_is_refused;
    SeenByHalves partial_commits_are_visible: a_page_is_one_snapshot;
    LateReads reads_are_stale: a_read_sees_every_commit_that_returned;
    FindIsLate an_index_is_stale:
        replaced_records_are_not_found a_read_sees_every_commit_that_returned;
    RevisionsRepeat revisions_repeat:
        revisions_grow concurrent_commits_have_distinct_revisions;
    PurgesLost purges_are_lost: a_purged_record_is_absent;
    RefusedIsWritten refused_commits_are_written:
        a_conflict_anywhere_leaves_nothing a_duplicate_anywhere_leaves_nothing
        a_record_too_large_anywhere_leaves_nothing;
    LimitsLast limits_are_checked_last: limits_are_reported_before_conflicts;
    UniqueKeysUnlimited unique_keys_are_of_any_length: a_unique_key_too_long_is_refused;
    ScanOrderedByKey a_scan_is_ordered_by_key_but_not_its_cursor:
        pages_of_every_size_cover_everything;
    EndOfAnotherSnapshot a_page_mixes_two_snapshots: a_page_is_one_snapshot;
    UsesLost uses_are_lost: the_latest_use_wins;
    UseWakes a_use_wakes_a_waiter: a_use_wakes_no_waiter;
    RenewalKeepsEpoch a_renewal_keeps_the_epoch: a_renewed_store_has_another_epoch;
    RenewalTellsAnother a_renewal_returns_the_old_epoch: a_renewed_store_has_another_epoch;
    RenewalCounts a_renewal_increments_the_epoch: a_renewed_epoch_is_random;
    RenewalForgetsRecords a_renewal_forgets_records: a_renewal_keeps_everything;
    RenewalForgetsUses a_renewal_forgets_uses: a_renewal_keeps_everything;
    RenewalForgetsNames a_renewal_forgets_unique_keys: a_renewal_keeps_expected_revisions;
    RenewalResetsHead a_renewal_resets_the_head: a_renewal_keeps_everything;
    RenewalResetsFloor a_renewal_resets_the_floor: a_renewal_keeps_everything;
    RenewalTakesRevision a_renewal_takes_a_revision: a_renewal_keeps_everything;
    RenewalWritesBack a_renewal_overwrites_concurrent_commits:
        concurrent_renewals_and_commits_lose_nothing;
    RenewalWakesNoWaiter a_renewal_wakes_no_waiter: a_wait_is_woken_by_a_renewal_as_by_a_commit;
    CursorsEndWithRenewal cursors_end_with_a_renewal: a_cursor_goes_on_after_a_renewal;
}

type Named = (&'static str, fn(StoreFactory<'_>));

/// Prints with `--nocapture` which rules detect which fault.
#[test]
fn every_planted_fault_breaks_its_rule() {
    println!("| planted fault | rules that detect it |\n|---|---|");
    for (fault, rules) in TABLE {
        let names: Vec<String> = rules.iter().map(|(name, _)| format!("`{name}`")).collect();
        println!("| {fault:?} | {} |", names.join(", "));
        assert!(RULES.iter().any(|rule| rule.name == rules[0].0), "{fault:?}");
    }
    println!("{} faults", TABLE.len());
}

fn found(fault: Fault) {
    let (_, rules) = TABLE.iter().find(|(one, _)| *one == fault).unwrap();
    for (name, rule) in *rules {
        assert!(breaks(fault, *rule), "{name} does not detect it");
    }
}

/// The store without a fault keeps every rule, so each broken rule is due to the planted fault.
#[test]
fn the_faultless_store_keeps_all_rules() {
    for rule in RULES {
        assert!(!breaks(Fault::None, rule.check), "{}", rule.name);
    }
}

fn breaks(fault: Fault, check: fn(StoreFactory<'_>)) -> bool {
    let open = move |_: &Path| -> Arc<dyn TokenStore> { Arc::new(Faulty::new(fault)) };
    panic::catch_unwind(|| check(StoreFactory::new(&open))).is_err()
}
