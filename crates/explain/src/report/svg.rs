//! The timeline as a picture: one self-contained SVG, light, without scripts. A call is a held line; a loss is a break
//! between two witness lines, the last proof of life and the first sign of death. The accent means lost and nothing else.

use super::groups::groups;
use crate::{
    Cause, Confidence, Plane, Story,
    story::{LaneView, MarkKind, Point, Region, SpanState},
    words,
};
use std::fmt::Write;

const WIDTH: f64 = 1180.0;
const LEFT: f64 = 152.0;
const RIGHT: f64 = 1152.0;
const MARGIN: f64 = 28.0;
const INK: &str = "#14181a";
const INK2: &str = "#474e52";
const INK3: &str = "#62696d";
const LINE: &str = "#d3d7d8";
const GRID: &str = "#eceeee";
const HATCH: &str = "#c6cbcd";
const MUTE: &str = "#868e92";
const ACCENT: &str = "#b62d08";
const FONT: &str = "Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif";

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

/// Seconds of the axis to places across the plot.
#[derive(Clone, Copy)]
struct Scale {
    length: f64,
}

impl Scale {
    fn new(story: &Story) -> Self {
        Self { length: if story.axis.length_s.is_finite() { story.axis.length_s.max(1.0) } else { 1.0 } }
    }
    fn x(self, at: f64) -> f64 {
        LEFT + (at / self.length).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
    /// At most ten ticks, at numbers people count in.
    fn step(self) -> f64 {
        const STEPS: [f64; 16] =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 86400.0];
        STEPS.into_iter().find(|step| self.length / step <= 10.0).unwrap_or(self.length / 5.0)
    }
}

struct Drawing<'s> {
    out: String,
    story: &'s Story,
    scale: Scale,
}

/// How a text is set.
#[derive(Clone, Copy)]
struct Type {
    size: f64,
    weight: u32,
    fill: &'static str,
    anchor: &'static str,
}

const fn set(size: f64, weight: u32, fill: &'static str) -> Type {
    Type { size, weight, fill, anchor: "start" }
}
const fn middle(of: Type) -> Type {
    Type { anchor: "middle", ..of }
}
const fn end(of: Type) -> Type {
    Type { anchor: "end", ..of }
}

const LABEL: Type = set(12.0, 400, INK2);
const TICK: Type = set(11.0, 400, INK3);
const READING: Type = set(11.0, 400, INK2);
const LOST: Type = set(11.0, 600, ACCENT);

impl Drawing<'_> {
    fn text(&mut self, x: f64, y: f64, of: Type, words: &str) {
        let _ = write!(
            self.out,
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{}" font-weight="{}" fill="{}" text-anchor="{}">{}</text>"#,
            of.size,
            of.weight,
            of.fill,
            of.anchor,
            escaped(words)
        );
    }
    /// With a white border, so that it stays legible on lines and hatching.
    fn text_on_white(&mut self, x: f64, y: f64, of: Type, words: &str) {
        let wide = width(words, of.size) + 8.0;
        let left = match of.anchor {
            "middle" => x - wide / 2.0,
            "end" => x - wide + 4.0,
            _ => x - 4.0,
        };
        self.rect(left, y - of.size, wide, of.size + 4.0, "white", 1.0);
        self.text(x, y, of, words);
    }
    fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, fill: &str, opacity: f64) {
        let _ = write!(
            self.out,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" fill="{fill}" fill-opacity="{opacity}"/>"#
        );
    }
    fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, stroke: &str, wide: f64, dash: &str) {
        let dash = if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) };
        let _ = write!(
            self.out,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}" stroke-width="{wide}"{dash}/>"#
        );
    }

    fn wrapped(&mut self, y: f64, of: Type, words: &str, most_lines: usize) -> f64 {
        let mut y = y;
        for line in wrap(words, RIGHT - MARGIN, of.size, most_lines) {
            self.text(MARGIN, y, of, &line);
            y += of.size * 1.45;
        }
        y
    }

    /// Owner, cause, confidence; when; what to do.
    fn head(&mut self) -> f64 {
        let story = self.story;
        let name = if story.setup.name.is_empty() { "Linewitness" } else { &story.setup.name };
        self.text(MARGIN, 30.0, set(13.0, 600, INK), name);
        let when = story.head.started.timestamp().strftime("%a %d %b %Y, %H:%M:%S UTC").to_string();
        self.text(RIGHT, 30.0, end(set(13.0, 400, INK3)), &when);
        self.line(0.0, 46.0, WIDTH, 46.0, LINE, 1.0, "");
        let groups = groups(story);
        let mut y = 82.0;
        let Some(group) = groups.first() else {
            y = self.wrapped(y, set(20.0, 600, INK), &story.head.headline, 3);
            return y + 12.0;
        };
        let owner = format!("{}:", group.owner);
        self.text(MARGIN, y, set(28.0, 600, INK), &owner);
        let after = MARGIN + width(&owner, 28.0) * 1.06 + 8.0;
        self.text(after, y, set(28.0, 400, INK), group.title);
        let disc = after + width(group.title, 28.0) + 26.0;
        self.disc(disc, y - 9.0, group.confidence);
        self.text(disc + 12.0, y - 4.0, set(15.0, 500, INK2), &group.confidence.to_string());
        y += 30.0;
        y = self.wrapped(y, set(15.0, 400, INK2), &story.head.headline, 2);
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

    fn disc(&mut self, x: f64, y: f64, confidence: Confidence) {
        let fill = if confidence == Confidence::Shown { INK2 } else { "white" };
        let _ = write!(self.out, r#"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{fill}" stroke="{INK2}" stroke-width="1.5"/>"#);
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
        const LANE: f64 = 34.0;
        const STRIP: f64 = 36.0;
        let story = self.story;
        self.line(0.0, top, WIDTH, top, LINE, 1.0, "");
        let numbers = top + 14.0;
        let axis = top + 46.0;
        let lanes = axis + 10.0;
        let strips = lanes + LANE * story.lanes.len() as f64 + 8.0;
        let bottom = strips + STRIP * 3.0 + 6.0;

        self.grid(axis, bottom);
        for region in &story.drops {
            self.wash(region, lanes, LANE);
        }
        for (index, lane) in story.lanes.iter().enumerate() {
            let y = lanes + LANE * index as f64 + LANE / 2.0;
            self.text(MARGIN, y + 4.0, LABEL, lane.label);
            self.lane(lane, y);
        }
        self.line(MARGIN, strips - 4.0, RIGHT, strips - 4.0, LINE, 1.0, "");
        let series = &story.series;
        self.strip("Round trip", &series.rtt_ms, strips, STRIP, "ms");
        self.strip("Jitter", &series.jitter_ms, strips + STRIP, STRIP, "ms");
        self.strip("Missing", &series.lost, strips + STRIP * 2.0, STRIP, "packets");
        for pause in story.pauses.iter().filter(|pause| pause.slept) {
            self.asleep(pause.from, pause.to, axis, bottom);
        }
        self.witnesses(numbers, axis, bottom, lanes, LANE);
        bottom
    }

    fn grid(&mut self, axis: f64, bottom: f64) {
        let step = self.scale.step();
        self.text(MARGIN, axis - 6.0, TICK, "Elapsed");
        let mut at = 0.0;
        while at <= self.scale.length {
            let x = self.scale.x(at);
            self.line(x, axis, x, bottom, GRID, 1.0, "");
            self.text(x, axis - 6.0, middle(TICK), &clock(at));
            at += step;
        }
        self.line(MARGIN, axis, RIGHT, axis, LINE, 1.0, "");
        self.line(MARGIN, bottom, RIGHT, bottom, LINE, 1.0, "");
        self.text(MARGIN, bottom + 18.0, TICK, "UTC");
        let began = self.story.axis.from.micros() as f64 / 1e6;
        let first = (began / step).ceil() * step - began;
        let mut at = first;
        while at <= self.scale.length {
            let wall = self.story.axis.from.plus_micros((at * 1e6).round() as i64).timestamp();
            let format = if step < 60.0 { "%H:%M:%S" } else { "%H:%M" };
            let x = self.scale.x(at);
            self.line(x, bottom, x, bottom + 4.0, MUTE, 1.0, "");
            // A label must not run over the word at the left or the edge.
            if x > LEFT + 8.0 || at == 0.0 {
                self.text(x.min(RIGHT - 20.0), bottom + 18.0, middle(TICK), &wall.strftime(format).to_string());
            }
            at += step;
        }
    }

    /// Under the lane that died, between the two witnesses: nobody can know. Sleep is accounted for and not washed.
    fn wash(&mut self, region: &Region, lanes: f64, high: f64) {
        if region.cause == Cause::Slept {
            return;
        }
        let lane = plane_lane(region.plane);
        let (from, to) = (self.scale.x(region.last_good), self.scale.x(region.first_bad));
        let y = lanes + high * lane;
        self.rect(from, y + 3.0, (to - from).max(1.0), high - 6.0, ACCENT, 0.085);
    }

    fn lane(&mut self, lane: &LaneView, y: f64) {
        let wide = if matches!(lane.id, "signaling" | "media" | "ice") { 2.5 } else { 1.25 };
        for span in &lane.spans {
            let (from, to) = (self.scale.x(span.from), self.scale.x(span.to));
            match span.state {
                SpanState::Alive => self.line(from, y, to, y, INK, wide, ""),
                SpanState::Unknown | SpanState::Lost => self.loss(lane.id, span.from, span.to, y),
            }
        }
        for region in self.story.drops.iter().filter(|region| is_of(region.plane, lane.id)) {
            self.lost_block(region, y);
        }
        let mut free = LEFT;
        for mark in &lane.marks {
            let x = self.scale.x(mark.at);
            match mark.kind {
                MarkKind::Fin => self.line(x, y - 7.0, x, y + 7.0, ACCENT, 3.0, ""),
                MarkKind::Reset => {
                    self.line(x - 5.0, y - 5.0, x + 5.0, y + 5.0, ACCENT, 2.5, "");
                    self.line(x - 5.0, y + 5.0, x + 5.0, y - 5.0, ACCENT, 2.5, "");
                }
                MarkKind::Silence => self.line(x - 8.0, y, x + 8.0, y, ACCENT, 2.5, "2 3"),
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
                MarkKind::Path => {}
            }
            self.mark_words(lane, mark.kind, x, y, &mark.text, &mut free);
        }
    }

    /// Words beside a mark, where they fit: labels drop before they touch.
    fn mark_words(&mut self, lane: &LaneView, kind: MarkKind, x: f64, y: f64, words: &str, free: &mut f64) {
        let wide = width(words, 11.0);
        let (at, height, of) = match kind {
            MarkKind::Move => (x + 12.0, y + 4.0, READING),
            MarkKind::System => (x + 9.0, y - 7.0, READING),
            MarkKind::Path => (x + 3.0, y - 7.0, READING),
            // The end's own word stands above the cap; beside it the line of the next connection begins.
            MarkKind::Fin | MarkKind::Reset | MarkKind::Silence => (x + 6.0, y - 7.0, LOST),
        };
        let at = if at + wide > RIGHT && lane.id != "recovery" { x - wide - 6.0 } else { at };
        if at >= *free && at + wide <= RIGHT + 24.0 {
            self.text(at, height, of, words);
            *free = at + wide + 8.0;
        }
    }

    /// A gap too short to count is a plain break in the line; in the machine's own lane it is a dotted one.
    fn loss(&mut self, lane: &str, from: f64, to: f64, y: f64) {
        let counted = self.story.drops.iter().any(|region| {
            region.cause != Cause::Slept && is_of(region.plane, lane) && region.last_good <= to && region.over(self.scale.length) >= from
        });
        let (from, to) = (self.scale.x(from), self.scale.x(to));
        let stroke = if counted || lane == "ice" { ACCENT } else { MUTE };
        self.line(from, y, to, y, stroke, 1.5, "1.5 3");
    }

    fn lost_block(&mut self, region: &Region, y: f64) {
        if region.cause == Cause::Slept {
            return;
        }
        let (from, to) = (self.scale.x(region.first_bad), self.scale.x(region.over(self.scale.length)));
        self.rect(from, y - 3.5, (to - from).max(3.0), 7.0, ACCENT, 1.0);
    }

    fn asleep(&mut self, from: f64, to: f64, top: f64, bottom: f64) {
        let (left, right) = (self.scale.x(from), self.scale.x(to));
        let wide = (right - left).max(2.0);
        self.rect(left, top + 1.0, wide, bottom - top - 2.0, "url(#asleep)", 1.0);
        self.line(left, top, left, bottom, HATCH, 1.0, "");
        self.line(right, top, right, bottom, HATCH, 1.0, "");
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
    fn witnesses(&mut self, numbers: f64, axis: f64, bottom: f64, lanes: f64, high: f64) {
        let mut free = LEFT - 20.0;
        for region in &self.story.drops {
            let slept = region.cause == Cause::Slept;
            let color = if slept { INK3 } else { ACCENT };
            let (good, bad) = (self.scale.x(region.last_good), self.scale.x(region.first_bad));
            self.line(bad, numbers + 14.0, bad, bottom, color, 1.0, "");
            // Closer than this the pair becomes one.
            if bad - good >= 5.0 {
                self.line(good, axis, good, bottom, color, 1.0, "");
                let length = words::length(words::millis((region.first_bad - region.last_good) * 1e3));
                let y = lanes + high * plane_lane(region.plane) + 11.0;
                if !slept && bad - good > width(&length, 11.0) + 10.0 {
                    self.text(f64::midpoint(good, bad), y, middle(LOST), &length);
                }
            }
            let number = region.id.to_string();
            let wide = width(&number, 11.0).max(6.0) + 10.0;
            if bad < free {
                continue;
            }
            self.rect(bad - 1.0, numbers, wide, 17.0, color, 1.0);
            self.text(bad - 1.0 + wide / 2.0, numbers + 12.5, middle(set(11.0, 600, "white")), &number);
            free = bad + wide + 2.0;
            self.number_words(region, bad + wide + 5.0, numbers + 12.5, &mut free);
        }
    }

    fn number_words(&mut self, region: &Region, x: f64, y: f64, free: &mut f64) {
        let at = self.story.head.drops.get(region.id - 1).map(|drop| drop.first_bad);
        let Some(at) = at else { return };
        let plane = match region.plane {
            Plane::Signaling => "signaling",
            Plane::Media => "media",
        };
        let says = format!("{}.{:02} {plane}", at.timestamp().strftime("%H:%M:%S"), at.micros().rem_euclid(1_000_000) / 10_000);
        let wide = width(&says, 11.0);
        let next = self.story.drops.iter().map(|other| self.scale.x(other.first_bad)).find(|other| *other >= x - 5.0);
        if x + wide <= RIGHT + 24.0 && next.is_none_or(|next| next > x + wide + 4.0) {
            self.text(x, y, READING, &says);
            *free = x + wide + 4.0;
        }
    }

    /// A curve with its range named at the left. Curves never carry colour.
    fn strip(&mut self, name: &str, points: &[Point], top: f64, high: f64, unit: &str) {
        let floor = top + high - 6.0;
        self.text(MARGIN, floor - 4.0, LABEL, name);
        let most = points.iter().map(|point| point.1).fold(0.0_f64, f64::max);
        let range = nice(most);
        self.text(LEFT - 10.0, floor - 4.0, end(TICK), &format!("0–{range} {unit}"));
        self.line(LEFT, floor, RIGHT, floor, GRID, 1.0, "");
        // A pixel holds many seconds of a long run: its worst is drawn, because a mean would hide what happened.
        let mut path = String::new();
        let mut column: Option<(i64, f64)> = None;
        let mut last: Option<i64> = None;
        let mut put = |(x, value): (i64, f64)| {
            let apart = last.is_none_or(|last| (x - last) as f64 > self.scale.x(3.0) - LEFT + 2.0);
            let y = floor - (value / range).clamp(0.0, 1.0) * (high - 12.0);
            let _ = write!(path, "{}{x} {y:.1}", if apart { 'M' } else { 'L' });
            last = Some(x);
        };
        for Point(at, value) in points {
            let x = self.scale.x(*at).round() as i64;
            column = match column {
                Some((known, worst)) if known == x => Some((x, worst.max(*value))),
                Some(done) => {
                    put(done);
                    Some((x, *value))
                }
                None => Some((x, *value)),
            };
        }
        column.into_iter().for_each(&mut put);
        if !path.is_empty() {
            let _ = write!(self.out, r#"<path d="{path}" fill="none" stroke="{INK2}" stroke-width="1.1" stroke-linejoin="round"/>"#);
        }
    }

    /// What the signs mean, and what the picture cannot clear.
    fn foot(&mut self, bottom: f64) -> f64 {
        let mut y = bottom + 48.0;
        let mut x = MARGIN;
        self.line(x, y - 4.0, x + 22.0, y - 4.0, INK, 2.5, "");
        self.text(x + 28.0, y, TICK, "alive");
        x += 78.0;
        self.line(x, y - 4.0, x + 22.0, y - 4.0, ACCENT, 1.5, "1.5 3");
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
                0 => self.line(x + 6.0, y - 10.0, x + 6.0, y + 2.0, ACCENT, 3.0, ""),
                1 => {
                    self.line(x + 2.0, y - 8.0, x + 10.0, y, ACCENT, 2.0, "");
                    self.line(x + 2.0, y, x + 10.0, y - 8.0, ACCENT, 2.0, "");
                }
                _ => self.line(x, y - 4.0, x + 14.0, y - 4.0, ACCENT, 2.5, "2 3"),
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

fn clock(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        3600.. => format!("{}:{:02}:{:02}", whole / 3600, whole % 3600 / 60, whole % 60),
        _ => format!("{}:{:02}", whole / 60, whole % 60),
    }
}

/// The next of 1, 2, 5 times a power of ten, so that the range can be read at a glance.
fn nice(most: f64) -> f64 {
    let mut range = 5.0;
    for factor in [2.0, 2.0, 2.5].into_iter().cycle().take(30) {
        if range >= most {
            break;
        }
        range *= factor;
    }
    range
}

/// Close enough to set text without a font at hand: sans-serif faces average a little over half their size.
fn width(words: &str, size: f64) -> f64 {
    words.chars().map(|c| if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | 't' | 'f' | 'I') { 0.34 } else { 0.6 }).sum::<f64>()
        * size
}

fn wrap(words: &str, wide: f64, size: f64, most_lines: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let full = lines.len() >= most_lines;
        let last = lines.last_mut().expect("it begins with one line");
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if width(&longer, size) <= wide || last.is_empty() {
            *last = longer;
        } else if full {
            last.push('…');
            break;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// For text and for attributes. What a stranger wrote must stay text.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Not allowed in XML at all, and no font has them.
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
