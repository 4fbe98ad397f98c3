//! `cargo xtask lab [FILTER]`: the lab alone, or only the stories whose name contains the filter.

use crate::packages::{self, TO_BUILD_THE_WINDOW, TO_TEST};
use crate::{steps::Steps, test, ui};
use anyhow::{Result, ensure};
use std::process::ExitCode;

pub fn lab(filter: &[String]) -> Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "the lab's faults need Linux' network namespaces; run it there");
    let mut steps = Steps::default();
    steps.check("packages", || {
        packages::ensure_there(&TO_BUILD_THE_WINDOW.iter().chain(TO_TEST).collect::<Vec<_>>())
    });
    // The workspace is built as all tests are, the window's program with it.
    steps.check("page", ui::ensure_built);
    steps.command("build", &mut test::build());
    steps.tests("lab", &mut test::lab(filter));
    Ok(steps.close())
}
