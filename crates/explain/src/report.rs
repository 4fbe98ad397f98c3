//! The report in its forms: text for a terminal, a paragraph for a ticket, a picture. All draw the same story.

