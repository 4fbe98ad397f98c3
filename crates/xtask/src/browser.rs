//! `cargo xtask browser [FILTER]`: the lab's faults beside Debian's Chromium, both in one table. By hand: it takes a quarter of an
//! hour and a browser.

use crate::packages::{self, TO_BROWSE, TO_BUILD_THE_WINDOW, TO_TEST};
use crate::{steps::Steps, test, ui::Ui};
use anyhow::{Result, ensure};
use std::process::ExitCode;

pub fn browser(filter: &[String]) -> Result<ExitCode> {
    ensure!(cfg!(target_os = "linux"), "the lab's faults need Linux' network namespaces; run it there");
    packages::ensure_there(&TO_TEST.iter().chain(TO_BUILD_THE_WINDOW).chain(TO_BROWSE).collect::<Vec<_>>())?;
    let ui = Ui::ready()?;
    ui.build()?;
    let mut steps = Steps::default();
    steps.command("build", &mut test::build());
    let lab = test::lab(&["--browser".to_owned()]);
    steps.command("browser", ui.with_node(lab).args(filter));
    Ok(steps.close())
}
