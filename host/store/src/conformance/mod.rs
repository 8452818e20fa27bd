//! What every engine must pass: the words of `outbox.rs` and `catalog.rs`, tried out.
//!
//! Each test gets a way to open handles on one empty store, as several processes would. Time is what a test says.

pub(crate) mod accepting;
pub(crate) mod catalog;
pub(crate) mod fairness;
pub(crate) mod following;
pub(crate) mod forgetting;
pub(crate) mod leasing;
pub(crate) mod redriving;
mod rig;
pub(crate) mod settling;
pub(crate) mod showing;
pub(crate) mod standing;
pub(crate) mod times;

/// Makes a test of each promise in `$within`; `$open` gives a way to open handles on a new, empty store.
macro_rules! every_promise {
    ($open:path, $within:path: $($area:ident { $($promise:ident)* })*) => {
        $(
            mod $area {
                use $within as within;

                $(
                    #[tokio::test]
                    async fn $promise() {
                        let (open, _kept) = $open();
                        within::$area::$promise(open).await;
                    }
                )*
            }
        )*
    };
}

/// The promises of the outbox by name, in the order of the contract.
macro_rules! conformance {
    ($open:path) => {
        crate::conformance::every_promise! { $open, crate::conformance:
            accepting {
                accepting_twice_makes_nothing_new
                an_id_means_one_content
                a_refused_call_keeps_nothing
                what_was_accepted_comes_back_as_it_was
                many_callers_at_once_lose_nothing
            }
            leasing {
                a_delivery_has_one_holder
                a_dead_process_loses_its_lease
                a_channel_gives_no_more_than_its_pace
                an_ordered_channel_gives_one_after_the_other
                order_can_be_switched_on_and_off
                a_held_channel_gives_nothing_and_loses_nothing
                next_at_says_when_to_come_back
                ready_tells_of_what_was_accepted
            }
            fairness {
                tenants_take_turns
                channels_of_a_tenant_take_turns
                a_tenant_gets_no_more_than_its_permits
                first_tries_come_before_later_ones
                later_tries_do_not_starve
                reserved_permits_take_first_tries_only
            }
            settling {
                settling_twice_does_it_once
                a_lost_lease_changes_nothing
                a_lease_that_ran_out_still_counts_until_another_has_it
                a_retry_waits_for_its_time
                waiting_for_a_limit_uses_up_no_attempt
                waiting_ends_with_the_settlement
                waiting_ends_with_its_limit
            }
            redriving {
                a_dead_letter_keeps_its_attempts_and_its_last_error
                a_filter_redrives_what_it_means
                many_are_redriven_in_steps
                cancelling_makes_a_dead_letter
                a_running_try_ends_before_it_is_cancelled
                a_cancelled_delivery_whose_holder_died_is_dead
            }
            times {
                a_clock_that_jumps_ahead_lets_leases_run_out
                a_clock_that_jumps_back_keeps_the_length_of_waits
                a_first_try_never_waits_for_a_clock
            }
            forgetting {
                old_deliveries_go_and_the_others_stay
                what_is_due_is_never_forgotten
                a_notification_stays_as_long_as_one_of_its_deliveries
            }
            showing {
                pages_are_complete_and_newest_first
                a_tenant_sees_its_own
            }
            standing {
                failures_in_a_row_end_with_a_delivery
                only_tries_that_failed_count
                a_channel_says_what_it_has
                a_tenant_sees_the_state_of_its_own
                tries_are_counted_for_a_day
                totals_are_over_all_tenants
            }
            following {
                every_try_is_seen_once_and_in_order
                who_follows_is_not_confused_by_forgetting
            }
        }
    };
}

/// Those of the catalog.
macro_rules! catalog_conformance {
    ($open:path) => {
        crate::conformance::every_promise! { $open, crate::conformance::catalog:
            tenants {
                making_a_tenant_twice_makes_one
                tenants_are_listed_by_name
                a_tenant_that_deliveries_named_can_be_made
                nobody_knows_a_tenant_that_was_not_made
                a_tenant_finds_nothing_of_another
            }
            tokens {
                a_token_is_found_by_its_hash_with_its_tenant
                tokens_are_listed_newest_first_and_apart
                a_name_is_free_again_when_its_token_is_revoked
                revoking_twice_keeps_the_first_moment
            }
            channels {
                a_channel_comes_back_as_it_was_saved
                channels_are_listed_by_name
                a_save_keeps_the_id_and_the_previous_revision
                a_save_that_is_behind_changes_nothing
                of_many_saves_at_once_one_is_done
                ten_earlier_revisions_are_kept
                a_tenant_has_so_many_channels_and_no_more
                enabling_makes_no_revision_and_says_who
                a_channel_in_use_is_not_deleted
                what_comes_for_a_deleted_channel_does_not_wait_for_ever
                uses_of_a_plugin_are_counted_over_all_tenants
                a_save_whose_future_was_dropped_is_whole_or_not_there
            }
            stopping {
                a_disabled_channel_gives_nothing_and_loses_nothing
                a_lease_of_a_disabled_channel_that_runs_out_waits
                a_suspended_tenant_gives_nothing_and_loses_nothing
                both_must_be_willing
                enabling_and_resuming_wake_who_waits_for_work
                pace_and_order_follow_the_policy
                a_save_can_enable_and_disable
                enabling_forgets_the_failures_in_a_row
            }
            keys {
                a_key_means_one_request
                a_key_is_kept_for_a_day
                of_many_at_once_one_has_the_key
                the_key_check_is_the_one_that_was_set
                every_sealed_secret_has_a_place
                a_secret_is_resealed_if_nobody_was_quicker
                a_place_is_never_given_twice
            }
            auditing {
                every_change_is_recorded_with_who_and_when
                what_changes_nothing_is_not_recorded
                an_entry_names_what_changed_and_no_value
                other_deeds_can_be_added
                the_log_is_read_in_pages_newest_first
            }
        }
    };
}

pub(crate) use {catalog_conformance, conformance, every_promise};
