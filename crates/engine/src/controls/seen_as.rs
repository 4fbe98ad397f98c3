//! Our public address, as the other end of a kept socket sees it.

use crate::Recorder;
use record::{Heard, Stamp, fact::Net};
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Default)]
pub struct SeenAs {
    /// Who saw it, and what.
    last: Option<(SocketAddr, SocketAddr)>,
    /// Since when, and how often, it was told.
    lately: Option<(Stamp, u32)>,
}

/// A server may say another address with each answer, which would fill the log of a night and teach no more than the first
/// few. A device that gives a new port every ten seconds is still told in full.
const MOST_A_MINUTE: u32 = 6;
const MINUTE: Duration = Duration::from_secs(60);

impl SeenAs {
    /// Whether this differs from what the same server saw before, and may be told. Another one may rightly see another
    /// address.
    pub fn is_new(&self, server: SocketAddr, public: SocketAddr, now: Stamp) -> bool {
        let may_be_told = self.lately.is_none_or(|(since, times)| times < MOST_A_MINUTE || now.since(since) >= MINUTE);
        self.last != Some((server, public)) && may_be_told
    }

    pub fn note(
        &mut self,
        recorder: &Recorder,
        name: &Heard,
        server: SocketAddr,
        local: SocketAddr,
        public: SocketAddr,
    ) {
        let now = recorder.now();
        let (since, times) = self.lately.filter(|(since, _)| now.since(*since) < MINUTE).unwrap_or((now, 0));
        self.lately = Some((since, times + 1));
        let before = self.last.filter(|(who, _)| *who == server).map(|(_, public)| public);
        self.last = Some((server, public));
        recorder.note(Net::PublicAddress {
            server: name.clone(),
            local: local.into(),
            public: public.into(),
            before: before.map(Into::into),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Clock;

    #[test]
    fn a_server_that_says_another_address_with_each_answer_is_told_a_few_times_a_minute() {
        let recorder = Recorder::unwritten(Clock::real());
        let mut noted = recorder.listen();
        let [server, local] = ["192.0.2.1:3478", "10.0.0.2:1000"].map(|at| at.parse().unwrap());
        let mut seen_as = SeenAs::default();
        let hear = |seen_as: &mut SeenAs, port, now| {
            let public = SocketAddr::new([203, 0, 113, 9].into(), port);
            if seen_as.is_new(server, public, now) {
                seen_as.note(&recorder, &"stun:stun.example".into(), server, local, public);
            }
        };
        for port in 1..=600 {
            hear(&mut seen_as, port, recorder.now());
        }
        let told =
            |noted: &mut tokio::sync::mpsc::UnboundedReceiver<_>| std::iter::from_fn(|| noted.try_recv().ok()).count();
        assert_eq!(told(&mut noted), MOST_A_MINUTE as usize);
        hear(&mut seen_as, 700, recorder.now().plus(MINUTE));
        assert_eq!(told(&mut noted), 1, "later it is again");
    }
}
