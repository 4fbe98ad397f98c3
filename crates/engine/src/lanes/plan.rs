//! What of a profile's lanes fits into its hold.

use record::{
    Heard, Profile, fact,
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

pub fn plan(profile: &Profile) -> (fact::Beside, Vec<String>) {
    let Lanes { bare_websocket, talking, quiet_ladder, udp_ladder, controls, .. } = &profile.lanes;
    let holds = far_end_holds_lanes(profile);
    let mut not_tested = vec![];
    let mut fit = |rungs: &[Span], what: &str| {
        if !holds && !rungs.is_empty() {
            not_tested.push(format!("{what} were not tested: only a Linewitness reflector holds them."));
            return vec![];
        }
        let (fitting, out) = fitting(rungs, profile.for_.get());
        if let Some(out) = out {
            not_tested.push(format!("{what} of {out} and longer were not tested: the hold was too short."));
        }
        fitting.iter().map(Duration::as_secs_f64).collect()
    };
    let quiet_ladder_s = fit(quiet_ladder, "Quiet periods");
    let (kept, too_long): (Vec<Span>, Vec<Span>) =
        udp_ladder.iter().partition(|rung| rung.get() <= datagram::LONGEST_SILENCE);
    let udp_ladder_s = fit(&kept, "Quiet periods over UDP");
    if let Some(shortest) = too_long.iter().min().filter(|_| holds) {
        let most = datagram::LONGEST_SILENCE.as_secs() / 60;
        not_tested.push(format!(
            "Quiet periods over UDP of {shortest} and longer were not tested: a reflector waits {most} minutes at most."
        ));
    }
    if !holds && *talking {
        not_tested.push("Connections that talk were not held: only a Linewitness reflector answers them.".into());
    }
    let beside = fact::Beside {
        bare_websocket: *bare_websocket,
        talking: *talking,
        quiet_ladder_s,
        udp_ladder_s,
        controls: controls.iter().map(|control| Heard::new(&control.to_string())).collect(),
    };
    (beside, not_tested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str) -> Profile {
        let text = format!("{text}\n[signaling]\nurl = \"ws://far.example/call\"\n");
        record::profile::read(text.as_bytes()).expect("a test's own profile")
    }

    #[test]
    fn what_does_not_fit_is_one_sentence_for_each_ladder() {
        let (beside, not_tested) = plan(&profile("for = \"2m\""));
        assert_eq!(beside.quiet_ladder_s, [25.0, 31.0, 45.0, 58.0, 61.0, 95.0, 105.0]);
        assert_eq!(beside.udp_ladder_s, [20.0, 31.0, 61.0]);
        assert_eq!(
            not_tested,
            [
                "Quiet periods of 2m5s and longer were not tested: the hold was too short.",
                "Quiet periods over UDP of 2m1s and longer were not tested: the hold was too short.",
            ]
        );
        assert_eq!(plan(&profile("for = \"15m\"")).1, [""; 0]);
    }

    #[test]
    fn another_far_end_holds_no_quiet_lanes_and_it_is_said() {
        let mut profile = profile("for = \"15m\"");
        profile.signaling.kind = "janus".into();
        let (beside, not_tested) = plan(&profile);
        assert!(beside.quiet_ladder_s.is_empty() && beside.bare_websocket);
        assert_eq!(not_tested.len(), 3, "{not_tested:?}");
    }
}
