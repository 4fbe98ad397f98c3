//! `Journal`: what the operator is told of calls, one entry when a call begins and one when it has ended. Facts alone; the
//! words are the command's.

use crate::metrics::Disconnect;
use record::{Stamp, Wall, fact::Sight};
use std::fmt;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

/// Nobody listens until somebody asks to.
#[derive(Default)]
pub struct Journal(OnceLock<Box<Listener>>);

/// Called from the calls' own tasks: it must not wait.
type Listener = dyn Fn(Entry) + Send + Sync;

#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    pub at: Stamp,
    /// As the caller knows it too: it is the session's name in its log.
    pub call: String,
    /// Where its signaling came from, the last time.
    pub from: SocketAddr,
    pub what: Told,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    Began,
    Ended { lasted: Duration, how: CallEnd, seen: Seen },
}

/// How a call comes to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallEnd {
    Bye,
    /// No socket came back for it.
    Forgotten,
    Shutdown,
    /// Its media stack ended by itself.
    Fault,
}

/// What was lost of a call, seen from here.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Seen {
    /// Signaling sockets that ended before the call did.
    pub sockets_ended: u32,
    /// How the last of them did.
    pub last_ended: Option<Disconnect>,
    /// Gaps in what we received of its audio, and the longest.
    pub gaps: u32,
    pub longest_gap: Duration,
    pub audio: Audio,
    pub received: u64,
    /// Packets that should have come.
    pub lost: u64,
    /// How often our own program did not run.
    pub stood_still: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Audio {
    #[default]
    NeverCame,
    Comes,
    /// The last packet.
    Stopped {
        last: Wall,
    },
}

/// As for the caller's own log: Wi-Fi roams take half a second, and nobody hears them.
const DROP_FROM: Duration = Duration::from_secs(1);
/// A caller that hangs up stops its audio first, and ends all else that it runs before it says goodbye.
const HANGING_UP: Duration = Duration::from_secs(3);

impl Journal {
    /// The first to ask is told, and nobody after it.
    pub fn tell(&self, listener: impl Fn(Entry) + Send + Sync + 'static) {
        let _taken = self.0.set(Box::new(listener));
    }

    pub fn enter(&self, entry: Entry) {
        if let Some(listener) = self.0.get() {
            listener(entry);
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Journal(listened to: {})", self.0.get().is_some())
    }
}

impl Seen {
    pub fn socket_ended(&mut self, how: Disconnect) {
        self.sockets_ended = self.sockets_ended.saturating_add(1);
        self.last_ended = Some(how);
    }

    pub fn see(&mut self, sight: &Sight) {
        match sight {
            Sight::MediaStarted { .. } => self.audio = Audio::Comes,
            Sight::MediaStopped { last } => self.audio = Audio::Stopped { last: *last },
            Sight::MediaResumed { last, first } => {
                self.audio = Audio::Comes;
                let gap = between(*last, *first);
                if gap >= DROP_FROM {
                    self.gaps = self.gaps.saturating_add(1);
                    self.longest_gap = self.longest_gap.max(gap);
                }
            }
            Sight::Counted { received, lost, .. } => (self.received, self.lost) = (*received, *lost),
            Sight::StoodStill { .. } => self.stood_still = self.stood_still.saturating_add(1),
            // Sockets are counted as they end, with those that another one replaced.
            Sight::SocketEnded { .. } | Sight::Reattached | Sight::Lane { .. } | Sight::ShuttingDown => {}
        }
    }

    /// How long its audio had been gone at the call's end, where that is more than its hanging up.
    pub fn silent_for(&self, now: Wall) -> Option<Duration> {
        match self.audio {
            Audio::Stopped { last } => Some(between(last, now)).filter(|silence| *silence >= HANGING_UP),
            Audio::NeverCame | Audio::Comes => None,
        }
    }
}

/// Nothing, for a clock that was set back in between.
fn between(from: Wall, to: Wall) -> Duration {
    Duration::from_micros(u64::try_from(to.micros().saturating_sub(from.micros())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Wall {
        Wall::from_micros(ms * 1000)
    }

    #[test]
    fn gaps_count_from_one_second_on_and_the_longest_is_known() {
        let mut seen = Seen::default();
        assert_eq!(seen.silent_for(at(9_000)), None, "what never came did not stop");
        seen.see(&Sight::MediaStarted { first: at(0) });
        for (last, first) in [(1_000, 1_999), (3_000, 4_000), (5_000, 8_500), (10_000, 9_000)] {
            seen.see(&Sight::MediaStopped { last: at(last) });
            seen.see(&Sight::MediaResumed { last: at(last), first: at(first) });
        }
        assert_eq!((seen.gaps, seen.longest_gap), (2, Duration::from_millis(3500)));
        assert_eq!(seen.silent_for(at(20_000)), None);
        seen.see(&Sight::MediaStopped { last: at(20_000) });
        assert_eq!(seen.silent_for(at(22_999)), None, "a caller that hangs up stops its audio first");
        assert_eq!(seen.silent_for(at(23_000)), Some(Duration::from_secs(3)));
    }
}
