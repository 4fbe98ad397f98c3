//! `Flood`: a machine on which containers come and go by the thousand must not drown the log.

use record::Stamp;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(60);
/// Interfaces that carry nothing of ours. A laptop with containers starts with a few dozen facts of them and then has few.
const MOST_ASIDE: u32 = 60;
/// All others. A tunnel that flaps every second makes five facts a flap; more than this is no evidence, only noise.
const MOST: u32 = 600;

#[derive(Default)]
pub struct Flood {
    aside: Window,
    ours: Window,
}

#[derive(Default)]
struct Window {
    since: Option<Stamp>,
    count: u32,
    /// It was said that not all is listed, and no quiet window has passed since.
    told: bool,
}

#[derive(PartialEq, Debug)]
pub enum Passage {
    Free,
    LastOfMany(String),
    Shut,
}

impl Flood {
    pub fn let_pass(&mut self, aside: bool, now: Stamp) -> Passage {
        let (window, most, whose) = match aside {
            true => (&mut self.aside, MOST_ASIDE, " of interfaces that carry nothing of the call"),
            false => (&mut self.ours, MOST, ""),
        };
        if window.since.is_none_or(|since| now.since(since) >= WINDOW) {
            window.told &= window.count > most;
            window.since = Some(now);
            window.count = 0;
        }
        window.count = window.count.saturating_add(1);
        if window.count <= most {
            return Passage::Free;
        }
        if std::mem::replace(&mut window.told, true) {
            return Passage::Shut;
        }
        Passage::LastOfMany(format!("more than {most} changes{whose} came within a minute; not all of them are listed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_cut_off_and_told_once_until_it_has_been_quiet() {
        let mut flood = Flood::default();
        let mut now = Stamp::new(0, 1_000_000, 1_000_000);
        let mut free = 0;
        let mut told = 0;
        let mut hour = |flood: &mut Flood, each: Duration, now: &mut Stamp| {
            for _ in 0..3600 * 1000 / each.as_millis() {
                match flood.let_pass(true, *now) {
                    Passage::Free => free += 1,
                    Passage::LastOfMany(_) => told += 1,
                    Passage::Shut => {}
                }
                *now = now.plus(each);
            }
            (std::mem::take(&mut free), std::mem::take(&mut told))
        };
        assert_eq!(hour(&mut flood, Duration::from_millis(100), &mut now), (60 * 60, 1));
        assert_eq!(hour(&mut flood, Duration::from_secs(2), &mut now), (1800, 0), "few enough to be listed");
        assert_eq!(hour(&mut flood, Duration::from_millis(500), &mut now).1, 1, "a new flood is told again");
        assert_eq!(flood.let_pass(false, now), Passage::Free, "what carries the call is not held up by the rest");
    }
}
