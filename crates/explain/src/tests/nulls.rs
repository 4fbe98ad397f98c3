//! Runs in which nothing was lost. A drop reported here is the worst failure there is.

use super::{Run, check};
use crate::story;
use record::fact::{Media, MediaSample, Sight, System};

#[test]
fn a_clean_hold_is_held() {
    let told = check(Run::standing().at(60.3).time_up(), &[]);
    assert_eq!(told.head.headline, "Held for 60.0 s; nothing dropped.");
    assert_eq!(told.head.held_s, 60.0);
}

#[test]
fn five_percent_loss_is_no_drop() {
    let mut run = Run::standing();
    for second in 1..60 {
        let sample = MediaSample { rtp_in: 47, rtp_out: 50, lost_in: 3, rtcp_in: 1, stun_in: 1, ..Default::default() };
        run = run.at(f64::from(second) + 0.4).note(Media::Sample(sample));
    }
    check(run.at(60.3).time_up(), &[]);
}

#[test]
fn jitter_up_to_300_ms_is_no_drop() {
    let mut run = Run::standing();
    for second in 1..30 {
        run = run.at(f64::from(second) * 2.0).media_stops().at(f64::from(second) * 2.0 + 0.32).media_back();
    }
    check(run.at(60.3).time_up(), &[]);
}

#[test]
fn a_clock_set_by_an_hour_either_way_is_a_finding_and_no_drop() {
    for by in [3_600, -3_600] {
        let told = check(Run::standing().at(20.0).clock_set_by(by).at(60.3).time_up(), &[]);
        assert_eq!(told.head.findings.len(), 1);
        assert_eq!(told.head.findings[0].id, "clock_stepped");
        assert_eq!(told.head.held_s, 60.0, "lengths do not come from the wall clock");
    }
}

#[test]
fn a_loss_in_which_the_clock_is_set_is_told_by_the_clock_of_the_start() {
    let lost = |by| {
        let run = Run::standing().at(20.0).media_stops().at(22.0).clock_set_by(by).at(28.0).media_back();
        story(&run.at(60.3).time_up().log())
    };
    let untouched = lost(0);
    for by in [3_600, -3_600] {
        let told = lost(by);
        let times = |story: &crate::Story| {
            story.head.drops.iter().map(|d| (d.last_good, d.first_bad, d.declared, d.restored)).collect::<Vec<_>>()
        };
        assert_eq!(times(&told), times(&untouched));
        assert!(told.rows.is_sorted_by_key(|row| row.wall), "{:?}", told.rows);
        let says = |story: &crate::Story| story.head.drops[0].says.clone();
        assert_eq!(says(&told), says(&untouched));
    }
}

#[test]
fn a_gap_of_700_ms_is_a_row_and_no_drop() {
    let told = check(Run::standing().at(20.0).media_stops().at(20.7).media_back().at(60.3).time_up(), &[]);
    assert!(told.rows.iter().any(|row| row.text == "Media again, after 0.70 s without a packet."), "{:?}", told.rows);
}

#[test]
fn a_minute_of_sleep_that_settles_by_itself_is_no_drop() {
    let run = Run::standing().at(20.0).sleeps(60.0).gap_found().at(82.0).media_back().at(100.3).time_up();
    let told = check(run, &[]);
    assert_eq!(told.head.held_s, 40.0, "asleep nothing is counted");
    assert_eq!(told.pauses.len(), 1);
    assert!(told.pauses[0].slept);
}

#[test]
fn a_socket_that_answers_again_soon_after_waking_is_no_drop() {
    let run = Run::standing().at(20.0).sleeps(60.0).at(82.5).unanswered(1, 2.4, 63.0).at(83.5).answered_again(1);
    check(run.at(100.3).time_up(), &[]);
}

#[test]
fn one_segment_sent_again_is_no_drop() {
    let run = Run::standing().at(20.0).resends(1, 1).unanswered(1, 0.9, 1.0).at(20.4).answered_again(1);
    check(run.at(60.3).time_up(), &[]);
}

#[test]
fn a_users_hang_up_is_no_drop_whatever_ends_after_it() {
    use record::fact::{CallEndedBy, End, EndedBy, Mark};
    let run = Run::standing()
        .at(30.0)
        .call_ended(CallEndedBy::Us, "")
        .far_saw(Sight::Counted { received: 1_500, lost: 0, echoed: 1_500 })
        .media_stops()
        .at(31.5)
        .closes(1, End::Fin)
        .note(Mark::Ended { by: EndedBy::User });
    let told = check(run, &[]);
    assert_eq!(told.head.headline, "Held for 29.7 s until the user ended it; nothing dropped.");
}

#[test]
fn the_far_ends_close_that_answers_ours_is_no_drop() {
    use record::fact::{EndedBy, Mark};
    let run = Run::standing().at(60.3).close_frame(1, 1000, "bye").at(60.4).note(Mark::Ended { by: EndedBy::TimeUp });
    check(run, &[]);
}

#[test]
fn a_busy_machine_whose_ticks_are_late_is_no_drop() {
    let mut run = Run::standing();
    for second in 1..20 {
        run = run.at(f64::from(second) * 3.0).stalls(0.4).note(System::Load {
            own_cpu: 3.0,
            own_mb: 20.0,
            machine_cpu: 200.0,
        });
    }
    check(run.at(60.3).time_up(), &[]);
}

#[test]
fn attempts_that_fail_before_the_call_stands_are_no_drops() {
    use record::fact::{ConnectStage, SocketPurpose, Trouble};
    let run = Run::begun()
        .at(0.1)
        .fails_to_connect(1, ConnectStage::Tcp, Trouble::Refused)
        .at(1.0)
        .connecting(2, SocketPurpose::First)
        .ready(2, "a", false)
        .at(1.2)
        .flowing()
        .at(61.2)
        .time_up();
    check(run, &[]);
}
