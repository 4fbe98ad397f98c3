//! report.html: the window's own page with one story in it, for a browser.

use crate::opened::Kept;
use crate::wire::Failure;

/// `shell` is `report.html` as it was built with the page.
pub fn filled(shell: Option<&[u8]>, kept: &Kept) -> Result<String, Failure> {
    let shell = shell.and_then(|bytes| std::str::from_utf8(bytes).ok());
    let Some(shell) = shell else {
        return Err(Failure {
            says: "this build of Linewitness holds no report page; save the report itself instead".into(),
        });
    };
    Ok(explain::report::html(shell, &kept.story))
}
