//! How a person is told what a measured limit is consistent with: the ones that are met often by name, and how many more.

use super::{Entry, Seconds};

/// An administrator looks through four names; more of them are a list that is skipped.
const MOST_NAMED: usize = 4;
/// With the setting and the source of each the sentence grows three times as long.
const MOST_WITH_SETTINGS: usize = 2;

/// What a limit is consistent with. Never empty.
#[derive(Debug)]
pub struct Known {
    entries: Vec<&'static Entry>,
    narrowed_by: Vec<&'static str>,
}

impl Known {
    pub(super) fn of(mut entries: Vec<&'static Entry>, narrowed_by: Vec<&'static str>) -> Option<Self> {
        // Stable: within them the order of the catalogue.
        entries.sort_by_key(|entry| (!entry.often, !entry.verified));
        (!entries.is_empty()).then_some(Self { entries, narrowed_by })
    }

    /// " It is consistent with …."
    pub fn sentence(&self) -> String {
        let (named, rest) = self.entries.split_at(self.entries.len().min(MOST_NAMED));
        let list = match rest {
            [] if named.len() <= MOST_WITH_SETTINGS => and(named.iter().map(|entry| with_setting(entry)).collect()),
            _ => by_length(named),
        };
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        let narrowed = match self.narrowed_by[..] {
            [] => String::new(),
            _ => format!(" (narrowed by {})", self.narrowed_by.join(" and ")),
        };
        format!(" It is consistent with {list}{more}{narrowed}.")
    }

    pub(super) fn holds(&self, entry: &Entry) -> bool {
        self.entries.iter().any(|known| std::ptr::eq(*known, entry))
    }

    /// All of them, for who reads the figures.
    pub fn names(&self) -> String {
        self.entries.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>().join("; ")
    }
}

/// "nginx and Apache (each 60 s); HAProxy (50 s)"
fn by_length(entries: &[&Entry]) -> String {
    let mut groups: Vec<(Seconds, bool, Vec<String>)> = Vec::new();
    for entry in entries {
        let name = entry.name.clone();
        match groups.iter_mut().find(|(seconds, verified, _)| *seconds == entry.seconds && *verified == entry.verified)
        {
            Some((.., names)) => names.push(name),
            None => groups.push((entry.seconds, entry.verified, vec![name])),
        }
    }
    let words = |(seconds, verified, names): (Seconds, bool, Vec<String>)| {
        let each = if names.len() > 1 { "each " } else { "" };
        format!("{} ({each}{}{})", and(names), seconds.words(), unverified(verified))
    };
    groups.into_iter().map(words).collect::<Vec<_>>().join("; ")
}

fn with_setting(entry: &Entry) -> String {
    let change = match entry.change.as_str() {
        "" => "fixed".into(),
        change => format!("set by {change}"),
    };
    let (seconds, unverified) = (entry.seconds.words(), unverified(entry.verified));
    format!("{} ({seconds}{unverified}, {change}; source: {})", entry.name, entry.source)
}

pub(super) fn unverified(verified: bool) -> &'static str {
    if verified { "" } else { ", unverified" }
}

/// "a", "a and b", "a, b and c"
fn and(mut items: Vec<String>) -> String {
    match items.pop() {
        Some(last) if !items.is_empty() => format!("{} and {last}", items.join(", ")),
        last => last.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::catalogue;

    fn known(names: &[&str]) -> Known {
        let entry = |name: &&str| {
            let found = catalogue().limit.iter().find(|entry| entry.name.starts_with(name));
            found.unwrap_or_else(|| panic!("{name}"))
        };
        Known::of(names.iter().map(entry).collect(), vec![]).expect("some")
    }

    #[test]
    fn two_are_told_with_where_they_are_set_and_who_says_so() {
        assert_eq!(
            known(&["Heroku"]).sentence(),
            " It is consistent with Heroku router (55 s, fixed; source: help.heroku.com/BZGH6WMY)."
        );
        let two = known(&["nginx", "OpenShift"]).sentence();
        assert!(two.contains("set by proxy_read_timeout") && two.contains(") and OpenShift router"), "{two}");
    }

    #[test]
    fn of_many_those_that_are_met_often_come_first_and_the_others_are_counted() {
        let many = known(&["Kong", "Fly.io", "Phoenix", "Cloudflare proxy read", "nginx", "AWS Application"]);
        assert_eq!(
            many.sentence(),
            " It is consistent with nginx proxy_read_timeout, AWS Application Load Balancer and Kong read_timeout (each 60 s); Cloudflare proxy read timeout as seen on WebSockets (100 to 120 s, unverified) and 2 more."
        );
        assert!(many.names().ends_with("Phoenix socket timeout; Fly.io proxy"), "{}", many.names());
    }
}
