//! `App`: what the window's commands work on. It knows of no window, so that tests need none.

use crate::earlier;
use crate::offers::Offers;
use crate::opened::{OpenedBundles, untitled};
use crate::running::Running;
use crate::wire::{BrokenRun, Failure, Recent, Start, Taken};
use desk::{kept, recover};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

#[derive(Default)]
pub struct App {
    pub offers: Offers,
    pub opened: OpenedBundles,
    pub running: Running,
    /// The end of the program has been waited for.
    pub leaving: OnceCell<()>,
    arrivals: Mutex<Arrivals>,
    /// Files that were saved, which may be shown where they lie.
    given: Mutex<BTreeSet<String>>,
}

/// What came before the page was there to take it. Asked and answered under one lock: nothing falls between the two.
#[derive(Default)]
struct Arrivals {
    waiting: Vec<String>,
    page_is_there: bool,
}

/// Those that a person may still be asked about.
const RECENT: usize = 5;

impl App {
    /// Keeps what arrives until the page asks for it; a page that has asked is to be told, so it is given back then.
    pub fn wait_with(&self, given: Vec<String>) -> Option<Vec<String>> {
        let mut arrivals = self.arrivals();
        if arrivals.page_is_there {
            return Some(given);
        }
        arrivals.waiting.extend(given);
        None
    }

    /// What has waited for the page, which is told of all else from now on.
    fn page_comes(&self) -> Vec<String> {
        let mut arrivals = self.arrivals();
        arrivals.page_is_there = true;
        std::mem::take(&mut arrivals.waiting)
    }

    /// Whoever panicked with them in hand left them whole.
    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a file that was saved, and passes it on.
    pub fn give(&self, saved: Result<String, Failure>) -> Result<Option<String>, Failure> {
        let path = saved?;
        self.given.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Ok(Some(path))
    }

    /// It was saved, or is a report of our own.
    pub fn gave(&self, path: &str) -> bool {
        let own = |folder: PathBuf| Path::new(path).parent() == Some(&folder);
        kept::folder().is_ok_and(own) || self.given.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    pub fn start(&self) -> Start {
        let given = self.page_comes();
        let (mut offer, mut taken, mut notes) = (None, None, Vec::new());
        if !given.is_empty() {
            match self.take(&given) {
                Ok(Taken::Offer { offer: made }) => offer = Some(made),
                Ok(other) => taken = Some(other),
                Err(Failure { says }) => notes.push(says),
            }
        }
        // What earlier runs left must never keep the program from starting.
        let (broken, recent) = (broken().unwrap_or_default(), recent().unwrap_or_default());
        Start {
            offer,
            taken,
            broken,
            recent,
            holding: self.running.is_holding(),
            version: env!("CARGO_PKG_VERSION").into(),
            notes,
        }
    }
}

fn broken() -> Result<Vec<BrokenRun>, Failure> {
    let says = |began: record::Wall| {
        let local = began.timestamp().to_zoned(TimeZone::system());
        format!(
            "A hold that began on {} broke off: the program or the computer ended. What it saw is kept.",
            local.strftime("%-d %B at %H:%M")
        )
    };
    let broken = recover::offer()?.into_iter();
    Ok(broken
        .map(|found| BrokenRun { run: found.about.run.to_string(), says: says(found.about.started.wall) })
        .collect())
}

fn recent() -> Result<Vec<Recent>, Failure> {
    Ok(kept::latest(RECENT)?.into_iter().map(one_recent).collect())
}

fn one_recent(kept: kept::Kept) -> Recent {
    let began = kept.run.about.started.wall;
    Recent {
        run: kept.run.about.run.to_string(),
        name: untitled(kept.name),
        started: began.millis(),
        says: kept.verdict["headline"].as_str().unwrap_or_default().to_owned(),
        line: earlier::line(&kept.verdict, began),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_saved_here_is_shown_where_it_lies() {
        let app = App::default();
        assert!(!app.gave("/etc/passwd"));
        app.give(Ok("/home/sam/a.witness".into())).expect("it was saved");
        assert!(app.gave("/home/sam/a.witness") && !app.gave("/home/sam/b.witness"));
    }

    #[test]
    fn what_the_program_was_started_with_is_there_when_the_page_asks_and_not_again() {
        let app = App::default();
        let bundle = crate::tests::recording("idler_drops_a_quiet_call").display().to_string();
        assert_eq!(app.wait_with(vec![bundle.clone()]), None);
        let start = app.start();
        assert!(matches!(start.taken, Some(Taken::Bundle { .. })) && start.offer.is_none() && start.notes.is_empty());
        assert!(app.start().taken.is_none());
        assert_eq!(app.wait_with(vec![bundle.clone()]), Some(vec![bundle]), "the page is there to be told");
    }

    #[test]
    fn what_the_program_was_started_with_and_cannot_take_is_said() {
        let says = |given: &str| {
            let app = App::default();
            app.wait_with(vec![given.to_owned()]);
            app.start().notes.swap_remove(0)
        };
        assert!(says("/no/such.witness").contains("there is no such file"));
        assert!(says("linewitness://hold").contains("carries no profile"));
    }
}
