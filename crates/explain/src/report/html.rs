//! The report as a page: the window's own workbench in one file, with this story in it. Whoever reads without scripts has
//! the same verdict as text and picture in the page itself.

use super::{admin, svg, svg::escaped, text};
use crate::{Story, update};
use jiff::tz::TimeZone;

/// The page as it is built from `ui/`, with a marker for each thing that is filled in.
const SHELL: &str = include_str!("report.html");
/// As wide as the text in the page is.
const WIDTH: usize = 100;

/// `caution` stands above everything that is said, as text.
pub fn html(story: &Story, caution: Option<&str>) -> String {
    // What came from outside is data: nothing in it can end the element it stands in.
    let data =
        serde_json::to_string(&update(None, story)).expect("a story holds text and numbers, which JSON can write");
    let data = data.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let plain = format!("{}\n{}", text(story, &TimeZone::UTC, WIDTH), admin(story, WIDTH));
    let fills = [
        ("__REPORT_TITLE__", escaped(&story.head.headline)),
        ("__REPORT_CAUTION__", escaped(caution.unwrap_or_default())),
        ("__REPORT_PICTURE__", svg(story)),
        ("__REPORT_TEXT__", plain.lines().map(escaped).collect::<Vec<_>>().join("\n")),
        ("__REPORT_DATA__", data),
    ];
    filled(SHELL, &fills)
}

/// In one pass: what was filled in is not looked at again, so that no stranger's words are taken for a marker.
fn filled(shell: &str, fills: &[(&str, String)]) -> String {
    let mut out = String::with_capacity(shell.len() + fills.iter().map(|(_, text)| text.len()).sum::<usize>());
    let mut rest = shell;
    let next =
        |rest: &str| fills.iter().filter_map(|(name, text)| Some((rest.find(name)?, *name, text))).min_by_key(|n| n.0);
    while let Some((at, name, text)) = next(rest) {
        out.push_str(&rest[..at]);
        out.push_str(text);
        rest = &rest[at + name.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_among_what_is_filled_in_is_a_word_like_others() {
        let fills = [("__A__", "says __B__".to_owned()), ("__B__", "b".to_owned())];
        assert_eq!(filled("<__A__|__B__>", &fills), "<says __B__|b>");
    }

    #[test]
    fn the_page_asks_for_each_part_once() {
        for part in ["TITLE", "CAUTION", "PICTURE", "TEXT", "DATA"] {
            assert_eq!(SHELL.matches(&format!("__REPORT_{part}__")).count(), 1, "{part}");
        }
        assert_eq!(SHELL.matches("__REPORT_").count(), 5);
    }
}
