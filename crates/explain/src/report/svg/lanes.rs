//! Lanes, losses, sleep, and the witness lines through all of them.

use super::pen::*;
use crate::{
    Cause, Plane,
    story::{LaneView, Mark, MarkKind, Region, Span, SpanState},
    words,
};
use std::fmt::Write;

/// The call's own lanes, where words stand above the lines.
const LANE: f64 = 34.0;
/// What runs beside it, one below the other, so that it shows at a glance which of them died together.
const THIN: f64 = 19.0;

pub(super) fn high(lane: &LaneView) -> f64 {
    if lane.id.starts_with(CONTROL) { THIN } else { LANE }
}

const CONTROL: &str = "control_";

fn is_around(lane: &str) -> bool {
    lane == "network" || lane.starts_with(CONTROL)
}

impl Drawing<'_> {
    /// Under the lane that died, between the two witnesses: nobody can know. Sleep is accounted for and not washed.
    pub(super) fn wash(&mut self, region: &Region, lanes: f64) {
        if region.cause == Cause::Slept {
            return;
        }
        let lane = plane_lane(region.plane);
        let (from, to) = (self.scale.x(region.last_good), self.scale.x(region.first_bad));
        let y = lanes + LANE * lane;
        self.rect(from, y + 3.0, (to - from).max(1.0), LANE - 6.0, ACCENT, 0.085);
    }

    pub(super) fn lane(&mut self, lane: &LaneView, y: f64) {
        let wide = if matches!(lane.id, "signaling" | "media" | "ice") { 2.5 } else { 1.25 };
        for span in &lane.spans {
            let (from, to) = (self.scale.x(span.from), self.scale.x(span.to));
            match span.state {
                SpanState::Alive => self.line(from, y, to, y, ink(INK, wide, "")),
                SpanState::Unknown | SpanState::Lost => self.loss(lane.id, span, y),
            }
        }
        for region in self.story.drops.iter().filter(|region| is_of(region.plane, lane.id)) {
            self.lost_block(region, y);
        }
        let mut free = LEFT;
        for (index, mark) in lane.marks.iter().enumerate() {
            let x = self.scale.x(mark.at);
            // What sleep ended is accounted for, and not drawn as a loss.
            let slept = self.story.drops.iter().any(|r| r.cause == Cause::Slept && r.seq == mark.seq);
            let color = if slept { INK3 } else { ACCENT };
            match mark.kind {
                MarkKind::Fin => self.line(x, y - 7.0, x, y + 7.0, ink(color, 3.0, "")),
                MarkKind::Reset | MarkKind::Failed => {
                    self.line(x - 5.0, y - 5.0, x + 5.0, y + 5.0, ink(color, 2.5, ""));
                    self.line(x - 5.0, y + 5.0, x + 5.0, y - 5.0, ink(color, 2.5, ""));
                }
                MarkKind::Silence => self.line(x - 8.0, y, x + 8.0, y, ink(color, 2.5, "2 3")),
                MarkKind::Move => {
                    let _ = write!(self.out, r#"<path d="M{x:.1} {:.1} l8 5 l-8 5 Z" fill="{INK}"/>"#, y - 5.0);
                }
                MarkKind::System => {
                    let _ = write!(
                        self.out,
                        r#"<path d="M{x:.1} {:.1} l5 5 l-5 5 l-5 -5 Z" fill="white" stroke="{INK}" stroke-width="1.25"/>"#,
                        y - 5.0
                    );
                }
                MarkKind::Path | MarkKind::Seen => {}
            }
            let next = lane.marks.get(index + 1).map_or(RIGHT + 24.0, |next| self.scale.x(next.at) - 4.0);
            self.mark_words(mark, x, y, next, slept, &mut free);
        }
    }

    /// Words beside a mark, where they fit: labels drop before they touch.
    pub(super) fn mark_words(&mut self, mark: &Mark, x: f64, y: f64, next: f64, slept: bool, free: &mut f64) {
        let wide = width(&mark.text, 11.0);
        let (at, height, of) = match mark.kind {
            MarkKind::Move => (x + 12.0, y + 4.0, READING),
            MarkKind::System => (x + 9.0, y - 7.0, READING),
            MarkKind::Path | MarkKind::Seen => (x + 3.0, y - 7.0, READING),
            // The end's own word stands above the cap; beside it the line of the next connection begins.
            _ if slept => (x + 6.0, y - 7.0, READING),
            MarkKind::Fin | MarkKind::Reset | MarkKind::Silence | MarkKind::Failed => (x + 6.0, y - 7.0, LOST),
        };
        let at = if at + wide > RIGHT { x - wide - 6.0 } else { at };
        if at >= *free && at + wide <= next.max(x) {
            self.text(at, height, of, &mark.text);
            *free = at + wide + 8.0;
        }
    }

    /// A gap too short to count is a plain break in the line; in the machine's own lane it is a dotted one.
    pub(super) fn loss(&mut self, lane: &str, span: &Span, y: f64) {
        let counted = self.story.drops.iter().any(|region| {
            region.cause != Cause::Slept
                && is_of(region.plane, lane)
                && region.last_good <= span.to
                && region.over(self.scale.length) >= span.from
        });
        let (from, to) = (self.scale.x(span.from), self.scale.x(span.to));
        if is_around(lane) && span.state == SpanState::Lost {
            return self.dead_around(span, from, to, y);
        }
        let stroke = if counted || (lane == "ice" && span.state == SpanState::Lost) { ACCENT } else { MUTE };
        self.line(from, y, to, y, ink(stroke, 1.5, "1.5 3"));
    }

    /// What fell silent beside the call, in the accent where it did so with the call.
    fn dead_around(&mut self, span: &Span, from: f64, to: f64, y: f64) {
        let with_the_call = self.story.drops.iter().any(|region| {
            region.cause != Cause::Slept && region.last_good <= span.to && region.over(self.scale.length) >= span.from
        });
        let color = if with_the_call { ACCENT } else { MUTE };
        self.rect(from, y - 2.0, (to - from).max(2.0), 4.0, color, 1.0);
    }

    pub(super) fn lost_block(&mut self, region: &Region, y: f64) {
        if region.cause == Cause::Slept {
            return;
        }
        let (from, to) = (self.scale.x(region.first_bad), self.scale.x(region.over(self.scale.length)));
        self.rect(from, y - 3.5, (to - from).max(3.0), 7.0, ACCENT, 1.0);
    }

    pub(super) fn asleep(&mut self, from: f64, to: f64, top: f64, bottom: f64) {
        let (left, right) = (self.scale.x(from), self.scale.x(to));
        let wide = (right - left).max(2.0);
        self.rect(left, top + 1.0, wide, bottom - top - 2.0, "url(#asleep)", 1.0);
        self.line(left, top, left, bottom, ink(HATCH, 1.0, ""));
        self.line(right, top, right, bottom, ink(HATCH, 1.0, ""));
        let words = format!("asleep {}", words::length(words::millis((to - from) * 1e3)));
        if wide > width(&words, 11.0) + 12.0 {
            let center = (left + right) / 2.0;
            self.text_on_white(center, top + 24.0, middle(set(11.0, 600, INK2)), &words);
            if wide > 90.0 {
                self.text_on_white(center, top + 40.0, middle(TICK), "not counted");
            }
        }
    }

    /// Two hairlines through all lanes, numbered on top, and the length between them where there is room for it.
    pub(super) fn witnesses(&mut self, numbers: f64, axis: f64, bottom: f64, lanes: f64) {
        for region in &self.story.drops {
            let slept = region.cause == Cause::Slept;
            let color = if slept { INK3 } else { ACCENT };
            let (good, bad) = (self.scale.x(region.last_good), self.scale.x(region.first_bad));
            self.line(bad, numbers + 14.0, bad, bottom, ink(color, 1.0, ""));
            // Closer than this the pair becomes one.
            if bad - good >= 5.0 {
                self.line(good, axis, good, bottom, ink(color, 1.0, ""));
                let length = words::length(words::millis((region.first_bad - region.last_good) * 1e3));
                let y = lanes + LANE * plane_lane(region.plane) + 11.0;
                if !slept && bad - good > width(&length, 11.0) + 10.0 {
                    self.text(f64::midpoint(good, bad), y, middle(LOST), &length);
                }
            }
        }
        self.numbers(numbers);
    }

    /// Losses too close together for a square each share one, as the two planes of one loss do.
    fn numbers(&mut self, y: f64) {
        let story = self.story;
        let mut clusters: Vec<(f64, Vec<&Region>)> = Vec::new();
        for region in &story.drops {
            let x = self.scale.x(region.first_bad);
            match clusters.last_mut() {
                Some((first, members)) if x - *first < 22.0 => members.push(region),
                _ => clusters.push((x, vec![region])),
            }
        }
        for (index, (x, members)) in clusters.iter().enumerate() {
            let (Some(first), Some(last)) = (members.first(), members.last()) else { continue };
            let color = if members.iter().all(|region| region.cause == Cause::Slept) { INK3 } else { ACCENT };
            let number = match last.id - first.id {
                0 => first.id.to_string(),
                1 => format!("{}, {}", first.id, last.id),
                _ => format!("{}–{}", first.id, last.id),
            };
            let wide = width(&number, 11.0).max(6.0) + 10.0;
            let left = x - 1.0;
            self.rect(left, y, wide, 17.0, color, 1.0);
            self.text(left + wide / 2.0, y + 12.5, middle(set(11.0, 600, "white")), &number);
            let next = clusters.get(index + 1).map_or(RIGHT + 24.0, |(next, _)| *next);
            let says = self.number_words(first, members);
            let after = left + wide + 6.0;
            if after + width(&says, 11.0) + 4.0 <= next {
                self.text(after, y + 12.5, READING, &says);
            }
        }
    }

    /// When the first of them began, and what was lost.
    fn number_words(&self, first: &Region, members: &[&Region]) -> String {
        let has = |plane: Plane| members.iter().any(|region| region.plane == plane);
        let planes = match (has(Plane::Signaling), has(Plane::Media)) {
            (true, true) => "signaling, media",
            (true, false) => "signaling",
            (false, _) => "media",
        };
        match self.story.head.drops.get(first.id - 1).map(|drop| drop.first_bad) {
            Some(at) => format!("{} {planes}", words::hundredths(at)),
            None => planes.into(),
        }
    }
}

impl Region {
    fn over(&self, length: f64) -> f64 {
        self.restored.unwrap_or(length)
    }
}

/// The lane of a plane, counted from the top.
fn plane_lane(plane: Plane) -> f64 {
    match plane {
        Plane::Signaling => 0.0,
        Plane::Media => 1.0,
    }
}

fn is_of(plane: Plane, lane: &str) -> bool {
    matches!((plane, lane), (Plane::Signaling, "signaling") | (Plane::Media, "media"))
}
