//! `Sockets`: a place for each socket that lanes open, so that all of them together stay under forty, whatever the profile.
//!
//! ```text
//! 39  together                                       default    most
//!  −  talking, and silent for the whole hold               6      10   bare 1, WebSocket 1, TCP or TLS 1, TURN 3, also 0 to 4
//!  −  spare: for a moment, beside a socket that has a place 4      4
//!  =  quiet: rungs of both ladders, together              29      25
//!     of which UDP has at most                            10       6   so that 16 rungs and the 3 stirred ones always fit
//! ```
//!
//! Whoever waits for a place holds no other and no lock, but for UDP's share of the quiet ones, which nobody waits for who
//! holds a quiet place. So a place that is waited for comes free in the end.

use super::plan::far_end_holds_lanes;
use crate::line::place::MOST_SPARE;
pub use crate::line::place::Place;
use record::{Profile, profile::MOST_RUNGS};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Under forty: a device in a home may keep a few hundred connections for everybody in it.
const TOGETHER: usize = 39;
const TURN: usize = 3;
/// The WebSocket, and what carries no HTTP.
const BEATING: usize = 2;
/// For two connections at once that try one address beside another.
const SPARE: usize = 2 * MOST_SPARE;
/// Rungs that are kept busy beside the quiet ones.
pub const STIRRED: usize = 3;

#[derive(Clone)]
pub struct Sockets {
    talking: Arc<Semaphore>,
    quiet: Arc<Semaphore>,
    udp: Arc<Semaphore>,
    spare: Arc<Semaphore>,
}

impl Sockets {
    pub fn of(profile: &Profile) -> Self {
        let talking = talking(profile);
        let quiet = TOGETHER - SPARE - talking;
        let over_tcp = if far_end_holds_lanes(profile) { MOST_RUNGS + STIRRED } else { 0 };
        let places = |n| Arc::new(Semaphore::new(n));
        Self { talking: places(talking), quiet: places(quiet), udp: places(quiet - over_tcp), spare: places(SPARE) }
    }

    /// For a lane that talks, or is silent for the whole hold. There is one for each, and no lane has two sockets.
    pub async fn talking(&self) -> Place {
        self.place([take(&self.talking, 1).await])
    }

    /// For a rung over TCP.
    pub async fn quiet(&self) -> Place {
        self.place([take(&self.quiet, 1).await])
    }

    /// For so many sockets over UDP.
    pub async fn udp(&self, sockets: u32) -> Place {
        let share = take(&self.udp, sockets).await;
        self.place([share, take(&self.quiet, sockets).await])
    }

    /// For something short that belongs to no lane.
    pub async fn passing(&self) -> Place {
        self.place([take(&self.spare, 1).await])
    }

    fn place<const N: usize>(&self, held: [OwnedSemaphorePermit; N]) -> Place {
        Place::new(held, Arc::clone(&self.spare))
    }
}

async fn take(places: &Arc<Semaphore>, n: u32) -> OwnedSemaphorePermit {
    Arc::clone(places).acquire_many_owned(n).await.expect("it is never closed")
}

fn talking(profile: &Profile) -> usize {
    let lanes = &profile.lanes;
    let beating = if far_end_holds_lanes(profile) { BEATING } else { 0 };
    usize::from(lanes.bare_websocket) + lanes.also.len() + if lanes.talking { beating + TURN } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use record::profile::{Address, Lanes, MOST_ALSO};

    /// Of this far end, with so many other services.
    fn profile(kind: &str, also: usize) -> Profile {
        let mut profile = Profile::to(Address::parse("ws://far.example/call").unwrap());
        profile.signaling.kind = kind.into();
        profile.lanes.also = vec![Address::parse("ws://other.example/").unwrap(); also];
        profile
    }

    fn places(sockets: &Sockets) -> [usize; 4] {
        [&sockets.talking, &sockets.quiet, &sockets.spare, &sockets.udp].map(|places| places.available_permits())
    }

    #[test]
    fn whatever_the_profile_all_places_together_are_under_forty() {
        for (kind, also, expected) in [
            ("reflector", 0, [6, 29, 4, 10]),
            ("reflector", MOST_ALSO, [10, 25, 4, 6]),
            ("janus", 0, [4, 31, 4, 31]),
            ("janus", MOST_ALSO, [8, 27, 4, 27]),
        ] {
            let places = places(&Sockets::of(&profile(kind, also)));
            assert_eq!(places, expected, "{kind} {also}");
            assert!(places[..3].iter().sum::<usize>() < 40);
        }
        let alone = Profile { lanes: Lanes::none(), ..profile("reflector", 0) };
        assert_eq!(places(&Sockets::of(&alone)), [0, 35, 4, 16]);
    }

    #[test]
    fn the_default_rungs_stand_all_at_once() {
        let profile = profile("reflector", 0);
        let sockets = Sockets::of(&profile);
        let over_udp = profile.lanes.udp_ladder.iter();
        let short = over_udp.filter(|rung| rung.get() <= super::super::udp::LONGEST_OF_ONE_PACKET).count();
        let udp: Vec<_> = (0..profile.lanes.udp_ladder.len() + short).map(|_| sockets.udp(1).now_or_never()).collect();
        let quiet: Vec<_> =
            (0..profile.lanes.quiet_ladder.len() + STIRRED).map(|_| sockets.quiet().now_or_never()).collect();
        assert!(udp.iter().chain(&quiet).all(Option::is_some));
    }

    #[test]
    fn however_many_udp_wants_every_rung_over_tcp_has_a_place() {
        let sockets = Sockets::of(&profile("reflector", MOST_ALSO));
        let udp: Vec<_> = (0..2 * MOST_RUNGS).map_while(|_| sockets.udp(1).now_or_never()).collect();
        assert_eq!(udp.len(), 6);
        let quiet: Vec<_> = (0..99).map_while(|_| sockets.quiet().now_or_never()).collect();
        assert_eq!(quiet.len(), MOST_RUNGS + STIRRED);
        drop(udp);
        assert!(sockets.quiet().now_or_never().is_some(), "what UDP does not use is free for narrowing");
    }

    #[test]
    fn a_place_is_given_back_with_its_last_copy() {
        let sockets = Sockets::of(&profile("reflector", 0));
        let before = places(&sockets);
        let place = sockets.udp(2).now_or_never().unwrap();
        let kept = place.clone();
        drop(place);
        assert_eq!(places(&sockets), [6, 27, 4, 8]);
        drop(kept);
        assert_eq!(places(&sockets), before);
    }
}
