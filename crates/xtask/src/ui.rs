//! The page of the window and of the report: `ui/`, built by npm into `ui/dist`, which the window's program then holds.

use crate::node;
use crate::steps::Steps;
use anyhow::{Result, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// npm in `ui/`.
#[derive(Debug)]
pub struct Ui {
    node: Option<PathBuf>,
}

impl Ui {
    pub fn ready() -> Result<Self> {
        Ok(Self { node: node::ensure_there()? })
    }

    pub fn npm(&self, args: &[&str]) -> Command {
        let mut npm = node::npm(self.node.as_deref());
        npm.args(args).current_dir("ui");
        npm
    }

    /// One of the tools that came with its packages, from the workspace's own folder.
    pub fn tool(&self, name: &str) -> Command {
        let end = if cfg!(windows) { ".cmd" } else { "" };
        node::with_node(Command::new(format!("ui/node_modules/.bin/{name}{end}")), self.node.as_deref())
    }

    /// With the Node that the page is built with first in its search path.
    pub fn with_node(&self, command: Command) -> Command {
        node::with_node(command, self.node.as_deref())
    }

    /// Fetches its packages where they are not there yet.
    pub fn build(&self) -> Result<()> {
        if !Path::new("ui/node_modules").is_dir() {
            run(&mut self.npm(&["ci"]))?;
        }
        run(&mut self.npm(&["run", "--silent", "build", "--", "--logLevel", "warn"]))
    }
}

/// `cargo xtask ui`
pub fn ui() -> Result<ExitCode> {
    Ui::ready()?.build()?;
    Ok(ExitCode::SUCCESS)
}

/// For whoever compiles the window and does not look at it.
pub fn ensure_built() -> Result<()> {
    if Path::new("ui/dist/index.html").exists() { Ok(()) } else { Ui::ready()?.build() }
}

/// As a part of everything, and before what is written in Rust: the window's program does not compile without its page.
pub fn add_to(steps: &mut Steps) {
    let mut ui = None;
    steps.check("ui packages", || {
        let ready = Ui::ready()?;
        run(&mut ready.npm(&["ci"]))?;
        ui = Some(ready);
        Ok(())
    });
    let Some(ui) = ui else { return };
    steps.command("ui check", &mut ui.npm(&["run", "check"]));
    steps.tests("ui tests", ui.npm(&["run", "test"]).env("NO_COLOR", "1"));
    steps.command("ui build", &mut ui.npm(&["run", "build"]));
}

/// What is kept with the sources though it is made of them: the page's types by Rust, the report's page for Rust.
const GENERATED: [&str; 2] = ["ui/src/generated", "crates/explain/src/report/report.html"];

/// What was just made anew is what is kept.
pub fn add_generated_to(steps: &mut Steps) {
    let here = Command::new("git").args(["rev-parse", "--is-inside-work-tree"]).output();
    if here.is_ok_and(|asked| asked.status.success()) {
        steps.command("generated", Command::new("git").args(["diff", "--exit-code", "--stat", "--"]).args(GENERATED));
    } else {
        steps.skip(
            "generated",
            &format!("this is no git checkout, so nothing tells whether these are as kept: {GENERATED:?}"),
        );
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = include_str!("../../../ui/package-lock.json");
        assert!(lock.contains("sha512-") && !lock.contains("\"resolved\""), "npm was run without ui/.npmrc");
    }
}
