//! What of a profile's lanes fits into its hold.

use record::{
    Heard, Profile,
    fact::{self, Ladder, LeftOut, WhyNot},
    profile::{Lanes, Span},
    wire::datagram,
};
use std::time::Duration;

/// Until a call stands, a lane is connected and, after its silence, proved.
pub const MARGIN: Duration = Duration::from_secs(8);

/// Only our own far end keeps quiet for as long as it is asked to.
pub fn far_end_holds_lanes(profile: &Profile) -> bool {
    profile.signaling.kind == "reflector"
}

/// The rungs that fit, and the shortest that does not.
pub fn fitting(rungs: &[Span], hold: Duration) -> (Vec<Duration>, Option<Span>) {
    let fits = |rung: &Span| rung.get() + MARGIN <= hold;
    let out = rungs.iter().copied().filter(|rung| !fits(rung)).min();
    (rungs.iter().copied().filter(fits).map(Span::get).collect(), out)
}

pub fn plan(profile: &Profile) -> fact::Beside {
    let Lanes { bare_websocket, talking, quiet_ladder, udp_ladder, controls, .. } = &profile.lanes;
    let holds = far_end_holds_lanes(profile);
    // Who may measure them instead says so when it cannot.
    let by_stun = !super::udp::stun_servers(profile).is_empty();
    let hold = profile.for_.get();
    let mut left_out = vec![];
    let quiet_ladder_s = fit(Ladder::Tcp, quiet_ladder, hold, holds, &mut left_out);
    let (kept, too_long): (Vec<Span>, Vec<Span>) =
        udp_ladder.iter().partition(|rung| rung.get() <= datagram::LONGEST_SILENCE);
    let udp_ladder_s = fit(Ladder::Udp, &kept, hold, holds || by_stun, &mut left_out);
    if let Some(shortest) = too_long.iter().min().filter(|_| holds || by_stun) {
        let why = WhyNot::ReflectorWaits { at_most_s: datagram::LONGEST_SILENCE.as_secs_f64() };
        left_out.push(LeftOut::Rungs { ladder: Ladder::Udp, from_s: shortest.get().as_secs_f64(), why });
    }
    if !holds && *talking {
        left_out.push(LeftOut::Talking);
    }
    fact::Beside {
        bare_websocket: *bare_websocket,
        talking: *talking,
        quiet_ladder_s,
        udp_ladder_s,
        controls: controls.iter().map(|control| Heard::new(&control.to_string())).collect(),
        left_out,
    }
}

/// The rungs of a ladder that can be held, in seconds; what of it cannot goes to `left_out`.
fn fit(ladder: Ladder, rungs: &[Span], hold: Duration, held: bool, left_out: &mut Vec<LeftOut>) -> Vec<f64> {
    let mut leave = |from: Option<Span>, why| {
        let rungs = |from: Span| LeftOut::Rungs { ladder, from_s: from.get().as_secs_f64(), why };
        left_out.extend(from.map(rungs));
    };
    if !held {
        leave(rungs.iter().copied().min(), WhyNot::OnlyReflector);
        return vec![];
    }
    let (fitting, out) = fitting(rungs, hold);
    leave(out, WhyNot::HoldTooShort);
    fitting.iter().map(Duration::as_secs_f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        let text = format!("{text}\n[signaling]\nurl = \"ws://far.example/call\"\n");
        record::profile::read(text.as_bytes()).expect("a test's own profile")
    }

    #[test]
    fn of_what_does_not_fit_the_shortest_of_each_ladder_is_kept() {
        let beside = plan(&profile("for = \"2m\""));
        assert_eq!(beside.quiet_ladder_s, [25.0, 31.0, 45.0, 58.0, 61.0, 95.0, 105.0]);
        assert_eq!(beside.udp_ladder_s, [20.0, 31.0, 61.0]);
        let out = |ladder, from_s| LeftOut::Rungs { ladder, from_s, why: WhyNot::HoldTooShort };
        assert_eq!(beside.left_out, [out(Ladder::Tcp, 125.0), out(Ladder::Udp, 121.0)]);
        assert_eq!(plan(&profile("for = \"15m\"")).left_out, []);
    }

    #[test]
    fn another_far_end_holds_no_quiet_lanes() {
        let mut profile = profile("for = \"15m\"");
        profile.signaling.kind = "janus".into();
        let beside = plan(&profile);
        assert!(beside.quiet_ladder_s.is_empty() && beside.bare_websocket);
        let out = |ladder, from_s| LeftOut::Rungs { ladder, from_s, why: WhyNot::OnlyReflector };
        assert_eq!(beside.left_out, [out(Ladder::Tcp, 25.0), out(Ladder::Udp, 20.0), LeftOut::Talking]);
    }
}
