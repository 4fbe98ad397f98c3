//! The report in its forms: text for a terminal, a paragraph for a ticket, a picture. All draw the same story, in the
//! same order: owner, cause, confidence; when and how often; what to do and by whom; then the evidence.

mod groups;
mod html;
pub(crate) mod page;
mod svg;
mod text;
pub(crate) mod ticket;

pub use html::html;
pub use svg::svg;
pub use text::text;
pub use ticket::ticket;
