//! `Policy`: what is done about a loss, as data: how long each recovery waits, how often it tries, and when it stops. The
//! engine follows one; the report replays the others over the same loss.

use crate::profile::RecoveryPolicy;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Policy {
    /// False: only watch.
    pub acts: bool,
    /// The wait before the first attempt at a new socket; each further one waits `factor` times as long, up to `cap`.
    pub first_wait: Duration,
    pub factor: f64,
    pub cap: Duration,
    /// Each wait is spread by up to this share either way, so that many clients do not come back in one wave.
    pub jitter: f64,
    pub attempts: Option<u32>,
    /// How long RTP must be missing, with signaling alive, before ICE is restarted.
    pub restart_after: Duration,
    /// How long a restart may take until RTP arrives.
    pub restart_within: Duration,
    pub restarts: u32,
    /// When the call is lost, place a new one.
    pub calls_again: bool,
    /// A new way to the far end is taken as soon as it is there, without waiting for the old one's silence to be told.
    pub follows_the_network: bool,
}

impl From<RecoveryPolicy> for Policy {
    fn from(policy: RecoveryPolicy) -> Self {
        match policy {
            RecoveryPolicy::Patient => Self::PATIENT,
            RecoveryPolicy::None => Self { acts: false, ..Self::PATIENT },
            RecoveryPolicy::AsTwilio => Self::AS_TWILIO,
            RecoveryPolicy::AsTelnyx => Self::AS_TELNYX,
        }
    }
}

impl Policy {
    /// Ours: quick at first, patient for as long as the hold lasts.
    pub const PATIENT: Self = Self {
        acts: true,
        first_wait: Duration::from_millis(250),
        factor: 2.0,
        cap: Duration::from_secs(15),
        jitter: 0.25,
        attempts: None,
        // A Wi-Fi roam is over within half a second, and a restart costs up to a second of media itself.
        restart_after: Duration::from_millis(1500),
        // Checks of a restarted path go on for two minutes; a second restart sooner than this only throws them away.
        restart_within: Duration::from_secs(15),
        restarts: 4,
        calls_again: true,
        follows_the_network: true,
    };

    /// Twilio Voice JS 2.18: 100 ms doubling to 20 s with ±40 %, for ever; ICE restarted when its state says disconnected,
    /// 5.3 s after the loss as measured; the call ends 30 s after the media was lost.
    pub const AS_TWILIO: Self = Self {
        acts: true,
        first_wait: Duration::from_millis(100),
        factor: 2.0,
        cap: Duration::from_secs(20),
        jitter: 0.4,
        attempts: None,
        restart_after: Duration::from_millis(5300),
        restart_within: Duration::from_secs(25),
        restarts: 1,
        calls_again: false,
        follows_the_network: false,
    };

    /// Telnyx WebRTC 2.27: 1 s doubling to 30 s with ±25 %, ten times; ICE restarted on failed, 6 s after the loss as
    /// measured.
    pub const AS_TELNYX: Self = Self {
        acts: true,
        first_wait: Duration::from_secs(1),
        factor: 2.0,
        cap: Duration::from_secs(30),
        jitter: 0.25,
        attempts: Some(10),
        restart_after: Duration::from_secs(6),
        restart_within: Duration::from_secs(10),
        restarts: 1,
        calls_again: false,
        follows_the_network: false,
    };

    /// Before attempt number `attempt`, which counts from 1; `roll` lies between −1 and 1.
    pub fn wait(&self, attempt: u32, roll: f64) -> Duration {
        // The exponent is bounded: beyond it every policy has reached its cap.
        let grown = self.first_wait.as_secs_f64() * self.factor.powi(attempt.saturating_sub(1).min(16) as i32);
        let spread = grown.min(self.cap.as_secs_f64()) * self.jitter.mul_add(roll, 1.0);
        Duration::from_secs_f64(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_stay_within_the_jitter() {
        for policy in [Policy::PATIENT, Policy::AS_TWILIO, Policy::AS_TELNYX] {
            for attempt in [1, 2, 5, 9, 1000] {
                for roll in [-1.0, 0.0, 1.0] {
                    let wait = policy.wait(attempt, roll).as_secs_f64();
                    assert!(wait <= policy.cap.as_secs_f64() * (1.0 + policy.jitter) + 1e-9);
                    assert!(wait >= policy.first_wait.as_secs_f64() * (1.0 - policy.jitter) - 1e-9);
                }
            }
        }
        assert_eq!(Policy::AS_TELNYX.wait(3, 0.0), Duration::from_secs(4));
        assert_eq!(Policy::AS_TELNYX.wait(6, 0.0), Duration::from_secs(30));
    }
}
