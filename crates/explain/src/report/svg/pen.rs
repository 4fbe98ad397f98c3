//! The pen: lines, rectangles and texts of an SVG, the axis' scale, and words made safe for XML.

use crate::Story;
use std::fmt::Write;

pub(super) const WIDTH: f64 = 1180.0;
pub(super) const LEFT: f64 = 152.0;
pub(super) const RIGHT: f64 = 1152.0;
pub(super) const MARGIN: f64 = 28.0;
pub(super) const INK: &str = "#14181a";
pub(super) const INK2: &str = "#474e52";
pub(super) const INK3: &str = "#62696d";
pub(super) const LINE: &str = "#d3d7d8";
pub(super) const GRID: &str = "#eceeee";
pub(super) const HATCH: &str = "#c6cbcd";
pub(super) const MUTE: &str = "#868e92";
pub(super) const ACCENT: &str = "#b62d08";
pub(super) const FONT: &str = "Inter, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif";

/// Seconds of the axis to places across the plot.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    pub(super) length: f64,
}

impl Scale {
    pub(super) fn new(story: &Story) -> Self {
        Self { length: if story.axis.length_s.is_finite() { story.axis.length_s.max(1.0) } else { 1.0 } }
    }
    pub(super) fn x(self, at: f64) -> f64 {
        LEFT + (at / self.length).clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
    /// At most ten ticks, at numbers people count in.
    pub(super) fn step(self) -> f64 {
        const STEPS: [f64; 16] = [
            1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 86400.0,
        ];
        STEPS.into_iter().find(|step| self.length / step <= 10.0).unwrap_or(self.length / 5.0)
    }
}

pub(super) struct Drawing<'s> {
    pub(super) out: String,
    pub(super) story: &'s Story,
    pub(super) scale: Scale,
}

/// How a line is drawn; an empty `dash` is a solid line.
#[derive(Clone, Copy)]
pub(super) struct Ink {
    color: &'static str,
    wide: f64,
    dash: &'static str,
}

pub(super) const fn ink(color: &'static str, wide: f64, dash: &'static str) -> Ink {
    Ink { color, wide, dash }
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) size: f64,
    weight: u32,
    fill: &'static str,
    anchor: &'static str,
}

pub(super) const fn set(size: f64, weight: u32, fill: &'static str) -> Type {
    Type { size, weight, fill, anchor: "start" }
}
pub(super) const fn middle(of: Type) -> Type {
    Type { anchor: "middle", ..of }
}
pub(super) const fn end(of: Type) -> Type {
    Type { anchor: "end", ..of }
}

pub(super) const LABEL: Type = set(12.0, 400, INK2);
pub(super) const TICK: Type = set(11.0, 400, INK3);
pub(super) const READING: Type = set(11.0, 400, INK2);
pub(super) const LOST: Type = set(11.0, 600, ACCENT);

impl Drawing<'_> {
    pub(super) fn text(&mut self, x: f64, y: f64, of: Type, words: &str) {
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
    pub(super) fn text_on_white(&mut self, x: f64, y: f64, of: Type, words: &str) {
        let wide = width(words, of.size) + 8.0;
        let left = match of.anchor {
            "middle" => x - wide / 2.0,
            "end" => x - wide + 4.0,
            _ => x - 4.0,
        };
        self.rect(left, y - of.size, wide, of.size + 4.0, "white", 1.0);
        self.text(x, y, of, words);
    }
    pub(super) fn rect(&mut self, x: f64, y: f64, w: f64, h: f64, fill: &str, opacity: f64) {
        let _ = write!(
            self.out,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" fill="{fill}" fill-opacity="{opacity}"/>"#
        );
    }
    pub(super) fn line(&mut self, x1: f64, y1: f64, x2: f64, y2: f64, ink: Ink) {
        let Ink { color, wide, dash } = ink;
        let dash = if dash.is_empty() { String::new() } else { format!(r#" stroke-dasharray="{dash}""#) };
        let _ = write!(
            self.out,
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{color}" stroke-width="{wide}"{dash}/>"#
        );
    }

    pub(super) fn wrapped(&mut self, y: f64, of: Type, words: &str, most_lines: usize) -> f64 {
        let mut y = y;
        for line in wrap(words, RIGHT - MARGIN, of.size, most_lines) {
            self.text(MARGIN, y, of, &line);
            y += of.size * 1.45;
        }
        y
    }
}

/// Close enough to set text without a font at hand: sans-serif faces average a little over half their size.
pub(super) fn width(words: &str, size: f64) -> f64 {
    words
        .chars()
        .map(|c| if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | 't' | 'f' | 'I') { 0.34 } else { 0.6 })
        .sum::<f64>()
        * size
}

pub(super) fn wrap(words: &str, wide: f64, size: f64, most_lines: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in crate::words::pieces(words) {
        let full = lines.len() >= most_lines;
        let last = lines.last_mut().expect("it begins with one line");
        let longer = if last.is_empty() { word.clone() } else { format!("{last} {word}") };
        if width(&longer, size) <= wide || last.is_empty() {
            *last = longer;
        } else if full {
            last.push('…');
            break;
        } else {
            lines.push(word.clone());
        }
    }
    lines
}

/// For text and for attributes. What a stranger wrote must stay text.
pub(in crate::report) fn escaped(text: &str) -> String {
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
