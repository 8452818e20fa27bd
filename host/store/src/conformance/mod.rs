//! What every engine must pass: the words of `outbox.rs`, tried out.
//!
//! Each test gets a way to open handles on one empty outbox, as several processes would. Time is what a test says.

pub(crate) mod accepting;
pub(crate) mod fairness;
pub(crate) mod forgetting;
pub(crate) mod leasing;
pub(crate) mod redriving;
mod rig;
pub(crate) mod settling;
pub(crate) mod showing;
pub(crate) mod times;

/// Makes a test of each promise; `$open` gives a way to open handles on a new, empty outbox.
macro_rules! every_promise {
    ($open:path: $($area:ident { $($promise:ident)* })*) => {
        $(
            mod $area {
                $(
                    #[tokio::test]
                    async fn $promise() {
                        let (open, _kept) = $open();
                        crate::conformance::$area::$promise(open).await;
                    }
                )*
            }
        )*
    };
}

/// The promises by name, in the order of the contract.
macro_rules! conformance {
    ($open:path) => {
        crate::conformance::every_promise! { $open:
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
                a_tenant_without_permits_is_passed_over
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
        }
    };
}

pub(crate) use {conformance, every_promise};
