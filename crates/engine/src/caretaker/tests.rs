//! Each test is a short story told in facts, and the moves it must bring.

use super::*;
use record::fact::{ConnectStage, IceState, MediaSample, Plan, Side, Trouble};
use record::profile::RecoveryPolicy;

fn plan() -> Plan {
    Plan {
        name: "".into(),
        kind: "reflector".into(),
        to: "".into(),
        self_test: false,
        planned_s: 60.0,
        heartbeat: None,
        silence: Silence::Frames,
        ice_policy: IcePolicy::All,
        recovery: RecoveryPolicy::Patient,
        beside: None,
        token_ends: None,
        credentials_end: vec![],
    }
}

struct Story {
    caretaker: Caretaker,
    seq: Seq,
    now: Stamp,
    conn: u32,
    seen: Vec<String>,
}

impl Story {
    fn new(policy: RecoveryPolicy) -> Self {
        let now = Stamp::new(1_795_255_200_000_000, 1_000_000_000, 1_000_000_000);
        Self { caretaker: Caretaker::new(policy.into(), 7), seq: 0, now, conn: 0, seen: vec![] }
    }
    /// A call that stands.
    fn held(policy: RecoveryPolicy) -> Self {
        let mut story = Self::new(policy);
        story.connecting().ready(false);
        let first = story.now;
        story.fact(Media::Flowing { first });
        story
    }
    fn fact(&mut self, fact: impl Into<Fact>) -> &mut Self {
        self.seq += 1;
        self.caretaker.observe(&Event { seq: self.seq, at: self.now, fact: fact.into() });
        self.drain();
        self
    }
    fn connecting(&mut self) -> &mut Self {
        self.conn += 1;
        let (conn, purpose) = (self.conn, SocketPurpose::Resume);
        self.fact(Signaling::Connecting { conn, to: "".into(), purpose, proxy: None })
    }
    fn failed(&mut self, trouble: Trouble) -> &mut Self {
        let (conn, stage) = (self.conn, ConnectStage::Tcp);
        self.fact(Signaling::ConnectFailed { conn, stage, trouble, took_ms: 1.0 })
    }
    fn refused(&mut self, kind: RefusalKind) -> &mut Self {
        let conn = self.conn;
        self.fact(Signaling::Refused { conn, kind, code: "".into(), says: "".into() })
    }
    fn ready(&mut self, resumed: bool) -> &mut Self {
        let conn = self.conn;
        self.fact(Signaling::Ready { conn, session: None, instance: None, resumed })
    }
    fn gap(&mut self) -> &mut Self {
        let last = self.now.minus(Duration::from_millis(300));
        self.fact(Media::Gap { last })
    }
    fn closed(&mut self, end: End) -> &mut Self {
        let at = self.now;
        let conn = self.conn;
        self.fact(Signaling::Closed { conn, end, last_in: at, last_out: at, tcp: None })
    }
    fn pong(&mut self) -> &mut Self {
        self.fact(Signaling::HeartbeatAnswered { conn: 1, rtt_ms: 20.0 })
    }
    /// Time passes in steps of 100 ms, as the session polls.
    fn after(&mut self, seconds: f64) -> &mut Self {
        for _ in 0..(seconds * 10.0).round() as u32 {
            self.now = self.now.plus(Duration::from_millis(100));
            self.drain();
        }
        self
    }
    fn drain(&mut self) {
        for _ in 0..100 {
            match self.caretaker.poll(self.now) {
                None => return,
                Some(Order::Begin { step, .. }) => self.seen.push(match step {
                    Move::Reconnect { attempt, .. } => format!("reconnect {attempt}"),
                    other => format!("{other:?}"),
                }),
                Some(Order::Note(Action::Ended { outcome, .. })) => {
                    self.seen.push(format!("{outcome:?}").split(' ').next().unwrap_or_default().to_owned());
                }
                Some(Order::Note(Action::GaveUp { .. })) => self.seen.push("gave up".into()),
                Some(Order::Note(Action::Began { .. })) => {}
                Some(Order::End(by)) => self.seen.push(format!("end {by:?}")),
            }
        }
        panic!("the caretaker never stops asking");
    }
    fn saw(&self, expected: &[&str]) {
        assert_eq!(self.seen, expected);
    }
}

#[test]
fn a_healthy_call_is_left_alone() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    for _ in 0..20 {
        story.pong().fact(Media::Sample(MediaSample { rtp_in: 50, stun_in: 1, ..MediaSample::default() })).after(5.0);
    }
    story.saw(&[]);
}

#[test]
fn media_lost_while_signaling_lives_brings_an_ice_restart_and_rtp_decides() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().after(0.1).pong();
    story.saw(&["ProbeSignaling", "Worked"]);
    story.after(2.0);
    story.saw(&["ProbeSignaling", "Worked", "RestartIce"]);
    story.caretaker.restart_answered();
    let at = story.now;
    story.fact(Media::Back { last: at, first: at });
    story.saw(&["ProbeSignaling", "Worked", "RestartIce", "Worked"]);
}

#[test]
fn media_that_comes_back_before_the_restart_is_answered_was_not_mended_by_it() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().pong().after(2.0);
    let at = story.now;
    story.fact(Media::Back { last: at, first: at });
    story.saw(&["ProbeSignaling", "Worked", "RestartIce", "NotNeeded"]);
}

#[test]
fn when_both_are_silent_nothing_is_thrown_away() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().after(8.0);
    story.saw(&["ProbeSignaling", "Failed"]);
    // The path comes back: RTP by itself, at once.
    let at = story.now;
    story.fact(Media::Back { last: at, first: at }).pong().after(5.0);
    story.saw(&["ProbeSignaling", "Failed"]);
}

#[test]
fn when_both_come_back_together_rtp_gets_a_moment_before_the_path_is_thrown_away() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().after(8.0).pong().after(0.2);
    let at = story.now;
    story.fact(Media::Back { last: at, first: at }).after(5.0);
    story.saw(&["ProbeSignaling", "Failed"]);

    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().after(8.0).pong().after(0.6);
    story.saw(&["ProbeSignaling", "Failed", "RestartIce"]);
}

#[test]
fn a_dead_socket_is_replaced_and_ice_is_not_touched() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.closed(End::Reset);
    story.saw(&["reconnect 1"]);
    story.connecting().failed(Trouble::Refused).connecting().ready(true).after(60.0);
    story.saw(&["reconnect 1", "Failed", "reconnect 2", "Worked"]);
}

#[test]
fn a_service_that_forgot_the_call_gets_a_new_one() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.closed(End::Fin).gap();
    assert_eq!(story.caretaker.purpose(), SocketPurpose::Resume);
    story.connecting().refused(RefusalKind::NoSuchCall);
    story.ready(false).after(0.5);
    story.saw(&["reconnect 1", "Worked", "NewCall"]);
    let first = story.now;
    story.fact(Media::Flowing { first });
    story.saw(&["reconnect 1", "Worked", "NewCall", "Worked"]);
}

#[test]
fn a_far_end_that_hangs_up_again_and_again_is_called_ever_more_slowly() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    let ended = || Signaling::CallEnded { conn: 1, by: CallEndedBy::FarEnd, code: None, says: "".into() };
    for _ in 0..30 {
        story.fact(ended()).after(1.0);
    }
    let calls = story.seen.iter().filter(|s| *s == "NewCall").count();
    assert!((2..=8).contains(&calls), "{:?}", story.seen);
}

#[test]
fn a_new_call_without_rtp_is_tried_again() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.fact(Ice::StackDied { says: "".into() }).after(30.0);
    assert_eq!(story.seen.iter().filter(|s| *s == "NewCall").count(), 2, "{:?}", story.seen);
}

#[test]
fn restarts_that_bring_nothing_end_in_a_new_call() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().pong().after(100.0);
    assert_eq!(story.seen.iter().filter(|s| *s == "RestartIce").count(), 4, "{:?}", story.seen);
    assert!(story.seen.contains(&"NewCall".to_owned()), "{:?}", story.seen);
}

#[test]
fn a_relay_refused_to_a_call_that_needs_one_brings_a_new_call_and_its_credentials() {
    let gathered = |policy, refused: bool, found: bool| {
        let mut story = Story::new(RecoveryPolicy::Patient);
        story.fact(Mark::Started(Box::new(Plan { ice_policy: policy, ..plan() }))).connecting().ready(false);
        let first = story.now;
        story.fact(Media::Flowing { first }).gap().pong().after(2.0);
        let server: record::Heard = "turn:relay.example:3478".into();
        if refused {
            let (request, says) = (TurnRequest::Allocate, "Unauthorized".into());
            story.fact(Ice::TurnRefused { server: server.clone(), request, code: 401, says });
        }
        if found {
            let address = "192.0.2.1:50000".into();
            story.fact(Ice::LocalCandidate { kind: CandidateKind::Relay, address, relay_by: Some(server) });
        }
        story.fact(Ice::GatheringDone { took_ms: 4.0 }).after(3.0);
        story.seen[3..].join(" ")
    };
    assert_eq!(gathered(IcePolicy::Relay, true, false), "Failed NewCall");
    assert_eq!(gathered(IcePolicy::Relay, true, true), "", "another server gave one");
    assert_eq!(gathered(IcePolicy::Relay, false, false), "", "a server that does not answer may come back");
    assert_eq!(gathered(IcePolicy::All, true, false), "", "there are other ways");
}

#[test]
fn ice_failed_brings_the_restart_at_once() {
    let mut story = Story::held(RecoveryPolicy::AsTelnyx);
    story.gap().pong().fact(Ice::State { state: IceState::Failed });
    story.saw(&["ProbeSignaling", "Worked", "RestartIce"]);
}

#[test]
fn refused_logins_are_not_repeated_for_ever() {
    let closed = || End::CloseFrame { by: Side::Them, code: Some(1008), reason: "".into() };
    let mut story = Story::new(RecoveryPolicy::Patient);
    story.connecting().refused(RefusalKind::Auth).closed(closed());
    story.saw(&["end NotEstablished"]);

    let mut story = Story::held(RecoveryPolicy::Patient);
    story.closed(End::Fin);
    for _ in 0..3 {
        story.connecting().refused(RefusalKind::Auth).closed(closed());
    }
    assert_eq!(story.seen.last().map(String::as_str), Some("end GaveUp"), "{:?}", story.seen);
}

#[test]
fn a_greeting_that_is_refused_on_an_open_socket_is_a_failed_attempt_and_is_tried_again() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.closed(End::Reset).connecting().refused(RefusalKind::Other);
    story.saw(&["reconnect 1", "Failed", "reconnect 2"]);
    // Our own end of that socket, and whatever else is told of it, changes nothing.
    story.closed(End::CloseFrame { by: Side::Us, code: Some(1002), reason: "".into() }).closed(End::Fin);
    story.connecting().ready(true);
    story.saw(&["reconnect 1", "Failed", "reconnect 2", "Worked"]);
}

#[test]
fn a_service_that_accepts_and_drops_us_is_called_ever_more_slowly() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    for _ in 0..6 {
        story.closed(End::Fin).connecting().ready(true).after(1.0);
    }
    assert!(story.seen.contains(&"reconnect 6".to_owned()), "{:?}", story.seen);
    story.after(30.0).closed(End::Fin);
    assert_eq!(story.seen.last().map(String::as_str), Some("reconnect 1"), "after half a minute all is forgiven");
}

#[test]
fn the_last_gap_of_a_call_that_is_lost_does_not_restart_the_next_one() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.fact(Signaling::CallEnded { conn: 1, by: CallEndedBy::Service, code: None, says: "".into() });
    story.closed(End::Fin).gap().after(0.5).connecting().ready(false).after(10.0);
    assert!(!story.seen.contains(&"RestartIce".to_owned()), "{:?}", story.seen);
    assert_eq!(story.seen.iter().filter(|s| *s == "NewCall").count(), 1, "{:?}", story.seen);
}

#[test]
fn a_new_call_is_given_its_time_from_when_it_can_be_placed() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.fact(Ice::StackDied { says: "".into() }).after(0.5);
    // Signaling is lost meanwhile and comes back only after half a minute.
    story.closed(End::Reset).after(30.0).connecting().ready(false).after(1.0);
    assert_eq!(story.seen.iter().filter(|s| *s == "NewCall").count(), 1, "{:?}", story.seen);
    let first = story.now;
    story.fact(Media::Flowing { first });
    assert_eq!(story.seen.last().map(String::as_str), Some("Worked"), "{:?}", story.seen);
}

#[test]
fn a_call_without_media_is_judged_by_its_checks() {
    let mut story = Story::new(RecoveryPolicy::Patient);
    story.fact(Mark::Started(Box::new(Plan { silence: Silence::None, ..plan() }))).connecting().ready(false);
    story.fact(Ice::Dtls { state: "connected".into() }).after(30.0);
    let last_ok = story.now;
    story.after(5.0).fact(Ice::ConsentLate { last_ok }).pong().after(1.0);
    story.saw(&["ProbeSignaling", "Worked", "RestartIce"]);
    story.caretaker.restart_answered();
    story.fact(Ice::ConsentBack { last_ok });
    story.saw(&["ProbeSignaling", "Worked", "RestartIce", "Worked"]);
    story.closed(End::Reset);
    assert_eq!(story.seen.last().map(String::as_str), Some("reconnect 1"), "a call that stands is not given up");
}

#[test]
fn a_start_that_cannot_work_ends_at_once_and_one_that_might_is_tried_for_a_while() {
    let mut story = Story::new(RecoveryPolicy::Patient);
    story.connecting().failed(Trouble::NoSuchName { says: "".into() });
    story.saw(&["end NotEstablished"]);

    let mut story = Story::new(RecoveryPolicy::Patient);
    for _ in 0..3 {
        story.connecting().failed(Trouble::Refused).after(5.0);
    }
    assert_eq!(story.seen.iter().filter(|s| s.starts_with("reconnect")).count(), 3, "{:?}", story.seen);
    story.after(10.0).connecting().failed(Trouble::Refused);
    assert_eq!(story.seen.last().map(String::as_str), Some("end NotEstablished"), "{:?}", story.seen);
}

#[test]
fn the_policy_none_only_watches() {
    let mut story = Story::held(RecoveryPolicy::None);
    story.gap().pong().closed(End::Reset).after(60.0);
    story.saw(&[]);
}

#[test]
fn our_own_goodbye_brings_no_reconnect() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.fact(Signaling::CallEnded { conn: 1, by: CallEndedBy::Us, code: None, says: "".into() });
    story.closed(End::CloseFrame { by: Side::Us, code: Some(1000), reason: "".into() }).after(30.0);
    story.saw(&[]);

    // Not a goodbye: we closed on a far end that talked nonsense, and the hold goes on.
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.closed(End::CloseFrame { by: Side::Us, code: Some(1002), reason: "".into() });
    story.saw(&["reconnect 1"]);
}

#[test]
fn telnyx_gives_up_after_ten_attempts() {
    let mut story = Story::held(RecoveryPolicy::AsTelnyx);
    story.closed(End::Reset);
    for _ in 0..10 {
        story.connecting().failed(Trouble::Refused);
    }
    assert_eq!(story.seen.iter().filter(|s| s.starts_with("reconnect")).count(), 10);
    assert_eq!(story.seen[story.seen.len() - 2..], ["gave up", "end GaveUp"]);
}

fn moved(story: &mut Story) -> &mut Story {
    let hop = |interface: &str| {
        let (gateway, source) = (None, None);
        Some(record::fact::Hop { interface: interface.into(), kind: record::fact::LinkKind::Wired, gateway, source })
    };
    story.fact(Net::Route { to: Destination::FarEnd, before: hop("eth0"), after: hop("eth1"), found: false })
}

#[test]
fn a_network_that_moved_under_a_lost_call_is_followed_at_once() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    moved(&mut story).after(0.4).gap();
    story.saw(&["ProbeSignaling", "reconnect 1"]);
    story.connecting().ready(true);
    story.saw(&["ProbeSignaling", "reconnect 1", "Worked", "Worked", "RestartIce"]);
    story.after(5.0);
    assert_eq!(story.seen.iter().filter(|seen| seen.starts_with("reconnect")).count(), 1, "{:?}", story.seen);
}

#[test]
fn a_network_that_moved_under_a_call_that_goes_on_is_left_alone() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    moved(&mut story).after(3.0).pong().after(5.0);
    story.saw(&[]);
}

#[test]
fn a_wait_to_reconnect_ends_when_there_is_a_way_again() {
    let mut story = Story::held(RecoveryPolicy::Patient);
    story.gap().closed(End::Reset).after(0.3).connecting().failed(Trouble::Local { errno: Some(101), says: "".into() });
    story.saw(&["ProbeSignaling", "reconnect 1", "Failed", "reconnect 2"]);
    moved(&mut story).after(0.4);
    story.saw(&["ProbeSignaling", "reconnect 1", "Failed", "reconnect 2", "Failed", "reconnect 3"]);
}

#[test]
fn other_policies_wait_as_their_sdks_do() {
    for policy in [RecoveryPolicy::AsTwilio, RecoveryPolicy::AsTelnyx, RecoveryPolicy::None] {
        let mut story = Story::held(policy);
        moved(&mut story).after(0.4).gap().after(1.0);
        assert!(story.seen.iter().all(|seen| !seen.starts_with("reconnect")), "{policy:?}: {:?}", story.seen);
    }
}
