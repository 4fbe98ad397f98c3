//! `Picture`: what is to be drawn of a running hold, from the events of its log. Pure.

use crate::wire::{EndedView, Live, Newest};
use explain::{Story, Tone, now::Now, story::Region, story_so_far};
use record::{Event, Fact, Log, Stamp, fact::Power};
use std::collections::VecDeque;
use std::fmt::Display;
use std::sync::{Arc, OnceLock};

/// A person reads three lines while it goes on; the list of all is elsewhere.
const NEWEST: usize = 5;

/// What went wrong beside the call while it goes on: a sentence, once there is one.
pub type Trouble = Arc<OnceLock<String>>;

#[derive(Default)]
pub struct Picture {
    log: Log,
    now: Now,
    newest: VecDeque<Newest>,
    /// As it was told last.
    story: Option<Story>,
    keeps_awake: bool,
    ended: Option<EndedView>,
    trouble: Trouble,
}

impl Picture {
    pub fn new(keeps_awake: bool, trouble: Trouble) -> Self {
        Self { keeps_awake, trouble, ..Self::default() }
    }

    /// Of a hold that ended by a fault of ours, without a bundle.
    pub fn broken_off(run: &str, why: &impl Display) -> Self {
        let says = format!(
            "holding failed inside Linewitness ({why}); what was recorded until then is kept, and is offered at the start"
        );
        let mut broken = Self::default();
        broken.end(None, EndedView { run: run.to_owned(), bundle: None, says: Some(says) });
        broken
    }

    pub fn observe(&mut self, event: Event) {
        // What was wished for is not what the system granted.
        self.keeps_awake &= !matches!(event.fact, Fact::Power(Power::NotKeptAwake { .. }));
        if let Some(text) = self.now.observe(&event) {
            let at = self.log.events.first().map_or(0.0, |first| event.at.since(first.at).as_secs_f64());
            self.newest.push_front(Newest { at, text, tone: explain::tone(&event.fact) });
            self.newest.truncate(NEWEST);
        }
        self.log.events.push(event);
    }

    pub fn is_told(&self) -> bool {
        self.story.is_some()
    }

    /// Tells the story anew, and gives the one before: what has been drawn.
    pub fn tell(&mut self) -> Option<Story> {
        self.story.replace(story_so_far(&self.log))
    }

    /// As the story was told last; only the clock has gone on.
    pub fn still(&self, whole: bool, at: Stamp) -> Live {
        self.live(self.story.as_ref().filter(|_| !whole), at)
    }

    /// What to draw after `before`.
    pub fn live(&self, before: Option<&Story>, at: Stamp) -> Live {
        let empty;
        let story = match &self.story {
            Some(story) => story,
            None => {
                empty = story_so_far(&self.log);
                &empty
            }
        };
        let lost = story.drops.iter().find(|drop| drop.restored.is_none() && !self.now.is_over());
        let held = self.now.established.map_or(0.0, |since| at.awake_since(since).as_secs_f64());
        let planned_s = self.now.planned.as_secs_f64();
        Live {
            update: explain::update(before, story),
            state: self.state(story, lost, at),
            says: self.says(story, lost, at),
            tone: match (lost, story.drops.is_empty()) {
                (Some(_), _) => Tone::Lost,
                (None, true) => Tone::Plain,
                (None, false) => Tone::Back,
            },
            held_s: held.min(planned_s),
            planned_s,
            keeps_awake: self.keeps_awake,
            newest: self.newest.iter().cloned().collect(),
            ended: self.ended.clone(),
        }
    }

    /// From now on as the file tells it. Gives what has been drawn.
    pub fn end(&mut self, story: Option<Story>, ended: EndedView) -> Option<Story> {
        self.ended = Some(ended);
        let drawn = self.story.take();
        self.story = story.or_else(|| drawn.clone());
        drawn
    }

    fn state(&self, story: &Story, lost: Option<&Region>, at: Stamp) -> String {
        let since = lost.and_then(|lost| story.head.drops.iter().find(|drop| drop.id == lost.id));
        match since {
            Some(drop) => {
                let local = drop.last_good.timestamp().to_zoned(jiff::tz::TimeZone::system());
                format!("Lost at {}. Still recording.", local.strftime("%H:%M"))
            }
            // A person who calls for help is not asked to know what signaling is.
            None if self.now.is_over() || self.now.established.is_none() => self.now.state(at),
            None => "Holding".into(),
        }
    }

    fn says(&self, story: &Story, lost: Option<&Region>, at: Stamp) -> String {
        let state = self.now.state(at);
        let trouble = self.trouble.get().map(|says| format!(" But {says}.")).unwrap_or_default();
        let says = match (lost, story.drops.len()) {
            _ if self.now.is_over() => return story.head.headline.clone(),
            _ if self.now.established.is_none() => {
                format!("It is tried for {} at most.", explain::planned(engine::session::ESTABLISH_WITHIN))
            }
            (Some(_), _) if state == "Holding" => "It is being brought back.".into(),
            (Some(_), _) => format!("{state}."),
            (None, 0) => "Nothing has been lost.".into(),
            (None, 1) => "Back after it was lost once.".into(),
            (None, n) => format!("Back after it was lost {n} times."),
        };
        says + &trouble
    }
}
