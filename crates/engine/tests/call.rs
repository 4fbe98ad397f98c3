//! Whole calls over loopback, with real sockets: what the instruments say must be what was done to the call.

mod stage;

use engine::call::CallEvent;
use engine::call::peer::BindWhere;
use record::fact::{CandidateKind, Ice, IceState, Media};
use record::profile::Silence;
use record::{Event, Fact, Stamp};
use stage::{Far, Stage, setup, skip};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

fn ice(event: &Arc<Event>) -> Option<&Ice> {
    if let Fact::Ice(ice) = &event.fact { Some(ice) } else { None }
}
fn is_gap(fact: &Fact) -> bool {
    matches!(fact, Fact::Media(Media::Gap { .. }))
}
fn is_back(fact: &Fact) -> bool {
    matches!(fact, Fact::Media(Media::Back { .. }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_stands_and_silence_flows_both_ways_fifty_times_a_second() {
    let mut stage = Stage::standing(Silence::Frames).await;
    let samples = stage.samples(2).await;
    for sample in &samples {
        assert!((42..=58).contains(&sample.rtp_out), "{sample:?}");
        assert!((42..=58).contains(&sample.rtp_in), "{sample:?}");
        assert_eq!(sample.lost_in, 0);
        assert!((1..=4).contains(&sample.stun_in), "two checks a second are answered: {sample:?}");
        assert!(sample.jitter_in_ms.is_some_and(|ms| ms < 20.0), "{sample:?}");
    }
    let rtts: Vec<f64> = samples.iter().filter_map(|sample| sample.rtt_ms).collect();
    assert!(!rtts.is_empty() && rtts.iter().all(|rtt| (0.0..60.0).contains(rtt)), "from RTCP: {rtts:?}");
    assert!(samples.iter().any(|sample| sample.far_lost == Some(0)), "the far end reports our packets: {samples:?}");
    assert!(samples.iter().any(|sample| sample.stun_rtt_ms.is_some_and(|rtt| rtt < 60.0)), "{samples:?}");

    let facts: Vec<&Ice> = stage.log.iter().filter_map(ice).collect();
    let has = |wanted: fn(&Ice) -> bool| facts.iter().any(|fact| wanted(fact));
    assert!(has(|fact| matches!(fact, Ice::SocketBound { local } if local.ip().is_loopback())));
    assert!(has(|fact| matches!(fact, Ice::LocalCandidate { kind: CandidateKind::Host, .. })));
    assert!(has(|fact| matches!(fact, Ice::RemoteCandidate { .. })));
    assert!(has(|fact| matches!(fact, Ice::GatheringDone { .. })));
    assert!(has(|fact| matches!(fact, Ice::State { state: IceState::Connected })));
    assert!(has(|fact| matches!(fact, Ice::Dtls { state } if state.as_str() == "connected")));
    let pairs = facts.iter().filter(|fact| matches!(fact, Ice::Pair { .. })).count();
    assert_eq!(pairs, 1, "one pair carries the call: {facts:#?}");
    assert_eq!(stage.media().len(), 1, "flowing, and nothing else: {:?}", stage.media());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comfort_noise_is_two_or_three_packets_a_second_and_no_gap() {
    let mut stage = Stage::standing(Silence::Dtx).await;
    let samples = stage.samples(1).await;
    assert!(samples.iter().all(|sample| (2..=3).contains(&sample.rtp_out)), "{samples:?}");
    assert_eq!(stage.media().len(), 1, "{:?}", stage.media());
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_media_sends_none_and_is_judged_by_its_checks() {
    let mut stage = Stage::standing(Silence::None).await;
    stage.far.does.cut.store(true, Relaxed);
    let cut = stage.recorder.now();
    let late = stage.fact("late consent", |fact| matches!(fact, Fact::Ice(Ice::ConsentLate { .. }))).await;
    let Fact::Ice(Ice::ConsentLate { last_ok }) = late.fact else { panic!("{late:?}") };
    assert!(cut.since(last_ok) < 700 * MS, "checks go out twice a second: {:?}", cut.since(last_ok));
    assert!((5_000 * MS..5_200 * MS).contains(&late.at.since(last_ok)));
    stage.far.does.cut.store(false, Relaxed);
    stage.fact("consent again", |fact| matches!(fact, Fact::Ice(Ice::ConsentBack { .. }))).await;
    let samples = stage.all_samples();
    assert!(samples.len() >= 4, "one a second: {samples:?}");
    assert!(samples.iter().all(|sample| sample.rtp_out == 0 && sample.rtp_in == 0), "{samples:?}");
    assert_eq!(stage.media(), []);
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_is_declared_within_400_ms_and_dated_to_the_last_packet() {
    let mut stage = Stage::standing(Silence::Frames).await;
    stage.run(500 * MS).await;
    stage.far.does.cut.store(true, Relaxed);
    let cut = stage.recorder.now();
    let gap = stage.fact("the gap", is_gap).await;
    let Fact::Media(Media::Gap { last }) = gap.fact else { panic!("{gap:?}") };
    assert!(distance(last, cut) < 40 * MS, "dated to the truth: {:?}", distance(last, cut));
    assert!((300 * MS..400 * MS).contains(&gap.at.since(last)), "declared after {:?}", gap.at.since(last));

    stage.run(400 * MS).await;
    stage.far.does.cut.store(false, Relaxed);
    let healed = stage.recorder.now();
    let back = stage.fact("the return", is_back).await;
    let Fact::Media(Media::Back { last: before, first }) = back.fact else { panic!("{back:?}") };
    assert_eq!(before, last);
    assert!(distance(first, healed) < 60 * MS, "{:?}", distance(first, healed));
    assert!(!stage.log.iter().filter_map(ice).any(|fact| matches!(fact, Ice::ConsentLate { .. })));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_end_that_stops_speaking_is_a_gap_on_a_path_that_lives() {
    let mut stage = Stage::standing(Silence::Frames).await;
    stage.far.does.mute.store(true, Relaxed);
    stage.fact("the gap", is_gap).await;
    let samples = stage.samples(1).await;
    assert!(samples.iter().all(|sample| sample.rtp_in == 0 && sample.stun_in >= 1), "{samples:?}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ice_restart_has_new_credentials_and_sockets_and_the_media_goes_on() {
    let mut stage = Stage::standing(Silence::Frames).await;
    let before = sockets(&stage);
    let (offer, changed) = stage.restart().await;
    assert_eq!(changed, Some(true), "the far end's credentials are new");
    assert!(!offer.contains("a=candidate:"), "no candidate of the sockets that go");
    stage.fact("a new pair", |fact| matches!(fact, Fact::Ice(Ice::Pair { .. }))).await;
    let samples = stage.samples(1).await;
    assert!(samples.iter().any(|sample| sample.rtp_in >= 40), "{samples:?}");
    assert!(sockets(&stage) > before, "sockets are bound anew");
    let done = stage.log.iter().filter_map(ice).filter(|fact| matches!(fact, Ice::GatheringDone { .. })).count();
    assert_eq!(done, 2);
    stage.end().await;
}

/// With the stack's default of seven checks a pair, this call would never come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_offered_during_an_outage_recovers_when_the_path_is_back() {
    let mut stage = Stage::standing(Silence::Frames).await;
    stage.far.does.cut.store(true, Relaxed);
    stage.fact("the gap", is_gap).await;
    stage.restart().await;
    stage.run(2_000 * MS).await;
    stage.far.does.cut.store(false, Relaxed);
    let healed = stage.recorder.now();
    let back = stage.fact("the return", is_back).await;
    let Fact::Media(Media::Back { first, .. }) = back.fact else { panic!("{back:?}") };
    assert!(first.since(healed) < 1_500 * MS, "{:?}", first.since(healed));
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_whose_answer_was_lost_can_be_offered_again() {
    let mut stage = Stage::standing(Silence::Frames).await;
    let lost = stage.call.restart().await.expect("an offer");
    stage.run(200 * MS).await;
    let (second, changed) = stage.restart().await;
    assert_ne!(lost, second);
    assert_eq!(changed, Some(true));
    let samples = stage.samples(2).await;
    assert!(samples.iter().any(|sample| sample.rtp_in >= 40), "{samples:?}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_far_end_that_hangs_up_is_told_though_ice_says_nothing() {
    let mut stage = Stage::standing(Silence::Frames).await;
    stage.far.peer.close().await.expect("it closes");
    let hung_up = stage.recorder.now();
    stage.told("the goodbye", |event| matches!(event, CallEvent::FarEndClosed)).await;
    assert!(stage.recorder.now().since(hung_up) < 500 * MS);
    stage.end().await;
}

/// The stack's own driver ends without an event when its sockets fail; ours says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_dies_is_announced() {
    let mut stage = Stage::standing(Silence::Frames).await;
    assert!(!stage.far.does.ended.load(Relaxed));
    stage.far.does.broken.store(true, Relaxed);
    stage.run(500 * MS).await;
    assert!(stage.far.does.ended.load(Relaxed));
    stage.call.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_interface_is_offered_and_loopback_is_not() {
    let far = Far::new(BindWhere::Everywhere, vec![]).await;
    let mut stage =
        Stage::set(engine::call::CallSetup { bind: BindWhere::Interfaces, ..setup(Silence::Frames) }, far).await;
    let bound: Vec<_> = {
        stage.offer().await;
        stage.run(200 * MS).await;
        stage
            .log
            .iter()
            .filter_map(ice)
            .filter_map(|fact| match fact {
                Ice::SocketBound { local } => Some(*local),
                _ => None,
            })
            .collect()
    };
    assert!(bound.iter().all(|local| !local.ip().is_loopback()), "{bound:?}");
    if bound.iter().all(|local| local.ip().is_unspecified()) {
        skip("calls over real interfaces: this machine has none but loopback");
        return;
    }
    stage.fact("the first RTP", |fact| matches!(fact, Fact::Media(Media::Flowing { .. }))).await;
    stage.end().await;
}

fn sockets(stage: &Stage) -> usize {
    stage.log.iter().filter_map(ice).filter(|fact| matches!(fact, Ice::SocketBound { .. })).count()
}

fn distance(a: Stamp, b: Stamp) -> Duration {
    a.since(b).max(b.since(a))
}
