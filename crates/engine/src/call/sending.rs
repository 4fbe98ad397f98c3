//! Whether our own system lets the media out: its first refusal and its return are facts, the rest is counted.

use record::fact::Media;
use record::{Said, Stamp};
use std::io;

#[derive(Debug, Default)]
pub struct Sending {
    refusals: Option<Refusals>,
}

#[derive(Debug)]
struct Refusals {
    first: Stamp,
    count: u32,
    errno: Option<i32>,
}

impl Sending {
    pub fn went_out(&mut self) -> Option<Media> {
        self.refusals.take().map(|was| Media::SendWorks { refused: was.count, since: was.first })
    }

    pub fn refused(&mut self, at: Stamp, error: &io::Error) -> Option<Media> {
        let errno = error.raw_os_error();
        let (first, count) = self.refusals.as_ref().map_or((at, 0), |before| (before.first, before.count));
        let said = self.refusals.as_ref().is_some_and(|before| before.errno == errno);
        self.refusals = Some(Refusals { first, count: count + 1, errno });
        (!said).then(|| Media::SendFailing { errno, says: Said::new(&error.to_string()), first })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn fifty_refusals_a_second_are_one_fact_and_a_count() {
        let mut sending = Sending::default();
        let first = Stamp::new(0, 1_000_000, 1_000_000);
        assert_eq!(sending.went_out(), None);
        let unreachable = || io::Error::from_raw_os_error(101);
        let failing = sending.refused(first, &unreachable());
        let Some(Media::SendFailing { errno: Some(101), first: since, .. }) = failing else { panic!("{failing:?}") };
        assert_eq!(since, first);
        for packet in 1..150 {
            assert_eq!(sending.refused(first.plus(Duration::from_millis(20 * packet)), &unreachable()), None);
        }
        assert_eq!(sending.went_out(), Some(Media::SendWorks { refused: 150, since: first }));
        assert_eq!(sending.went_out(), None);
    }

    #[test]
    fn another_errno_is_said_because_it_is_another_cause() {
        let mut sending = Sending::default();
        let at = Stamp::new(0, 1_000_000, 1_000_000);
        assert!(sending.refused(at, &io::Error::from_raw_os_error(101)).is_some());
        let other = sending.refused(at, &io::Error::from_raw_os_error(1));
        assert!(matches!(other, Some(Media::SendFailing { errno: Some(1), .. })), "{other:?}");
    }
}
