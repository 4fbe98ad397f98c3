//! The timeline as a picture: one self-contained SVG, light, without scripts. A call is a held line; a loss is a break
//! between two witness lines, the last proof of life and the first sign of death. The accent means lost and nothing else.

use super::groups::{Group, groups};
use crate::{Confidence, Story};
use pen::*;
use std::fmt::Write;

mod curves;
mod lanes;
mod pen;

pub(super) use pen::escaped;

pub fn svg(story: &Story) -> String {
    let mut body = Drawing { out: String::new(), story, scale: Scale::new(story) };
    let top = body.head();
    let bottom = body.timeline(top);
    let height = body.foot(bottom);
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" "#,
            r#"font-family="{font}" role="img"><title>{title}</title><defs>"#,
            r#"<pattern id="asleep" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"#,
            r#"<rect width="7" height="7" fill="white"/><line x1="0" y1="0" x2="0" y2="7" stroke="{hatch}" stroke-width="1.6"/>"#,
            r#"</pattern></defs><rect width="{w}" height="{h}" fill="white"/>{body}</svg>"#
        ),
        w = WIDTH,
        h = height,
        font = FONT,
        title = escaped(&story.head.headline),
        hatch = HATCH,
        body = body.out
    )
}

impl Drawing<'_> {
    /// Owner, cause, confidence; when; what to do.
    fn head(&mut self) -> f64 {
        let story = self.story;
        let name = if story.setup.name.is_empty() { "Linewitness" } else { &story.setup.name };
        self.text(MARGIN, 30.0, set(13.0, 600, INK), name);
        let when = story.head.started.timestamp().strftime("%a %d %b %Y, %H:%M:%S UTC").to_string();
        self.text(RIGHT, 30.0, end(set(13.0, 400, INK3)), &when);
        self.line(0.0, 46.0, WIDTH, 46.0, ink(LINE, 1.0, ""));
        let groups = groups(&story.head);
        let mut y = 82.0;
        let Some(group) = groups.first() else {
            y = self.wrapped(y, set(20.0, 600, INK), &story.head.headline, 3);
            return y + 12.0;
        };
        // One text with two weights: where the second begins only the reader's font knows.
        let _ = write!(
            self.out,
            r#"<text x="{MARGIN}" y="{y}" font-size="28" fill="{INK}"><tspan font-weight="600">{}:</tspan> {}</text>"#,
            group.owner,
            escaped(group.title)
        );
        let confidence = group.confidence.to_string();
        self.text(RIGHT, y - 2.0, end(set(15.0, 500, INK2)), &confidence);
        self.disc(RIGHT - width(&confidence, 15.0) - 16.0, y - 7.0, group.confidence);
        y += 30.0;
        y = self.wrapped(y, set(15.0, 400, INK2), &self.when(group), 2);
        if let Some(first) = group.drops.first() {
            y = self.wrapped(y + 2.0, set(15.0, 400, INK), &format!("{}: {}", first.advice.who, first.advice.what), 3);
        }
        for other in groups.iter().skip(1).take(3) {
            y += 4.0;
            let says = format!("Also {} ({}): {}.", other.head(), other.confidence, other.how_often());
            y = self.wrapped(y, set(13.0, 400, INK2), &says, 1);
        }
        y + 12.0
    }

    fn when(&self, group: &Group) -> String {
        let Some(first) = group.drops.first() else { return self.story.head.headline.clone() };
        let at = first.first_bad.timestamp().strftime("%H:%M:%S");
        // One loss, of one plane or of both, is told whole.
        let more = if group.at() == "at" { format!(" {}", first.says) } else { String::new() };
        if group.never_stood {
            return first.says.clone();
        }
        format!("{}, {} {at} UTC.{more}", group.how_often(), group.at())
    }

    fn disc(&mut self, x: f64, y: f64, confidence: Confidence) {
        let fill = if confidence == Confidence::Shown { INK2 } else { "white" };
        let _ = write!(
            self.out,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{fill}" stroke="{INK2}" stroke-width="1.5"/>"#
        );
        if confidence == Confidence::Likely {
            let _ = write!(
                self.out,
                r#"<path d="M{x:.1} {:.1} A5 5 0 0 0 {x:.1} {:.1} Z" fill="{INK2}"/>"#,
                y - 5.0,
                y + 5.0
            );
        }
    }

    fn timeline(&mut self, top: f64) -> f64 {
        const STRIP: f64 = 36.0;
        let story = self.story;
        self.line(0.0, top, WIDTH, top, ink(LINE, 1.0, ""));
        let numbers = top + 14.0;
        let axis = top + 46.0;
        let lanes = axis + 10.0;
        let strips = lanes + story.lanes.iter().map(lanes::high).sum::<f64>() + 8.0;
        let bottom = strips + STRIP * 3.0 + 6.0;

        self.grid(axis, bottom);
        for region in &story.drops {
            self.wash(region, lanes);
        }
        let mut top = lanes;
        for lane in &story.lanes {
            let y = top + lanes::high(lane) / 2.0;
            self.text(MARGIN, y + 4.0, LABEL, lane.label);
            self.lane(lane, y);
            top += lanes::high(lane);
        }
        self.line(MARGIN, strips - 4.0, RIGHT, strips - 4.0, ink(LINE, 1.0, ""));
        let series = &story.series;
        self.strip("Round trip", &series.rtt_ms, strips, STRIP, "ms");
        self.strip("Jitter", &series.jitter_ms, strips + STRIP, STRIP, "ms");
        self.strip("Missing", &series.lost, strips + STRIP * 2.0, STRIP, "packets");
        for pause in story.pauses.iter().filter(|pause| pause.slept) {
            self.asleep(pause.from, pause.to, axis, bottom);
        }
        self.witnesses(numbers, axis, bottom, lanes);
        bottom
    }

    fn grid(&mut self, axis: f64, bottom: f64) {
        let step = self.scale.step();
        self.text(MARGIN, axis - 6.0, TICK, "Elapsed");
        let mut at = 0.0;
        while at <= self.scale.length {
            let x = self.scale.x(at);
            self.line(x, axis, x, bottom, ink(GRID, 1.0, ""));
            // A label makes room for a witness line.
            if !self.story.drops.iter().any(|region| (self.scale.x(region.first_bad) - x).abs() < 18.0) {
                self.text(x, axis - 6.0, middle(TICK), &clock(at));
            }
            at += step;
        }
        self.line(MARGIN, axis, RIGHT, axis, ink(LINE, 1.0, ""));
        self.line(MARGIN, bottom, RIGHT, bottom, ink(LINE, 1.0, ""));
        self.text(MARGIN, bottom + 18.0, TICK, "UTC");
        let began = self.story.axis.from.micros() as f64 / 1e6;
        let first = (began / step).ceil() * step - began;
        let mut at = first;
        while at <= self.scale.length {
            let wall = self.story.axis.from.plus_micros((at * 1e6).round() as i64).timestamp();
            let format = if step < 60.0 { "%H:%M:%S" } else { "%H:%M" };
            let x = self.scale.x(at);
            self.line(x, bottom, x, bottom + 4.0, ink(MUTE, 1.0, ""));
            // A label must not run over the word at the left or the edge.
            if x > LEFT + 8.0 || at == 0.0 {
                self.text(x.min(RIGHT - 20.0), bottom + 18.0, middle(TICK), &wall.strftime(format).to_string());
            }
            at += step;
        }
    }

    /// What the signs mean, and what the picture cannot clear.
    fn foot(&mut self, bottom: f64) -> f64 {
        let mut y = bottom + 48.0;
        let mut x = MARGIN;
        self.line(x, y - 4.0, x + 22.0, y - 4.0, ink(INK, 2.5, ""));
        self.text(x + 28.0, y, TICK, "alive");
        x += 78.0;
        self.line(x, y - 4.0, x + 22.0, y - 4.0, ink(ACCENT, 1.5, "1.5 3"));
        self.text(x + 28.0, y, TICK, "between last good and first bad");
        x += 222.0;
        self.rect(x, y - 7.5, 22.0, 7.0, ACCENT, 1.0);
        self.text(x + 28.0, y, TICK, "lost");
        x += 70.0;
        self.rect(x, y - 10.0, 22.0, 12.0, "url(#asleep)", 1.0);
        self.text(x + 28.0, y, TICK, "asleep, not counted");
        x += 156.0;
        for (words, kind) in [("FIN or close", 0), ("RST", 1), ("silence", 2)] {
            match kind {
                0 => self.line(x + 6.0, y - 10.0, x + 6.0, y + 2.0, ink(ACCENT, 3.0, "")),
                1 => {
                    self.line(x + 2.0, y - 8.0, x + 10.0, y, ink(ACCENT, 2.0, ""));
                    self.line(x + 2.0, y, x + 10.0, y - 8.0, ink(ACCENT, 2.0, ""));
                }
                _ => self.line(x, y - 4.0, x + 14.0, y - 4.0, ink(ACCENT, 2.5, "2 3")),
            }
            self.text(x + 18.0, y, TICK, words);
            x += 40.0 + width(words, 11.0);
        }
        y += 26.0;
        for says in self.story.head.not_tested.iter().take(4) {
            y = self.wrapped(y, TICK, &format!("Not tested: {says}"), 2);
        }
        y + 6.0
    }
}

fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        3600.. => format!("{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60),
        _ => format!("{}:{:02}", whole / 60, whole % 60),
    }
}
