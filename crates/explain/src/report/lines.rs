//! Lines of a text that is as wide as its reader's terminal.

use crate::words;

#[derive(Debug)]
pub struct Lines {
    pub out: String,
    pub width: usize,
}

/// Narrower than this a picture shows nothing; wider, lines of prose are hard to read.
const NARROWEST: usize = 48;
const WIDEST: usize = 100;

impl Lines {
    pub fn new(width: usize) -> Self {
        Self { out: String::new(), width: width.clamp(NARROWEST, WIDEST) }
    }

    pub fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    /// Wrapped, the first line after `first`, the others under it.
    pub fn wrapped(&mut self, first: &str, text: &str) {
        let indent = first.chars().count();
        let mut line = first.to_owned();
        let mut used = indent;
        for word in words::pieces(text) {
            let length = word.chars().count();
            if used > indent && used + 1 + length > self.width {
                let full = std::mem::replace(&mut line, " ".repeat(indent));
                self.line(&full);
                used = indent;
            }
            if used > indent {
                line.push(' ');
                used += 1;
            }
            line.push_str(&word);
            used += length;
        }
        self.line(&line);
    }

    pub fn title(&mut self, text: &str) {
        self.line("");
        self.line(text);
    }

    /// With its title; nothing where there is nothing in it.
    pub fn list<'t>(&mut self, title: &str, items: impl Iterator<Item = &'t str>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.title(title);
        for item in items {
            self.wrapped("  - ", item);
        }
    }
}
