//! The report in its forms: text for a terminal, lines for a ticket, a page for an administrator, a picture. All draw
//! the same story, in the same order: owner, cause, confidence; when and how often; what to do and by whom; then the evidence.

mod admin;
mod groups;
mod html;
mod lines;
pub(crate) mod page;
mod retest;
mod svg;
mod text;
pub(crate) mod ticket;

pub use admin::admin;
pub use html::html;
pub use retest::{RETEST_FILE, retest, retest_asks, retest_lacks};
pub use svg::svg;
pub use text::text;
pub use ticket::ticket;
