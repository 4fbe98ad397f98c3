//! `slept` and `app_stalled`.

use super::{Run, check};
use record::fact::{ControlKind::FarTcp, End, Side};

#[test]
fn what_must_be_rebuilt_after_sleep_is_a_drop_that_slept() {
    let run = Run::standing()
        .at(20.0)
        .sleeps(60.0)
        .gap_found()
        .at(81.0)
        .closes_after(1, End::Reset, 62.0)
        .at(82.0)
        .reconnected(2, "a", true)
        .at(83.0)
        .ice_restarted()
        .at(100.0)
        .time_up();
    let told = check(
        run,
        &[
            "media slept this_computer shown: The computer was asleep for 60.0 s, from 10:00:20 UTC to 10:01:20 UTC; after waking media had to be built anew.",
            "signaling slept this_computer shown: The computer was asleep for 60.0 s, from 10:00:20 UTC to 10:01:20 UTC; after waking the signaling connection had to be built anew.",
        ],
    );
    assert_eq!(told.head.drops[1].recovery.attempts, 1);
}

#[test]
fn media_that_returns_more_than_five_seconds_after_waking_is_a_drop() {
    let run = Run::standing().at(20.0).sleeps(60.0).gap_found().at(86.0).media_back().at(100.0).time_up();
    check(
        run,
        &[
            "media slept this_computer shown: The computer was asleep for 60.0 s, from 10:00:20 UTC to 10:01:20 UTC; media went on by itself, but only 6.00 s after waking.",
        ],
    );
}

#[test]
fn what_sleep_broke_is_said_as_it_went_on() {
    let slept = || Run::standing().asking(&[FarTcp]).at(20.0).sleeps(60.0).gap_found();
    let says = |run: Run, then: &str| {
        let asleep = "The computer was asleep for 60.0 s, from 10:00:20 UTC to 10:01:20 UTC;";
        check(run.at(120.0).time_up(), &[&format!("media slept this_computer shown: {asleep} {then}.")])
    };
    let reached = ", while the far end over new TCP connections answered";
    says(slept().at(86.0).media_back(), &format!("media went on by itself, but only 6.00 s after waking{reached}"));
    says(slept().at(82.0).ice_restarted(), &format!("after waking media had to be built anew{reached}"));
    says(slept().at(86.0).flowing(), &format!("after waking media had to be built anew{reached}"));
    says(slept(), &format!("media did not come back after waking{reached}"));
    // Nobody answered for a time after waking: nothing is said for the network.
    let silent = slept().control_silent(&[FarTcp]).at(95.0).control_back(&[FarTcp]).media_back();
    let told = says(silent, "media went on by itself, but only 15.0 s after waking");
    assert!(told.head.drops[0].because.iter().all(|because| !because.says.contains("the network was there")));
}

#[test]
fn a_loss_long_after_waking_is_not_blamed_on_sleep() {
    let run = Run::standing().at(20.0).sleeps(60.0).at(200.0).closes(1, End::Reset).at(201.0).reconnected(2, "a", true);
    check(
        run.at(220.0).time_up(),
        &[
            "signaling connection_reset internet_path likely: The signaling connection ended with a TCP RST at 10:03:20.00 UTC, 0.50 s after its last byte; whether the service or a device between sent it is not known.",
        ],
    );
}

#[test]
fn a_stopped_process_is_a_drop_of_its_own_making() {
    let run = Run::standing().at(20.0).stalls(5.0).gap_found().media_back().at(60.3).time_up();
    let told = check(
        run,
        &[
            "media app_stalled this_computer shown: This program did not run for 5.00 s, from 10:00:20.00 UTC to 10:00:25.00 UTC, while the computer was awake; nothing was received because nobody received it.",
        ],
    );
    assert_eq!(told.head.drops[0].last_good.millis(), "2026-11-21T10:00:20.000Z");
}

#[test]
fn a_short_stall_in_a_long_loss_does_not_explain_it() {
    let run = Run::standing().at(20.0).stalls(0.6).gap_found().at(32.0).media_back().at(60.3).time_up();
    check(
        run,
        &[
            "media not_proven not_proven not_proven: Media stopped arriving after 10:00:20.00 UTC while signaling went on; it was back 12.0 s after the first sign of its loss.",
        ],
    );
}

#[test]
fn a_service_that_gives_up_a_stopped_client_is_not_to_blame() {
    let idle = End::CloseFrame { by: Side::Them, code: Some(1001), reason: "idle".into() };
    let run = Run::standing().at(20.0).stalls(70.0).closes_after(1, idle, 70.0).at(91.0).reconnected(2, "a", true);
    check(
        run.at(100.0).time_up(),
        &[
            "signaling app_stalled this_computer shown: This program did not run for 70.0 s, from 10:00:20.00 UTC to 10:01:30.00 UTC, while the computer was awake; nothing was received because nobody received it.",
        ],
    );
}
